"""Units as Grafana writes them: thousands separated, and the unit behind the number.

Grafana's plain `suffix:` does not separate thousands; its "financial" form does, for any unit, since 12.1.
"""

from __future__ import annotations

PLAIN = "locale"
"""A number without a unit: thousands separated as the browser's language does."""

_HEAD, _TAIL = "currency:financial: ", ":suffix"

MOMENT = "time:YYYY-MM-DD HH:mm"
"""A moment, in the dashboard's time zone."""

WORD_JOINER = "\u2060"
"""A character without a width, at which no line breaks."""


def grafana(unit: str) -> str:
    """Return Grafana's name of a unit that is shown as it stands: `kW`, `°C`, or nothing at all."""
    return f"{_HEAD}{unit}{_TAIL}" if unit else PLAIN


def shown(name: str) -> str:
    """Return what Grafana writes behind a number of this unit; of a unit that computes (`percentunit`) nothing."""
    return name.removeprefix(_HEAD).removesuffix(_TAIL) if name.startswith(_HEAD) else ""

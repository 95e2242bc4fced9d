"""What one open page shows, and its address: every view can be sent to a colleague as a link."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

from dashboards.preview.macros import TimeRange, parse_range
from dashboards.preview.theme import Theme
from schemas.words import Language

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

_VARIABLE = "var-"


@dataclass(frozen=True, slots=True)
class View:
    """Dashboard, language, time range and variables of a page; names of parameters are Grafana's."""

    slug: str
    language: Language = Language.ZH
    theme: Theme = Theme.DARK
    range_from: str = ""
    """Empty for the dashboard's own."""
    range_to: str = "now"
    refresh: str = ""
    """Empty for the dashboard's own; `off` to pause."""
    variables: Mapping[str, str] = field(default_factory=dict)
    kiosk: bool = False
    """Panels only, for a screen on a wall: Grafana's `&kiosk`."""

    @classmethod
    def parse(cls, slug: str, query: Mapping[str, str], accept_language: str) -> Self:
        """Read an address; what it doesn't say is the default, what it says wrongly too."""
        language = query.get("lang", "")
        if language not in set(Language):
            language = Language.EN if accept_language.lower().startswith("en") else Language.ZH
        theme = query.get("theme", "")
        return cls(
            slug=slug,
            language=Language(language),
            theme=Theme(theme) if theme in set(Theme) else Theme.DARK,
            range_from=query.get("from", ""),
            range_to=query.get("to", "now"),
            refresh=query.get("refresh", ""),
            kiosk="kiosk" in query,
            variables={key.removeprefix(_VARIABLE): value for key, value in query.items() if key.startswith(_VARIABLE)},
        )

    def with_variable(self, name: str, value: str) -> View:
        """Return the same view of another plant or city."""
        return replace(self, variables={**self.variables, name: value})

    def of(self, shown: TimeRange) -> View:
        """Return the same view of another time, in Grafana's milliseconds."""
        start, end = (str(round(moment.timestamp() * 1000)) for moment in (shown.start, shown.end))
        return replace(self, range_from=start, range_to=end)

    def follow(self, url: str, row: Mapping[str, object]) -> str:
        """Return this preview's address for a link of a definition, from one row's values; empty if one is null.

        Language, theme, time range and refresh go along, as `${__url_time_range}` takes the range along in Grafana.
        """
        target, _, query = url.partition("?")
        slug = target.removeprefix("/d/fenhe-").rpartition("-")[0]
        variables = {}
        for part in query.split("&"):
            name, _, place = part.partition("=")
            if not name.startswith(_VARIABLE):
                continue
            value = row.get(place.removeprefix("${__data.fields.").removesuffix("}"))
            if value is None:
                return ""
            variables[name.removeprefix(_VARIABLE)] = str(value)
        return replace(self, slug=slug, variables=variables).address

    def alarm(self, alarm_id: str) -> str:
        """Path and query of an alarm's page."""
        return f"/alarm/{alarm_id}?{urlencode({'lang': str(self.language), 'theme': str(self.theme)})}"

    def time_range(self, default_from: str, now: dt.datetime) -> TimeRange:
        """What is looked at; a range that cannot be read is the dashboard's own."""
        try:
            return parse_range(self.range_from or default_from, self.range_to, now)
        except (ValueError, OverflowError):
            return parse_range(default_from, "now", now)

    def file(self, kind: str, panel_id: int) -> str:
        """Path and query of a panel's rows in a file, `csv` or `xlsx`."""
        return f"/{kind}/{self.slug}/{panel_id}?{self._query}"

    @property
    def address(self) -> str:
        """Path and query of this view."""
        return f"/d/{self.slug}?{self._query}"

    @property
    def _query(self) -> str:
        query = {"lang": str(self.language), "theme": str(self.theme)}
        to = "" if self.range_to == "now" else self.range_to
        given = {"from": self.range_from, "to": to, "refresh": self.refresh}
        query |= {key: value for key, value in given.items() if value}
        if self.kiosk:
            query["kiosk"] = "1"
        query |= {f"{_VARIABLE}{name}": value for name, value in self.variables.items()}
        return urlencode(query)

"""What an alarm's page writes: moments, figures with their unit, the normal range, the evidence."""

from __future__ import annotations

import datetime as dt
import re
from html import escape
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dashboards.kit.panels import TIME_ZONE
from dashboards.preview.formats import duration
from dashboards.words import alarm as labels_alarm
from dashboards.words import labels
from dashboards.words.battery_soh import CHANGE
from dashboards.words.plant import EVENTS
from schemas.words import Language
from schemas.words.alarm_reasons import EVIDENCE, FOUND, reason
from schemas.words.alarms import GUIDES
from schemas.words.meter_rules import meter_rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboards.preview.view import View
    from schemas.words import Text


FOUND_IN: Mapping[str, Mapping[str, Text]] = {
    "change": {str(change): text for change, text in CHANGE.items()},
    "event": EVENTS,
}
"""Evidence whose value is one of an enumeration's, with its words; any other's words are in `FOUND`."""


def moment(ms: int | None) -> str:
    """Write a moment, milliseconds since the epoch, as the province's clock to the second; nothing for none."""
    return "" if ms is None else f"{dt.datetime.fromtimestamp(ms / 1000, tz=ZoneInfo(TIME_ZONE)):%Y-%m-%d %H:%M:%S}"


def figure(value: float | None, unit: str) -> str:
    """Write a figure with its unit, escaped; nothing for none."""
    return "" if value is None else escape(f"{digits(value)} {unit}".rstrip())


def digits(value: float) -> str:
    """Four digits that count, never powers of ten: 1,313, 13,126, 0.007."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"  # noqa: PLR2004 - four digits


def band(low: float | None, high: float | None, unit: str) -> str:
    """Write a normal range with its unit, escaped; an open end is "…"."""
    if low is None and high is None:
        return ""
    ends = ["…" if end is None else digits(end) for end in (low, high)]
    return escape(f"{ends[0]} – {ends[1]} {unit}".rstrip())


def unit(stored: str) -> str:
    """A unit as people write it."""
    return stored.replace("m3", "m³").replace("mohm", "mΩ")


def earlier(alarms: Sequence[Mapping[str, Any]], view: View) -> str:
    """List past alarms: when and how long, where, and what a person said of it."""
    language = view.language
    items = []
    for each in alarms:
        names = ("site_zh", "device_zh") if language is Language.ZH else ("site_en", "device_en")
        where = " · ".join(str(each[name]) for name in names if each[name])
        if not where:  # of a region
            region = str(each["region"])
            where = region if language is Language.ZH else labels.CITY.get(region, region)
        lasted = each["over_at"] - each["event_at"] if each["over_at"] else None
        length = "" if lasted is None else " ".join(duration(lasted / 1000))
        said = f"“{reason(each['reason'], language)}” ({each['actor']})" if each["reason"] else ""
        link = f'<a class="link" href="{escape(view.alarm(each["alarm_id"]))}">{moment(each["event_at"])}</a>'
        items.append(" · ".join(part for part in (link, *map(escape, (length, where, said))) if part))
    if not items:
        return ""
    return f"<h2>{escape(labels_alarm.EARLIER(language))}</h2><ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def evidence(evidence: Mapping[str, Any], language: Language) -> str:
    """Names in words where there are any, moments as moments."""
    lines = []
    for name, value in evidence.items():
        text = EVIDENCE[name](language) if name in EVIDENCE else name
        is_moment = name.endswith("_ms") and isinstance(value, int)
        shown = moment(value) if is_moment else digits(value) if isinstance(value, float) else str(value)
        shown = _found(name, shown, language)
        lines.append(f"{escape(text)}: {escape(shown)}")
    return "<br>".join(lines)


def detector(stored: str, language: Language) -> str:
    """Write which detector it was and its version, escaped, in a page's language; any other text stays as it is."""
    parts = re.fullmatch(r"(\w+)(?:/\S+ |[ /])(?:[a-z_]+-)?(\S+)", stored)
    if parts is None or parts[1] not in GUIDES:
        return escape(stored)
    name = GUIDES[parts[1]].name(language)
    return escape(labels_alarm.DETECTOR_VERSION(language).format(name=name, version=parts[2]))


def _found(name: str, shown: str, language: Language) -> str:
    """A detector's word in a page's language, or each of several; what is none of them stays as it is."""
    words, each = FOUND_IN.get(name, FOUND), shown.split(", ")
    if all(word in words for word in each):
        return ", ".join(words[word](language) for word in each)
    return meter_rule(shown, language)

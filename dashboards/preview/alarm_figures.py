"""What an alarm's page writes: moments, figures with their unit, the normal range, the evidence."""

from __future__ import annotations

import datetime as dt
from html import escape
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dashboards.kit.panels import TIME_ZONE
from schemas.words.alarm_reasons import EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.words import Language


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


def evidence(evidence: Mapping[str, Any], language: Language) -> str:
    """Names in words where there are any, moments as moments."""
    lines = []
    for name, value in evidence.items():
        text = EVIDENCE[name](language) if name in EVIDENCE else name
        is_moment = name.endswith("_ms") and isinstance(value, int)
        shown = moment(value) if is_moment else digits(value) if isinstance(value, float) else str(value)
        lines.append(f"{escape(text)}: {escape(shown)}")
    return "<br>".join(lines)

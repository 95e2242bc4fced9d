"""What people read of alarms, in Chinese and English."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from schemas.metrics.signal import Severity
from schemas.notifications import What
from schemas.time import LOCAL
from schemas.words import Language
from schemas.words.alarms import GUIDES, SEVERITY, WHAT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.notifications import Told

LINES = 20
"""A message lists so many; the rest is a number."""


def line(told: Told, language: Language) -> str:
    """One alarm in a line: what, how bad, where, since when, by how much, at what cost."""
    chinese = language is Language.ZH
    place = told.site_name_zh if chinese else told.site_name
    device = "" if told.device_id in {told.site_id, told.region} else f" {told.device_id}"
    since = dt.datetime.fromtimestamp(told.event_ms / 1000, tz=LOCAL).strftime("%m-%d %H:%M")
    parts = [
        f"[{SEVERITY[Severity(told.severity)](language)}] {WHAT[What(told.what)](language)}",
        f"{place}{device} {GUIDES[told.kind].name(language)}",
        f"{since} {'起' if chinese else '(UTC+8)'}",
    ]
    if told.value is not None:
        expected = "" if told.baseline is None else f" ({'常态' if chinese else 'expected'} {told.baseline:.4g})"
        parts.append(f"{told.value:.4g} {told.unit}".strip() + expected)
    if told.cost is not None:
        parts.append(f"{'估计损失' if chinese else 'estimated cost'} {told.cost:.4g} {told.cost_unit}".strip())
    if told.disproved:
        parts.append("迟到数据表明原因不成立" if chinese else "late readings have disproved it")
    return " · ".join([*parts, told.alarm_id[:8]])


def _guide(told: Told, language: Language) -> list[str]:
    """What an alarm that came up means, and what to check first."""
    if told.what != What.RAISED:
        return []
    guide = GUIDES[told.kind]
    first = "先查：" if language is Language.ZH else "Check first: "
    return [guide.meaning(language), first + guide.check_first(language)]


def message(told: Sequence[Told], language: Language, *, digest: bool) -> tuple[str, str]:
    """Title and body of a message; the first line is the first out."""
    chinese = language is Language.ZH
    if len(told) == 1:
        title = line(told[0], language).split(" · ")
        return f"汾河 fenhe {title[0]} {title[1]}", "\n".join([line(told[0], language), *_guide(told[0], language)])
    places = {item.site_name_zh if chinese else item.site_name for item in told}
    where = next(iter(places)) if len(places) == 1 else (f"{len(places)} 处" if chinese else f"{len(places)} sites")
    kind = ("汇总" if chinese else "digest") if digest else ("一组" if chinese else "group")
    kinds = {item.kind for item in told}
    count = f"{len(told)} 条" if chinese else f"{len(told)} alarms"
    if len(kinds) == 1:
        count += ("，" if chinese else ", ") + GUIDES[kinds.pop()].name(language)
    lines = [line(item, language) for item in told[:LINES]]
    if len(told) > LINES:
        lines.append(f"……另有 {len(told) - LINES} 条" if chinese else f"… and {len(told) - LINES} more")
    return f"汾河 fenhe {kind} {where}: {count}", "\n".join(lines)

"""What people read of alarms, in Chinese and English."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from notify.routing import NOTIFIED_COMINGS
from schemas.metrics.signal import Severity
from schemas.notifications import What
from schemas.time import LOCAL
from schemas.words import Language
from schemas.words.alarms import GUIDES, SEVERITY, WHAT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.alarm_tables.notifications import Notice

LINES = 20
"""A message lists so many; the rest is a number."""


def line(notice: Notice, language: Language) -> str:
    """One alarm in a line: what, how bad, where, since when, by how much, at what cost."""
    chinese = language is Language.ZH
    place = notice.site_name_zh if chinese else notice.site_name
    device = "" if notice.device_id in {notice.site_id, notice.region} else f" {notice.device_id}"
    since = dt.datetime.fromtimestamp(notice.event_ts / 1000, tz=LOCAL).strftime("%m-%d %H:%M")
    parts = [
        f"[{SEVERITY[Severity(notice.severity)](language)}] {WHAT[What(notice.what)](language)}",
        f"{place}{device} {GUIDES[notice.kind].name(language)}",
        f"{since} {'起' if chinese else '(UTC+8)'}",
    ]
    if notice.value is not None:
        expected = "" if notice.baseline is None else f" ({'常态' if chinese else 'expected'} {notice.baseline:.4g})"
        parts.append(f"{notice.value:.4g} {notice.unit}".strip() + expected)
    if notice.cost is not None:
        parts.append(f"{'估计损失' if chinese else 'estimated cost'} {notice.cost:.4g} {notice.cost_unit}".strip())
    if notice.what == What.RAISED and notice.flaps + 1 >= NOTIFIED_COMINGS:
        times = notice.flaps + 1
        parts.append(
            f"反复出现：连续第 {times} 次，之后不再逐次通知，每天至少通知一次"
            if chinese
            else f"chatters: time {times} in a row, not told each time from now on, but once a day"
        )
    if notice.disproved:
        parts.append("迟到数据表明原因不成立" if chinese else "late readings have disproved it")
    return " · ".join([*parts, notice.alarm_id[:8]])


def _guide(notice: Notice, language: Language) -> list[str]:
    """What an alarm that came up means, and what to check first."""
    if notice.what != What.RAISED:
        return []
    guide = GUIDES[notice.kind]
    first = "先查：" if language is Language.ZH else "Check first: "
    return [guide.meaning(language), first + guide.check_first(language)]


def message(notices: Sequence[Notice], language: Language, *, digest: bool) -> tuple[str, str]:
    """Title and body of a message; the first line is the first out."""
    chinese = language is Language.ZH
    if len(notices) == 1:
        title = line(notices[0], language).split(" · ")
        return f"汾河 fenhe {title[0]} {title[1]}", "\n".join(
            [line(notices[0], language), *_guide(notices[0], language)]
        )
    places = {item.site_name_zh if chinese else item.site_name for item in notices}
    where = next(iter(places)) if len(places) == 1 else (f"{len(places)} 处" if chinese else f"{len(places)} sites")
    kind = ("汇总" if chinese else "digest") if digest else ("一组" if chinese else "group")
    kinds = {item.kind for item in notices}
    count = f"{len(notices)} 条" if chinese else f"{len(notices)} alarms"
    if len(kinds) == 1:
        count += ("，" if chinese else ", ") + GUIDES[kinds.pop()].name(language)
    lines = [line(item, language) for item in notices[:LINES]]
    if len(notices) > LINES:
        lines.append(f"……另有 {len(notices) - LINES} 条" if chinese else f"… and {len(notices) - LINES} more")
    return f"汾河 fenhe {kind} {where}: {count}", "\n".join(lines)

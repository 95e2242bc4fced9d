"""What people read of alarms, in Chinese and English."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from schemas.notifications import Language
from schemas.time import LOCAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.notifications import Told

LINES = 20
"""A message lists so many; the rest is a number."""

_WHAT = {
    "raised": ("报警", "alarm"),
    "returned": ("恢复", "over"),
    "amended": ("更正", "amended"),
}
_SEVERITY = {
    "low": ("提示", "low"),
    "medium": ("一般", "medium"),
    "high": ("严重", "high"),
    "critical": ("危急", "CRITICAL"),
}
_KIND = {
    "no_data": ("无数据", "no data"),
    "seasonal": ("偏离常态", "unusual"),
    "drift": ("持续偏移", "drift"),
    "step": ("水平突变", "step"),
    "base_load": ("基础负荷升高", "base load"),
    "flatline": ("读数停滞", "flatline"),
    "frozen": ("表计卡死", "frozen meter"),
    "stuck_sensor": ("传感器卡死", "stuck sensor"),
    "spike": ("尖峰", "spike"),
    "night_flow": ("夜间流量升高（疑似漏水）", "night flow (leak?)"),
    "balance": ("平衡差", "balance"),
    "limit": ("超限", "limit"),
    "quota": ("超定额", "quota"),
    "capacity_factor": ("容量因子偏低", "capacity factor"),
    "heat_rate": ("热耗升高", "heat rate"),
    "efficiency": ("能效下降", "efficiency"),
    "phase_loss": ("缺相", "phase loss"),
    "over_temperature": ("电池过温", "battery over temperature"),
    "self_heating": ("电池自发热", "battery self-heating"),
    "cell_sag": ("单体电压下陷", "cell sag"),
    "float_current": ("浮充电流上升", "float current"),
    "smoke": ("烟感", "smoke"),
    "water": ("水浸", "water"),
    "cell_spread": ("单体压差", "cell spread"),
    "weak_cell": ("落后单体", "weak cell"),
    "resistance": ("内阻上升", "resistance"),
    "backup": ("备电时长不足", "backup time"),
}


def _word(words: dict[str, tuple[str, str]], key: str, language: Language) -> str:
    pair = words.get(key, (key, key))
    return pair[0] if language is Language.ZH else pair[1]


def line(told: Told, language: Language) -> str:
    """One alarm in a line: what, how bad, where, since when, by how much, at what cost."""
    chinese = language is Language.ZH
    place = told.site_name_zh if chinese else told.site_name
    device = "" if told.device_id in {told.site_id, told.region} else f" {told.device_id}"
    since = dt.datetime.fromtimestamp(told.event_ms / 1000, tz=LOCAL).strftime("%m-%d %H:%M")
    parts = [
        f"[{_word(_SEVERITY, told.severity, language)}] {_word(_WHAT, told.what, language)}",
        f"{place}{device} {_word(_KIND, told.kind, language)}",
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


def message(told: Sequence[Told], language: Language, *, digest: bool) -> tuple[str, str]:
    """Title and body of a message; the first line is the first out."""
    chinese = language is Language.ZH
    if len(told) == 1:
        title = line(told[0], language).split(" · ")
        return f"汾河 fenhe {title[0]} {title[1]}", line(told[0], language)
    places = {item.site_name_zh if chinese else item.site_name for item in told}
    where = next(iter(places)) if len(places) == 1 else (f"{len(places)} 处" if chinese else f"{len(places)} sites")
    kind = ("汇总" if chinese else "digest") if digest else ("一组" if chinese else "group")
    kinds = {item.kind for item in told}
    count = f"{len(told)} 条" if chinese else f"{len(told)} alarms"
    if len(kinds) == 1:
        count += ("，" if chinese else ", ") + _word(_KIND, kinds.pop(), language)
    lines = [line(item, language) for item in told[:LINES]]
    if len(told) > LINES:
        lines.append(f"……另有 {len(told) - LINES} 条" if chinese else f"… and {len(told) - LINES} more")
    return f"汾河 fenhe {kind} {where}: {count}", "\n".join(lines)

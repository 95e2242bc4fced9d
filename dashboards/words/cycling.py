"""Words of sets that are cycled: peak shaving, storage."""

from __future__ import annotations

from schemas.registered.cycling import BatteryUse
from schemas.words import Text

CYCLING = Text("循环用途", "Cycling")
USE = {
    BatteryUse.BACKUP: Text("备电", "backup"),
    BatteryUse.PEAK_SHAVING: Text("削峰填谷", "peak shaving"),
    BatteryUse.STORAGE: Text("储能", "storage"),
}
FADE = {
    "faster": Text("✕ 快于预期", "✕ faster than expected"),
    "expected": Text("● 如预期", "● as expected"),
    "slower": Text("● 慢于预期", "● slower than expected"),
    "risen": Text("◐ 不降反升，应核查", "◐ SoH rose: to be checked"),
    "too_early": Text("○ 为时尚早", "○ too early to tell"),
    "unknown": Text("○ 未知", "○ unknown"),
}
CYCLE_REASON = {
    "open": Text("尚未闭合", "not closed yet"),
    "begun_before": Text("开始未见", "its beginning was not seen"),
    "gap": Text("中间缺数", "a part was not measured"),
    "no_charge": Text("未见充电：电流太小，不计为充电", "no charge seen: too slow to tell from rest"),
    "more_out": Text(
        "放多于充：电流有误，或部分充电太慢未计", "more out than in: wrong current, or part charged too slowly"
    ),
}
"""Why a cycle has no efficiency."""
USE_COLUMN = Text("用途", "Use")
MONTH_OUT = Text("30 日放出", "Out in 30 days")
MONTH_CYCLES = Text("30 日等效满循环", "Full cycles in 30 days")
CLOSED = Text("闭合循环", "Closed cycles")
LEFT_OUT = Text("剔除", "Left out")
EFFICIENCY = Text("往返效率", "Round trip")
FADE_COLUMN = Text("衰减对预期", "Fade")
FADED = Text("已衰减（百分点）", "Faded, points")
EXPECTED = Text("预期（百分点）", "Expected, points")
OUT = Text("放出", "Out")
IN = Text("充入", "In")
FULL_CYCLES = Text("等效满循环", "Full cycles")
ENDED = Text("再次充满", "Full again")
WHY_NONE = Text("为何无效率", "Why no efficiency")
PERIOD = Text("电价时段", "Tariff period")
PRICE = Text("电价 元/kWh", "Price, yuan/kWh")
HOURS_OUT = Text("放电时长", "Hours out")
HOURS_IN = Text("充电时长", "Hours in")
EARNED = Text("收益 元", "Earned, yuan")
KNOWN = Text("已知占比", "Known")
NO_PERIOD = Text("无电价", "no tariff")
NO_SET = Text("没有登记为削峰或储能的电池组", "no set is registered for peak shaving or storage")
NO_CYCLE = Text("还没有循环", "no cycle yet")

"""Words of plants: energy, limits, gangue power, water."""

from __future__ import annotations

from dashboards.kit.thresholds import CAPACITY_FACTOR_PCT
from schemas.words import Text

GANGUE = Text("煤矸石机组", "Gangue unit")
WATER = Text("用水", "Water")
PROVINCE = Text("全省总览", "Province")
METER = Text("表计", "Meter")

LINE = Text("产线", "Line")
UNIT_ENERGY = Text("单位产品综合能耗", "energy per product")
LEVEL_1 = Text("先进值", "level 1, advanced")
LEVEL_2 = Text("准入值", "level 2, admission")
LEVEL_3 = Text("限定值", "level 3, limit")
GRADE = Text("等级（30 天）", "grade (30 d)")
GAP_LIMIT = Text("距限定值", "to the limit")
GAP_LEADER = Text("距领跑者", "to the leader")
GRADES = {
    "0": Text("✕ 超限", "✕ over limit"),
    "1": Text("★ 先进", "★ advanced"),
    "2": Text("● 准入", "● admission"),
    "3": Text("◐ 限定", "◐ limit"),
}
ESTIMATED = Text("◇ 估算", "◇ estimated")
MEASURED = Text("实测", "measured")

UNIT = Text("机组", "Unit")
LOAD = Text("出力", "load")
OF_RATING = Text("占额定", "of its rating")
BED_TEMPERATURE = Text("床温", "bed temp.")
STEAM_FLOW = Text("主蒸汽流量", "main steam")
STEAM_PRESSURE = Text("主蒸汽压力", "steam pressure")
STEAM_TEMPERATURE = Text("主蒸汽温度", "steam temp.")
TO_BEFORE = Text("较同负荷", "to same load")
NET_COAL_RATE = Text("供电标准煤耗", "net coal rate")
GROSS_COAL_RATE = Text("发电标准煤耗", "gross coal rate")
FUEL_YUAN_KWH = Text("度电燃料成本 元/kWh", "fuel, yuan/kWh")
NET_HEAT_RATE = Text("供电热耗", "net heat rate")
STATION_SERVICE = Text("厂用电率", "station service")
EFFICIENCY = Text("供电效率", "net efficiency")
CAPACITY_FACTOR = Text("出力系数", "capacity factor")
CF_BASELINE = Text(f"基准 {CAPACITY_FACTOR_PCT} %", f"baseline {CAPACITY_FACTOR_PCT} %")
EQUIVALENT_HOURS = Text("当月利用小时", "equivalent hours")
EQUIVALENT_HOURS_A_YEAR = Text("折合全年利用小时", "equivalent hours, as a year")
GANGUE_RATE = Text("煤矸石单耗", "gangue per kWh")
GANGUE_SHARE = Text("煤矸石占比", "gangue share")
GANGUE_T = Text("煤矸石", "gangue")
SLIME_T = Text("煤泥", "slime")
COAL_T = Text("原煤", "coal")
FLY_ASH_T = Text("飞灰", "fly ash")
BED_ASH_T = Text("炉渣", "bed ash")
GYPSUM_T = Text("石膏", "gypsum")
LABORATORY = Text("化验覆盖", "laboratory")
FUEL = Text("燃料", "Fuel")
SAMPLED = Text("采样", "Sampled")
RELEASED = Text("出具", "Released")
LHV = Text("低位热值", "LHV")
LHV_BEFORE = Text("此前热值", "Said before")
ASH = Text("灰分", "Ash")
SULPHUR = Text("硫分", "Sulphur")
MOISTURE = Text("水分", "Moisture")
WAITING_HOURS = Text("待化验小时", "hours waiting")
WAITING_SINCE = Text("最早", "since")
FUELS = {"gangue": GANGUE_T, "slime": SLIME_T, "coal": COAL_T}

UNIT_WATER = Text("单位产品取水", "intake per product")
QUOTA = Text("通用定额", "general quota")
QUOTA_ADVANCED = Text("先进定额", "advanced quota")
GAP_QUOTA = Text("距定额", "to the quota")
GAP_ADVANCED_QUOTA = Text("距先进定额", "to the advanced quota")
REUSE = Text("重复利用率", "reuse rate")
INTAKE = Text("取水", "intake")
SUB_METERS = Text("分表合计", "sub-meters")
STORAGE = Text("蓄水变化", "into storage")
OUTFLOW = Text("排出", "outflow")
RESIDUAL = Text("平衡差", "residual")
TOLERANCE = Text("允许差", "tolerance")
ITEM = Text("项目", "item")
NIGHT_FLOW = Text("夜间最小流量", "night flow")
BEYOND_PRODUCTION = Text("超出产量所需的进水", "more than production explains")
LEAK = Text("疑似漏水", "leak suspected")
NO_REUSE_METER = Text("无回用表", "no reuse meter")
NO_FULL_DAY = Text("尚无完整一日", "no full day yet")
NONE_BEFORE = Text("此前无", "none before")
NOTHING_TO_COMPARE = Text("无从比较", "nothing")
METHOD = Text("方法", "Method")
METHODS = {
    "plain": Text("直接", "plain"),
    "idle": Text("停产时段", "idle"),
    "regression": Text("回归残差", "regression"),
}
POINTS = Text("点数", "Points")

DAY = Text("日期", "Day")
SPENT = Text("实际 kgce", "Spent, kgce")
EXPECTED = Text("基准 kgce", "Baseline, kgce")
DEVIATION = Text("偏差 kgce", "Beyond it, kgce")
DEVIATION_PCT = Text("偏差 %", "Beyond, %")
WEEK_DEVIATION = Text("7 天偏差 kgce", "In 7 days, kgce")
DEVIATION_YUAN = Text("折合 元", "Yuan")
NO_BASELINE = Text("没有基准", "no baseline")
NO_PRICE = Text("未登记价格", "no price")

METER_EVENTS = Text("表计事件", "Meter events")
EVENT = Text("事件", "Event")
FROM = Text("开始", "From")
UNTIL = Text("结束", "Until")
BEFORE = Text("之前", "Before")
SEEN = Text("所见", "Seen")
AFTER = Text("之后", "After")
ATTRIBUTED = Text("计入", "Attributed")
RULE = Text("判据", "Why")
LASTING = Text("持续中", "lasting")
EVENTS = {
    "gap": Text("缺数", "gap"),
    "offline": Text("离线", "offline"),
    "spike": Text("尖峰", "spike"),
    "noise_dip": Text("下探", "dip"),
    "reset": Text("清零", "reset"),
    "rollover": Text("翻转", "rollover"),
    "replacement": Text("换表", "replacement"),
    "scale": Text("倍率错", "scale"),
    "freeze": Text("冻结", "freeze"),
    "catch_up": Text("追补", "catch-up"),
    "excursion": Text("跳走又回", "excursion"),
    "surge": Text("突增", "surge"),
    "over_rated": Text("超额定", "over rating"),
    "contradiction": Text("互相矛盾", "contradiction"),
}
QUANTITY = Text("表底", "Register")
INCREMENT = Text("增量", "increment")

MATERIAL = Text("固废", "Material")
BASE = Text("基地", "Base")
GENERATED = Text("产生 t", "Made, t")
USED = Text("利用 t", "Used, t")
YEAR_KNOWN = Text("本年已知", "Known")
FORECAST = Text("预计全年 t", "Year's end, t")
AGAINST_TARGET = Text("较目标", "vs target")
NOT_METERED = Text("未计量", "not metered")
TARGET = Text("年目标 t", "Target, t")
PROGRESS = Text("完成", "Progress")
PLANTS = Text("企业", "plants")
WHOLE_PROVINCE = Text("全省", "province")
OWN_SITES = Text("所见站点", "your sites")
"""What stands for the province to an account that sees some sites only."""
NO_TARGET = Text("未公布", "not published")

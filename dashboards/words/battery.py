"""Words of battery sets: health, evidence, advice."""

from __future__ import annotations

from schemas.metrics.battery_health import CapacityMethod, CapacityReason, EpisodeKind
from schemas.metrics.battery_prospects import Advice, DischargeCause
from schemas.words import Text

BATTERY_SET = Text("单组电池", "Battery set")

ADVICE = {
    Advice.KEEP: Text("● 继续使用", "● keep"),
    Advice.WATCH: Text("◐ 关注", "◐ watch"),
    Advice.RETIRE: Text("✕ 退役", "✕ retire"),
    Advice.UNKNOWN: Text("○ 未测过", "○ never measured"),
}
ADVICE_REASON = {
    "soh": Text("健康度低", "low state of health"),
    "backup": Text("备电达不到合同", "backup below the contract"),
    "cell_spread": Text("单体压差大", "cells far apart"),
    "weak_cell": Text("有落后单体", "a weak cell"),
    "never_measured": Text("从未测过", "never measured"),
}
"""Why a set is to be watched or retired."""
METHOD = {
    CapacityMethod.FULL: Text("放到截止", "to cut-off"),
    CapacityMethod.KNEE: Text("放到拐点", "to the knee"),
    CapacityMethod.OCV: Text("静置电压", "rest voltage"),
    CapacityMethod.TWO_POINT: Text("两次静置", "two rests"),
}
REASON = {
    CapacityReason.NO_DISCHARGE: Text("从未放电", "never discharged"),
    CapacityReason.TOO_SHALLOW: Text("放出不足 20 %", "less than 20 % drawn"),
    CapacityReason.FLAT_REGION: Text("停在电压平台区", "stopped on flat voltage"),
    CapacityReason.NO_REST: Text("未静置即充电", "recharged without a rest"),
    CapacityReason.CURRENT_GAP: Text("电流缺数过多", "too much current missing"),
    CapacityReason.START_UNKNOWN: Text("放电前是否充满不明", "not known to be full"),
    CapacityReason.TEMPERATURE: Text("不在 0–45 °C 或未知", "not within 0–45 °C"),
    CapacityReason.SENSOR: Text("电压与电流矛盾", "voltage against current"),
    CapacityReason.UNCERTAIN: Text("误差超过 5 %", "error above 5 %"),
    CapacityReason.CONTRADICTED: Text("安时计量与旁证不符", "count contradicted"),
    CapacityReason.EXCHANGED: Text("电芯已更换", "other cells now"),
}
"""Why a discharge gave no capacity."""
EPISODE = {
    EpisodeKind.FLOAT: Text("浮充", "float"),
    EpisodeKind.DISCHARGE: Text("放电", "discharge"),
    EpisodeKind.REST: Text("静置", "rest"),
    EpisodeKind.CHARGE: Text("充电", "charge"),
    EpisodeKind.OFFLINE: Text("离线", "offline"),
}
CAUSE = {
    DischargeCause.OUTAGE: Text("市电停电", "outage"),
    DischargeCause.CAPACITY_TEST: Text("核对性放电", "capacity test"),
    DischargeCause.CYCLING: Text("循环运行", "cycling"),
    DischargeCause.UNKNOWN: Text("原因未知", "cause unknown"),
}

SOH = Text("SoH", "SoH")
SOH_INTERVAL = Text("90 % 区间", "90 % interval")
SOH_LOW = Text("SoH 下限", "SoH low")
SOH_HIGH = Text("SoH 上限", "SoH high")
EVIDENCE = Text("证据（放电）", "Evidence from")
METHOD_COLUMN = Text("方法", "Method")
REASON_COLUMN = Text("为何未知", "Why unknown")
ADVICE_COLUMN = Text("建议", "Advice")
ADVICE_REASON_COLUMN = Text("建议原因", "Because")
BACKUP_P10 = Text("备电 p10", "backup p10")
BACKUP_P50 = Text("备电 p50", "backup p50")
CONTRACT_H = Text("合同时长", "Contract")
NO_DISCHARGE_YET = Text("五年内没有放电", "no discharge in five years")
NOT_ASSESSED = Text("尚未评估：读数还太少", "not assessed yet: too few readings so far")
MISSES = Text("不达合同", "below contract")
MEETS = Text("达到合同", "meet the contract")
NOT_KNOWN = Text("未知", "unknown")
OBSERVABLE = Text("一年内可观测", "seen in a year")
MEASURED_SHARE = Text("有估计", "with an estimate")
WATCH = Text("关注", "watch")
RETIRE = Text("退役", "retire")
RESISTANCE = Text("内阻 25 °C", "resistance at 25 °C")
RESISTANCE_RAW = Text("内阻（实测温度）", "resistance as measured")
SOC = Text("SoC（库仑计数）", "SoC (counted)")
SOC_LOW = Text("−2σ", "−2σ")
SOC_HIGH = Text("+2σ", "+2σ")
SOC_BMS = Text("BMS 声称", "as the BMS says")
CELL = Text("单体", "Cell")
VOLTAGE = Text("电压", "voltage")
FLOAT_SPREAD = Text("浮充压差", "float spread")
LOAD_SPREAD = Text("放电压差", "spread under load")
KIND = Text("工况", "Mode")
BEGIN = Text("开始", "Begin")
LASTS = Text("持续", "Length")
CHARGE = Text("电量", "Charge")
SOC_FROM = Text("起始 SoC", "SoC at begin")
SOC_TO = Text("结束 SoC", "SoC at end")
CAUSE_COLUMN = Text("原因", "Cause")
FORECAST = Text("预报 p10", "Forecast p10")
TO_CUTOFF = Text("到截止", "To cut-off")
RANK = Text("次序", "Rank")
UNCERTAIN_KWH = Text("存疑电量", "In doubt")
NEVER_MEASURED = Text("未测过", "Never measured")
REMAINING = Text("剩余 p10", "left, p10")
REMAINING_P50 = Text("剩余 p50", "left, p50")
FIRST_OPENS = Text("首组断开 p10", "first set opens, p10")
NOT_DISCHARGING = Text("未放电", "not discharging")
"""Said in place of the time left: a set that floats, charges or rests has none."""
SITE_REMAINING = Text("全站剩余 p10", "site left, p10")
WILL_MISS = Text("能否撑到合同时长", "Holds out")
SITE_REASON = {
    "no_discharge": Text("未放电", "no set discharges"),
    "just_begun": Text("刚开始，一分钟内给出", "just begun: within a minute"),
    "silent_set": Text("有组中断", "a set is silent"),
    "unknown_set": Text("有组容量未知", "a set is not known"),
    "contradicted": Text("电池与母线互相矛盾", "set and bus disagree"),
}

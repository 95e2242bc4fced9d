"""What a battery set's passport says, in which words: one list for the page, the printed page and the command."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from dashboards.words import alarm, battery, battery_soh, labels
from schemas.words import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

_Word = TypeVar("_Word", bound=str)

PASSPORT = Text("电池护照", "Battery passport")
IDENTITY = Text("身份", "Identity")
HEALTH = Text("健康与建议", "Health and advice")
USE = Text("使用经历", "Use")
TEMPERATURE_HOURS = Text("温度经历（小时）", "Hours by highest temperature")
TOO_SHALLOW = Text(
    "另有放出不足 20 %、不足以估计的放电次数", "Discharges of less than 20 %, which tell nothing, beside these"
)
ESTIMATES = Text("历次放电的估计与证据", "Estimates, each with its evidence")
ALARMS = Text("历次告警", "Alarms")
ITEM = Text("项目", "Item")
SAID = Text("内容", "Value")
HOURS = Text("小时", "Hours")
BAND = Text("温度", "Temperature")
SOH_AFTER = Text("融合后 SoH", "SoH after it")
SOH_ALONE = Text("本次 SoH", "this one alone")
DRAWN = Text("放出", "Drawn")
MEAN_C = Text("平均温度", "Mean temperature")
CHANGE = Text("变化", "Change")
WITNESSES = Text("旁证", "Borne out by")
CLEARED = Text("恢复", "Over since")
PRINT = Text("打印或存为 PDF", "Print, or save as PDF")
DOCUMENT = Text("整本护照", "The whole passport")

BANDS = {
    "below_0_c": Text("0 °C 以下", "below 0 °C"),
    "0_to_25_c": Text("0–25 °C", "0–25 °C"),
    "25_to_35_c": Text("25–35 °C", "25–35 °C"),
    "35_to_45_c": Text("35–45 °C", "35–45 °C"),
    "above_45_c": Text("45 °C 以上", "above 45 °C"),
}
CHEMISTRY = {"lfp": Text("磷酸铁锂", "LFP"), "li_ion": Text("其他锂离子", "other lithium-ion")}
BY_VOLTAGE = Text("（按电压推断）", " (told by its voltage)")
YES_NO = {"true": labels.YES, "false": labels.NO}


class PassportLine(NamedTuple):
    """One line of a passport: a field of its document, and how a person reads it."""

    key: str
    text: Text
    unit: str = ""
    decimals: int | None = None
    """None: as it stands."""
    words: Mapping[str, Text] | None = None
    """What is said in place of the value, or of each of its values separated by commas."""
    is_moment: bool = False
    scale: float = 1.0
    to: str = ""
    """Key of the upper end, of an interval."""
    absent: Text = labels.UNKNOWN
    """What is said where there is none."""
    inferred: str = ""
    """Key of what says that the value was told from others, not registered (`BY_VOLTAGE` is said behind it then)."""


def _words(texts: Mapping[_Word, Text]) -> dict[str, Text]:
    return {str(key): text for key, text in texts.items()}


IDENTITY_ITEMS = (
    PassportLine("device_id", Text("设备编号", "Device")),
    PassportLine("site_id", Text("站点编号", "Site")),
    PassportLine(
        "trace_code", Text("国家溯源编码（GB/T 34014）", "Trace code (GB/T 34014)"), absent=labels.NOT_REGISTERED
    ),
    PassportLine("maker", Text("厂家", "Maker"), absent=labels.NOT_REGISTERED),
    PassportLine("batch", Text("批次", "Batch"), absent=labels.NOT_REGISTERED),
    PassportLine("first_life", Text("首次使用", "First life"), absent=labels.NOT_REGISTERED),
    PassportLine("commissioned_on", Text("投运日期", "In service since"), absent=labels.NOT_REGISTERED),
    PassportLine("valid_from", Text("登记更换", "Replacement registered"), is_moment=True, absent=labels.NONE),
    PassportLine("chemistry", Text("化学体系", "Chemistry"), words=CHEMISTRY, inferred="chemistry_by_voltage"),
    PassportLine("cell_count", Text("串联单体数", "Cells in series")),
    PassportLine("nominal_ah", Text("额定容量", "Nominal capacity"), "Ah", 0),
    PassportLine("nominal_v", Text("额定电压", "Nominal voltage"), "V", 1),
    PassportLine("contract_h", Text("合同备电时长", "Backup by contract"), "h", 1),
    PassportLine(
        "current_accuracy",
        Text("电流传感器误差 ±", "Current sensor, ±"),
        "%",
        1,
        scale=100,
        absent=labels.NOT_REGISTERED,
    ),
)
HEALTH_ITEMS = (
    PassportLine("as_of", Text("截至", "As of"), is_moment=True),
    PassportLine("advice", battery.ADVICE_COLUMN, words=_words(battery.ADVICE)),
    PassportLine("advice_reasons", battery.ADVICE_REASON_COLUMN, words=battery.ADVICE_REASON, absent=labels.NONE),
    PassportLine("soh_pct", Text("健康度 SoH", "State of health"), "%", 1),
    PassportLine("soh_low_pct", battery.SOH_INTERVAL, "%", 1, to="soh_high_pct", absent=labels.NONE),
    PassportLine("soh_at_least_pct", Text("至少", "At least"), "%", 1, absent=labels.NONE),
    PassportLine("quality", labels.QUALITY_COLUMN, words=_words(labels.QUALITY)),
    PassportLine("method", battery.METHOD_COLUMN, words=_words(battery.METHOD), absent=labels.NONE),
    PassportLine("evidence_at", battery.EVIDENCE, is_moment=True, absent=labels.NONE),
    PassportLine("reason", battery.REASON_COLUMN, words=_words(battery.REASON), absent=labels.NONE),
    PassportLine("soh_bms_pct", labels.SOH_BMS, "%", 0, absent=labels.NOT_SENT),
    PassportLine("resistance_25c_mohm", battery.RESISTANCE, "mΩ", 1, absent=labels.NOT_MEASURED),
    PassportLine(
        "resistance_trend", Text("内阻 ÷ 本组以往", "Resistance over its own past"), "", 2, absent=labels.NOT_MEASURED
    ),
    PassportLine("backup_p50_h", battery.BACKUP_P50, "h", 2),
    PassportLine("backup_p10_h", battery.BACKUP_P10, "h", 2),
    PassportLine("misses_contract", battery.MISSES, words=YES_NO),
)
USE_ITEMS = (
    PassportLine("first_at", Text("首次上报", "First heard of"), is_moment=True, absent=labels.NEVER),
    PassportLine("discharges", Text("放电次数", "Discharges"), "", 0),
    PassportLine("discharged_ah", Text("累计放出", "Drawn in all"), "Ah", 0),
    PassportLine("full_cycles", Text("等效满循环", "Equivalent full cycles"), "", 1),
    PassportLine("hours_discharged", Text("放电时长", "Hours discharged"), "h", 0),
    PassportLine("hours_on_float", Text("浮充时长", "Hours on float"), "h", 0),
    PassportLine("hours_not_heard", Text("失联时长", "Hours not heard"), "h", 0),
    PassportLine("temperature_min_c", Text("最低温度", "Lowest temperature"), "°C", 0),
    PassportLine("temperature_max_c", Text("最高温度", "Highest temperature"), "°C", 0),
)
ESTIMATE_ITEMS = (
    PassportLine("discharge_at", battery.BEGIN, is_moment=True),
    PassportLine("this_discharge.soh_pct", SOH_ALONE, "%", 1),
    PassportLine("soh_pct", SOH_AFTER, "%", 1),
    PassportLine("soh_low_pct", battery.SOH_INTERVAL, "%", 1, to="soh_high_pct", absent=labels.NONE),
    PassportLine("method", battery.METHOD_COLUMN, words=_words(battery.METHOD), absent=labels.NONE),
    PassportLine("witnesses", WITNESSES, words=_words(battery_soh.WITNESS), absent=labels.NONE),
    PassportLine("this_discharge.drawn_ah", DRAWN, "Ah", 1),
    PassportLine("this_discharge.temperature_mean_c", MEAN_C, "°C", 0),
    PassportLine("this_discharge.resistance_mohm", battery.RESISTANCE, "mΩ", 1, absent=labels.NOT_MEASURED),
    PassportLine("change", CHANGE, words=_words(battery_soh.CHANGE), absent=labels.NONE),
    PassportLine("this_discharge.reason", battery.REASON_COLUMN, words=_words(battery.REASON), absent=labels.NONE),
    PassportLine("quality", labels.QUALITY_COLUMN, words=_words(labels.QUALITY)),
)
ALARM_ITEMS = (
    PassportLine("severity", alarm.SEVERITY_COLUMN, words=_words(alarm.SEVERITY)),
    PassportLine("kind", alarm.KIND_COLUMN, words=alarm.KIND_WORDS),
    PassportLine("event_at", alarm.SINCE, is_moment=True),
    PassportLine("cleared_at", CLEARED, is_moment=True, absent=labels.NONE),
    PassportLine("value", alarm.VALUE, "", 2, absent=labels.NONE),
    PassportLine("unit", labels.UNIT, absent=labels.NONE),
)

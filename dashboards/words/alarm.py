"""Words of alarms: states, severities and what detectors see."""

from __future__ import annotations

from dashboards.words.language import Text
from schemas.alarms import NO_DATA, AlarmEvent, AlarmState
from schemas.metrics.signal import Severity, SignalKind

ALARMS = Text("告警", "Alarms")

SEVERITY = {
    Severity.CRITICAL: Text("▲▲ 紧急", "▲▲ critical"),
    Severity.HIGH: Text("▲ 高", "▲ high"),
    Severity.MEDIUM: Text("■ 中", "■ medium"),
    Severity.LOW: Text("▽ 低", "▽ low"),
}
STATE = {
    AlarmState.NORMAL: Text("○ 正常", "○ normal"),
    AlarmState.ACTIVE_UNACKNOWLEDGED: Text("● 未确认", "● unacknowledged"),
    AlarmState.ACTIVE_ACKNOWLEDGED: Text("◐ 已确认", "◐ acknowledged"),
    AlarmState.RETURNED_UNACKNOWLEDGED: Text("◌ 已恢复未确认", "◌ returned, unseen"),
    AlarmState.SHELVED: Text("⏸ 搁置", "⏸ shelved"),
    AlarmState.SUPPRESSED: Text("⊘ 抑制", "⊘ suppressed"),
    AlarmState.OUT_OF_SERVICE: Text("✕ 停用", "✕ out of service"),
}
KIND = {
    SignalKind.SEASONAL: Text("偏离往常", "unusual for the hour"),
    SignalKind.DRIFT: Text("缓慢漂移", "drift"),
    SignalKind.STEP: Text("水平跃变", "step"),
    SignalKind.BASE_LOAD: Text("基础负荷上升", "base load"),
    SignalKind.FLATLINE: Text("读数不变", "flat line"),
    SignalKind.FROZEN: Text("表计卡死", "frozen meter"),
    SignalKind.STUCK_SENSOR: Text("传感器卡死", "stuck sensor"),
    SignalKind.SPIKE: Text("尖峰", "spike"),
    SignalKind.NIGHT_FLOW: Text("夜间流量（漏水）", "night flow (leak)"),
    SignalKind.BALANCE: Text("平衡差", "balance"),
    SignalKind.LIMIT: Text("超限额", "beyond limit"),
    SignalKind.QUOTA: Text("超定额", "beyond quota"),
    SignalKind.CAPACITY_FACTOR: Text("出力系数", "capacity factor"),
    SignalKind.HEAT_RATE: Text("热耗率", "heat rate"),
    SignalKind.EFFICIENCY: Text("能效下降", "efficiency"),
    SignalKind.PHASE_LOSS: Text("缺相", "phase loss"),
    SignalKind.OVER_TEMPERATURE: Text("过温", "over temperature"),
    SignalKind.SELF_HEATING: Text("自热", "self heating"),
    SignalKind.CELL_SAG: Text("单体跌落", "cell sag"),
    SignalKind.FLOAT_CURRENT: Text("浮充电流上升", "float current"),
    SignalKind.SMOKE: Text("烟感", "smoke"),
    SignalKind.WATER: Text("水浸", "water"),
    SignalKind.CELL_SPREAD: Text("单体压差", "cell spread"),
    SignalKind.WEAK_CELL: Text("弱单体", "weak cell"),
    SignalKind.RESISTANCE: Text("内阻上升", "resistance"),
    SignalKind.BACKUP: Text("备电不足", "backup time"),
}
OTHER_KINDS = {NO_DATA: Text("无数据", "no data")}
"""Of alarms that no detector raises."""

UNACKNOWLEDGED = Text("未确认", "unacknowledged")
ACKNOWLEDGED = Text("已确认", "acknowledged")
RETURNED = Text("已恢复未确认", "returned, unseen")
SHELVED = Text("搁置", "shelved")
SUPPRESSED = Text("抑制", "suppressed")
STANDING = Text("超过 24 h", "standing > 24 h")
SEVERITY_COLUMN = Text("级别", "Severity")
STATE_COLUMN = Text("状态", "State")
KIND_COLUMN = Text("类型", "Kind")
SINCE = Text("发生", "Since")
LASTED = Text("持续", "For")
DETECTED = Text("发现", "Detected")
VALUE = Text("数值", "Value")
EXPECTED = Text("预期", "Expected")
COST = Text("估计代价", "Cost")
DEVICE = Text("设备/站点", "Device or site")
COUNT = Text("次数", "Alarms")
PRESENTED = Text("提示数", "alarms")
TARGET = Text("目标 1", "target 1")
FLOOD = Text("洪泛 10", "flood 10")
AT = Text("时间", "At")
EVENT = Text("事件", "Event")
ACTOR = Text("操作者", "By")
REASON = Text("理由", "Reason")
NO_ACTIVE = Text("没有活动告警", "no alarm is active")
"""Said where the table is empty: the alarm engine is the one to ask."""

KIND_WORDS = {str(kind): text for kind, text in KIND.items()} | OTHER_KINDS
EVENTS = {
    AlarmEvent.RAISE: Text("发生", "raised"),
    AlarmEvent.RAISE_SUPPRESSED: Text("发生（被抑制）", "raised, suppressed"),
    AlarmEvent.CLEAR: Text("恢复", "over"),
    AlarmEvent.CLEAR_LATCHED: Text("恢复（需确认）", "over, to be seen"),
    AlarmEvent.ACKNOWLEDGE: Text("确认", "acknowledged"),
    AlarmEvent.CLOSE: Text("关闭", "closed"),
    AlarmEvent.REALARM: Text("再次提示", "raised again"),
    AlarmEvent.SHELVE: Text("搁置", "shelved"),
    AlarmEvent.SUPPRESS: Text("抑制", "suppressed"),
    AlarmEvent.DISABLE: Text("停用", "out of service"),
    AlarmEvent.RESUME_ACTIVE: Text("解除，仍活动", "taken back, active"),
    AlarmEvent.RESUME_NORMAL: Text("解除，已正常", "taken back, normal"),
    AlarmEvent.COMMENT: Text("备注", "comment"),
    AlarmEvent.AMEND: Text("迟到数据修正", "amended by late data"),
}

# One alarm, and what an operator does with it.
ACKNOWLEDGE = Text("确认", "Acknowledge")
SHELVE = Text("搁置", "Shelve")
UNSHELVE = Text("取消搁置", "Take back")
CLOSE = Text("关闭", "Close")
COMMENT = Text("备注", "Comment")
SEEN = Text("已看到", "seen")
YOUR_NAME = Text("姓名", "Your name")
HOURS = Text("搁置小时", "Hours")
CLEARED = Text("恢复", "Over since")
SHELVED_UNTIL = Text("搁置至", "Shelved until")
BAND = Text("正常范围", "Normal range")
EVIDENCE = Text("依据", "Evidence")
DETECTOR = Text("检测器", "Detector")
AT_THAT_TIME = Text("查看当时数据", "Its device at that time")
NO_SUCH_ALARM = Text("没有这个告警", "There is no such alarm")
OPEN_ALARM = Text("处理告警", "See and deal with the alarm")
ONLY_SHOWN = Text(
    "本页只读：设置 FENHE_DB_OPERATOR_URL 后重新启动 fenhe preview 即可处理告警。",
    "This page only shows: start fenhe preview with FENHE_DB_OPERATOR_URL to deal with alarms.",
)

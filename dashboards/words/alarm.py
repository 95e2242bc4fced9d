"""Words of alarms on pages; severities, states and kinds are in `schemas.words.alarms`, here with their marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from schemas.alarms import AlarmState
from schemas.metrics.signal import Severity
from schemas.words import Text
from schemas.words import alarms as words

if TYPE_CHECKING:
    from collections.abc import Mapping

_Key = TypeVar("_Key")

ALARMS = Text("告警", "Alarms")


def _marked(marks: Mapping[_Key, str], words: Mapping[_Key, Text]) -> dict[_Key, Text]:
    """Put a mark before each word: colour is never the only signal."""
    return {key: Text(f"{marks[key]} {text.zh}", f"{marks[key]} {text.en}") for key, text in words.items()}


SEVERITY = _marked(
    {Severity.CRITICAL: "▲▲", Severity.HIGH: "▲", Severity.MEDIUM: "■", Severity.LOW: "▽"}, words.SEVERITY
)
STATE = _marked(
    {
        AlarmState.NORMAL: "○",
        AlarmState.ACTIVE_UNACKNOWLEDGED: "●",
        AlarmState.ACTIVE_ACKNOWLEDGED: "◐",
        AlarmState.RETURNED_UNACKNOWLEDGED: "◌",
        AlarmState.SHELVED: "‖",
        AlarmState.SUPPRESSED: "⊘",
        AlarmState.OUT_OF_SERVICE: "✕",
    },
    words.STATE,
)
UNACKNOWLEDGED = Text("未确认", "unacknowledged")
ACKNOWLEDGED = Text("已确认", "acknowledged")
RETURNED = Text("已恢复未确认", "over, unseen")
SHELVED = Text("搁置", "shelved")
SUPPRESSED = Text("抑制", "suppressed")
STANDING = Text("超过 24 h", "standing > 24 h")
SEVERITY_COLUMN = Text("级别", "Severity")
STATE_COLUMN = Text("状态", "State")
KIND_COLUMN = Text("类型", "Kind")
ALSO = Text("另有", "Also")
SINCE = Text("发生", "Since")
LASTED = Text("持续", "For")
DETECTED = Text("发现", "Detected")
VALUE = Text("数值", "Value")
EXPECTED = Text("预期", "Expected")
COST = Text("估计代价", "Cost")
SITE = Text("企业/站点", "Plant or site")
DEVICE = Text("设备", "Device")
CONDITION = Text("条件", "Condition")
HOLDS = Text("● 仍成立", "● still holds")
OVER = Text("○ 已消失", "○ over")
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

KIND_WORDS = {str(kind): guide.name for kind, guide in words.GUIDES.items()}
EVENTS = words.EVENT

# One alarm, and what an operator does with it.
ACKNOWLEDGE = Text("确认", "Acknowledge")
SHELVE = Text("搁置", "Shelve")
UNSHELVE = Text("取消搁置", "Take back")
CLOSE = Text("关闭", "Close")
COMMENT = Text("备注", "Comment")
YOUR_NAME = Text("姓名", "Your name")
HOURS = Text("搁置小时", "Hours")
CLEARED = Text("恢复", "Over since")
SHELVED_UNTIL = Text("搁置至", "Shelved until")
BAND = Text("正常范围", "Normal range")
EVIDENCE = Text("依据", "Evidence")
DETECTOR = Text("检测器", "Detector")
DETECTOR_VERSION = Text("{name}，版本 {version}", "{name}, version {version}")
AT_THAT_TIME = Text("查看当时数据", "Its device at that time")
COMPANIONS = Text("同一设备的其他告警（可能同一原因）", "Other alarms of the same device (maybe the same cause)")
WITH_COMPANIONS = Text("一并处理同一设备的其他告警", "also the other alarms of this device")
WITH_ALIKE = Text("一并处理所有同类告警", "also all others of this kind")
EARLIER = Text("以前的同类告警", "Earlier alarms of this kind")
SOUND = Text("新告警响铃", "Sound for a new alarm")
CLICK_TO_RING = Text("点一下页面才会响", "click the page to let it ring")
SOUND_WAITS = Text(
    "响铃已开；浏览器要等您在页面上点一下才会响",
    "Sound is on; the browser lets it ring once you have clicked on the page",
)
NO_SUCH_ALARM = Text("没有这个告警", "There is no such alarm")
OPEN_ALARM = Text("处理告警", "See and deal with the alarm")
ONLY_SHOWN = Text(
    "本页只读：设置 FENHE_DB_OPERATOR_URL 后重新启动 fenhe preview 即可处理告警。",
    "This page only shows: start fenhe preview with FENHE_DB_OPERATOR_URL to deal with alarms.",
)

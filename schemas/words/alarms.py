"""Words of alarms: severities, states, events, and for each kind what it means and what to do.

The page of an alarm, the message on a phone and `docs/alarm-kinds.md` all read the guides.
"""

from __future__ import annotations

from schemas.alarms import CLOCK, NO_DATA, AlarmEvent, AlarmState
from schemas.metrics.signal import Severity, SignalKind
from schemas.notifications import What
from schemas.words import Text
from schemas.words.battery_guides import BATTERY_GUIDES
from schemas.words.guide import Guide
from schemas.words.plant_guides import PLANT_GUIDES

SEVERITY = {
    Severity.CRITICAL: Text("危急", "critical"),
    Severity.HIGH: Text("严重", "high"),
    Severity.MEDIUM: Text("一般", "medium"),
    Severity.LOW: Text("提示", "low"),
}
STATE = {
    AlarmState.NORMAL: Text("正常", "normal"),
    AlarmState.ACTIVE_UNACKNOWLEDGED: Text("未确认", "unacknowledged"),
    AlarmState.ACTIVE_ACKNOWLEDGED: Text("已确认", "acknowledged"),
    AlarmState.RETURNED_UNACKNOWLEDGED: Text("已恢复未确认", "returned, not acknowledged"),
    AlarmState.SHELVED: Text("搁置", "shelved"),
    AlarmState.SUPPRESSED: Text("抑制", "suppressed"),
    AlarmState.OUT_OF_SERVICE: Text("停用", "out of service"),
}
EVENT = {
    AlarmEvent.RAISE: Text("发生", "raised"),
    AlarmEvent.RAISE_SUPPRESSED: Text("发生（被抑制）", "raised, suppressed"),
    AlarmEvent.CLEAR: Text("恢复", "returned"),
    AlarmEvent.CLEAR_LATCHED: Text("恢复（需确认）", "returned, to be acknowledged"),
    AlarmEvent.ACKNOWLEDGE: Text("确认", "acknowledged"),
    AlarmEvent.CLOSE: Text("关闭", "closed"),
    AlarmEvent.REALARM: Text("再次告警", "raised again"),
    AlarmEvent.SHELVE: Text("搁置", "shelved"),
    AlarmEvent.SUPPRESS: Text("抑制", "suppressed"),
    AlarmEvent.DISABLE: Text("停用", "out of service"),
    AlarmEvent.RESUME_ACTIVE: Text("解除，仍活动", "taken back, still active"),
    AlarmEvent.RESUME_NORMAL: Text("解除，已正常", "taken back, normal by now"),
    AlarmEvent.COMMENT: Text("备注", "comment"),
    AlarmEvent.AMEND: Text("迟到数据更正", "amended by late readings"),
}
WHAT = {
    What.RAISED: Text("告警", "alarm"),
    What.RETURNED: Text("恢复", "returned"),
    What.AMENDED: Text("更正", "amended"),
}

_GUIDES = PLANT_GUIDES | BATTERY_GUIDES
GUIDES: dict[str, Guide] = {
    NO_DATA: Guide(
        Text("无数据", "no data"),
        Text(
            "设备、站点或区域连续五个上报周期没有数据。",
            "A device, site or region has sent nothing for five of its periods.",
        ),
        Text(
            "确定没有收到数据；不能说明设备本身是否故障。流水线停顿时不会报此告警。",
            "It is certain that nothing came; whether the device itself has failed is not known."
            " A stopped pipeline does not raise it.",
        ),
        Text(
            "先看同一网关、同一站点的其他设备是否在线，再查电源和网络。",
            "See whether other devices of the same gateway and site are heard; then power and network.",
        ),
        Text(
            "网关断电、SIM 卡欠费、网线松动、设备检修。",
            "A gateway without power, an expired SIM card, a loose cable, maintenance.",
        ),
    ),
    CLOCK: Guide(
        Text("时钟错误", "wrong clock"),
        Text(
            "设备时钟偏差大：快（读数因“时间超前”被隔离）、慢（读数总是晚同样久才到）、丢失（回到 2000 年等）或停走。"
            "数值为估计的偏差，正数为快。",
            "The device's clock is ahead (its readings are refused), behind (they always arrive as long after their"
            " time), lost (the year 2000) or stands. The value is the estimated offset; ahead is positive.",
        ),
        Text(
            "快、丢失和停走是确定的。慢由到达时间推断：网关若总把数据压住同样久，看起来也一样。",
            "Ahead, lost and standing are certain. Behind is told by arrivals: a gateway that always holds readings"
            " back for as long looks the same.",
        ),
        Text(
            "看偏差：正好 8 小时多半是时区设错（把北京时间当作 UTC，或相反）；再查对时（NTP）和时钟电池。",
            "Look at the offset: exactly 8 h is a time zone, local time sent as UTC or the reverse; then NTP and the"
            " clock's battery.",
        ),
        Text(
            "时区设错、对时服务不通、时钟电池没电、换表后没有校时。",
            "A wrong time zone, no time server, an empty clock battery, a device not set after an exchange.",
        ),
    ),
    **{kind: _GUIDES[kind] for kind in SignalKind if kind in _GUIDES},
}
"""By kind of alarm: silence and clocks first, then in the order of the kinds."""

"""Words of what fenhe writes itself into an alarm's history and evidence, and of what it refuses an operator.

They are stored in English, once, so that a history never changes its words; a page shows them in its own language.
What a person wrote stays as it was written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

SEEN = "seen"
"""What is stored of who acknowledges and says no more."""

REASONS: Mapping[str, str] = {
    SEEN: "已看到",
    "the condition holds": "条件成立",
    "the condition is over": "条件已消失",
    "the condition was over for a while": "条件曾一度消失",
    "another one came on top of it": "在此之上又发生一次",
    "over for as long as the deadband asks": "消失时间已超过死区要求",
    "worse: critical": "加重为危急",
    "worse: high": "加重为严重",
    "worse: medium": "加重为一般",
    "worse: low": "加重为提示",
    "late readings have moved it": "迟到数据更正了时间",
    "late readings have disproved it": "迟到数据推翻了该告警",
    "late readings show that it held before, too": "迟到数据表明此前也曾成立",
    "late readings have filled it": "迟到数据已补齐",
    "nothing is heard": "收不到数据",
    "heard again": "重新收到数据",
    "heard again, and what was missing has come": "重新收到数据，所缺数据也已补到",
    "its clock is wrong": "时钟错误",
    "its clock is right again, or nothing is heard of it": "时钟已恢复正常，或不再收到数据",
    "its parent accounts for it": "由上级告警说明",
    "its parent no longer accounts for it": "不再由上级告警说明",
    "its time on the shelf is over": "搁置时间已到",
    "maintenance is over": "检修已结束",
    "acknowledged long ago and still active": "确认已久，仍未消失",
}
"""What fenhe gives as a reason of its own, in Chinese."""

_REFUSALS: Mapping[str, str] = {
    r"a name and a reason are required": "请填写姓名和理由",
    r"a name and a note are required": "请填写姓名和记事",
    r"a note has at most (?P<most>\d+) characters, this one (?P<length>\d+)": "记事最多 {most} 字，现有 {length} 字",
    r"there is no site .*": "没有这个站点",
    r"the name (?P<name>.*) cannot be used, or name or reason is too long": "不能使用姓名“{name}”，或姓名、理由过长",
    r"the name (?P<name>.*) cannot be used, or is too long": "不能使用姓名“{name}”，或姓名过长",
    r"shelve for more than 0 and at most (?P<most>\S+) hours": "搁置时间须大于 0 且不超过 {most} 小时",
    r"there is no alarm .*": "没有这个告警",
    r"\w+ is not possible: alarm .*": "该告警的状态已经改变，此操作现在不可行；请看下方历史",
    r"alarm \S+ is \w+": "该告警的状态已经改变，此操作现在不可行；请看下方历史",
}

EVIDENCE: Mapping[str, Text] = {
    "as_of_ms": Text("截至", "as of"),
    "backup_p50_h": Text("备电时长 p50，h", "backup time p50, h"),
    "backup_p90_h": Text("备电时长 p90，h", "backup time p90, h"),
    "bus_before_v": Text("停电前母线电压，V", "bus before, V"),
    "bus_low_v": Text("母线最低电压，V", "bus at its lowest, V"),
    "cell": Text("单体", "cell"),
    "cell_v": Text("单体电压，V", "cell voltage, V"),
    "change": Text("变化", "change"),
    "change_pct": Text("变化，%", "change, %"),
    "channel": Text("通道", "channel"),
    "channels": Text("各通道", "channels"),
    "contract_h": Text("合同时长，h", "contract, h"),
    "coverage": Text("覆盖率", "coverage"),
    "current_a": Text("电流，A", "current, A"),
    "cusum": Text("累计偏差（CUSUM）", "cumulated deviation (CUSUM)"),
    "days": Text("天数", "days"),
    "discharge_ms": Text("所依放电", "discharge"),
    "enabled": Text("检测启用", "detector on"),
    "ended": Text("结束方式", "ended by"),
    "estimated": Text("估计用量", "estimated amount"),
    "event": Text("事件", "event"),
    "excess_m3_h": Text("超出，m³/h", "excess, m³/h"),
    "excess_pct": Text("超出，%", "excess, %"),
    "fallen_7d_mv": Text("7 天下降，mV", "fallen in 7 days, mV"),
    "far_share": Text("远离份额", "share that counts as far"),
    "fault": Text("时钟故障", "clock fault"),
    "fell_m3_h": Text("下降，m³/h", "fell by, m³/h"),
    "first_s": Text("起初偏差，s", "offset at first, s"),
    "flags": Text("标记", "flags"),
    "found_by": Text("判据", "found by"),
    "gap_pct": Text("差距，%", "gap, %"),
    "h": Text("判定门限（h）", "limit of decision (h)"),
    "highest": Text("最高", "highest"),
    "hours_learned": Text("学习时长，h", "hours learned"),
    "intake": Text("进量", "intake"),
    "intake_m3": Text("取水，m³", "intake, m³"),
    "judged": Text("判断方式", "judged"),
    "k": Text("容许偏差（k）", "allowed deviation (k)"),
    "last_ms": Text("最后一次收到", "last heard"),
    "mad": Text("绝对中位差", "median absolute deviation"),
    "mads": Text("门限（绝对中位差倍数）", "limit, median absolute deviations"),
    "may_be": Text("判断为", "taken for"),
    "mean_excess": Text("平均超出", "mean excess"),
    "needed_h": Text("判定所需，h", "needed, h"),
    "meter": Text("表计", "meter"),
    "meter_share": Text("该表占比", "its share"),
    "meter_shows_pct": Text("该表所示，%", "it shows, %"),
    "meter_usual_share": Text("该表常态占比", "its usual share"),
    "nights": Text("夜数", "nights"),
    "of": Text("总数", "of"),
    "others_moved": Text("其他通道变化", "others moved by"),
    "pack_v": Text("总压，V", "pack voltage, V"),
    "passed_meanwhile": Text("其间应有", "passed meanwhile"),
    "per_product": Text("单位产品用量", "per product"),
    "period_s": Text("上报周期，s", "reporting period, s"),
    "phase": Text("相", "phase"),
    "physical_maximum": Text("物理上限", "physical maximum"),
    "production": Text("产量", "production"),
    "quantile": Text("分位", "quantile"),
    "quantity": Text("量", "quantity"),
    "rate_c_min": Text("升温速率，°C/min", "rate, °C/min"),
    "rate_error_c_min": Text("升温速率误差，°C/min", "error of the rate, °C/min"),
    "readings": Text("读数个数", "readings"),
    "residual_share": Text("差额占比", "share that is missing"),
    "rise_pct": Text("上升，%", "rise, %"),
    "rule": Text("规则", "rule"),
    "samples": Text("连续次数", "in a row"),
    "sd": Text("标准差", "standard deviation"),
    "sensors_c": Text("各温度，°C", "sensors, °C"),
    "sent": Text("发送内容", "as sent"),
    "share": Text("占比", "share"),
    "shown": Text("所示值", "shown"),
    "silent": Text("无数据", "silent"),
    "since_ms": Text("自", "since"),
    "soh_pct": Text("健康度（SoH），%", "state of health, %"),
    "spread": Text("离散度", "spread"),
    "steps": Text("次数", "steps"),
    "still_h": Text("静止时长，h", "stood still, h"),
    "stretch": Text("拉伸系数", "stretch"),
    "threshold_sd": Text("门限（标准差倍数）", "limit, standard deviations"),
    "threshold_z": Text("门限（z）", "limit (z)"),
    "tolerance": Text("允许差", "tolerance"),
    "tolerance_m3": Text("允许差，m³", "tolerance, m³"),
    "usual_production": Text("常态产量", "usual production"),
    "usual_share": Text("常态差额占比", "usual share"),
    "weakest_cell": Text("最弱单体", "weakest cell"),
    "why": Text("原因", "why"),
    "window_h": Text("窗口，h", "window, h"),
    "z": Text("偏离（z）", "deviation (z)"),
}
"""What an alarm's evidence names, where a person asks for it; other names stand as the detector wrote them."""

FOUND: Mapping[str, Text] = {
    "jump": Text("一夜突升", "one night's jump"),
    "cusum": Text("多夜累计", "what adds up over nights"),
    "dead": Text("单体失效", "a dead cell"),
    "sudden": Text("突然下降", "a sudden fall"),
    "event": Text("真实事件", "a real event"),
    "sensor or event": Text("传感器故障或真实事件", "a sensor's fault or a real event"),
    "ahead": Text("超前", "ahead"),
    "behind": Text("落后", "behind"),
    "lost": Text("时间丢失", "lost"),
    "stands": Text("停走", "stands"),
    "not measured": Text("未计量", "not measured"),
    "unknown": Text("未知", "unknown"),
    "as counted": Text("按计数，产量关系尚未学得", "as counted, before its production is learned"),
    "adopted": Text("已并入常态", "adopted as usual"),
    "returned": Text("已回到基线", "returned to the baseline"),
    "switched off": Text("检测已停用", "switched off"),
    "no": Text("否", "no"),
    "cannot be told": Text("无法判断", "cannot be told"),
    "no temperature": Text("不是温度", "no temperature"),
    "power-on value": Text("上电初值", "power-on value"),
    "end of range": Text("量程端值", "end of range"),
    "jumped": Text("跳变", "jumped"),
    "hot": Text("突然过热", "hot"),
}
"""Words that a detector writes as the value of its evidence, where a person asks for them."""


def reason(stored: str, language: Language) -> str:
    """A reason in a page's language: fenhe's own in its words, a person's as it was written."""
    return REASONS.get(stored, stored) if language is Language.ZH else stored


def refusal(message: str, language: Language) -> str:
    """What the database refused, in a page's language."""
    for pattern, words in _REFUSALS.items() if language is Language.ZH else ():
        if found := re.fullmatch(pattern, message):
            return words.format(**found.groupdict())
    return message

"""Words of alarms: severities, states, events, and for each kind what it means and what to do.

The page of an alarm, the message on a phone and `docs/alarm-kinds.md` all read the guide below. How sure a kind is
comes from docs/detection.md, where the measurements stand; what to check first and the usual causes are practice in
the trade. (unsourced)
"""

from __future__ import annotations

from typing import NamedTuple

from schemas.alarms import CLOCK, NO_DATA, AlarmEvent, AlarmState
from schemas.metrics.signal import Severity, SignalKind
from schemas.notifications import What
from schemas.words import Text

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


class Guide(NamedTuple):
    """What an operator is told of one kind of alarm."""

    name: Text
    meaning: Text
    """What was seen, in a sentence."""
    certainty: Text
    """How sure it is, and what else looks like it."""
    check_first: Text
    usual_causes: Text

    @property
    def parts(self) -> list[tuple[Text, Text]]:
        """Every part with its heading, in the order of reading."""
        return [
            (Text("含义", "It means"), self.meaning),
            (Text("把握", "How sure"), self.certainty),
            (Text("先查", "Check first"), self.check_first),
            (Text("常见原因", "Usual causes"), self.usual_causes),
        ]


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
    SignalKind.SEASONAL: Guide(
        Text("偏离常态", "unusual for the hour"),
        Text(
            "用量远离一周中这个小时的常见范围（已按产量修正）。",
            "Consumption is far from what is usual for this hour of the week (corrected for production).",
        ),
        Text("中等：特殊生产安排也会如此。", "Moderate: an unusual production schedule looks the same."),
        Text("对照当班的生产安排和投运设备。", "Compare with the shift's schedule and the machines that run."),
        Text("设备空转、计划外开停机、漏损。", "Idling machines, unplanned starts and stops, a leak."),
    ),
    SignalKind.DRIFT: Guide(
        Text("持续偏移", "drift"),
        Text("很小的偏差持续同一方向累积（CUSUM）。", "A small deviation has lasted in one direction (CUSUM)."),
        Text(
            "较高：要有多个样本同向才会报出；表计自身漂移也会如此。",
            "Fairly sure: many samples agree; a meter that drifts itself looks the same.",
        ),
        Text(
            "与上级表或同类设备比较，判断是用量变了还是表计变了。",
            "Compare with the meter above or a like machine: has consumption changed, or the meter?",
        ),
        Text("结垢、磨损、漏点慢慢扩大、表计漂移。", "Fouling, wear, a leak that grows, a drifting meter."),
    ),
    SignalKind.STEP: Guide(
        Text("水平突变", "step"),
        Text("日用量水平与一周前相比突然改变。", "The level of daily consumption has moved against a week ago."),
        Text("较高；新投产或停产的产线也会如此。", "Fairly sure; a line newly in or out of service looks the same."),
        Text("查这一天开始投运或停运了什么。", "See what was started or stopped on that day."),
        Text(
            "新增负荷、阀门未关、变比改动、换表。",
            "A new load, a valve left open, a changed ratio, an exchanged meter.",
        ),
    ),
    SignalKind.BASE_LOAD: Guide(
        Text("基础负荷上升", "base load risen"),
        Text("无人生产时的用量升高。", "What is used while nobody works has risen."),
        Text("较高：取多日夜间最低值。", "Fairly sure: it is taken of the lowest hours of several days."),
        Text(
            "夜间巡查：照明、空压机、风机、循环泵。",
            "Walk through at night: lights, compressors, fans, circulation pumps.",
        ),
        Text("设备下班未关、压缩空气泄漏。", "Machines left on, compressed-air leaks."),
    ),
    SignalKind.FLATLINE: Guide(
        Text("读数停滞", "flat line"),
        Text("站点在生产，而该读数不再变化。", "The value no longer moves while the site is active."),
        Text("中等：真正恒定的用量少见但存在。", "Moderate: a truly constant use is rare but exists."),
        Text("看表计本地显示与上传值是否一致。", "Compare the meter's own display with what it sends."),
        Text(
            "通信缓存重复旧值、传感器卡死、设备停运。",
            "A gateway that repeats an old value, a stuck sensor, a machine out of service.",
        ),
    ),
    SignalKind.FROZEN: Guide(
        Text("表计卡死", "frozen meter"),
        Text(
            "累计读数停住，而表计自己的功率或流量表明仍在通过。",
            "The register stands while the meter's own power or flow says that something passes.",
        ),
        Text("高：同一表计的两个量相互矛盾。", "Sure: two quantities of one meter contradict each other."),
        Text(
            "读表计本地累计值；停住期间的用量只能估计。",
            "Read the register at the meter; what passed meanwhile can only be estimated.",
        ),
        Text(
            "累计寄存器故障、网关映射错误、表计锁定。",
            "A failed register, a wrong mapping in the gateway, a locked meter.",
        ),
    ),
    SignalKind.METER_CHANGED: Guide(
        Text("换表或清零", "meter exchanged or reset"),
        Text(
            "表计读数跳到另一数值并继续累计，或回零后继续累计。其间的用量为估计值。",
            "The register jumped to another value, or fell to zero, and counts on from there. What passed meanwhile is"
            " an estimate.",
        ),
        Text(
            "高：新读数已连续累计。网关把别的表接到此表名下，看起来也一样。",
            "Sure: it has counted on from there. Another meter wired under this one's name looks the same.",
        ),
        Text(
            "问清是否换表或清零；在登记的 changes 中写入旧表的末读数（final）和新表的起读数（first），"
            "其间用量即为准确值。",
            "Ask whether the meter was exchanged or reset; register the old one's `final` and the new one's `first`"
            " reading under `changes`: what passed is then exact.",
        ),
        Text(
            "表计检定更换、断电清零、网关接线或地址改动。",
            "An exchange for calibration, a loss of power, another wiring or address in the gateway.",
        ),
    ),
    SignalKind.STUCK_SENSOR: Guide(
        Text("传感器卡死", "stuck sensor"),
        Text(
            "电池组的一个传感器数值不变，而同类传感器在变化：该点失去保护。",
            "A sensor of a battery set shows one value while its like move: that point is not guarded.",
        ),
        Text("高；静置很久的电池组不作判断。", "Sure; a set at rest for long is not judged."),
        Text("现场测量该点温度或电压，与 BMS 显示比较。", "Measure the point by hand and compare with the BMS."),
        Text("接线松脱、采样板故障。", "A loose wire, a failed sampling board."),
    ),
    SignalKind.SENSOR_FAULT: Guide(
        Text("传感器故障", "sensor fault"),
        Text(
            "电池组的一个传感器给出不可能的数值，或跳变之快非电池所能：该点失去保护，其余各点照常判断。",
            "A sensor of a battery set shows what it cannot measure, or jumps as no battery can: that point is not"
            " guarded; the others are judged as ever.",
        ),
        Text(
            "高：不可能的数值（0xFFFF、−273、上电 85.0、量程端点 −40）或两次读数间跳变 15 ℃ 以上而未到危险温度。",
            "Sure: an impossible value (0xFFFF, −273, 85.0 at power-on, −40 at the end of the range), or 15 °C between"
            " two readings without becoming dangerous.",
        ),
        Text(
            "查看该点接线与插头；现场测量并与 BMS 显示比较。", "Look at its wire and plug; measure by hand and compare."
        ),
        Text("接线松脱、探头损坏、采集板掉电。", "A loose wire, a broken probe, a sampling board that lost power."),
    ),
    SignalKind.CONTRADICTION: Guide(
        Text("数据互相矛盾", "contradiction"),
        Text(
            "同一基站的市电、直流母线与电池组说法不一：不可信的一方被标出，其电量与备电时长按未知处理。",
            "Mains, DC bus and sets of one site do not agree: the one that stands alone is not believed, and how full"
            " it is counts as unknown.",
        ),
        Text(
            "高：至少两个互相独立的量、持续十分钟；光伏等其他电源供电的站点，市电停电也会被标为矛盾。",
            "Sure: two independent witnesses for ten minutes. At a site that something else feeds, such as solar"
            " panels, a true failure of mains is doubted too.",
        ),
        Text(
            "现场测量母线电压与电池组电压；查看 FSU 与 BMS、整流器的通信。",
            "Measure bus and pack voltage on site; look at the FSU's links to BMS and rectifier.",
        ),
        Text(
            "BMS 数据冻结、交流采集断线后补零、接线错误。",
            "A frozen BMS, an AC meter that fell silent and was filled in with zeros, wrong wiring.",
        ),
    ),
    SignalKind.SET_CHANGED: Guide(
        Text("电池组已变化", "set changed"),
        Text(
            "一次放电测得的容量与此前全部证据矛盾：换过电池（set_replaced）、单体失效（cell_failed）或电流重新标定"
            "（recalibrated）；SoH 立即改按新证据计算。",
            "A discharge contradicts all that was known of a set's capacity: other cells (set_replaced), a failed cell"
            " (cell_failed), another current sensor (recalibrated). The state of health follows it at once.",
        ),
        Text(
            "高：变化超过 3 个百分点且超过三倍标准差；名称由最差单体与内阻推断。",
            "Sure: more than 3 points and three standard deviations; named after weakest cell and resistance.",
        ),
        Text(
            "核对是否换过电池组并登记 valid_from；单体失效时现场测量该单体。",
            "Ask whether the set was exchanged and register `valid_from`; measure the weakest cell on site.",
        ),
        Text("更换电池组、单体失效、传感器更换或重新标定。", "An exchange, a failed cell, a new or adjusted sensor."),
    ),
    SignalKind.BLANK: Guide(
        Text("空白数据", "blank records"),
        Text(
            "电池组仍在上报，但记录全为零：等同于无数据。",
            "The set is heard, but its records hold nothing but zeros: as good as no data.",
        ),
        Text("高：连续三个上报周期以上。", "Sure: for more than three of its periods."),
        Text("检查 FSU 与 BMS 之间的通信与 BMS 供电。", "Look at the link from FSU to BMS, and at the BMS's supply."),
        Text("通信线松脱、BMS 断电或死机。", "A loose data line, a BMS without supply or one that hangs."),
    ),
    SignalKind.SPIKE: Guide(
        Text("尖峰", "spike"),
        Text(
            "出现该规格表计不可能测到的数值，未计入用量。",
            "A value that no meter of this rating can have measured; it is not counted.",
        ),
        Text("高：超出额定或物理上限。", "Sure: it lies beyond the rating or physics."),
        Text("看是否反复出现；反复出现时检查接线和变比。", "See whether it comes again; if so check wiring and ratio."),
        Text("通信误码、寄存器高低字错位、量程设置错误。", "A garbled message, swapped register words, a wrong range."),
    ),
    SignalKind.NIGHT_FLOW: Guide(
        Text("夜间流量升高（疑似漏水）", "night flow risen (leak?)"),
        Text(
            "夜间最低流量高于自身基线：很可能有漏点。",
            "The lowest flow at night is above its own baseline: probably a leak.",
        ),
        Text(
            "较高；夜间补水、冬季防冻长流水也会如此。",
            "Fairly sure; make-up at night or taps left running against frost look the same.",
        ),
        Text(
            "夜间关闭下游分区阀，看流量是否下降。",
            "Close the valves downstream one by one at night and watch the flow.",
        ),
        Text("管道破损、阀门不严、水箱浮球阀失灵。", "A burst pipe, a leaking valve, a failed float valve."),
    ),
    SignalKind.BALANCE: Guide(
        Text("平衡差", "balance"),
        Text(
            "进线与各去向之和对不上，超出自身常态。", "What goes in is not what comes out, by more than is usual here."
        ),
        Text(
            "差额确定；是哪块表，证据里说明，或说明无法判断。",
            "The difference is certain; which meter it is stands in the evidence, or that it cannot be told.",
        ),
        Text(
            "核对证据中点名的表：变比、量程、旁路。", "Check the meter that the evidence names: ratio, range, bypass."
        ),
        Text(
            "变比改动、未计量支路、漏损、表计慢走。",
            "A changed ratio, an unmetered branch, a leak, a meter that runs slow.",
        ),
    ),
    SignalKind.LIMIT: Guide(
        Text("超限额", "beyond limit"),
        Text(
            "单位产品能耗超过国家限额或合同限值。", "Energy per tonne is beyond the national limit or the contract's."
        ),
        Text(
            "与数据覆盖率一致：覆盖不足时不报。", "As sure as its coverage: nothing is said where too little is known."
        ),
        Text("看是分子（能耗）升高还是分母（产量）降低。", "See whether energy has risen or output has fallen."),
        Text("低负荷运行、产量漏报、燃料变差。", "Running at low load, output not reported, poorer fuel."),
    ),
    SignalKind.QUOTA: Guide(
        Text("超定额", "beyond quota"),
        Text("单位产品取水量超过用水定额。", "Water per tonne is beyond the quota."),
        Text("与数据覆盖率一致。", "As sure as its coverage."),
        Text("看回用水率和夜间流量。", "See the reuse rate and the night flow."),
        Text("回用系统停运、漏损、产量下降。", "A reuse system out of service, a leak, less output."),
    ),
    SignalKind.CAPACITY_FACTOR: Guide(
        Text("出力系数偏低", "capacity factor low"),
        Text(
            "机组出力系数持续低于自身 28 天中位数。",
            "The unit's capacity factor stays below its own median of 28 days.",
        ),
        Text("高；停机日不作依据。", "Sure; a day at a standstill is no evidence."),
        Text("看调度曲线、燃料热值和床温。", "See the dispatch curve, the fuel's heat value and the bed temperature."),
        Text("调度限负荷、燃料发热量低、受热面结焦。", "Dispatch, poor fuel, slagging."),
    ),
    SignalKind.HEAT_RATE: Guide(
        Text("热耗升高", "heat rate risen"),
        Text("净热耗持续高于该负荷下的常态。", "The net heat rate stays above what is usual at this load."),
        Text(
            "取决于化验：等化验结果的小时不作依据。",
            "It depends on the laboratory: hours that wait for an analysis are no evidence.",
        ),
        Text("看真空、排烟温度、飞灰含碳量。", "See vacuum, flue-gas temperature and carbon in fly ash."),
        Text("受热面积灰、凝汽器结垢、漏风。", "Fouled surfaces, a fouled condenser, air leaks."),
    ),
    SignalKind.EFFICIENCY: Guide(
        Text("能效下降", "efficiency worse"),
        Text("用能超出产量所能解释的部分，并在累积。", "More energy is used than output explains, and it adds up."),
        Text("较高：以自身基线为准（EnPI，CUSUM）。", "Fairly sure: against the plant's own baseline (EnPI, CUSUM)."),
        Text(
            "看能耗页的分表，找出解释偏差最多的一块。",
            "On the energy page, find the meter that explains most of the deviation.",
        ),
        Text("设备老化、参数偏离、频繁启停。", "Ageing, settings that have moved, frequent starts."),
    ),
    SignalKind.PHASE_LOSS: Guide(
        Text("缺相", "phase loss"),
        Text("电能表一相电压或电流缺失，电量少计。", "A phase of an energy meter is missing: it counts too little."),
        Text("高。", "Sure."),
        Text("检查该相熔断器、接线和互感器。", "Check fuse, wiring and transformer of that phase."),
        Text("熔断器断、互感器二次开路、端子松动。", "A blown fuse, an open transformer circuit, a loose terminal."),
    ),
    SignalKind.OVER_TEMPERATURE: Guide(
        Text("电池过温", "battery over temperature"),
        Text("电池温度超过安全限值。", "A battery is hotter than is safe."),
        Text(
            "第一个样本即报。证据说明是否可能只是传感器故障。",
            "Raised by the first sample. The evidence says whether it may be the sensor alone.",
        ),
        Text(
            "立即远程查看烟感和单体电压；派人前不要开柜。",
            "Look at smoke and cell voltages at once; do not open the cabinet alone.",
        ),
        Text("热失控、空调停机、充电过流。", "Thermal runaway, failed cooling, over-current while charging."),
    ),
    SignalKind.SELF_HEATING: Guide(
        Text("电池自发热", "battery self-heating"),
        Text(
            "几乎没有电流而温度持续上升：热失控的前兆。",
            "It warms with next to no current: what comes before a thermal runaway.",
        ),
        Text("较高；以与环境的温差和升温速率判断。", "Fairly sure; judged by the rise above ambient and its rate."),
        Text(
            "断开该组充电，观察温度，准备撤换。",
            "Stop charging the set, watch its temperature, prepare to take it out.",
        ),
        Text("内部短路、单体老化。", "An internal short, an aged cell."),
    ),
    SignalKind.CELL_SAG: Guide(
        Text("单体电压下陷", "cell sag"),
        Text("浮充中一节单体远低于其他并继续下降。", "In float one cell lies far below the others and falls."),
        Text("高；不可能的电压值本身也是证据。", "Sure; an impossible voltage is evidence, too."),
        Text(
            "现场测该单体；发热或鼓胀立即退运。", "Measure the cell; take the set out at once if it is warm or swollen."
        ),
        Text("单体内短路、采样线断。", "A cell with an internal short, a broken sampling wire."),
    ),
    SignalKind.FLOAT_CURRENT: Guide(
        Text("浮充电流上升", "float current risen"),
        Text("浮充电流高于自身常态并上升。", "The float current is above its own usual and rises."),
        Text("中等。", "Moderate."),
        Text("看温度和单体压差是否同时变化。", "See whether temperature and cell spread change as well."),
        Text("漏电、单体老化、浮充电压过高。", "Leakage, aged cells, too high a float voltage."),
    ),
    SignalKind.SMOKE: Guide(
        Text("烟感", "smoke"),
        Text("站点烟感输入动作。", "The site's smoke input is set."),
        Text("确定输入动作；母线和温度见证据。", "The input is certain; bus and temperature stand in the evidence."),
        Text("按消防预案处理，通知值守人员。", "Follow the fire plan; call the person in charge."),
        Text("火情、灰尘、烟感故障。", "Fire, dust, a failed detector."),
    ),
    SignalKind.WATER: Guide(
        Text("水浸", "water"),
        Text("站点水浸输入动作。", "The site's water input is set."),
        Text("确定输入动作。", "The input is certain."),
        Text("看天气和机房位置，派人查看。", "See weather and place; send somebody."),
        Text("雨水倒灌、空调冷凝水。", "Rain, condensate of the cooling."),
    ),
    SignalKind.CELL_SPREAD: Guide(
        Text("单体压差", "cell spread"),
        Text("浮充中单体间压差增大。", "The spread between cells in float has grown."),
        Text("较高。", "Fairly sure."),
        Text("安排均衡充电，之后看是否恢复。", "Plan an equalising charge and see whether it returns."),
        Text("均衡失效、单体衰减不一致。", "Failed balancing, cells that age unequally."),
    ),
    SignalKind.WEAK_CELL: Guide(
        Text("落后单体", "weak cell"),
        Text(
            "一节单体放电时总是最先到底：决定整组容量。",
            "One cell is always the first to be empty: it decides what the set can give.",
        ),
        Text("高：来自真实放电。", "Sure: it comes from real discharges."),
        Text("更换该单体或整组降级使用。", "Exchange the cell, or use the set for less."),
        Text("单体老化、内短、连接不良。", "An aged cell, an internal short, a bad joint."),
    ),
    SignalKind.RESISTANCE: Guide(
        Text("内阻上升", "resistance risen"),
        Text("25 ℃ 折算内阻高于自身常态。", "Resistance, taken to 25 °C, is above the set's own usual."),
        Text("较高。", "Fairly sure."),
        Text("检查极柱和汇流排紧固。", "Check the terminals and bus bars."),
        Text("连接松动、腐蚀、单体老化。", "Loose joints, corrosion, aged cells."),
    ),
    SignalKind.BACKUP: Guide(
        Text("备电时长不足", "backup time short"),
        Text(
            "按实际负荷，预计备电时长低于合同小时数，且有 90 % 的把握。",
            "At the actual load the forecast backup time is below the contract's hours, with 90 % certainty.",
        ),
        Text(
            "高：预测区间（p10–p90）全部低于合同小时数才报警；所示为 p10，即 90 % 有把握达到的时长。",
            "Sure: an alarm only where the whole forecast, p10 to p90, is below the contract. The hours shown are p10, "
            "which are kept with 90 % certainty.",
        ),
        Text(
            "看该组健康度证据的日期；太旧时先安排核对性放电。",
            "See the date of the evidence for its health; if it is old, plan a capacity test first.",
        ),
        Text("电池老化、负荷增加、落后单体。", "Ageing, a larger load, a weak cell."),
    ),
}
"""By kind of alarm: every `SignalKind`, and `no_data`."""

"""What each kind of alarm of meters and plants means, and what to do.

How sure a kind is comes from docs/detection.md, where the measurements stand; what to check first and the usual causes
are practice in the trade. (unsourced)
"""

from __future__ import annotations

from schemas.metrics.signal import SignalKind
from schemas.words import Text
from schemas.words.guide import Guide

PLANT_GUIDES: dict[SignalKind, Guide] = {
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
            "表计读数跳到另一数值并继续累计，或回零后继续累计，其间的用量为估计值；也可能是两块表以同一编号轮流上报"
            "（依据中写明），此时用量不可信。",
            "The register jumped to another value, or fell to zero, and counts on from there: what passed meanwhile is"
            " an estimate. Or two meters send under one id in turn, as its evidence then says: no figure is sure.",
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
}

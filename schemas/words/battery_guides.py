"""What each kind of alarm of battery sets and base stations means, and what to do.

How sure a kind is comes from docs/detection.md, where the measurements stand; what to check first and the usual causes
are practice in the trade. (unsourced)
"""

from __future__ import annotations

from schemas.metrics.signal import SignalKind
from schemas.words import Text
from schemas.words.guide import Guide

BATTERY_GUIDES: dict[SignalKind, Guide] = {
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
            "高：至少两个互相独立的量、持续十分钟；光伏、油机等其他电源供电的站点，市电停电也会被标为矛盾；"
            "下调整流器做核对性放电时，“市电正常”同样会被标为矛盾（事先为电源系统登记检修计划，告警即不发出）。",
            "Sure: two independent witnesses for ten minutes. At a site that something else feeds, such as solar"
            " panels or a generator, a true failure of mains is doubted too; so is mains that is on while a rectifier"
            " is turned down to test the sets: plan the test as maintenance of the power system, and it is kept back.",
        ),
        Text(
            "现场测量母线电压与电池组电压；查看 FSU 与 BMS、整流器的通信。",
            "Measure bus and pack voltage on site; look at the FSU's links to BMS and rectifier.",
        ),
        Text(
            "BMS 数据冻结、交流采集断线后补零、市电状态不更新、整流器停机、接线错误。",
            "A frozen BMS, an AC meter that fell silent and was filled in with zeros, a mains flag that stands, a"
            " rectifier that is off, wrong wiring.",
        ),
    ),
    SignalKind.SET_CHANGED: Guide(
        Text("电池组已变化", "set changed"),
        Text(
            "一次放电测得的容量与此前全部证据矛盾：换过电池（set_replaced）、单体失效（cell_failed）或电流重新标定"
            "（recalibrated）。SoH 立即改按新证据计算；电流重新标定时为未知，直到有旁证为传感器作证。",
            "A discharge contradicts all that was known of a set's capacity: other cells (set_replaced), a failed cell"
            " (cell_failed), another current sensor (recalibrated). The state of health follows it at once; of another"
            " sensor it is unknown until"
            " the site's load or a bench vouches for it.",
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
            "高：预测区间（p10–p90）全部低于合同小时数才告警；所示为 p10，即 90 % 有把握达到的时长。",
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

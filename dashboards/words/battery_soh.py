"""Words of what a battery set's state of health rests on."""

from __future__ import annotations

from schemas.metrics.battery_health import Doubt, Witness
from schemas.metrics.battery_prospects import SohChange
from schemas.words import Text

DOUBT = {
    Doubt.GAIN: Text("电流精度无人担保", "nobody vouches for the current sensor's accuracy"),
    Doubt.CHANNEL: Text("最弱单体可能无测点", "the weakest cell may have no channel"),
    Doubt.WITNESS: Text("旁证有出入", "a witness differs by more than chance"),
    Doubt.GAP: Text("放电中缺数", "readings missing in the discharge"),
    Doubt.CURRENT: Text("电流方向或零点有误", "current reversed or far off zero"),
    Doubt.CELLS: Text("电芯可能已更换", "the cells may be others now"),
    Doubt.POPULATION: Text("只是同类电池的常值", "what usual sets have, not this one"),
}
"""Why a figure is partial or estimated."""
WITNESS = {
    Witness.CURVE: Text("电压曲线", "curve"),
    Witness.RESISTANCE: Text("内阻", "resistance"),
    Witness.CHARGE: Text("回充", "recharge"),
    Witness.LOAD: Text("站点负载", "site's load"),
    Witness.BENCH: Text("台架", "bench"),
}
"""What bears a capacity out beside its own current sensor."""
CHANGE = {
    SohChange.SET_REPLACED: Text("电池组已更换", "set replaced"),
    SohChange.CELL_FAILED: Text("单体失效", "cell failed"),
    SohChange.RECALIBRATED: Text("电流重新标定", "current recalibrated"),
    SohChange.CORRECTED: Text("更正过低估计", "earlier figure too low"),
    SohChange.REGISTERED: Text("已登记更换", "replacement registered"),
    SohChange.REMEASURED: Text("重新测定，更可靠", "measured anew, surer"),
    SohChange.LESS_SURE: Text("重新测定，把握降低", "measured anew, less sure"),
}
"""What a new estimate says that contradicts those before it."""
NO_CHANGE = Text("无变化", "no change")

"""A battery set's cell that falls away from the others: dead, or suddenly below its own usual place in float."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from schemas.metrics.signal import SignalKind
from schemas.time import HOUR_MS, MINUTE_MS
from streams.kernels.detection.batteries.safety_state import KINDS
from streams.kernels.detection.batteries.safety_verdicts import EVENT, SENSOR_OR_EVENT
from streams.kernels.detection.packed import singles
from streams.kernels.detection.robust import known, median
from streams.kernels.figures import summed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.readings import BatteryReading
    from streams.kernels.detection.batteries.dead_cells import Dead
    from streams.kernels.detection.batteries.safety_verdicts import SetVerdicts

CELLS = 16
GAP_MS = 10 * MINUTE_MS
"""After so long without a reading float begins anew. (unsourced)"""


def is_dead(verdicts: SetVerdicts, dead: Dead | None) -> bool:
    """Judge a cell that is dead, in float or not; whether that is all there is to say of the cells."""
    state = verdicts.state
    if dead is not None:
        is_sure = dead.confirmed or state.dead_cell == dead.cell
        state.dead_cell = dead.cell
        if is_sure:
            off = (dead.volts - dead.median) * 1000
            evidence: dict[str, float | int | str | None] = {
                "cell": dead.cell,
                "found_by": "dead",
                "cell_v": dead.volts,
                "may_be": EVENT if dead.confirmed else SENSOR_OR_EVENT,
            }
            verdicts.say(SignalKind.CELL_SAG, active=True, value=off, evidence=evidence)
            state.sagging = dead.cell
        return True
    if not state.dead_cell:
        return False
    at = KINDS.index(SignalKind.CELL_SAG)
    if verdicts.standings[at].samples == 0:  # over, and said
        state.dead_cell = 0
        return False
    verdicts.say(SignalKind.CELL_SAG, active=False, value=None, evidence={"cell": state.dead_cell, "found_by": "dead"})
    state.sagging = 0
    return True


def judge(verdicts: SetVerdicts, reading: BatteryReading) -> None:
    """Judge the cells of a reading in settled float, each against its own usual place, and learn from it."""
    state, rules, ts = verdicts.state, verdicts.rules, reading.ts
    cells = [volts for volts in reading.cell_voltage_v or () if volts is not None]
    volts = median(cells) if cells else 0.0
    floats = verdicts.is_idle(reading) and len(cells) >= rules.cells_needed and volts >= rules.float_cell_v
    if not floats or (state.float_since and ts - state.ts > GAP_MS):
        state.float_since, state.low_cell = ts if floats else 0, 0
        return
    if not state.float_since:
        state.float_since = ts
        return
    if ts - state.float_since < rules.float_settle_h * HOUR_MS:
        return
    present = [*(reading.cell_voltage_v or ()), *[None] * CELLS][:CELLS]
    off = [math.nan if cell is None else (cell - volts) * 1000 for cell in present]
    places = state.places or singles(off)
    noise = max(math.sqrt(state.noise), rules.cell_noise_mv)
    falls = [now - usual for now, usual in zip(off, places, strict=True)]
    known_falls = known(falls)
    lowest = min(known_falls, default=math.nan)
    cell = falls.index(lowest) + 1 if known_falls else 0
    learned = state.floats >= rules.floats_needed
    far = rules.sag_z * noise * (0.5 if state.sagging else 1.0)
    is_low = learned and lowest < -far
    active = is_low and (state.sagging > 0 or state.low_cell == cell)
    if learned and verdicts.has_to_say(SignalKind.CELL_SAG, active=active):
        verdicts.say(
            SignalKind.CELL_SAG,
            active=active,
            value=off[cell - 1] if cell else None,
            baseline=places[cell - 1] if cell else None,
            low=places[cell - 1] - far if cell else None,
            z=lowest / noise,
            evidence={
                "cell": cell,
                "found_by": "sudden",
                "may_be": EVENT if active and verdicts.is_active(SignalKind.SELF_HEATING) else SENSOR_OR_EVENT,
            },
        )
    if learned:
        state.sagging = cell if active else 0
    if not is_low:
        weight = 1 / min(state.floats + 1, rules.memory_readings)
        squares = [fall * fall for fall in known_falls]
        square = summed(squares) / len(squares) if squares else state.noise
        state.places = singles(_learned(places, off, falls, weight))
        state.noise += weight * (square - state.noise)
        state.floats += 1
    sums = state.day_sums or (0.0,) * CELLS
    state.low_cell = cell if is_low else 0
    state.day_sums = singles([total + now for total, now in zip(sums, off, strict=True)])
    state.day_current_a += reading.current_a or 0.0
    state.day_readings += 1


def _learned(places: Sequence[float], off: Sequence[float], falls: Sequence[float], weight: float) -> list[float]:
    """Usual places after one more reading; a cell that shows nothing keeps its own, a new one begins where it is."""
    return [
        usual + weight * fall if fall == fall else now if usual != usual else usual  # noqa: PLR0124 - NaN
        for usual, now, fall in zip(places, off, falls, strict=True)
    ]

"""A battery set's day in float: cells that are weak or far apart, a float current that has risen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from schemas.metrics.signal import Severity, SignalKind
from streams.kernels.detection.packed import pushed
from streams.kernels.detection.robust import SD_PER_MAD, median, robust_sd

if TYPE_CHECKING:
    from streams.kernels.detection.batteries.safety_verdicts import SetVerdicts

WEEK = 7
DAY_S = 86_400.0
STEP_MV = 1.0
"""Daily places of cells are remembered to the millivolt."""


def judge(verdicts: SetVerdicts) -> None:
    """Judge a day of float that is over; a day with too little float is not judged."""
    state, rules = verdicts.state, verdicts.rules
    sums, current_a, count = state.day_sums, state.day_current_a, state.day_readings
    state.day_sums, state.day_current_a, state.day_readings = (), 0.0, 0
    if count < rules.day_readings_needed:
        return
    means = [total / count for total in sums]
    today = tuple(max(-127, min(127, round(mean / STEP_MV))) if not math.isnan(mean) else -128 for mean in means)
    known = [mean for mean in means if not math.isnan(mean)]
    if len(known) < rules.cells_needed:
        return
    current = current_a / count
    spread = max(known) - min(known)
    scale = max(robust_sd(known), rules.cell_noise_mv * SD_PER_MAD)
    lowest = min(known)
    cell = means.index(lowest) + 1
    z = (lowest - median(known)) / scale
    fallen = 0.0
    if len(state.days) == WEEK and state.days[0][cell - 1] != -128:  # noqa: PLR2004 - unknown
        fallen = today[cell - 1] - state.days[0][cell - 1]
    evidence: dict[str, float | int | str | None] = {"cell": cell, "fallen_7d_mv": fallen, "readings": count}
    is_weak = z < -rules.weak_z
    is_falling = fallen <= -rules.fall_mv
    if is_weak and is_falling:
        verdicts.say(SignalKind.CELL_SAG, active=True, value=lowest, z=z, evidence=evidence, window_s=DAY_S)
    verdicts.say(
        SignalKind.WEAK_CELL,
        active=is_weak,
        value=lowest,
        z=z,
        evidence=evidence,
        severity=Severity.MEDIUM,
        window_s=DAY_S,
    )
    verdicts.say(
        SignalKind.CELL_SPREAD,
        active=spread > rules.spread_max_mv,
        value=spread,
        high=rules.spread_max_mv,
        evidence=evidence,
        severity=Severity.MEDIUM,
        window_s=DAY_S,
    )
    currents = state.currents
    raised = False
    if len(currents) >= rules.current_days_needed:
        usual = median(currents)
        allowed = max(rules.current_sd * robust_sd(currents), rules.current_c_rate * verdicts.nominal_ah)
        raised = current > usual + allowed
        verdicts.say(
            SignalKind.FLOAT_CURRENT,
            active=raised,
            value=current,
            baseline=usual,
            high=usual + allowed,
            evidence={"days": len(currents)},
            severity=Severity.HIGH,
            window_s=DAY_S,
        )
    verdicts.statuses(len(currents))
    state.days = (*state.days, today)[-WEEK:]
    if not raised:
        state.currents = pushed(currents, current, rules.current_days)

"""A current sensor that stands still while the voltage says otherwise: what it shows is no current.

One value for days is no wonder: nothing flows on float. It is told where physics rules the value out:

* the set was full, shows no current ever since, and its voltage is one of a set that has given most of its charge;
* one and the same discharging current, and the cells rise by a tenth of a volt; or one charging current, and they fall;
* the current steps from or to nothing, and in three readings the voltage has not answered;
* a set that is full goes on being charged, by more than it can hold: what it shows as charge is a load;
* one and the same record for four times as long as its current and its voltages ever stood, or, from a sensor whose
  idle current was never still, one and the same idle current that is not zero (`standing`).

No outlier is evidence, and what makes one is that the next readings take it back: a voltage counts where three readings
in a row have it, or two that lie ten minutes apart and agree, for a BMS that samples every quarter of an hour shows no
more of many an outage. An answer is only asked for where the pack's voltage is fine and quiet enough to show one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.metrics.battery_health import BatteryFlag
from streams.kernels.battery.direction import APART_MS, sign_of
from streams.kernels.battery.limits import REFERENCE_C
from streams.kernels.battery.standing import CurrentShown, Idle, after_gap, is_standing, watched
from streams.kernels.battery.stillness import Stillness, reached
from streams.kernels.battery.tracking.flags import bit
from streams.kernels.battery.tracking.flow import CHARGE, FLOAT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.kernels.battery.limits import Limits
    from streams.kernels.battery.tracking.flow import Flow
    from streams.kernels.battery.tracking.set_state import SetState

STUCK = bit(BatteryFlag.STUCK_CURRENT)
ANSWER_V = 0.010
"""Smallest answer of a cell to a load step that is waited for. (unsourced)"""
ANSWERED = 0.15
"""Share of the expected answer that is one: resistances differ by a quarter, and RC parts answer late. (unsourced)"""
ANSWER_COARSE = 2.5
"""An answer is told apart if it is expected to be so many times what the voltage moves by anyhow: a weak one, of 0.6,
is then still one. (unsourced)"""
IS_ANSWER = 0.5
"""Share of the expected answer that needs no bearing out. (unsourced)"""

OVERFULL = 1.05
"""Of the nominal charge: no set holds so much, and retired ones hold less than one. (unsourced)"""
PARTS_SHARE = 0.05
"""A pack voltage that parts from its cells by more than this share is not theirs, but for what leads take of it under a
current. (unsourced)"""


def parts_from_cells(pack_v: float, cells: Sequence[float], lead_v: float) -> bool:
    """Whether a pack's voltage is not that of its cells: one of the two is old, or another device's.

    `cells` are all that the pack has, V. Their sum is asked and the median cell: one broken channel says nothing, nor
    do the weak ones near the end of a discharge. `lead_v` is what leads and breakers between them may take. One cell is
    never parted from: on a bench it is measured at its poles, the pack at the end of leads as thin as they may be.
    """
    ordered, count = sorted(cells), len(cells)
    if count == 1:
        return False
    by_median_v = count * ((ordered[(count - 1) // 2] + ordered[count // 2]) / 2)
    return all(abs(pack_v - by_v) > PARTS_SHARE * by_v + lead_v for by_v in (by_median_v, sum(cells)))


def contradicts_cells(pack_v: float, cells: Sequence[float], amps: float | None, limits: Limits) -> bool:
    """`parts_from_cells` under a current; the cells' sum alone says no, nearly always."""
    sum_v = sum(cells)
    return abs(pack_v - sum_v) > PARTS_SHARE * sum_v and parts_from_cells(pack_v, cells, limits.lead_v(amps))


def watch_current(state: SetState, flow: Flow, raw: float, charged_ah: float, limits: Limits) -> None:
    """Hold a reading's current against its voltage; on a contradiction the set's SoC is not known any more.

    `state` is as the reading before left it, `charged_ah` the net charge between the two.
    """
    mean_v, idle, coarse_v = flow.volts / limits.cell_count, limits.idle_a, state.standing.coarse_v
    before_v, is_gap = state.volts / limits.cell_count, flow.is_gap
    within_v = reached(flow.elapsed, state.earlier_v, before_v, mean_v)
    state.earlier_v = before_v
    is_idle, was_idle = abs(flow.amps) < idle, abs(flow.amps_before) < idle
    now = CurrentShown(flow.ts, raw, mean_v, flow.cell_v)
    _watch_standing(state, flow, now, Idle(was_idle, is_idle), limits)
    is_still = not is_gap and (raw == state.raw_a or (is_idle and was_idle))
    known = Stillness(state.still_high_v, state.still_low_v, state.still_ah)
    still = known.followed(within_v, charged_ah, is_still=is_still)
    state.still_high_v, state.still_low_v, state.still_ah = still
    state.is_stuck = state.is_stuck and is_still
    is_unanswered = _is_unanswered(state, flow, mean_v, limits)
    if not state.is_stuck and (
        is_standing(state.standing, now, flow.elapsed, is_idle=is_idle)
        or still.is_against(flow.amps, within_v, limits)
        or _is_overfull(state, flow, limits)
        or is_unanswered
    ):
        state.is_stuck = True
        state.soc, state.soc_sigma, state.offset_a = None, 0.0, None
        state.episode.flags |= STUCK
    _ask(state, flow, limits, coarse_v, from_idle=was_idle, to_idle=is_idle)


def _watch_standing(state: SetState, flow: Flow, now: CurrentShown, idle: Idle, limits: Limits) -> None:
    """Note whether the sensor shows the same figure again; one that moves after it stood too long is a sensor again."""
    known, was_idle = state.standing, idle.before
    before = CurrentShown(state.ts, state.raw_a, state.volts / limits.cell_count, state.cell_v)
    if flow.is_gap:
        state.standing = after_gap(known)
        return
    state.standing = watched(known, before, now, idle, sign_of(state.votes))
    is_over = state.standing.since == 0 or not is_standing(state.standing, now, 0, is_idle=was_idle)
    if state.is_stuck and known.since and is_over and is_standing(known, before, 0, is_idle=was_idle):
        state.is_stuck = False
        if flow.doing is FLOAT:
            state.doing_since = flow.ts  # whether it floated meanwhile, nobody knows


def _is_overfull(state: SetState, flow: Flow, limits: Limits) -> bool:
    """Whether a set that began to charge when it was full has taken more than any set can: its current is none."""
    episode = state.episode
    if flow.doing is not CHARGE or episode.kind is not CHARGE or episode.soc is None:
        return False
    return episode.soc - 3 * episode.soc_sigma + episode.charge_ah / limits.nominal_ah > OVERFULL


def _is_unanswered(state: SetState, flow: Flow, mean_v: float, limits: Limits) -> bool:
    """Whether a load step was to be answered by now: within three readings, or two that lie ten minutes apart.

    A sampler may take one late. A load that has stepped again meanwhile, after a pause of one reading or two, takes its
    answer back with it.
    """
    asked = state.asked_v
    if asked == 0.0 or flow.is_gap or abs(flow.amps - flow.amps_before) >= limits.step_a:
        state.asked_v, state.was_asked = 0.0, False
        return False
    waits = (mean_v - state.asked_from_v) / asked < ANSWERED
    is_told = waits and (state.was_asked or flow.elapsed >= APART_MS)
    state.asked_v, state.was_asked = asked if waits and not is_told else 0.0, waits and not is_told
    return is_told


def _ask(state: SetState, flow: Flow, limits: Limits, coarse_v: float, *, from_idle: bool, to_idle: bool) -> None:
    """Expect an answer to a load that came on or went off since the reading before.

    `coarse_v`: what the mean cell moved by before it, without any step.
    """
    if from_idle is to_idle or flow.is_gap or max(flow.amps, flow.amps_before) >= limits.idle_a:
        return
    if abs(flow.amps - flow.amps_before) < limits.step_a:
        return  # noise of an idle sensor, or too small a load to be heard above the voltage's
    celsius = state.episode.temperature_last_c
    expected = limits.cell_drop_v(flow.amps - flow.amps_before, REFERENCE_C if celsius is None else celsius)
    was_full = state.volts >= limits.float_cell_v * limits.cell_count
    if was_full and expected < 0:
        # A full cell's own voltage may lie above the float's, and hide as much of the drop.
        expected = min(0.0, expected + limits.reference.witness.float_step_v)
    if abs(expected) < ANSWER_V or abs(expected) < ANSWER_COARSE * coarse_v:
        return
    falls, from_v = state.episode.fall_v_ms * flow.elapsed, state.volts / limits.cell_count
    answered = (flow.volts / limits.cell_count - from_v) / expected
    if falls < ANSWERED * abs(expected) and answered < IS_ANSWER:
        state.asked_v, state.asked_from_v = expected, from_v

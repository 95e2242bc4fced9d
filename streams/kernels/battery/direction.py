"""Which way a current sensor counts: learned from how the voltage answers when a load or a charge comes on.

A charge raises the voltage of a set and a load lowers it, whatever its BMS calls positive. One faint answer may be
chance (voltage and current are not sampled at one moment), so it takes two to call a sensor reversed, or a plain one.
An answer that speaks against what is believed must be one that neither the steps of the pack's voltage nor its noise
make, and the two readings after it have to bear it out, or one that lies ten minutes later: no outlier turns a sign.
Where a load is over before, what is left to be borne out waits for the next step that says the same.
Everything that sums charge asks here: episodes, capacities and quarters of an hour turn a current round together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.time import MINUTE_MS

if TYPE_CHECKING:
    from streams.kernels.battery.limits import Limits

VOTES_MAX = 4
REVERSED_AT = -2
VOTE_CELL_V = 0.010
"""Smallest answer of a cell to a load step that tells the sign of the current, or that a load paused. (unsourced)"""
PLAIN_CELL_V = 0.020
"""An answer that counts twice: no skew between two samples makes one. (unsourced)"""

BORNE_OUT = 2
"""So many readings after a step have to bear out the sign that it turns. (unsourced)"""
APART_MS = 10 * MINUTE_MS
"""Two readings that lie so far apart are not one outlier. (unsourced)"""
SLOW_CELL_V = 0.040
"""A cell that has come so far from its voltage at idle under one current has answered, however slowly: what is full
comes down over minutes. (unsourced)"""


class Direction(NamedTuple):
    """What is known of the sign of a set's current."""

    votes: int = 0
    """Answers that agree with the sign, less those that do not."""
    doubted_v: float = 0.0
    """Pack voltage before the step that has just turned the sign, until readings bear it out; else 0."""
    idle_v: float = 0.0
    """Pack voltage before a load or charge came on whose answer is still waited for; else 0."""
    awaited: int = 0
    """Readings that have to bear out the sign that was turned; -1 once a step that turned it was over too early."""

    @property
    def sign(self) -> float:
        """What the sensor's current is multiplied by."""
        return sign_of(self.votes)


def sign_of(votes: int) -> float:
    """What a sensor's current is multiplied by after so many votes."""
    return -1.0 if votes <= REVERSED_AT else 1.0


def learned(
    known: Direction,
    limits: Limits,
    before: tuple[float, float],
    now: tuple[float, float],
    *,
    elapsed: int,
    coarse_v: float,
) -> Direction:
    """Take two readings in a row, each (A as the sensor says, V of the pack), `elapsed` ms apart and with no gap.

    Only steps from idle tell, and out of float no small rise, least of all one against the current: a full cell's own
    voltage may lie above the float's, and noise goes with it. When a load goes off near empty, the cells may fall
    further than they recover. `coarse_v` (V of the pack) is what its voltage moves by anyhow: of an answer against the
    sign in force only what is beyond that counts. A sign that a step has just turned is turned back if the voltage,
    under the same current, was an outlier.
    """
    (raw_before, volts_before), (raw, volts) = before, now
    step_a = raw - raw_before
    if known.doubted_v:
        goes_on = abs(raw) >= limits.idle_a and raw * raw_before > 0
        bears_out = goes_on and (volts - known.doubted_v) * raw < 0
        if bears_out and known.awaited > 1 and elapsed < APART_MS and abs(step_a) < limits.step_a:
            return known._replace(awaited=known.awaited - 1)
        known = _settled(known, goes_on=goes_on, bears_out=bears_out)
    votes, awaited = known.votes, known.awaited
    coarse_cell_v = coarse_v / limits.cell_count
    answer = volts - volts_before
    if abs(step_a) < limits.step_a or abs(raw_before) >= 2 * limits.idle_a:
        return _slowly(known, limits, raw_before, now, coarse_cell_v)
    agrees = step_a * answer > 0
    strength = _strength(votes, answer, limits, coarse_cell_v, agrees=agrees)
    from_float = volts_before >= limits.float_cell_v * limits.cell_count
    may_be_full = from_float and answer > 0 and strength < (1 if agrees else 2) * limits.reference.witness.float_step_v
    is_sound = abs(votes) < VOTES_MAX and coarse_cell_v < SLOW_CELL_V / 2  # nothing to measure a slow answer from, else
    idle_v = volts_before if is_sound else 0.0
    if strength < VOTE_CELL_V or may_be_full:
        return Direction(votes, 0.0, idle_v, awaited)
    is_plain = strength >= PLAIN_CELL_V
    found = _voted(known, agrees, 2 if is_plain else 1, volts_before)
    return found if is_plain or abs(found.votes) == VOTES_MAX else found._replace(idle_v=idle_v)


def _strength(votes: int, answer: float, limits: Limits, coarse_cell_v: float, *, agrees: bool) -> float:
    """V of a cell that an answer tells: where it speaks against what is believed, only what is beyond chance."""
    cell_v = abs(answer) / limits.cell_count
    return cell_v if agrees is (votes > REVERSED_AT) else cell_v - coarse_cell_v


def _settled(known: Direction, *, goes_on: bool, bears_out: bool) -> Direction:
    """A sign that was turned, once the last reading that it waited for is there.

    Where the current is over too early to tell, the sign is turned back, but for a second step that says the same.
    """
    if bears_out or (known.awaited < 0 and not goes_on):
        return Direction(known.votes, 0.0, known.idle_v)
    return Direction(1, 0.0, known.idle_v) if goes_on else Direction(REVERSED_AT + 1, 0.0, known.idle_v, -1)


def _voted(known: Direction, agrees: bool, weight: int, volts_before: float) -> Direction:  # noqa: FBT001 - the verdict
    if agrees:
        return Direction(min(VOTES_MAX, known.votes + weight))
    after = max(-VOTES_MAX, known.votes - weight)
    has_turned = after <= REVERSED_AT < known.votes
    if has_turned:
        return Direction(after, volts_before, awaited=known.awaited or BORNE_OUT)
    return Direction(after, awaited=known.awaited)


def _slowly(
    known: Direction, limits: Limits, raw_before: float, now: tuple[float, float], coarse_cell_v: float
) -> Direction:
    """Take one more reading of a load or charge whose step the voltage has not answered at once."""
    raw, volts = now
    if not known.idle_v:
        return known
    if raw * raw_before <= 0.0 or abs(raw) < limits.step_a:
        return known._replace(idle_v=0.0)
    answer = volts - known.idle_v
    agrees = raw * answer > 0
    if _strength(known.votes, answer, limits, coarse_cell_v, agrees=agrees) < SLOW_CELL_V:
        return known
    return _voted(known, agrees, 2, known.idle_v)

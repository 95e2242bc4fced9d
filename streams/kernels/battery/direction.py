"""Which way a current sensor counts: learned from how the voltage answers when a load or a charge comes on.

A charge raises the voltage of a set and a load lowers it, whatever its BMS calls positive. One faint answer may be
chance (voltage and current are not sampled at one moment), so it takes two to call a sensor reversed, or a plain one.
Everything that sums charge asks here: episodes, capacities and quarters of an hour turn a current round together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from streams.kernels.battery.limits import Limits

VOTES_MAX = 4
REVERSED_AT = -2
VOTE_CELL_V = 0.010
"""Smallest answer of a cell to a load step that tells the sign of the current, or that a load paused. (unsourced)"""
PLAIN_CELL_V = 0.020
"""An answer that counts twice: no skew between two samples makes one. (unsourced)"""

SLOW_CELL_V = 0.040
"""A cell that has come so far from its voltage at idle under one current has answered, however slowly: what is full
comes down over minutes. (unsourced)"""


class Direction(NamedTuple):
    """What is known of the sign of a set's current."""

    votes: int = 0
    """Answers that agree with the sign, less those that do not."""
    doubted_v: float = 0.0
    """Pack voltage before the step that has just turned the sign, until the next reading bears it out; else 0."""
    idle_v: float = 0.0
    """Pack voltage before a load or charge came on whose answer is still waited for; else 0."""

    @property
    def sign(self) -> float:
        """What the sensor's current is multiplied by."""
        return sign_of(self.votes)


def sign_of(votes: int) -> float:
    """What a sensor's current is multiplied by after so many votes."""
    return -1.0 if votes <= REVERSED_AT else 1.0


def learned(known: Direction, limits: Limits, before: tuple[float, float], now: tuple[float, float]) -> Direction:
    """Take two readings in a row, each (A as the sensor says, V of the pack), with no gap between them.

    Only steps from idle tell, and out of float no small rise: a full cell's own voltage may lie above the float's. When
    a load goes off near empty, the cells may fall further than they recover. A sign that a step has just turned is
    turned back if the voltage, under the same current, was an outlier.
    """
    (raw_before, volts_before), (raw, volts) = before, now
    votes = known.votes
    if known.doubted_v:
        kept_up = (volts - known.doubted_v) * raw < 0
        votes = votes if kept_up or abs(raw) < limits.idle_a else 1
    step_a, answer = raw - raw_before, volts - volts_before
    if abs(step_a) < limits.step_a or abs(raw_before) >= 2 * limits.idle_a:
        return _slowly(Direction(votes, 0.0, known.idle_v), limits, raw_before, now)
    strength = abs(answer) / limits.cell_count
    from_float = volts_before >= limits.float_cell_v * limits.cell_count
    may_be_full = from_float and answer > 0 and strength < limits.reference.witness.float_step_v
    if strength < VOTE_CELL_V or may_be_full:
        return Direction(votes, 0.0, volts_before if abs(votes) < VOTES_MAX else 0.0)
    is_plain = strength >= PLAIN_CELL_V
    found = _voted(votes, step_a * answer > 0, 2 if is_plain else 1, volts_before)
    return found if is_plain or abs(found.votes) == VOTES_MAX else found._replace(idle_v=volts_before)


def _voted(votes: int, agrees: bool, weight: int, volts_before: float) -> Direction:  # noqa: FBT001 - the verdict
    if agrees:
        return Direction(min(VOTES_MAX, votes + weight))
    after = max(-VOTES_MAX, votes - weight)
    has_turned = after <= REVERSED_AT < votes
    return Direction(after, volts_before if has_turned else 0.0)


def _slowly(known: Direction, limits: Limits, raw_before: float, now: tuple[float, float]) -> Direction:
    """Take one more reading of a load or charge whose step the voltage has not answered at once."""
    raw, volts = now
    if not known.idle_v:
        return known
    if raw * raw_before <= 0.0 or abs(raw) < limits.step_a:
        return known._replace(idle_v=0.0)
    answer = volts - known.idle_v
    if abs(answer) < SLOW_CELL_V * limits.cell_count:
        return known
    return _voted(known.votes, raw * answer > 0, 2, known.idle_v)

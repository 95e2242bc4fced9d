"""What is ordinary for a register: by its meter's rating, and where it has none, by its own history."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.kinds import described
from schemas.time import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from schemas.registry import Device

TURN_MS = 28 * DAY_MS
"""Highest rates and longest rests are kept for this turn and the one before: what was once is forgotten. (unsourced)"""

RATED_MARGIN = 1.2
"""A meter counts at most this many times its rating; the same bound its instantaneous power is held to."""
HISTORY_MARGIN = 3.0
"""A register without a rating counts at most this many times its highest rate so far, (unsourced)"""
YOUNG_MARGINS = ((DAY_MS, 30.0), (8 * DAY_MS, 10.0))
"""and while its history is shorter than this, this many times. (unsourced)"""
DAILY_MARGIN = 2.0
"""Over more than an hour, it counts at most this many times its busiest day's mean. (unsourced)"""
MIN_STEPS = 4
"""Increments without which a register has no history."""
MATURE_MS = 8 * DAY_MS
"""A shorter history has not seen a week-end, so it does not know how long the register may rest. (unsourced)"""

MAX_DIGITS = 4


def rated_rate(device: Device, quantity: str) -> float | None:
    """Most that a register may count by its meter's rating, in its unit per ms; None where no rating speaks of it."""
    if device.rated is None or quantity not in described(device.kind).rated_registers:
        return None
    return RATED_MARGIN * device.rated * (1 / HOUR_MS)


class Habit(NamedTuple):
    """A register's ordinary ways; rates in its unit per ms."""

    since: int
    """First reading, ms."""
    last: int
    """Newest reading that counts, ms."""
    steps: int
    """Increments seen."""
    turn: int
    """When this turn began, ms."""
    top: float
    """Highest rate between two readings in this turn,"""
    top_before: float
    """and in the one before."""
    busy: float
    """Highest mean rate over a day in this turn,"""
    busy_before: float
    rest: int
    """Longest time it stood still for good reason in this turn, ms,"""
    rest_before: int
    mean: float
    """Mean rate over about a day."""
    step: float | None
    """Smallest increment ever seen: at most this is what the register can tell apart."""
    digits: int
    """Decimals it shows, 4 at most."""

    @property
    def unit(self) -> float:
        """Weight of the register's last digit."""
        return float(10.0**-self.digits)

    @property
    def slack(self) -> float:
        """What rounding may add to an increment."""
        return 2 * (self.step or self.unit)

    @property
    def longest_rest(self) -> int:
        """Longest time it stood still for good reason lately, ms."""
        return max(self.rest, self.rest_before)

    @property
    def highest(self) -> float:
        """Highest rate lately."""
        return max(self.top, self.top_before)

    @property
    def mature(self) -> bool:
        """Whether it has seen a whole week."""
        return self.last - self.since >= MATURE_MS

    def most(self, span_ms: int, rated: float | None) -> float:
        """Most that can pass in some time, in the register's unit; infinite where nothing is known of the register."""
        top = self.highest
        if rated is not None:  # a register that is known to count faster proves its rating wrong
            return max(rated, RATED_MARGIN * top) * span_ms + self.slack
        if self.steps < MIN_STEPS or top == 0.0:
            return math.inf
        for age, margin in YOUNG_MARGINS:
            if self.last - self.since < age:
                return margin * top * span_ms + self.slack
        at_once = min(span_ms, HOUR_MS)
        then = min(HISTORY_MARGIN * top, DAILY_MARGIN * max(self.busy, self.busy_before))
        return HISTORY_MARGIN * top * at_once + then * (span_ms - at_once) + self.slack

    def after(self, ts: int, span_ms: int, counted: float, rest_ms: int, *, close: bool) -> Habit:
        """Learn from an ordinary increment: over `span_ms`, after standing still for `rest_ms`.

        `close`: the two readings are close enough to each other to tell a rate between readings.
        """
        turn, top, top_before, busy, busy_before, rest, rest_before = self[3:10]
        if ts - turn >= TURN_MS:
            turn = ts
            top_before, busy_before, rest_before = top, busy, rest
            top, busy, rest = 0.0, 0.0, 0
        steps, step, mean = self.steps, self.step, self.mean
        rate = counted / span_ms
        if counted > 0.0:
            steps += 1
            if step is None or counted < step:
                step = counted
            if close and rate > top:
                top = rate
        rest = max(rest, rest_ms)
        span = span_ms + rest_ms
        mean += (counted / span - mean) * span / (span + min(ts - self.since, DAY_MS))
        busy = max(busy, mean)
        return Habit(
            self.since, ts, steps, turn, top, top_before, busy, busy_before, rest, rest_before, mean, step, self.digits
        )

    def seeing(self, value: float) -> Habit:
        """Learn how many decimals the register shows."""
        digits = self.digits
        while digits < MAX_DIGITS:
            shown = value * 10.0**digits
            if abs(shown - round(shown)) <= 1e-6 * max(1.0, abs(shown) * 1e-6):
                break
            digits += 1
        return self if digits == self.digits else self._replace(digits=digits)


def first(ts: int) -> Habit:
    """Nothing is known yet."""
    return Habit(ts, ts, 0, ts, 0.0, 0.0, 0.0, 0.0, 0, 0, 0.0, None, 0)

"""What is ordinary for a register: by its meter's rating, and by its own history.

What is learned is forgotten by the calendar (28 days of the epoch, days of UTC), and no increment leaves a trace that
depends on how the readings around it were cut: so a reading that comes late changes little for long, and the work it
causes ends soon.
"""

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
"""A register without a rating counts at most this many times its highest rate so far. (unsourced)"""
YOUNG_MARGINS = ((DAY_MS, 30.0), (8 * DAY_MS, 10.0))
"""While its history is shorter than the first, it counts at most so many times that rate. (unsourced)"""
DAILY_MARGIN = 2.0
"""Over more than an hour, it counts at most this many times its busiest day's mean. (unsourced)"""
ODD_MARGIN = 10.0
"""An increment this many times as fast as any before is estimated, and teaches no more than this. (unsourced)"""
MIN_STEPS = 4
"""Increments without which a register has no history."""
MATURE_MS = 8 * DAY_MS
"""A shorter history has not seen a week-end, so it does not know how long the register may rest. (unsourced)"""

MAX_DIGITS = 4
COARSE = 1.5
"""Above so many of the last digit, a register may yet prove finer."""


def rated_rate(device: Device, quantity: str, rated: float | None) -> float | None:
    """Most that a register may count by a rating, in its unit per ms; None where the rating does not speak of it."""
    if rated is None or quantity not in described(device.kind).rated_registers:
        return None
    return RATED_MARGIN * rated * (1 / HOUR_MS)


class Habit(NamedTuple):
    """A register's ordinary ways; rates in its unit per ms."""

    since: int
    """First reading, ms."""
    last: int
    """Newest reading that counts, ms."""
    steps: int
    """Increments seen, MIN_STEPS at most."""
    turn: int
    """Which turn this is."""
    top: float
    """Highest rate between two readings in this turn."""
    top_before: float
    """Highest rate between two readings in the turn before."""
    busy: float
    """Highest mean rate over a day in this turn."""
    busy_before: float
    """Highest mean rate over a day in the turn before."""
    rest: int
    """Longest time it stood still for good reason in this turn, ms."""
    rest_before: int
    """Longest time it stood still for good reason in the turn before, ms."""
    mean: float
    """Mean rate over the last whole day; over what there is until the first one is over."""
    step: float | None
    """What all increments are multiples of: at most this is what the register can tell apart."""
    digits: int
    """Decimals it shows, 4 at most."""
    day_ts: int
    """First reading of the day, ms."""
    day_value: float
    """What the register showed with the first reading of the day."""
    second: float = 0.0
    """Second highest rate in this turn."""
    second_before: float = 0.0
    """Second highest rate in the turn before."""

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
    def confirmed(self) -> float:
        """Highest rate lately that was reached twice: one odd increment teaches nothing."""
        low, high = sorted((self.top, self.top_before))
        return max(low, self.second if high == self.top else self.second_before)

    @property
    def mature(self) -> bool:
        """Whether it has seen a whole week."""
        return self.last - self.since >= MATURE_MS

    def most(self, span_ms: float, rated: float | None) -> float:
        """Most that can pass in some time, in the register's unit; infinite where nothing is known of the register."""
        if rated is not None:  # a register that is known to count faster proves its rating wrong
            return max(rated, RATED_MARGIN * self.highest) * span_ms + self.slack
        return self.usual(span_ms)

    def usual(self, span_ms: float) -> float:
        """Most that passes in some time by the register's own history, whatever its rating; infinite without one."""
        top = self.highest
        if self.steps < MIN_STEPS or top == 0.0:
            return math.inf
        for age, margin in YOUNG_MARGINS:
            if self.last - self.since < age:
                return margin * top * span_ms + self.slack
        at_once = min(span_ms, HOUR_MS)
        then = min(HISTORY_MARGIN * top, DAILY_MARGIN * max(self.busy, self.busy_before))
        return HISTORY_MARGIN * top * at_once + then * (span_ms - at_once) + self.slack

    def after(
        self, ts: int, span_ms: int, counted: float, rest_ms: int, value: float, *, period_ms: float, close: bool
    ) -> Habit:
        """Learn from an ordinary increment to `value`: over `span_ms`, after standing still for `rest_ms`.

        `close`: the two readings are close enough to each other to tell a rate between readings. A rate is never told
        over less than a period: two readings 40 ms apart are two looks at one moment.
        """
        (
            since, last, steps, turn, top, top_before, busy, busy_before, rest, rest_before,
            mean, step, digits, day_ts, day_value, second, second_before,
        ) = self  # fmt: skip
        if ts // TURN_MS != turn:
            turn = ts // TURN_MS
            top_before, second_before, busy_before, rest_before = top, second, busy, rest
            top, second, busy, rest = 0.0, 0.0, 0.0, 0
        if counted > 0.0:
            steps = min(steps + 1, MIN_STEPS)
            if step is None or step > COARSE * 10.0**-digits:
                step = common(step, counted, digits)
            if close:
                rate = counted / max(span_ms, period_ms)
                most = ODD_MARGIN * max(top, top_before)
                rate = min(rate, most) if most > 0.0 else rate
                second, top = max(second, min(rate, top)), max(rate, top)
        rest = max(rest, rest_ms)
        if value < day_value or ts <= day_ts:
            day_ts, day_value = ts, value
        elif ts // DAY_MS != day_ts // DAY_MS:
            mean = (value - day_value) / (ts - day_ts)
            day_ts, day_value = ts, value
            busy = max(busy, mean)
        elif last // DAY_MS == since // DAY_MS:
            mean = (value - day_value) / (ts - day_ts)
            busy = max(busy, mean)
        return Habit(
            since, ts, steps, turn, top, top_before, busy, busy_before, rest, rest_before,
            mean, step, digits, day_ts, day_value, second, second_before,
        )  # fmt: skip

    def broken(self, ts: int, value: float) -> Habit:
        """Go on from another value: what passes in a day is counted from here."""
        return self._replace(day_ts=ts, day_value=value)

    def seeing(self, value: float) -> Habit:
        """Learn how many decimals the register shows."""
        digits = self.digits
        while digits < MAX_DIGITS:
            shown = value * 10.0**digits
            if math.isinf(shown) or abs(shown - round(shown)) <= 1e-6 * max(1.0, abs(shown) * 1e-6):
                break
            digits += 1
        return self if digits == self.digits else self._replace(digits=digits)


def common(step: float | None, counted: float, digits: int) -> float | None:
    """Greatest amount that both are multiples of, in whole last digits."""
    weight = 10.0**digits
    own = round(counted * weight)
    found = math.gcd(own, round((step or 0.0) * weight))
    return found / weight if found else step


def first(ts: int, value: float) -> Habit:
    """Nothing is known yet."""
    return Habit(ts, ts, 0, ts // TURN_MS, 0.0, 0.0, 0.0, 0.0, 0, 0, 0.0, None, 0, ts, value)

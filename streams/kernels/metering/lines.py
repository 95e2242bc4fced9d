"""Lines that a register left: what it showed before a break, kept until it comes back or the new level proves itself.

A gateway may send 0, an old value or another device's for minutes or for weeks. From what it then shows alone nobody
can tell that from a reset or an exchange. So what stood before is remembered: a register that comes back to where it
would have been was never reset, and what passed meanwhile is known in sum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import MeterEventKind
from schemas.time import DAY_MS, HOUR_MS
from streams.kernels.metering.habit import MIN_STEPS

if TYPE_CHECKING:
    from streams.kernels.metering.habit import Habit
    from streams.kernels.metering.minutes import Filling

PROOF_READINGS = 10
PROOF_MS = DAY_MS
"""A new level has proved itself when it has counted on for so many readings and so long; until then its minutes are
estimated. (unsourced)"""
WITNESSED_MS = HOUR_MS
"""So long where the instantaneous value agrees with what it counts. (unsourced)"""
COUNTING_MS = 7 * DAY_MS
"""A line is forgotten when another level has counted on for so long: then it was another meter. (unsourced)"""
STANDING_MS = 35 * DAY_MS
"""The same for a level that only ever stood. (unsourced)"""
MOST_LINES = 3
"""More are not kept: the newest ones stand."""
CLOSE_SHARE = 0.01
"""Of a register without a history, what passed meanwhile is at most this share of what it showed. (unsourced)"""


ROLLOVER_SHARE = 0.2
"""At most this share of a register's range passes between two readings around a rollover. (unsourced)"""


class Line(NamedTuple):
    """What a register showed before a break, and the break."""

    value: float
    last: int
    """Last reading on the line, ms."""
    filling: Filling
    """The open minute there."""
    kind: MeterEventKind
    """What the break would be if it does not come back."""
    broke: int
    """First reading behind the break, ms."""
    seen: float
    """What the register showed with the first reading behind the break."""
    limit: float
    counted: float
    rule: str
    readings: int = 0
    """Readings since the break. A late one among them changes this, and so is never taken for nothing."""
    counts: int = 0
    """How many of them counted on."""
    tolerance: float = 0.0
    """How far below its value the register may come back."""
    witnessed: bool = False
    """The instantaneous value has agreed with what the level behind the break counts."""
    habit: Habit | None = None
    """What was known of the register at the break: another's readings teach nothing of it."""

    def proved(self, ts: int) -> bool:
        """Whether the level behind the break has counted on for long enough to be believed.

        A unit that changed before much was known is never proved: nobody can tell which of the two is right.
        """
        if self.kind is MeterEventKind.SCALE:
            return False
        return self.counts >= PROOF_READINGS and ts - self.broke >= (WITNESSED_MS if self.witnessed else PROOF_MS)

    def most(self, habit: Habit, limits: RegisterLimits, span: int) -> float:
        """Most that can have passed since, if it comes back after some time."""
        habit = self.habit or habit
        bound = limits.usual(habit, span)
        if habit.steps >= MIN_STEPS:
            return bound
        return min(limits.most(habit, span), CLOSE_SHARE * self.value)

    def is_over(self, ts: int) -> bool:
        """Whether it is not waited for any longer."""
        return ts - self.broke > (COUNTING_MS if self.counts else STANDING_MS)


class RegisterLimits(NamedTuple):
    """What is known of the register from elsewhere."""

    rated: float | None
    """Most it may count, in its unit per ms."""
    rollover: float | None
    gap_ms: float
    period_ms: float
    """Between two readings: nothing is told of less time than this."""
    lines: tuple[Line, ...] = ()
    """What the register left and may come back to, the oldest first."""
    factor: float = 1.0
    """What the register shows is multiplied by this."""
    offset: float = 0.0
    """How far what it shows lies from what it counts on from."""

    def face(self, value: float) -> float:
        """What the register itself shows."""
        return value if self.factor == 1.0 and not self.offset else (value - self.offset) / self.factor

    def rolls_over(self, before: float, now: float) -> bool:
        """Whether a fall may be the registered rollover."""
        if self.rollover is None or now >= before:
            return False
        return 0.0 <= now + self.rollover - before <= ROLLOVER_SHARE * self.rollover

    def most(self, habit: Habit, span_ms: int) -> float:
        """Most that can pass in some time, in the register's unit."""
        return habit.most(max(span_ms, self.period_ms), self.rated)

    def usual(self, habit: Habit, span_ms: int) -> float:
        """Most that passes in some time by the rating and the register's own history, whichever says less."""
        span = max(span_ms, self.period_ms)
        return min(habit.usual(span), habit.most(span, self.rated))


def further(lines: tuple[Line, ...], ts: int, *, counted: bool) -> tuple[Line, ...]:
    """Take one more reading behind the breaks; what is not waited for any longer is forgotten."""
    return tuple(
        line._replace(readings=line.readings + 1, counts=min(line.counts + 1, 1_000_000) if counted else line.counts)
        for line in lines
        if not line.is_over(ts)
    )

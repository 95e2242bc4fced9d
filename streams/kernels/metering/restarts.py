"""A counter of the day: a register that begins anew at the same time of each day, or of each week.

"Today's energy" (日电量) falls to zero at midnight. A register that fell three times in a row at nearly the same time
of day is learnt as such a counter. Then a fall at that time is no doubt: of what it counts only what passed between the
last reading before it and the first one behind it is unknown. A fall at any other time stays a reset or an exchange,
and so does one that the register comes back from.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import MeterEventKind
from schemas.time import DAY_MS, QUARTER_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.kernels.metering.explain import Run, RunStep
    from streams.kernels.metering.lines import Line

NEARLY_MS = QUARTER_MS
"""Falls at the same time of day are no further apart than this, beside the time between two readings. (unsourced)"""
FALLS = 3
"""So many at the same time make a register one that begins anew. (unsourced)"""
PERIODS = ((DAY_MS, 8), (7 * DAY_MS, 4))
"""Times that pass between two falls, and how many of them may pass while FALLS are seen: a works that rests for some
days counts nothing, and then nothing falls. (unsourced)"""


class Fall(NamedTuple):
    """A register that began anew: the readings before and behind."""

    before: int
    """The last reading before it, ms."""
    behind: int
    """The first reading behind it, ms."""

    @property
    def at(self) -> float:
        """When it was, as far as is known, ms."""
        return (self.before + self.behind) / 2

    @property
    def width(self) -> int:
        """How long that may have been, ms."""
        return self.behind - self.before


class Restarts(NamedTuple):
    """When a register begins anew."""

    falls: tuple[Fall, ...] = ()
    """The newest ones; all at the same time of day where it is learnt."""
    every: int = 0
    """Time between two, ms; 0: it is not known as such a register."""
    since: int = 0
    """The reading before the first fall by which that was learnt, ms."""

    def expected(self, before: int, behind: int) -> float | None:
        """When it last began anew between two readings, ms; None where it did not."""
        if not self.every:
            return None
        at = min(self.falls, key=lambda fall: fall.width).at
        newest = at + (behind + NEARLY_MS - at) // self.every * self.every
        return newest if newest >= before - NEARLY_MS else None

    def is_within(self, before: int, behind: int) -> bool:
        """Whether it began anew between two readings for sure."""
        at = self.expected(before, behind)
        if at is not None and at > behind - NEARLY_MS:
            at -= self.every
        return at is not None and before + NEARLY_MS < at

    def after(self, fall: Fall) -> Restarts:
        """Take a fall to about zero."""
        if self.every:
            return self._replace(falls=(*self.falls, fall)[-FALLS:]) if self.has(fall) else Restarts((fall,))
        falls = (*self.falls, fall)[-FALLS:]
        every = next((period for period, most in PERIODS if _come_every(falls, period, most)), 0)
        return Restarts(falls, every, falls[0].before if every else 0)

    def has(self, fall: Fall) -> bool:
        """Whether a fall is where it begins anew."""
        return self.expected(fall.before, fall.behind) is not None

    def until(self, ts: int) -> Restarts:
        """Forget falls since a moment, for it came back from them."""
        return self if self.every else Restarts(tuple(fall for fall in self.falls if fall.before < ts))

    def without(self, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        """Leave out what it left when it began anew: it does not come back to that."""
        behind = {fall.behind for fall in self.falls} if self.every else ()
        return tuple(line for line in lines if line.broke not in behind)


NEVER = Restarts()


def settled(
    known: Restarts, runs: Sequence[Run], steps: Sequence[RunStep], lines: Sequence[Line], offset: float
) -> Restarts:
    """Learn from a window that is settled; `lines` are those that it may come back to, and zero lies at `offset`.

    An exchange for a meter that shows another value says that what fell before were other meters, too.
    """
    at = 0
    for step in steps:
        old, new = runs[at], runs[step.to]
        if step.kind is MeterEventKind.EXCURSION:
            known = known.until(lines[step.line].last)
        elif step.kind is MeterEventKind.RESTART or (
            step.leaves and new.value < old.value and new.value - offset <= step.limit
        ):
            known = known.after(Fall(old.last, new.first))
        elif step.leaves:
            known = NEVER
        at = step.to
    return known


def _come_every(falls: Sequence[Fall], period: int, most: int) -> bool:
    """Whether so many falls come at whole periods from each other."""
    if len(falls) < FALLS:
        return False
    first, passed = falls[0], 0
    for fall in falls[1:]:
        passed = round((fall.at - first.at) / period)
        if abs(fall.at - first.at - passed * period) > NEARLY_MS + (fall.width + first.width) / 2:
            return False
    return passed <= most and all(later.at - fall.at > period / 2 for fall, later in pairwise(falls))

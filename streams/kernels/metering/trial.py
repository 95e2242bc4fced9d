"""A level on trial: what a register counts at first may be another meter's, and nothing but time can tell.

What is known of the level is kept by the hour until it has proved itself. If the register leaves it before that,
the level's minutes are written again: the same sum, and estimated.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from schemas.time import HOUR_MS
from streams.kernels.metering.lines import COUNTING_MS, PROOF_MS, PROOF_READINGS
from streams.kernels.metering.minutes import LONG_SILENCE_MS, Backing, Filling, Minutes, begin

if TYPE_CHECKING:
    from streams.kernels.metering.explain import Run
    from streams.kernels.metering.lines import Line

MARK_MS = HOUR_MS
"""A level's count is remembered so often: so finely it is spread if it must be written again."""

TRIAL_READINGS = 192
TRIAL_MS = COUNTING_MS
"""A level is on trial until it has counted on for a day and for so many readings (two days of quarters of an hour), one
that is seldom read for no longer than a line is waited for. While it is not left that costs nothing; a late reading
among them costs all that follow it on trial, so there is a bound. (unsourced)"""

LEAP = 10.0
"""An increment on trial this many times as fast as any before may be an exchange. (unsourced)"""
JUMP = 1.5
"""An increment this many times as fast as any before puts the level on trial that it leads to. (unsourced)"""

EVEN = 2.0
"""A level that counts evenly does so in its mean as fast as with its last increment, within this. (unsourced)"""


class TrialMark(NamedTuple):
    """What a register showed at a moment on trial."""

    ts: int
    value: float


class Trial(NamedTuple):
    """A level that has not proved itself."""

    filling: Filling
    """The open minute where it begins."""
    marks: tuple[TrialMark, ...]
    """What it has shown since, by the hour; the first is where it begins."""
    counts: int = 0
    """How many readings counted on, TRIAL_READINGS at most."""
    readings: int = 1
    """Readings since it begins. A late one among them changes this, and so is never taken for nothing."""
    leapt: int = 0
    """Since when it has counted on behind the newest increment 1.5 times as fast as any before, ms; 0: none was."""

    @property
    def is_new(self) -> bool:
        """Whether hardly anything is known of it yet."""
        return self.counts < PROOF_READINGS

    def seen(self) -> Trial:
        """Take one more reading, whatever it shows."""
        return self._replace(readings=self.readings + 1)

    def leaping(self, ts: int) -> Trial:
        """Take an increment 1.5 times as fast as any before: the level that it leads to must prove itself anew."""
        return self._replace(counts=0, leapt=ts)

    def is_even(self, speed: float, ts: int, value: float) -> bool:
        """Whether it has counted no more than twice as fast since that increment, in its mean, as it did last.

        A load that comes in bursts has, and another meter's level that goes on evenly has not. `ts` and `value` are its
        newest; what is not known by the hour speaks for none of the two.
        """
        mark = next((mark for mark in self.marks if mark.ts >= self.leapt), None)
        return mark is None or value - mark.value <= EVEN * speed * (ts - mark.ts)

    def further(self, anchor: Run) -> Trial | None:
        """Take one more reading that counted on, `anchor` being the last that nothing revises; None: it is proved."""
        counts, lasted = min(self.counts + 1, TRIAL_READINGS), anchor.last - (self.leapt or self.marks[0].ts)
        if counts >= PROOF_READINGS and lasted >= (PROOF_MS if counts == TRIAL_READINGS else TRIAL_MS):
            return None
        marks = self.marks
        if anchor.last - marks[-1].ts >= MARK_MS:
            marks = (*marks, TrialMark(anchor.last, anchor.value))
        elif counts == self.counts:
            return self
        return self._replace(marks=marks, counts=counts)

    def until(self, ts: int) -> Trial | None:
        """Forget what came after a moment: it was not the level's."""
        marks = tuple(mark for mark in self.marks if mark.ts <= ts)
        return self._replace(marks=marks) if marks else None

    def is_outlasted(self, line: Line, ts: int) -> bool:
        """Whether no more speaks for it than for what it was left for, which has only stood yet.

        That is a value that it never showed, which no gateway makes of its own, the very one that this level began
        with, or it has stood for longer than this counted.
        """
        counted, begun = line.last - self.marks[0].ts, self.marks[0].value
        is_own = line.seen == 0.0 < begun or begun < line.seen <= line.value
        suffices = not is_own or ts - line.broke > counted
        return line.counts == 0 and counted > 0 and suffices

    def rewritten(self, minutes: Minutes, ts: int, value: float) -> Filling | None:
        """Give the level's minutes out again as estimated, up to a moment and what it showed then.

        None where it was silent or stood for too long between: what is spread coarsely is not written twice.
        """
        marks = (*self.marks, TrialMark(ts, value))
        if any(new.ts - old.ts > LONG_SILENCE_MS for old, new in pairwise(marks)):
            return None
        filling = self.filling
        for old, new in pairwise(marks):
            filling = minutes.spread(filling, old.ts, new.ts, max(0.0, new.value - old.value), Backing.BRIDGE)
        return filling


def first(ts: int, value: float) -> Trial:
    """Begin with a register's first reading."""
    return Trial(begin(ts), (TrialMark(ts, value),))

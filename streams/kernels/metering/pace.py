"""How often a meter's readings come by its own clock: one that crawls makes more of them in less time.

A meter that sends every minute and whose clock goes at half its speed stamps them half a minute apart. What it counts
then seems to pass twice as fast, and no other figure of its readings says so. A meter that was set to send more often
looks the same at first. So what it counts while it sends sooner than it ever did is estimated, for a day at most, or
until something that does not go by the clock tells: the power or flow beside a register agrees with it only where the
clock is well. A meter that sends neither is held against itself. One that counted evenly until its readings came
sooner, and counts as fast since, has a clock that is well; else its load would have fallen by just as much as its clock
lags, with the same reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.time import DAY_MS
from streams.kernels.metering.witness import STEPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SOONER = 0.8
"""A clock that shows less than this share of the time that passes crawls. (unsourced)"""
NEARLY = 0.9
"""What takes so much of the period is counted as it should be, also of a clock that may crawl. (unsourced)"""
SAME_MOMENT = 0.05
"""A reading that comes after less than this share of the period is another look at the same moment."""
KEPT = 10
"""So many readings in a row that kept to the period make that its habit. (unsourced)"""
LEAD = 0.8
"""By so many periods in sum readings may come sooner than SOONER before that is a clock: more than one reading too many
or one that is late makes, for what comes after it is later again. (unsourced)"""
LEAD_MS = 50_000
"""And by more than so long, where a period is longer: readings are late or doubled by seconds. (unsourced)"""
MOST_LEAD = 1.5
"""More is not counted, so that a clock that is set right is believed soon. (unsourced)"""
LASTS_MS = DAY_MS
"""After so long it is what it was set to, unless its instantaneous value says that the clock lags. (unsourced)"""


class Pace(NamedTuple):
    """How a meter has kept to its registered period."""

    ts: int
    """Newest reading, ms."""
    kept: int = 0
    """Readings in a row that kept to it, KEPT at most; KEPT is not forgotten while they come too soon."""
    since: int = 0
    """Since when its clock may crawl, ms; 0: it does not."""
    lead: float = 0.0
    """By how many periods its readings have come sooner than SOONER in sum, those that came later taken off."""
    late: float = 0.0
    """By how many periods the newest one came later than it should, one at most: the next may come so much sooner."""

    crawls: bool = False
    """Whether the newest one came sooner than it should, or the first one late behind such: its clock may crawl."""


def paced(known: Pace | None, ts: int, period_ms: float, gap_ms: float, *, lags: bool = False) -> Pace:
    """Take a meter's next reading: a crawling clock makes every one too soon, jitter one and the next one late.

    `lags`: what passed since by its instantaneous value is less than what was counted, by as much as a clock lags.
    """
    if known is None:
        return Pace(ts)
    span = ts - known.ts
    if span <= SAME_MOMENT * period_ms:
        return known._replace(ts=ts)
    if known.kept < KEPT:
        kept = known.kept + (span <= gap_ms)
        return Pace(ts, kept if span >= SOONER * period_ms else 0)
    took = span / period_ms
    late = min(1.0, max(0.0, took - 1.0))
    lead = min(MOST_LEAD, max(0.0, known.lead + SOONER - took - known.late))
    if lead <= (0.0 if known.since else min(LEAD, LEAD_MS / period_ms)):
        return Pace(ts, KEPT, lead=lead, late=late, crawls=known.crawls and took > 1.0 / SOONER)
    since = known.since or known.ts
    if ts - since > LASTS_MS:
        if not lags:
            return Pace(ts)
        since = ts - ts % DAY_MS  # by the calendar: a late reading leaves no trace that lasts
    return Pace(ts, KEPT, since, lead, crawls=took < NEARLY or took > 1.0 / SOONER)


class Increment(NamedTuple):
    """What a register counted between two readings, each of which simply counts on."""

    quantity: str
    span: int
    """How long the step took, ms."""
    counted: float
    rates: tuple[float, float] | None
    """Instantaneous values at both ends, in its unit per ms."""
    step: float
    """What the register can tell apart."""
    rests: bool
    """Whether the reading says itself that nothing passes."""


class Even(NamedTuple):
    """Slowest and fastest that a register counted between two readings lately, in its unit per ms."""

    block: int
    """Which stretch of KEPT periods this is, by the clock: a late reading leaves no trace that lasts."""
    low: float
    high: float
    low_before: float = 0.0
    """The same in the stretch before; 0: not known, or it stood."""
    high_before: float = 0.0

    def after(self, block: int, rate: float) -> Even:
        """Take one more."""
        if block != self.block:
            return Even(block, rate, rate, self.low, self.high)
        return self._replace(low=min(self.low, rate), high=max(self.high, rate))

    def passed(self, span: int) -> tuple[float, float]:
        """Say what passes in some time at such rates, and what that may be wrong by."""
        least, most = min(self.low, self.low_before) * span, max(self.high, self.high_before) * span
        return (most + least) / 2, (most - least) / 2


class Evidence(NamedTuple):
    """What was counted since readings came too soon, and what passed meanwhile by what does not go by the clock."""

    readings: int = 0
    counted: float = 0.0
    passed: float = 0.0
    wobble: float = 0.0
    """What that may be wrong by."""
    since: int = 0
    """Since when this is so, ms."""
    is_heard: bool = False
    """Instantaneous values say so, not how evenly it counted before."""

    @property
    def lags(self) -> bool:
        """Whether instantaneous values say that less time passes than the clock shows; they may be noisy."""
        return self.is_heard and self.readings >= KEPT and self.passed < SOONER * self.counted

    def after(self, increments: Sequence[Increment], even: Mapping[str, Even]) -> Evidence:
        """Take what the registers counted with one more reading."""
        readings, counted, passed, wobble, since, is_heard = self
        for each in increments:
            if each.rates is not None:
                before, now = each.rates
                between, moved = (before + now) / 2 * each.span, abs(now - before) / 2 * each.span
            else:
                between, moved = even[each.quantity].passed(each.span)
            counted, passed, wobble = counted + each.counted, passed + between, wobble + moved
        is_heard = is_heard or any(each.rates is not None for each in increments)
        return Evidence(readings + 1, counted, passed, wobble, since, is_heard)

    def agrees(self, step: float) -> bool:
        """Whether the clock shows more than SOONER of the time that passes, and no more than it should by as much."""
        doubt = self.wobble + STEPS * step
        return self.passed - doubt >= SOONER * self.counted > 0.0 and SOONER * (self.passed + doubt) <= self.counted


class PaceClock(NamedTuple):
    """What tells of a meter's clock."""

    even: dict[str, Even]
    """By register of a meter that sends no instantaneous value."""
    evidence: Evidence | None = None


UNTOLD = PaceClock({})
"""Nothing is known of it."""


def held(
    pace: Pace, clock: PaceClock, increments: Sequence[Increment], *, period_ms: float, gap_ms: float
) -> tuple[Pace, PaceClock]:
    """Hold a meter's next reading against what does not go by its clock; returns whether that may still crawl."""
    block_ms = KEPT * period_ms
    if not pace.since:
        if not any(each.rates for each in increments):
            clock = _learned(clock, increments, int(pace.ts // block_ms), SOONER * period_ms, gap_ms)
        return pace, clock if clock.evidence is None else clock._replace(evidence=None)
    if not pace.crawls or not increments:
        return pace, clock
    if increments[0].span >= NEARLY * period_ms:  # it may have been set right: what it was behind by comes with this
        return pace, UNTOLD
    if pace.ts - pace.since > block_ms:  # by now a load may have fallen, and what was even before says nothing any more
        clock = clock._replace(even={})
    return _judged(pace, clock, increments, int(pace.since // block_ms) - 1)


def _judged(pace: Pace, clock: PaceClock, increments: Sequence[Increment], oldest: int) -> tuple[Pace, PaceClock]:
    """Hold what was counted since readings came too soon against what passed.

    `oldest`: the first stretch in which counting evenly is evidence.
    """
    if all(_rests(each) for each in increments):
        return pace._replace(crawls=False), clock
    beside = [each for each in increments if each.rates is not None] or [
        each for each in increments if each.quantity in clock.even and clock.even[each.quantity].block >= oldest
    ]
    if not beside:
        return pace, clock
    known = clock.evidence
    if known is None or known.since != pace.since:
        known = Evidence(since=pace.since)
    found = known.after(beside, clock.even)
    if not found.agrees(sum(each.step for each in beside)):
        return pace, PaceClock(clock.even if found.readings < KEPT else {}, found)
    if found.readings < KEPT:
        return pace._replace(crawls=False), clock._replace(evidence=found)
    return Pace(pace.ts), UNTOLD


def _learned(
    clock: PaceClock, increments: Sequence[Increment], block: int, least_ms: float, most_ms: float
) -> PaceClock:
    """Learn how fast registers count that have nothing beside them, from readings that keep to the period."""
    even = clock.even
    for each in increments:
        if least_ms <= each.span <= most_ms:
            rate = each.counted / each.span
            known = even.get(each.quantity)
            even = even | {each.quantity: Even(block, rate, rate) if known is None else known.after(block, rate)}
    return clock if even is clock.even else clock._replace(even=even)


def _rests(each: Increment) -> bool:
    """Whether nothing passes, whatever the clock says."""
    return each.counted == 0.0 and (each.rests or each.rates == (0.0, 0.0))

"""What happened to a register: of all explanations of its last few readings, the one that supposes least.

An explanation keeps some readings as true and skips the others as noise. Between two that it keeps, the register
either counts on, or something befell it. Every skipped reading and every event has a price; the cheapest explanation
stands, and a later reading may still make another one the cheapest, until enough readings agree with it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import MeterEventKind
from schemas.time import HOUR_MS
from streams.kernels.metering.habit import HISTORY_MARGIN, MIN_STEPS
from streams.kernels.metering.lines import ROLLOVER_SHARE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.kernels.metering.habit import Habit
    from streams.kernels.metering.lines import RegisterLimits


LEAVES = frozenset({MeterEventKind.RESET, MeterEventKind.REPLACEMENT, MeterEventKind.SURGE})
"""Breaks that may yet turn out to have been an excursion; so may a rollover that nobody registered."""


class Run(NamedTuple):
    """Readings in a row that show the same value, with no gap between them."""

    first: int
    """First of them, ms."""
    last: int
    readings: int
    value: float
    since: int
    """Since when it shows this value and does not say why, ms: earlier than `first` where a gap lies between."""
    implied: float | None
    """What the meter's instantaneous value says has passed meanwhile, in the register's unit."""
    frozen: bool
    """It stands although something passes."""
    denied: bool = False
    """Of a register without a history: its instantaneous value says that more passed before it than was counted."""

    @property
    def stood_ms(self) -> int:
        """How long it has shown this value without a gap."""
        return self.last - self.first

    @property
    def unexplained_ms(self) -> int:
        """How long of that no reading has said that nothing passes."""
        return min(self.stood_ms, self.last - self.since)


class RunStep(NamedTuple):
    """From one kept run of readings to the next."""

    to: int
    """Index of the run it leads to."""
    kind: MeterEventKind | None
    """None: it counted on."""
    counted: float
    """In the register's unit."""
    limit: float
    """Most that could have passed."""
    rule: str
    measured: bool = True
    """Whether what it counted is a difference of register readings; otherwise it is an estimate."""
    line: int = -1
    """Of a return: which of the lines left before it came back to; its count begins there."""

    def may_be_chance(self, jumped: float) -> bool:
        """Whether another device's value may have fallen where a return was waited for."""
        return self.kind is MeterEventKind.EXCURSION and self.limit > CHANCE_SHARE * abs(jumped)

    @property
    def shows_the_old(self) -> bool:
        """Whether it comes back to the very value that it left: that may be an old one once more."""
        return self.kind is MeterEventKind.EXCURSION and self.counted == 0.0

    @property
    def leaves(self) -> bool:
        """Whether it is a break that may yet turn out to have been an excursion."""
        return self.kind in LEAVES or (self.kind is MeterEventKind.ROLLOVER and not self.measured)


class Explanation(NamedTuple):
    """Which runs are true and what lies between them."""

    steps: tuple[RunStep, ...]
    """From the anchor, run 0, on; what lies behind the last one waits for the next readings."""
    price: float

    @property
    def last(self) -> int:
        """Index of the last run that is explained."""
        return self.steps[-1].to if self.steps else 0


PRICE_SKIP = 1.0
PRICE_SKIP_VALUE = 0.5
"""Each further value within one excursion."""
PRICE_SKIP_READING = 0.25
"""Each further reading that repeats a value."""
PRICE_REPLACEMENT = 1.7
PRICE_RESET = 1.4
"""Less than skipping two values: a reset that goes on counting is settled by the second reading."""
PRICE_SCALE = 1.3
PRICE_RETURN = 0.7
"""Less than skipping one reading, for it supposes nothing that was not seen; more than counting on."""
PRICE_ROLLOVER = 0.8
"""At the register's own rollover: less than skipping one reading, so it need not wait."""
PRICE_INFERRED_ROLLOVER = 1.35
PRICE_CATCH_UP = 0.5
PRICE_SURGE = 0.95
PRICE_LONE_SURGE = 1.2
PRICE_ROUGH = 0.01
"""Decides between explanations that suppose equally much: the steadier one."""

LONE_SURGE = 10.0
"""A register without a rating that counts up to this many times its bound once has counted it. (unsourced)"""
CHANCE_SHARE = 0.02
"""A register returns to where it would have been by chance where that is no narrower than this share of the jump.
(unsourced)"""
SURGE_GOES_ON = 0.25
"""A jump beyond its rating or history is consumption if it then counts on at this share of the speed. (unsourced)"""
RESET_MARGIN = 2.0
"""After a reset a register shows at most this many times what passes between two readings at its speed. (unsourced)"""

INFERRED_SHARE = 0.05
"""Stands for `ROLLOVER_SHARE` where no rollover is registered and the range is taken for a power of ten."""
MIN_INFERRED_ROLLOVER = 1_000.0
"""A range that is taken for a power of ten is no less than this. (unsourced)"""
MIN_BINARY_WRAP = 50.0
BINARY_WRAPS = tuple(
    sorted(
        2.0**bits * unit
        for bits in (16, 24, 32)
        for unit in (0.001, 0.01, 0.1, 1.0)
        if 2.0**bits * unit >= MIN_BINARY_WRAP
    )
)
"""Where counters of 16, 24 and 32 bits wrap, in the register's unit: Wh, tens and hundreds of them, or kWh."""
CATCH_UP_SPEED = 2.0
"""A catch-up is at least this many times what passes between the two readings after it. (unsourced)"""
CATCH_UP_SHARE = 0.25
"""Spread over the time it stood, it comes to at least this share of the speed before and after. (unsourced)"""


def explain(runs: Sequence[Run], habit: Habit, limits: RegisterLimits) -> Explanation:
    """Find the cheapest explanation of a few runs of readings; run 0 is true, and so is the step to run 1."""
    return _Search(runs, habit, limits).best


class _Search:
    """Goes through all explanations, giving up on one when it is dearer than the best so far."""

    def __init__(self, runs: Sequence[Run], habit: Habit, limits: RegisterLimits) -> None:
        self._runs = runs
        self._habit = habit
        self._limits = limits
        self.best = Explanation((), math.inf)
        self._go((), 0, 0.0, None, 0.0)

    def _go(self, steps: tuple[RunStep, ...], at: int, price: float, rate: float | None, surge: float) -> None:
        runs = self._runs
        total = price + _price_of_skipping(runs[at + 1 :])
        if total < self.best.price:
            self.best = Explanation(steps, total)
        for to in range(at + 1, len(runs)):
            if price + _price_of_skipping(runs[at + 1 : to]) >= self.best.price:
                return
            so_far = price + self._price_of_noise(at, to)
            if so_far >= self.best.price:
                continue
            for step, cost in self._ways(at, to, rate, surge):
                after = None
                rough = 0.0
                if step.kind in _COUNTS_ON and (span := runs[to].first - runs[at].last) > 0:
                    after = step.counted / span
                    if rate is not None and rate + after > 0:
                        rough = PRICE_ROUGH * abs(rate - after) / (rate + after)
                faster = max(surge, after) if cost == PRICE_SURGE and after is not None else surge
                self._go((*steps, step), to, so_far + cost + rough, after, faster)

    def _ways(self, at: int, to: int, rate: float | None, surge: float) -> list[tuple[RunStep, float]]:
        """What may have happened between two runs, with its price; `surge` is a speed it is known to reach."""
        old, new = self._runs[at], self._runs[to]
        habit, limits = self._habit, self._limits
        counted, span = new.value - old.value, new.first - old.last
        most = max(limits.most(habit, span), HISTORY_MARGIN * surge * span)
        returned = self._returns(to, counted)
        if counted >= -habit.unit:
            counted = max(counted, 0.0)
            counts_on = counted <= most or (at == 0 and to == 1)
            if counts_on and not (returned and counted > limits.usual(habit, span)):
                return [(RunStep(to, None, counted, most, "counts on"), 0.0)]
            if returned:
                return returned
            since = limits.usual(habit, new.first - old.since)
            if counted <= since and old.readings > 1 and habit.steps >= MIN_STEPS:
                rule = "more than can have passed since the last reading, not more than since the last change"
                return [(RunStep(to, MeterEventKind.CATCH_UP, counted, since, rule), PRICE_CATCH_UP)]
            speed = counted / span
            following = self._rate_after(to, HISTORY_MARGIN * speed)
            if following is not None and following >= SURGE_GOES_ON * speed:
                rule = "beyond its rating or history, and it goes on counting at such a speed"
                return [(RunStep(to, None, counted, most, rule), PRICE_SURGE)]
            ways = [self._replacement(at, to, rate, most)]
            if limits.rated is None and counted <= LONE_SURGE * most < math.inf:
                rule = "more than ever before, though not more than it may have counted: it stands where it was counted"
                ways.append((RunStep(to, MeterEventKind.SURGE, counted, most, rule, measured=False), PRICE_LONE_SURGE))
            return ways
        ways = [way for way in (self._rollover(at, to, most), self._reset(at, to, rate, most)) if way is not None]
        return [*returned, *(ways or [self._replacement(at, to, rate, most)])]

    def _returns(self, to: int, counted: float) -> list[tuple[RunStep, float]]:
        """Coming back to where it would have been: to the newest line it left on which it is plausible."""
        new, habit, limits = self._runs[to], self._habit, self._limits
        for number in range(len(limits.lines) - 1, -1, -1):
            line = limits.lines[number]
            passed, span = new.value - line.value, new.first - line.last
            bound = line.most(habit, limits, span)
            if -line.tolerance <= passed <= bound and abs(passed) < abs(counted):
                passed = max(0.0, passed)
                rule = "comes back to where it would have been: what it showed meanwhile was not its own"
                step = RunStep(to, MeterEventKind.EXCURSION, passed, bound, rule, measured=False, line=number)
                return [(step, PRICE_RETURN)]
        return []

    def _price_of_noise(self, at: int, to: int) -> float:
        """Price of skipping what lies between two runs; where nothing falls, there is no noise to skip.

        Otherwise what one reading jumped by would be spread over the readings on either side of it.
        """
        odd = self._runs[at + 1 : to]
        if odd and all(before.value <= after.value for before, after in pairwise(self._runs[at : to + 1])):
            return math.inf
        return _price_of_skipping(odd)

    def _rollover(self, at: int, to: int, most: float) -> tuple[RunStep, float] | None:
        old, new = self._runs[at], self._runs[to]
        registered = self._limits.rollover
        if registered is not None:
            counted = new.value + registered - old.value
            since = self._limits.most(self._habit, new.first - old.since)
            if 0 <= counted <= min(since, ROLLOVER_SHARE * registered):
                rule = "falls at its registered rollover, and what passed by that is plausible"
                return RunStep(to, MeterEventKind.ROLLOVER, counted, most, rule), PRICE_ROLLOVER
            return None
        for wraps_at in _inferred_rollovers(self._limits.face(old.value)):
            wide = wraps_at * self._limits.factor
            counted = new.value + wide - old.value
            if counted <= min(most, INFERRED_SHARE * wide):
                rule = f"falls from just below {wraps_at:.10g} to about zero; no rollover is registered"
                step = RunStep(to, MeterEventKind.ROLLOVER, counted, most, rule, measured=False)
                return step, PRICE_INFERRED_ROLLOVER
        return None

    def _reset(self, at: int, to: int, rate: float | None, most: float) -> tuple[RunStep, float] | None:
        old, new = self._runs[at], self._runs[to]
        span = new.first - old.last
        is_gap = span > self._limits.gap_ms
        speeds = [speed for speed in (rate, self._rate_after(to)) if speed is not None]
        speed = max([*speeds, self._habit.mean] if is_gap else speeds, default=self._habit.mean)
        low = min(most, RESET_MARGIN * speed * span + self._habit.slack)
        if is_gap and most < math.inf:
            low = most  # a gap from one quiet hour to the next may hold the busiest of the day
        since = new.value - self._limits.offset
        if since > low:
            return None
        # Within a gap nobody knows when it was reset: before that it counted, too.
        counted = max(since, self._speed_across(span, speeds) * span) if is_gap else since
        rule = "falls to no more than it can have counted since, and counts on from there"
        return RunStep(to, MeterEventKind.RESET, counted, low, rule, measured=False), PRICE_RESET

    def _replacement(self, at: int, to: int, rate: float | None, most: float) -> tuple[RunStep, float]:
        span = self._runs[to].first - self._runs[at].last
        speeds = [speed for speed in (rate, self._rate_after(to)) if speed is not None]
        speed = self._speed_across(span, speeds)
        rule = (
            "jumps further than anything can have passed, and counts on from there; if the meter was exchanged,"
            " register the old one's final reading: what passed is then known"
        )
        return RunStep(to, MeterEventKind.REPLACEMENT, speed * span, most, rule, measured=False), PRICE_REPLACEMENT

    def _speed_across(self, span: int, speeds: Sequence[float]) -> float:
        """Estimate how fast it counted where no register tells: as before and after, over hours also as on the mean."""
        if not speeds:
            return self._habit.mean
        near = math.fsum(speeds) / len(speeds)
        return near if span <= max(self._limits.gap_ms, HOUR_MS) else (near + self._habit.mean) / 2

    def _rate_after(self, at: int, speed: float = 0.0) -> float | None:
        """Speed from a run to the next reading behind it, if that counts on; `speed` is one it may well have."""
        if at + 1 >= len(self._runs):
            return None
        run, following = self._runs[at], self._runs[at + 1]
        counted, span = following.value - run.value, following.first - run.last
        if counted < 0 or counted > max(self._limits.most(self._habit, span), speed * span):
            return None
        return counted / (following.first - run.first)


_COUNTS_ON = frozenset({None, MeterEventKind.ROLLOVER})


def _inferred_rollovers(value: float) -> list[float]:
    """Where a register that shows this may roll over although none is registered: powers of ten, and of two."""
    if value <= 0:
        return []
    power = 10.0 ** math.ceil(math.log10(value))
    decimal = [power] if power >= MIN_INFERRED_ROLLOVER else []
    return decimal + [wrap for wrap in BINARY_WRAPS if (1 - INFERRED_SHARE) * wrap <= value <= wrap]


def _price_of_skipping(runs: Sequence[Run]) -> float:
    if not runs:
        return 0.0
    repeated = sum(run.readings - 1 for run in runs)
    return PRICE_SKIP + PRICE_SKIP_VALUE * (len(runs) - 1) + PRICE_SKIP_READING * repeated


def caught_up(step: RunStep, old: Run, new: Run, before: float | None, after: float) -> RunStep:
    """A step after standing still, as a catch-up if that is what it is. Speeds in the register's unit per ms."""
    span, stood = new.first - old.last, new.first - old.first
    if old.implied is not None:
        between = old.implied / old.stood_ms * span
        caught_up = 2 * step.counted >= old.implied + between and step.counted > CATCH_UP_SPEED * between
        rule = "counts at once about what its instantaneous value said had passed while it stood"
    else:
        slowest = after if before is None else min(before, after)
        caught_up = step.counted > CATCH_UP_SPEED * after * span and step.counted >= CATCH_UP_SHARE * slowest * stood
        rule = "counts at once several times what then passes, about what the time it stood comes to"
    return step._replace(kind=MeterEventKind.CATCH_UP, rule=rule) if caught_up else step


def is_beside_noise(steps: Sequence[RunStep], at: int) -> bool:
    """Whether a reading that was noise lies within a step, or within the one before or behind it.

    Then one of its own ends may be as wrong.
    """
    froms = (0, *(step.to for step in steps))
    return any(steps[near].to > froms[near] + 1 for near in range(max(0, at - 1), min(len(steps), at + 2)))

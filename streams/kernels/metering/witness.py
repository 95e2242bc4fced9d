"""Instantaneous values beside a register, integrated: a witness of what it counts.

In stretches that end at fixed moments of the clock, the register's difference is held against the integral of power or
flow. Where they part by more than can come from the coarseness of the readings, one of them is wrong: the stretch's
minutes are then estimated, and so are all that follow until a stretch agrees again.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.time import QUARTER_MS

if TYPE_CHECKING:
    from streams.kernels.metering.minutes import Filling

STRETCH_PERIODS = 10
"""A stretch is this many periods long, a quarter of an hour at least. (unsourced)"""
READINGS = 8
"""Fewer readings are no witness."""
FEW_READINGS = 3
"""Of a meter's first stretch, so many tell how far an increment parts from its instantaneous value. (unsourced)"""
LONGEST = 4
"""A stretch that can tell nothing yet goes on, until it is this many times as long. (unsourced)"""
SHARE = 0.1
"""Register and integral may part by this share of the greater one, and by `STEPS`. (unsourced)"""
STEPS = 3.0
"""They may part by so many of the register's smallest steps, too, and by what the instantaneous value moved between
readings. (unsourced)"""
BLURRED = 0.3
"""A stretch whose instantaneous value moved by more than this share of what passed agrees with anything. (unsourced)"""
PARTS = 2.0
"""An increment parts from its instantaneous values where it does by so many times what any in the stretch before did,
and by the register's smallest steps as above. (unsourced)"""
FADES = 0.7
"""So much of what was ordinary in one stretch is so in the next: noise that was large once is so again. (unsourced)"""
LEAST_PARTS = 0.03
"""What it parts by less than this share of what passed is no sign of anything: a load moves between two readings, and a
meter that was read in longer steps, or of an even load, had shown next to nothing of that. (unsourced)"""
MOST_BEYOND = 0.3
"""One increment may be greater than its instantaneous values say by this share, and as above. (unsourced)"""
MOST_SHORT = 0.1
"""One of the first increments may be less by this share, as a whole stretch may. (unsourced)"""
MANY_STEADY = 5
FEW_STEADY = 4
"""So many increments of a stretch whose instantaneous value hardly moved tell by themselves. (unsourced)"""
TRUSTED = 2
"""They do once they have agreed, until in two stretches some agree and some part. (unsourced)"""
NAMED_WITHIN = 0.03
"""Within this share of a known ratio, it is named."""


class Steady(NamedTuple):
    """What a register counted while its instantaneous value hardly moved, and what passed by that."""

    counted: float = 0.0
    passed: float = 0.0
    wobble: float = 0.0
    agreed: int = 0
    """Of how many increments it agreed, within SHARE and a step of the register."""
    less: int = 0
    """Of how many it counted less, by more than that, what the value moved, and a step of the register."""
    more: int = 0
    """Of how many it counted more, by as much."""

    def after(self, counted: float, passed: float, moved: float, step: float) -> Steady:
        """Take one more increment."""
        least = SHARE * max(counted, passed)
        return Steady(
            self.counted + counted,
            self.passed + passed,
            self.wobble + moved,
            self.agreed + (abs(counted - passed) <= least + step),
            self.less + (passed - counted > least + moved + step),
            self.more + (counted - passed > least + moved + step),
        )

    def trust(self, before: int) -> int:
        """How far they are evidence from now on: fully once they agree, less with each stretch in which some part."""
        if self.less or self.more:
            return max(0, before - 1) if self.agreed else before
        return TRUSTED if self.agreed >= MANY_STEADY else before

    def parts(self, step: float) -> bool:
        """Whether they part the same way, and all together by more than the readings' coarseness explains."""
        if self.agreed or (self.less and self.more) or self.less + self.more < FEW_STEADY:
            return False
        return _part(self.counted, self.passed, self.wobble, step)


NO_STEADY = Steady()


class FlowWitness(NamedTuple):
    """A stretch of instantaneous values beside a register."""

    number: int
    """Which stretch this is."""
    start: int
    """First reading of the stretch, ms."""
    value: float
    """What the register showed with the first reading."""
    filling: Filling
    """The minute that was open at the first reading."""
    readings: int
    passed: float
    """What the instantaneous value says has passed since, in the register's unit."""
    wobble: float
    """What it may be wrong by, for it moved between readings."""
    parted: float = 0.0
    """Most by which an increment has parted from it beyond that, per ms."""
    usual: float | None = None
    """The same of the stretch before, if that agreed."""
    odd: float = 0.0
    """Most by which one did that parted as no other before: it tells nothing until the whole stretch agrees."""
    steady: Steady = NO_STEADY
    """Of the increments between which its instantaneous value hardly moved."""


def stretch_ms(period_ms: float) -> int:
    """How long a stretch is."""
    return math.ceil(max(QUARTER_MS, STRETCH_PERIODS * period_ms) / QUARTER_MS) * QUARTER_MS


def begin(ts: int, value: float, filling: Filling, length_ms: int, usual: float | None = None) -> FlowWitness:
    """Begin a stretch."""
    return FlowWitness(ts // length_ms, ts, value, filling, 1, 0.0, 0.0, 0.0, usual)


def further(witness: FlowWitness, rates: tuple[float, float], span: int, counted: float, step: float) -> FlowWitness:
    """Take one more increment, and the instantaneous values at both its ends, in its unit per ms."""
    number, start, value, filling, readings, passed, wobble, parted, usual, odd, steady = witness
    between, moved = sum(rates) / 2 * span, abs(rates[1] - rates[0]) / 2 * span
    beyond = (abs(counted - between) - moved) / span
    if parts(witness, counted, rates, span, step):
        odd = max(odd, beyond)
    else:
        parted = max(parted, beyond)
    if moved <= BLURRED * max(between, counted) and max(between, counted) > 0.0:
        steady = steady.after(counted, between, moved, step)
    return FlowWitness(
        number, start, value, filling, readings + 1, passed + between, wobble + moved, parted, usual, odd, steady
    )


def usual_of(witness: FlowWitness) -> float:
    """Say how far increments part from it, by a stretch that agrees as a whole: then its odd ones are ordinary, too."""
    return max(witness.parted, witness.odd, FADES * (witness.usual or 0.0))


def parts(witness: FlowWitness, counted: float, rates: tuple[float, float], span: int, step: float) -> bool:
    """Whether an increment parts from its instantaneous values by twice what any in the stretch before did, and more.

    In a meter's first stretch, by twice what any did so far; where those were few, by more than SHARE as well.
    """
    usual, least = witness.usual, LEAST_PARTS
    if usual is None:
        if witness.readings < FEW_READINGS:
            return False
        usual, least = witness.parted, SHARE if witness.readings < READINGS else LEAST_PARTS
    before, now = rates
    between, moved = (before + now) / 2 * span, abs(now - before) / 2 * span
    return abs(counted - between) > max(PARTS * usual * span, least * between) + moved + STEPS * step


def verdict(witness: FlowWitness, counted: float, step: float, *, trusted: bool) -> bool | None:
    """Whether a stretch agrees with what the register counted; None where it cannot tell.

    One whose instantaneous value comes and goes is judged by the increments between which it hardly moved as well,
    where those can be `trusted` and all others together part the same way. Of a machine that goes on and off more often
    than it is read the steady ones never agree, for it was off in between, and all together do.
    """
    if witness.readings < READINGS:
        return None
    most = max(counted, witness.passed)
    if most < STEPS * 2 * step:
        return None
    if _part(counted, witness.passed, witness.wobble, step):
        return False
    if trusted and witness.steady.parts(step) and _parts_as_steady(witness, counted, step):
        return False
    return True if witness.wobble <= BLURRED * most else None


def _parts_as_steady(witness: FlowWitness, counted: float, step: float) -> bool:
    """Whether the whole stretch parts the same way as those increments do, whatever its value moved by."""
    is_less = witness.steady.counted < witness.steady.passed
    return (counted < witness.passed) is is_less and _part(counted, witness.passed, 0.0, step)


def _part(counted: float, passed: float, wobble: float, step: float) -> bool:
    """Whether register and integral part by more than the coarseness of the readings explains."""
    return abs(counted - passed) > SHARE * max(counted, passed) + wobble + STEPS * step


def allows(witness: FlowWitness, counted: float, step: float) -> bool:
    """Whether so much may have passed since a stretch began, by its instantaneous values."""
    return counted <= (1.0 + MOST_BEYOND) * witness.passed + witness.wobble + STEPS * step


def exceeds(counted: float, before: float, now: float, span: int, step: float) -> bool:
    """Whether an increment is more than the instantaneous values at both ends of it allow, in its unit per ms."""
    passed, wobble = (before + now) / 2 * span, abs(now - before) / 2 * span
    return counted > (1.0 + MOST_BEYOND) * passed + wobble + STEPS * step


def falls_short(counted: float, before: float, now: float, span: int, step: float) -> bool:
    """Whether an increment is less than the instantaneous values at both ends of it say, in its unit per ms."""
    passed, wobble = (before + now) / 2 * span, abs(now - before) / 2 * span
    return counted < (1.0 - MOST_SHORT) * passed - wobble - STEPS * step


def doubt(counted: float, passed: float) -> str:
    """What the ratio of a register's count to its instantaneous value's integral says."""
    if passed <= 0.0:
        return "counts although its instantaneous value says that nothing passes"
    if counted <= 0.0:
        return "stands while its instantaneous value says that something passes"
    ratio = counted / passed
    power = round(math.log10(ratio))
    if power and abs(ratio / 10.0**power - 1) <= NAMED_WITHIN:
        return f"counts {10.0**power:g} times what its instantaneous value says: one of the two changed its unit"
    for share, name in ((2 / 3, "two thirds"), (1 / 3, "a third")):
        if abs(ratio / share - 1) <= NAMED_WITHIN:
            return f"counts {name} of what its instantaneous value says: a phase may be lost"
    return f"counts {ratio:.3g} times what its instantaneous value says: a transformer ratio may have changed"

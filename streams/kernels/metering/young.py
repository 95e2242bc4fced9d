"""A register without a history: its first few readings are held against each other before any of them is believed.

The first reading a new meter sends may be a start-up 0, or the world may begin in the middle of an excursion. So a
step that nothing near it confirms is not consumption: where the steps behind it are another order of magnitude, the
register begins behind it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from schemas.time import DAY_MS
from streams.kernels.metering.grounds import FREEZE_READINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.kernels.metering.explain import Run, RunStep
    from streams.kernels.metering.habit import Habit
    from streams.kernels.metering.lines import RegisterLimits

STOOD_MS = 35 * DAY_MS
"""Of a register that has only ever stood, no more than this is revised when it proves to have shown another's value."""
UNLIKE = 30.0
"""A step this many times as fast as those beside it is no step. (unsourced)"""
UNSURE = 1.5
"""A step this many times as fast as those beside it is estimated. (unsourced)"""
LEAP = 2.5
"""What was counted before a step this many times as fast is estimated, too. (unsourced)"""
SLOW = 5.0
"""So is a step this many times as slow: a meter may have been exchanged meanwhile. (unsourced)"""


SMALL_SHARE = 0.05
"""A step below this share of the meter's rating is no wonder beside a smaller one. (unsourced)"""


FEW_UNITS = 3.0
"""So many of its last digits at once are no wonder. (unsourced)"""


STANDS = 3
"""Readings of one value that make it standing."""


class YoungVerdict(NamedTuple):
    """What the first readings say of each other."""

    agrees: bool
    """All steps are of one kind."""
    begins: int = 0
    """Which run the register begins with, where those before it do not belong to it; 0: all may."""
    possible: bool = False
    """Nothing confirms the newest step yet, and nothing speaks against it."""
    usual: float = 0.0
    """How fast it counts, in its unit per ms."""


def judge(runs: Sequence[Run], limits: RegisterLimits, unit: float, *, witnessed: bool = False) -> YoungVerdict:
    """Hold the steps between a register's first runs against each other and against its rating.

    `unit` is the weight of its last digit; `witnessed`: its instantaneous value says that so much may have passed.
    """
    steps = [(new.value - old.value, _took(old, new, limits)) for old, new in pairwise(runs)]
    fall = next((at for at in range(len(steps), 0, -1) if steps[at - 1][0] < 0.0), 0)
    if fall:
        return YoungVerdict(agrees=False, begins=fall)
    speeds = [counted / span for counted, span in steps]
    fastest = max(range(len(speeds)), key=speeds.__getitem__)
    rest = sorted(speed for at, speed in enumerate(speeds) if at != fastest and speed > 0.0)
    rated = limits.rated
    if not rest:
        return YoungVerdict(agrees=False, possible=rated is None or speeds[fastest] <= rated)
    usual = rest[len(rest) // 2]
    is_small = rated is not None and speeds[fastest] <= SMALL_SHARE * rated
    coarsest = unit * math.gcd(*(round(counted / unit) for counted, _ in steps))  # all that it may tell apart
    is_rounding = steps[fastest][0] <= FEW_UNITS * coarsest
    beyond = rated is not None and usual <= rated < speeds[fastest] and not is_rounding
    is_small = is_small or witnessed or steps[fastest][0] <= FEW_UNITS * unit
    within = rated is not None and speeds[fastest] <= rated
    if not beyond and (is_small or within or speeds[fastest] <= UNLIKE * usual):
        return YoungVerdict(agrees=True, usual=usual)  # if all are beyond its rating, that is wrong, not they
    if fastest + 1 < len(speeds):
        return YoungVerdict(agrees=False, begins=fastest + 1)
    return YoungVerdict(agrees=False)


def _took(old: Run, new: Run, limits: RegisterLimits) -> float:
    """How long a step took: what was counted after standing may have passed while it stood."""
    return max(new.first - (old.first if old.readings >= STANDS else old.last), limits.period_ms)


def may_be_others(step: RunStep, run: Run, habit: Habit) -> bool:
    """Whether a step is more than is believed and than a coarse register's, and the value that it leads to stands."""
    is_odd = step.kind is None and not step.measured and step.counted > FEW_UNITS * habit.unit
    return is_odd and run.readings >= FREEZE_READINGS


def stood_briefly(run: Run, following: Sequence[RunStep], *, is_first: bool) -> bool:
    """Whether a young register's run is no rest, for it is too short or the first, and then jumps.

    It may have been no reading of it.
    """
    jumps = bool(following) and following[0].kind is None and not following[0].measured
    return jumps and (is_first or run.readings < FREEZE_READINGS)

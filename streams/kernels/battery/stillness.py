"""A set's voltage while its current stands at one figure, or counts as none: whether it goes where that cannot take it.

Both folds over a set's readings ask here, so that what one of them does not believe the other does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streams.kernels.battery.direction import APART_MS

if TYPE_CHECKING:
    from streams.kernels.battery.limits import Limits

AGAINST_V = 0.10
"""A cell that rises by this under one discharging current is charged, and the other way round. (unsourced)"""
UNSEEN_AH = 0.3
"""Share of the nominal charge that may have left a set at currents that count as none, before they are believed."""


class Reached(NamedTuple):
    """Lowest and highest of the mean cell's voltages of three readings in a row, or of two that lie far apart."""

    low_v: float
    high_v: float


class Stillness(NamedTuple):
    """The mean cell since the current stands still, or is none."""

    high_v: float = 0.0
    """Highest and lowest voltage that three readings have reached."""
    low_v: float = 0.0
    ah: float = 0.0
    """Net charge that was counted meanwhile."""

    def followed(self, within_v: Reached, charged_ah: float, *, is_still: bool) -> Stillness:
        """Take one more reading; `is_still`: its current is the one before, or neither counts as any."""
        if not is_still:
            return Stillness(within_v.low_v, within_v.high_v, 0.0)
        return Stillness(max(self.high_v, within_v.low_v), min(self.low_v, within_v.high_v), self.ah + charged_ah)

    def is_against(self, amps: float, within_v: Reached, limits: Limits) -> bool:
        """Whether the voltage has gone where this current cannot take it; `within_v` as three readings have it."""
        if abs(amps) >= limits.idle_a:
            gone_v = within_v.low_v - self.low_v if amps < 0 else self.high_v - within_v.high_v
            return gone_v >= AGAINST_V
        return self.was_full(limits) and within_v.high_v < limits.drained_cell_v and self.ah > -unseen_ah(limits)

    def was_full(self, limits: Limits) -> bool:
        """Whether it stood at a full cell's voltage in that time."""
        return limits.has_curve and self.high_v >= limits.float_cell_v


def unseen_ah(limits: Limits) -> float:
    """Charge that may have left a set unseen, Ah."""
    return UNSEEN_AH * limits.nominal_ah


def reached(elapsed: int, earlier_v: float, before_v: float, mean_v: float) -> Reached:
    """What a reading and the two before it have reached; only the one before where it lies far off, and agrees."""
    first_v = before_v if is_borne_out(elapsed, before_v, mean_v) else earlier_v
    return Reached(min(first_v, before_v, mean_v), max(first_v, before_v, mean_v))


def is_borne_out(elapsed: int, before_v: float, mean_v: float) -> bool:
    """Whether two readings of a mean cell lie so far apart that they are as good as three, and agree."""
    return elapsed >= APART_MS and abs(mean_v - before_v) < AGAINST_V

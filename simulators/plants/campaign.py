"""Production programmes of plants: run, reduced or down, with a daily and weekly course and a slow noise."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.time import DAY_MS, HOUR_MS
from simulators.climate import UTC_OFFSET_H, day_courses, hour_of_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RAMP_S = 1_200.0
"""Time constant with which output follows its programme. (unsourced)"""
NOISE_S = 3_600.0


class ProductionState(StrEnum):
    """What the production system reports."""

    RUN = "run"
    REDUCED = "reduced"
    DOWN = "down"


STATES = tuple(ProductionState)
RUN, REDUCED, DOWN = range(3)
LEVEL = np.array([1.0, 0.6, 0.0])
MEAN_STAY_H = np.array([15 * 24.0, 10.0, 8.0])
"""Mean time in each state. (unsourced)"""
REDUCED_SHARE = 0.8
"""Share of the ends of a run that are reductions; the others are stops. (unsourced)"""
IDLE = 0.005
"""Below this share of capacity nothing is produced."""
SATURDAY = 5
EPOCH_WEEKDAY = 3
"""1970-01-01 was a Thursday."""


class Programme(NamedTuple):
    """What one plant means to do."""

    level: float
    daily: float
    peak_hour: float
    weekly: float
    noise: float


class Order(NamedTuple):
    """A plant is told what to do for a while: its programme stands back."""

    site_id: str
    start_ts: int
    end_ts: int
    share: float
    """Of capacity; 0 is down."""


class Campaigns:
    """Markov chains of states × courses × AR(1) noise, ramped, for all plants at once; they start in full run."""

    def __init__(
        self, programmes: Sequence[Programme], rng: np.random.Generator, orders: Sequence[tuple[int, Order]] = ()
    ) -> None:
        count = len(programmes)
        self._rng = rng
        self._level, self._daily, self._peak_hour, self._weekly, self._noise = (
            np.array(column) for column in zip(*programmes, strict=True)
        )
        self._wander = rng.standard_normal(count)
        self._orders = orders
        """Plant and what it is told."""
        self.state = np.full(count, RUN)
        self.utilisation = self._level.copy()
        """Production as a share of capacity, 0 to 1."""

    def step(self, at_ts: int, seconds: float) -> Array:
        """Carry the programmes over `seconds` and return the utilisations (plants,)."""
        leave, choice = self._rng.random((2, len(self.state)))
        noise = self._rng.standard_normal(len(self.state))
        leaving = leave < seconds / 3_600 / MEAN_STAY_H[self.state]
        onward = np.where(self.state == RUN, np.where(choice < REDUCED_SHARE, REDUCED, DOWN), RUN)
        self.state = np.where(leaving, onward, self.state)
        kept = round(math.exp(-seconds / NOISE_S), 12)
        self._wander = kept * self._wander + math.sqrt(1 - kept * kept) * noise
        course = 1 + self._daily * day_courses(hour_of_day(at_ts), self._peak_hour) + self._noise * self._wander
        if _weekday(at_ts) >= SATURDAY:
            course = course - self._weekly
        target = np.minimum(1.0, LEVEL[self.state] * self._level * np.maximum(0.0, course))
        for plant, order in self._orders:
            if order.start_ts <= at_ts < order.end_ts:
                target[plant] = order.share
                self.state[plant] = RUN if order.share > LEVEL[REDUCED] else REDUCED if order.share else DOWN
        ramp = 1 - round(math.exp(-seconds / RAMP_S), 12)
        moved = self.utilisation + (target - self.utilisation) * ramp
        self.utilisation = np.where((self.state == DOWN) & (moved < IDLE), 0.0, moved)
        return self.utilisation


def _weekday(at_ts: int) -> int:
    """Day of the local week, Monday 0."""
    return ((at_ts + UTC_OFFSET_H * HOUR_MS) // DAY_MS + EPOCH_WEEKDAY) % 7

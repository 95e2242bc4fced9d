"""A plant's production programme: run, reduced or down, with a daily course and a slow noise."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING

from simulators.climate import day_course, local_hour

if TYPE_CHECKING:
    import random

RAMP_S = 1_200.0
"""Time constant with which output follows its programme. (unsourced)"""
NOISE_S = 3_600.0


class State(StrEnum):
    """What the production system reports."""

    RUN = "run"
    REDUCED = "reduced"
    DOWN = "down"


LEVEL = {State.RUN: 1.0, State.REDUCED: 0.6, State.DOWN: 0.0}
MEAN_STAY_H = {State.RUN: 15 * 24.0, State.REDUCED: 10.0, State.DOWN: 8.0}
"""Mean time in each state. (unsourced)"""
REDUCED_SHARE = 0.8
"""Share of the ends of a run that are reductions; the others are stops. (unsourced)"""
IDLE = 0.005
"""Below this share of capacity nothing is produced."""


class Campaign:
    """Markov chain of states × daily course × AR(1) noise, ramped; starts in full run."""

    def __init__(self, rng: random.Random, *, level: float, daily: float, peak_hour: float, noise: float) -> None:
        self._rng = rng
        self._level, self._daily, self._peak_hour, self._noise = level, daily, peak_hour, noise
        self._wander = rng.gauss(0, 1)
        self.state = State.RUN
        self.utilisation = level
        """Production as a share of capacity, 0 to 1."""

    def step(self, ts_ms: int, seconds: float) -> float:
        """Carry the programme over `seconds` and return the utilisation."""
        rng = self._rng
        if rng.random() < seconds / 3_600 / MEAN_STAY_H[self.state]:
            self.state = self._next(rng.random())
        kept = math.exp(-seconds / NOISE_S)
        self._wander = kept * self._wander + math.sqrt(1 - kept * kept) * rng.gauss(0, 1)
        course = 1 + self._daily * day_course(local_hour(ts_ms), self._peak_hour) + self._noise * self._wander
        target = min(1.0, LEVEL[self.state] * self._level * max(0.0, course))
        self.utilisation += (target - self.utilisation) * (1 - math.exp(-seconds / RAMP_S))
        if self.state is State.DOWN and self.utilisation < IDLE:
            self.utilisation = 0.0
        return self.utilisation

    def _next(self, draw: float) -> State:
        if self.state is State.RUN:
            return State.REDUCED if draw < REDUCED_SHARE else State.DOWN
        return State.RUN

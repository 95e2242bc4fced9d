"""What the equipment of a base station draws, and how long its sets carry that."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from schemas.time import HOUR_MS
from simulators.climate import day_course, hour_of_day

if TYPE_CHECKING:
    from simulators.fleet.battery import Array

LOAD_MEDIAN_W, LOAD_SIGMA, LOAD_LIMITS_W = 2_500.0, 0.35, (1_000.0, 5_000.0)
LOAD_DAILY, LOAD_NOISE, LOAD_NOISE_S = 0.25, 0.1, 900.0
LOAD_PEAK_HOUR = 20.0
DISCHARGE_V = 3.22
"""Mean voltage of a cell under load, for the true backup time. (unsourced)"""


def usual_w(rng: np.random.Generator, sites: int) -> Array:
    """Draw what each of so many sites draws in the mean of its days, W."""
    watts: Array = np.clip(LOAD_MEDIAN_W * np.exp(LOAD_SIGMA * rng.standard_normal(sites)), *LOAD_LIMITS_W)
    return watts


def daily(at_ts: int) -> float:
    """By how much the load lies above the day's mean at an hour of it, as a share of that."""
    return LOAD_DAILY * day_course(hour_of_day(at_ts), LOAD_PEAK_HOUR)


def carried_h(held_wh: float, load_w: float, from_ts: int) -> float:
    """How long sets that hold so much carry a load of this daily mean, from a moment on; to about an eighth."""
    hours = held_wh / load_w
    for _ in range(2):
        meanwhile = [daily(from_ts + round(share * hours * HOUR_MS)) for share in (0.0, 0.5, 1.0)]
        hours = held_wh / (load_w * (1 + fmean(meanwhile)))
    return hours

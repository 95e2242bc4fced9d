"""What the equipment of a base station draws, and how long its sets carry that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulators.climate import day_course, day_courses, hour_of_day

if TYPE_CHECKING:
    from simulators.fleet.battery import Array

LOAD_MEDIAN_W, LOAD_SIGMA, LOAD_LIMITS_W = 2_500.0, 0.35, (1_000.0, 5_000.0)
LOAD_DAILY, LOAD_NOISE, LOAD_NOISE_S = 0.25, 0.1, 900.0
LOAD_PEAK_HOUR = 20.0
DISCHARGE_V = 3.22
"""Mean voltage of a cell under load, for the true backup time. (unsourced)"""
CARRIED_PASSES = 6
"""Each leaves a quarter of the last one's error, or less, for the course is a quarter of the load."""
CARRIED_LEAST_H = 1e-3
"""Over less than this the course is level."""


def usual_w(rng: np.random.Generator, sites: int) -> Array:
    """Draw what each of so many sites draws in the mean of its days, W."""
    watts: Array = np.clip(LOAD_MEDIAN_W * np.exp(LOAD_SIGMA * rng.standard_normal(sites)), *LOAD_LIMITS_W)
    return watts


def daily(at_ts: int) -> float:
    """By how much the load lies above the day's mean at an hour of it, as a share of that."""
    return LOAD_DAILY * day_course(hour_of_day(at_ts), LOAD_PEAK_HOUR)


def carried_h(held_wh: Array, load_w: Array, from_ts: int) -> Array:
    """How long (h) sets that hold so much carry a load of this daily mean and the day's course, from a moment on."""
    begins = hour_of_day(from_ts) - LOAD_PEAK_HOUR
    hours: Array = held_wh / load_w
    for _ in range(CARRIED_PASSES):
        # Sines, as cosines six hours earlier: their difference is what the course adds up to over these hours.
        risen = day_courses(begins, 6.0 - hours) - day_courses(begins, np.full_like(hours, 6.0))
        hours = held_wh / (load_w * (1 + LOAD_DAILY * risen * 24 / (2 * np.pi * np.maximum(hours, CARRIED_LEAST_H))))
    return hours

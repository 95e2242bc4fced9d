"""How fast a temperature rises, dT/dt: a straight line through its samples of the last five minutes.

The page and the alarm take it from here, so that one cannot be red while the other is silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.time import MINUTE_MS
from streams.kernels.figures import summed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.kernels.figures import Array

RATE_SPAN_MS = 5 * MINUTE_MS
RATE_MIN_SPAN_MS = 4 * MINUTE_MS
RATE_POINTS = 4
POINT_MS = MINUTE_MS // 2
"""A sample is kept this often."""
Points = tuple[tuple[int, float], ...]
"""(ms, °C), oldest first."""


class TemperatureLine(NamedTuple):
    """A straight line through samples over time in minutes."""

    slope: float = 0.0
    variance: float = 0.0
    """Of the samples around it."""
    squares: float = 0.0
    """Σ(t − t̄)²: the slope's own variance is variance / squares; 0 where there is no line."""


def slope_of(samples: Sequence[tuple[int, float]]) -> TemperatureLine:
    """Fit a straight line through (ms, °C); none where they are fewer than four or span less than four minutes."""
    if len(samples) < RATE_POINTS or samples[-1][0] - samples[0][0] < RATE_MIN_SPAN_MS:
        return TemperatureLine()
    minutes = [(ts - samples[0][0]) / MINUTE_MS for ts, _ in samples]
    mean_t = summed(minutes) / len(minutes)
    mean_c = summed([celsius for _, celsius in samples]) / len(samples)
    offsets = [(minute - mean_t, celsius - mean_c) for minute, (_, celsius) in zip(minutes, samples, strict=True)]
    squares = summed([time * time for time, _ in offsets])
    slope = summed([time * heat for time, heat in offsets]) / squares
    residual = summed([(heat - slope * time) ** 2 for time, heat in offsets])
    return TemperatureLine(slope, residual / (len(samples) - 2), squares)


def temperature_rate(samples: Sequence[tuple[int, float]]) -> float | None:
    """dT/dt, °C a minute: the slope of the line through (ms, °C) of the last five minutes; None where there is none."""
    line = slope_of(samples)
    return line.slope if line.squares else None


def temperature_rates(times: Array, celsius: Array) -> Array:
    """`temperature_rate` of many sets, to the last bit: points × sets, in any order; NaN where there is no point.

    °C a minute a set, NaN where it is unknown.
    """
    order = np.argsort(times, axis=0)
    each = np.arange(times.shape[1])
    times, celsius = times[order, each], celsius[order, each]
    there = ~np.isnan(times)
    count, first = there.sum(axis=0), times[0]
    minutes = np.where(there, (times - first) / MINUTE_MS, 0.0)
    last = minutes.max(axis=0)
    known = (count >= RATE_POINTS) & (last >= RATE_MIN_SPAN_MS / MINUTE_MS)
    many = np.where(known, count, 1)
    time = np.where(there, minutes - _columns_summed(minutes) / many, 0.0)
    heats = np.where(there, celsius, 0.0)
    heat = np.where(there, heats - _columns_summed(heats) / many, 0.0)
    squares = np.where(known, _columns_summed(time * time), 1.0)
    return np.where(known, _columns_summed(time * heat) / squares, np.nan)


def _columns_summed(rows: Array) -> Array:
    """`summed` of each column."""
    summed_rows: Array = np.add.accumulate(rows, axis=0)[-1] + 0.0  # one after the other, as a sum from 0.0 on
    return summed_rows

"""How fast a temperature rises: a straight line through its samples of the last five minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.time import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

RATE_SPAN_MS = 5 * MINUTE_MS
RATE_MIN_SPAN_MS = 4 * MINUTE_MS
RATE_POINTS = 4
POINT_MS = MINUTE_MS // 2
"""A sample is kept this often."""
Points = tuple[tuple[int, float], ...]
"""(ms, °C), oldest first."""


class Line(NamedTuple):
    """A straight line through samples over time in minutes."""

    slope: float = 0.0
    variance: float = 0.0
    """Of the samples around it."""
    squares: float = 0.0
    """Σ(t − t̄)²: the slope's own variance is variance / squares; 0 where there is no line."""


def slope_of(samples: Sequence[tuple[int, float]]) -> Line:
    """Fit a straight line through (ms, °C); none where they are fewer than four or span less than four minutes."""
    if len(samples) < RATE_POINTS or samples[-1][0] - samples[0][0] < RATE_MIN_SPAN_MS:
        return Line()
    minutes = [(ts - samples[0][0]) / MINUTE_MS for ts, _ in samples]
    mean_t = sum(minutes) / len(minutes)
    mean_c = sum(celsius for _, celsius in samples) / len(samples)
    offsets = [(minute - mean_t, celsius - mean_c) for minute, (_, celsius) in zip(minutes, samples, strict=True)]
    squares = sum(time * time for time, _ in offsets)
    slope = sum(time * heat for time, heat in offsets) / squares
    residual = sum((heat - slope * time) ** 2 for time, heat in offsets)
    return Line(slope, residual / (len(samples) - 2), squares)

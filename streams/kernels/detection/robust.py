"""Middles and spreads that a few wild values cannot move, over short lists with unknown entries (NaN)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SD_PER_MAD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


def known(values: Iterable[float]) -> list[float]:
    """Without the unknown ones."""
    return [value for value in values if value == value]  # noqa: PLR0124 - NaN


def median(values: Sequence[float]) -> float:
    """Middle of known values; the mean of the two middle ones of an even number. NaN of none."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def robust_sd(values: Sequence[float]) -> float:
    """1.4826 × median absolute deviation of known values; NaN of none."""
    middle = median(values)
    return SD_PER_MAD * median([abs(value - middle) for value in values])


def quantile(values: Sequence[float], share: float) -> float:
    """Value below which `share` of known values lie, linear between neighbours; NaN of none."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def clip(z: float, limit: float) -> float:
    """Hold z within ±limit: a wild value may say which way, not how far."""
    return max(-limit, min(limit, z))

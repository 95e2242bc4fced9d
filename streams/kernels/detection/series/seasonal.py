"""The usual of every hour of the week, and how far an hour lies from it.

    z = (x − m − level) / s

m and s belong to the hour of the week (168 of them); the level is shared by all hours and follows the seasons. All
three are exponentially forgotten averages of values held within ±3 s, so that one wild hour teaches next to nothing,
and none of them learns while a detector that leans on it is in alarm. s is drawn towards the spread of all hours as
long as there are few weeks: s² = (2·pooled² + n·own²)/(2 + n).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from schemas.time import HOURS_A_DAY, HOURS_A_WEEK, hour_of_week
from streams.kernels.detection.packed import Floats, put, single
from streams.kernels.detection.robust import clip

if TYPE_CHECKING:
    from schemas.detection import SeasonalRule

UNKNOWN: Floats = (math.nan,) * HOURS_A_WEEK
NO_SPREAD = -128
NO_SPREADS = (NO_SPREAD,) * HOURS_A_WEEK
SPREAD_STEPS = 24
"""Spreads are remembered in steps of 1/24 of their logarithm: 4 %."""
ORIGIN_SHARE = 0.1
"""Step 0 is this share of the usual value; the steps reach from 1/200 of it to 200 times."""
SHRINK_WEEKS = 2
"""Weight of the pooled spread, in weeks. (unsourced)"""
POOL_HOURS = 4 * HOURS_A_WEEK
LONG_RUN_DAYS = 28
LEAST = 1e-12
"""Stands for zero where a logarithm is taken."""


class Season(NamedTuple):
    """What has been learned of a series."""

    means: Floats = UNKNOWN
    spreads: tuple[int, ...] = NO_SPREADS
    """Each hour's own spread, in steps from `origin`."""
    hours: int = 0
    """Learned from."""
    variance: float = 0.0
    """Of all hours together."""
    usual: float = 0.0
    """Mean of all hours: what the least spread is a share of."""
    level: float = 0.0
    origin: float = math.nan
    """Logarithm of the spread that is step 0; set once, after the first week."""
    long_run: float = 1.0
    """24 × the variance of the daily mean of z: 1 where hours do not follow each other, up to 24 where days do."""
    day_sum: float = 0.0
    """Of the clipped z of the open day."""
    day_hours: int = 0


class Distance(NamedTuple):
    """How far an hour lies from the usual."""

    z: float
    """In spreads."""
    expected: float
    spread: float
    stretch: float
    """By how much the sum of a day's hours scatters more than if hours did not follow each other."""


@dataclass(frozen=True, slots=True)
class Seasonal:
    """Learns and measures one series, one value an hour."""

    rule: SeasonalRule

    def learned(self, season: Season) -> tuple[int, int]:
        """Hours known, hours needed."""
        return season.hours, self.rule.weeks_needed * HOURS_A_WEEK

    def distance(self, season: Season, ts: int, value: float) -> Distance | None:
        """How far the hour that ends at `ts` lies from the usual; None where there is not enough history."""
        have, need = self.learned(season)
        if have < need:
            return None
        return self._distance(season, hour_of_week(ts - 1), value)

    def _distance(self, season: Season, slot: int, value: float) -> Distance | None:
        mean = season.means[slot]
        if math.isnan(mean):
            return None
        weeks = season.hours // HOURS_A_WEEK
        own = _own_variance(season, slot)
        variance = season.variance
        if own is not None:
            variance = (SHRINK_WEEKS * variance + weeks * own) / (SHRINK_WEEKS + weeks)
        spread = max(math.sqrt(variance), self.rule.floor_share * abs(season.usual))
        if spread <= 0:
            return None
        expected = mean + season.level
        return Distance((value - expected) / spread, expected, spread, math.sqrt(max(season.long_run, 1.0)))

    def learn(self, season: Season, ts: int, value: float) -> Season:
        """Take the hour that ends at `ts` into the usual."""
        slot = hour_of_week(ts - 1)
        hours = season.hours + 1
        usual = single(season.usual + (value - season.usual) / min(hours, POOL_HOURS))
        mean = season.means[slot]
        if math.isnan(mean):
            first = put(season.means, slot, single(value - season.level))
            return season._replace(means=first, hours=hours, usual=usual)
        weeks = hours // HOURS_A_WEEK
        distance = self._distance(season, slot, value)
        residual = value - mean - season.level
        z = math.nan
        if distance is not None and weeks > 1:
            z = clip(distance.z, self.rule.clip_z)
            residual = z * distance.spread
        weight = 1 / min(weeks + 1, self.rule.memory_weeks)
        origin = season.origin
        if math.isnan(origin):
            origin = single(math.log(max(ORIGIN_SHARE * abs(usual), LEAST)))
        # The residual is against a mean of `weeks` values and so wider by √(1 + 1/weeks) than the spread it measures.
        square = max(residual * residual / (1 + 1 / max(weeks, 1)), LEAST)
        own = _own_variance(season, slot)
        own = square if own is None else own + weight * (square - own)
        step = round((0.5 * math.log(own) - origin) * SPREAD_STEPS)
        spreads = put(season.spreads, slot, max(NO_SPREAD + 1, min(-NO_SPREAD - 1, step)))
        pooled_over = max(1, min(hours - HOURS_A_WEEK, POOL_HOURS))
        long_run, day_sum, day_hours = season.long_run, season.day_sum, season.day_hours
        if not math.isnan(z):
            day_sum, day_hours = single(day_sum + z), day_hours + 1
        if day_hours == HOURS_A_DAY:
            long_run += (day_sum * day_sum / HOURS_A_DAY - long_run) / LONG_RUN_DAYS
            day_sum, day_hours = 0.0, 0
        return season._replace(
            means=put(season.means, slot, single(mean + weight * residual)),
            spreads=spreads,
            origin=origin,
            hours=hours,
            variance=single(season.variance + (square - season.variance) / pooled_over),
            usual=usual,
            level=single(season.level + residual / (self.rule.level_days * 24)) if weeks > 1 else season.level,
            long_run=single(long_run),
            day_sum=day_sum,
            day_hours=day_hours,
        )


def _own_variance(season: Season, slot: int) -> float | None:
    step = season.spreads[slot]
    return None if step == NO_SPREAD else math.exp(2 * (season.origin + step / SPREAD_STEPS))

"""Detectors over quarters of an hour: a register that stands still, and a value that no meter can have measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from schemas.time import HOUR_MS, QUARTER_MS
from streams.kernels.detection.judgement import Judgement
from streams.kernels.detection.robust import SD_PER_MAD, known, median, robust_sd

if TYPE_CHECKING:
    from schemas.detection import FlatlineRule, SpikeRule
    from streams.kernels.detection.packed import Floats
    from streams.kernels.detection.series.seasonal import Distance

IN_USE_SPREADS = 3.0
"""Usual flow this many spreads above zero at this hour of the week: the site would be active now. (unsourced)"""
SPIKE_HOURS = 12
"""Hours that must be known of the last 24 to have a median. (unsourced)"""


class FlatState(NamedTuple):
    """How long nothing has been counted."""

    still_ms: int = 0
    since_ts: int = 0


@dataclass(frozen=True, slots=True)
class Flatline:
    """Nothing counted for max(12 samples, 3 h) at hours when this series usually counts.

    Whether the site is active is told from the series itself: its own usual at this hour of the week lies clearly above
    zero, and where its production is known, that the plant makes something. Where it is not, a plant that is down by
    plan is seen as flat until its alarm is suppressed (planned maintenance).
    """

    rule: FlatlineRule
    period_s: float

    @property
    def needed_ms(self) -> int:
        """How long nothing must have changed."""
        return round(max(self.rule.samples * self.period_s * 1000, self.rule.hours * HOUR_MS))

    def judge(
        self, state: FlatState, ts: int, rate: float | None, usual: Distance | None, *, is_idle: bool = False
    ) -> tuple[FlatState, Judgement | None]:
        """Take the quarter that ended at `ts`; `usual`: how its hour compares, None while that is learned."""
        if rate is None:
            return state, None
        if rate != 0 or is_idle:
            return FlatState(), Judgement(active=False, since_ts=ts, value=rate, evidence={})
        after = FlatState(state.still_ms + QUARTER_MS, state.since_ts or ts - QUARTER_MS)
        if usual is None:
            return after, None
        is_in_use = usual.expected > IN_USE_SPREADS * usual.spread
        verdict = Judgement(
            active=is_in_use and after.still_ms >= self.needed_ms,
            since_ts=after.since_ts,
            value=rate,
            evidence={"still_h": after.still_ms / HOUR_MS, "needed_h": self.needed_ms / HOUR_MS},
            baseline=usual.expected,
        )
        return after, verdict


@dataclass(frozen=True, slots=True)
class Spike:
    """Above the physical maximum, and more than 8 MAD from the median of the last day."""

    rule: SpikeRule
    rated: float

    def judge(self, ts: int, rate: float | None, last_day: Floats) -> Judgement | None:
        """Take the quarter that ended at `ts`; `last_day`: hourly means before it, NaN where unknown."""
        hours = known(last_day)
        if rate is None or len(hours) < SPIKE_HOURS:
            return None
        middle, mad = median(hours), robust_sd(hours) / SD_PER_MAD
        highest = self.rated * self.rule.rated_share
        return Judgement(
            active=abs(rate - middle) > self.rule.mads * mad and rate > highest,
            since_ts=ts - QUARTER_MS,
            value=rate,
            evidence={"mad": mad, "mads": self.rule.mads, "physical_maximum": highest},
            baseline=middle,
            high=highest,
        )

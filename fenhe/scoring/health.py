"""State of health and backup time against the truth, by method; beside what the BMS said of itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COVERAGE_MIN = 0.5
FORECASTS_MIN = 100
"""A scenario of fewer estimates or forecasts says nothing of either: it would be scored by the sets that are easy."""
ALL = "all"
BMS = "bms (control)"


class ScoredEstimate(NamedTuple):
    """A set's estimate and its truth. SoH as a share, 0–1."""

    device_id: str
    method: str
    estimated: float | None
    """None: the pipeline says that it does not know."""
    low: float | None
    high: float | None
    """Ends of its 90 % interval."""
    true: float


class EstimateScore(NamedTuple):
    """How good the estimates of one method are. Errors in the unit of the estimates; None without estimates."""

    sets: int
    coverage: float
    """Share of all sets that have an estimate by this method."""
    mae: float | None
    bias: float | None
    """Mean of estimated − true."""
    hit_rate: float | None
    """Share of estimates with an interval whose interval holds the truth; should be 0.9."""
    interval: float | None
    """Mean width of the intervals."""
    counts: bool
    """Whether half of the sets or more have an estimate, by whatever method."""


def score_estimates(estimates: Sequence[ScoredEstimate]) -> dict[str, EstimateScore]:
    """Score by method and over all of them. `estimates` has a row for every set, known or not."""
    if not estimates:
        return {}
    known, sets = [each for each in estimates if each.estimated is not None], len(estimates)
    counts = len(known) >= COVERAGE_MIN * sets
    return {ALL: _score(estimates, sets, counts=counts)} | {
        method: _score([each for each in estimates if each.method == method], sets, counts=counts)
        for method in sorted({each.method for each in known})
    }


def _score(estimates: Sequence[ScoredEstimate], sets: int, *, counts: bool) -> EstimateScore:
    errors = [each.estimated - each.true for each in estimates if each.estimated is not None]
    intervals = [
        (each.low, each.high, each.true)
        for each in estimates
        if each.estimated is not None and each.low is not None and each.high is not None
    ]
    return EstimateScore(
        sets=sets,
        coverage=len(errors) / sets,
        mae=_mean(map(abs, errors)),
        bias=_mean(errors),
        hit_rate=_mean(float(low <= true <= high) for low, high, true in intervals),
        interval=_mean(high - low for low, high, _ in intervals),
        counts=counts,
    )


class Forecast(NamedTuple):
    """A set's backup time as forecast, and as it was (h)."""

    device_id: str
    p50_h: float
    p10_h: float | None
    true_h: float


class BackupScore(NamedTuple):
    """How good forecasts of backup time are; None without forecasts."""

    forecasts: int
    median_error: float | None
    """Median of |p50 / true − 1|."""
    bias: float | None
    """Median of p50 / true − 1: above zero promises too much."""
    p10_kept: float | None
    """Share whose true time was at least p10; should be 0.9."""
    counts: bool
    """Whether there are a hundred forecasts or more."""


def score_backup(forecasts: Sequence[Forecast]) -> BackupScore:
    """Score forecasts of sets whose true time is above zero."""
    ratios = [each.p50_h / each.true_h - 1 for each in forecasts if each.true_h > 0]
    kept = [float(each.true_h >= each.p10_h) for each in forecasts if each.p10_h is not None]
    return BackupScore(
        forecasts=len(forecasts),
        median_error=_median([abs(ratio) for ratio in ratios]),
        bias=_median(ratios),
        p10_kept=_mean(kept),
        counts=len(forecasts) >= FORECASTS_MIN,
    )


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return math.fsum(found) / len(found) if found else None


def _median(values: Sequence[float]) -> float | None:
    if not values:
        return None
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2

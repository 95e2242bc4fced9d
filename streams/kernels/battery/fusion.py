"""State of health fused over a set's capacity estimates: inverse variance, with a slow fade between them (Kalman).

What a set's estimates have in common, the gain of its current sensor, what "full" means, the curve its rest is read
from, does not average out: it is kept apart, weighs in between methods, and is added to the interval at the end.

An estimate that contradicts the prior beyond its variance widens it: where the innovation squared exceeds 2.7 of its
variance S, the prior's variance grows by ν² − S (adaptive process noise after Mehra 1972; docs/battery-health.md,
"Numbers and their sources"). So a set that was exchanged, or a cell that failed, is seen at the next usable discharge.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.battery_health import CapacityMethod, CapacityReason
from schemas.metrics.common import Quality
from schemas.time import YEAR_MS

if TYPE_CHECKING:
    from schemas.battery_reference import Fusion
    from schemas.metrics.battery_health import BatteryCapacity

Z_90 = 1.6449
"""Half-width of a 90 % interval in standard deviations."""


class Belief(NamedTuple):
    """What is believed of a set's SoH at a time; shares of the nominal capacity."""

    ts: int
    soh: float
    variance: float
    """Of what averages out."""
    estimates: int
    """Since it was last thrown over."""
    systematic: float
    """Standard deviation of what does not average out."""
    method: CapacityMethod | None = None
    """Of the newest estimate: those of one method have in common what does not average out."""

    @property
    def sigma(self) -> float:
        """Standard deviation, with what does not average out."""
        return math.sqrt(self.variance + self.systematic**2)


class Sensor(NamedTuple):
    """What counts a set's charge, and what it is held against."""

    nominal_ah: float
    gain_sigma: float
    """Relative, of the gain."""


class Innovation(NamedTuple):
    """How far an estimate lies from what was believed, and its standard deviation then."""

    change: float
    sigma: float


def evidence_of(row: BatteryCapacity) -> BatteryCapacity:
    """Return what a discharge tells of its own set: of one between two rests at the foot of the curve no capacity."""
    if row.method is not CapacityMethod.TWO_POINT:
        return row
    return row._replace(
        capacity_ah=None, sigma_ah=None, systematic_ah=None, usable_ah=None, others_ah=None, soh_pct=None,
        method=None, reason=CapacityReason.START_UNKNOWN, quality=Quality.UNKNOWN, doubts="",
    )  # fmt: skip


def faded(belief: Belief, ts: int, full_cycles: float, fusion: Fusion) -> Belief:
    """Let a belief age to `ts` over which `full_cycles` were drawn."""
    years = max(0, ts - belief.ts) / YEAR_MS
    walk = fusion.fade_sigma_year**2 * years + fusion.fade_sigma_cycle**2 * full_cycles
    rate = (fusion.fade_per_year_sigma * years) ** 2
    return belief._replace(
        ts=max(ts, belief.ts), soh=belief.soh - fusion.fade_per_year * years, variance=belief.variance + walk + rate
    )


def innovation_of(belief: Belief, row: BatteryCapacity, sensor: Sensor, fusion: Fusion) -> Innovation | None:
    """How far one discharge's estimate lies from what was believed; None without one."""
    if row.capacity_ah is None or row.sigma_ah is None:
        return None
    prior = faded(belief, row.ts, row.full_cycles, fusion)
    own, systematic = _doubts(row, sensor.nominal_ah, fusion)
    common = _common(prior, row, systematic, sensor)
    apart = prior.systematic**2 + systematic**2 - 2 * common
    return Innovation(row.capacity_ah / sensor.nominal_ah - prior.soh, math.sqrt(prior.variance + own + apart))


def is_refuted(belief: Belief, row: BatteryCapacity, nominal_ah: float, fusion: Fusion) -> bool:
    """Whether a discharge that gives no estimate drew more than a set of what is believed could have given."""
    if row.capacity_ah is not None or row.reason is CapacityReason.SENSOR:
        return False
    prior = faded(belief, row.ts, row.full_cycles, fusion)
    beyond = row.at_least_ah / nominal_ah - prior.soh
    return beyond > max(fusion.named_from, fusion.named_sigmas * prior.sigma)


def fused(belief: Belief | None, row: BatteryCapacity, sensor: Sensor, fusion: Fusion) -> Belief | None:
    """Take one discharge into a belief; one without an estimate only ages it, or shows that it is another set's."""
    if row.capacity_ah is None or row.sigma_ah is None:
        is_known = belief is not None and not is_refuted(belief, row, sensor.nominal_ah, fusion)
        return None if belief is None or not is_known else faded(belief, row.ts, row.full_cycles, fusion)
    measured = row.capacity_ah / sensor.nominal_ah
    own, systematic = _doubts(row, sensor.nominal_ah, fusion)
    if belief is None:
        return Belief(row.ts, measured, own, 1, systematic, row.method)
    prior = faded(belief, row.ts, row.full_cycles, fusion)
    # What is systematic in both tells nothing of which is nearer; what is in one alone does.
    common = _common(prior, row, systematic, sensor)
    before = prior.variance + max(0.0, prior.systematic**2 - common)
    beside = own + max(0.0, systematic**2 - common)
    surprise, expected = (measured - prior.soh) ** 2, before + beside
    is_thrown_over = surprise > fusion.innovation * expected
    widened = surprise - expected if is_thrown_over else 0.0
    gain = (before + widened) / (expected + widened)
    return Belief(
        row.ts,
        prior.soh + gain * (measured - prior.soh),
        (1 - gain) ** 2 * (prior.variance + widened) + gain**2 * own,
        prior.estimates + 1,
        math.sqrt(
            ((1 - gain) * prior.systematic) ** 2 + (gain * systematic) ** 2 + 2 * (1 - gain) * gain * common,
        ),
        row.method,
    )


def _common(prior: Belief, row: BatteryCapacity, systematic: float, sensor: Sensor) -> float:
    """Covariance of what is systematic in a belief and in an estimate.

    All of it where they are of one method; of two the gain of the sensor that counted for both, not the curve.
    """
    if row.method is prior.method:
        return prior.systematic * systematic
    return min(prior.systematic, systematic, sensor.gain_sigma * prior.soh) ** 2


def _doubts(row: BatteryCapacity, nominal_ah: float, fusion: Fusion) -> tuple[float, float]:
    """Variance of what averages out over a set's estimates, and standard deviation of what does not."""
    assert row.sigma_ah is not None  # noqa: S101 - asked by the callers
    common = fusion.systematic_sigma if row.systematic_ah is None else row.systematic_ah / nominal_ah
    return max((row.sigma_ah / nominal_ah) ** 2 - common**2, fusion.repeatability**2), common

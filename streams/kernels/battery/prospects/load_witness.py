"""The site's power system as a witness of a set's current sensor: the load that both of them counted without mains.

Neither is right by itself. The gain that the two agree on best is their mean, weighed by what is known of each, and a
capacity is corrected by it; what is left of the doubt is smaller than before. Where they are too far apart the set's
count is refused: which of the two is wrong cannot be told.
"""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.battery_health import Doubt, Witness
from schemas.metrics.common import Quality
from schemas.time import HOUR_MS
from streams.kernels.battery.tracking.witnesses import (
    Ratio,
    Verdict,
    contradicted,
    judged,
    text_of,
    with_doubt,
    witnesses_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics.battery_health import BatteryCapacity
    from schemas.metrics.battery_sites import BatteryShareHour
    from schemas.registry import Device
    from streams.kernels.battery.limits import Limits


class Corrected(NamedTuple):
    """A capacity as the witness leaves it, and the gain that was taken out (0.01: the set counts 1 % too much)."""

    row: BatteryCapacity
    gain: float
    has_witness: bool
    """Whether there is a witness."""
    distrusts: bool = False
    """Whether it is the power system that is not believed, for the foot of the curve bears the set out."""


def load_witness(
    row: BatteryCapacity, hours: Sequence[BatteryShareHour], power: Device | None, limits: Limits
) -> Ratio | None:
    """Hold what a set counted in the whole hours of one discharge against what the power system leaves for it.

    None where there is no such hour, or where they disagree: there was another source, sun or a generator.
    """
    rules, sensor = limits.reference.witness, limits.reference.sensor
    own = [each for each in hours if row.ts <= each.ts and each.ts + HOUR_MS <= row.ended_ts]
    left = [each.site_kwh - each.others_kwh for each in own]
    if not own or min(left) <= 0:
        return None
    ratios = [each.own_kwh / kwh for each, kwh in zip(own, left, strict=True)]
    if len(ratios) > 1 and statistics.pstdev(ratios) > rules.load_steady:
        return None
    site, others, given = (
        sum(values) for values in zip(*((h.site_kwh, h.others_kwh, h.own_kwh) for h in own), strict=True)
    )
    accuracy = None if power is None else power.accuracy
    site_sigma = sensor.sigma(sensor.site_gain if accuracy is None else accuracy)
    sigma = math.hypot(math.hypot(site_sigma, rules.load_sigma) * site, limits.gain_sigma * others) / sum(left)
    return Ratio(given / sum(left), sigma)


def by_load(witness: Ratio, limits: Limits) -> Verdict:
    """Judge a set's current sensor by its site's load."""
    rules = limits.reference.witness
    sigma = math.hypot(witness.sigma, limits.gain_sigma)
    verdict = judged(witness.value - 1.0, sigma, rules)
    return verdict if witness.sigma <= rules.load_sigma_max else verdict._replace(is_borne_out=False)


def corrected(row: BatteryCapacity, witness: Ratio | None, limits: Limits, *, distrusts: bool) -> Corrected:
    """Take the gain that the site's load tells out of a capacity, refuse it, or leave it as it is.

    A power system that was once told to be wrong (`distrusts`) is not heard until it agrees.
    """
    if witness is None or row.capacity_ah is None or row.sigma_ah is None or row.systematic_ah is None:
        return Corrected(row, 0.0, has_witness=False, distrusts=distrusts)
    verdict = by_load(witness, limits)
    if verdict.is_contradicted and (distrusts or _is_site_wrong(row, witness, limits)):
        return Corrected(row, 0.0, has_witness=False, distrusts=True)
    if verdict.is_contradicted:
        return Corrected(contradicted(row), 0.0, has_witness=True)
    before, beside = limits.gain_sigma**2, witness.sigma**2
    share = before / (before + beside)
    gain = share * (witness.value - 1.0)
    capacity = row.capacity_ah / (1.0 + gain)
    # What is left of the gain's doubt, and how much further apart the two are than they should be.
    less = before * share - verdict.doubt**2
    common = math.sqrt(max(0.0, (row.systematic_ah / row.capacity_ah) ** 2 - less))
    whole = math.sqrt(max(common**2, (row.sigma_ah / row.capacity_ah) ** 2 - less))
    most = limits.reference.capacity.sigma_max
    quality = Quality.PARTIAL if verdict.doubt and row.quality is Quality.GOOD else row.quality
    witnesses = witnesses_of(row.witnesses) | ({Witness.LOAD} if verdict.is_borne_out else set())
    found = scaled(row, 1.0 / (1.0 + gain))._replace(
        sigma_ah=min(whole, most) * capacity,
        systematic_ah=min(common, most) * capacity,
        quality=quality,
        witnesses=text_of(witnesses),
        doubts=with_doubt(row.doubts, Doubt.WITNESS) if verdict.doubt else row.doubts,
    )
    return Corrected(found, gain, has_witness=True)


def scaled(row: BatteryCapacity, factor: float) -> BatteryCapacity:
    """What a discharge counted, times a factor; its doubts as they were. A lower bound is only ever lowered."""
    return row._replace(
        capacity_ah=None if row.capacity_ah is None else factor * row.capacity_ah,
        usable_ah=None if row.usable_ah is None else factor * row.usable_ah,
        others_ah=None if row.others_ah is None else factor * row.others_ah,
        at_least_ah=min(1.0, factor) * row.at_least_ah,
    )


def _is_site_wrong(row: BatteryCapacity, witness: Ratio, limits: Limits) -> bool:
    """Whether the foot of the curve bears the set out, and would not if the power system were right."""
    if row.curve_sigma is None or row.curve_ratio is None or Witness.CURVE not in witnesses_of(row.witnesses):
        return False
    apart = abs(row.curve_ratio - witness.value)
    return apart > limits.reference.witness.contradicted_sigmas * row.curve_sigma

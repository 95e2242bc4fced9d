"""Capacity from one discharge: from full ones and, where the rest voltage tells the SoC, from partial ones.

C = ΔAh/ΔSoC, (σ_C/C)² = (σ_I·h/ΔAh)² + (σ_S1² + σ_S2²)/ΔSoC² (metric specification, section 4). A discharge to the
cut-off ends in a known state too: under load, what the cut-off leaves inside is read from the steep end of the curve.
What cold kept inside is measured by the rest voltage after ten minutes where the chemistry has a curve; a loaded
voltage does not show it, so there k_T at the end's temperature says how much. Without a curve the drawn charge is the
capacity, and k_T corrects it to 25 °C.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.battery_health import BatteryCapacity, BatteryFlag, CapacityMethod, CapacityReason
from schemas.metrics.common import Quality
from streams.kernels.battery.tracking.loading import MS_PER_H

if TYPE_CHECKING:
    from schemas.registry import Device
    from streams.kernels.battery.limits import Limits, SocReading


class Discharge(NamedTuple):
    """What was seen of one discharge that is over."""

    start_ts: int
    end_ts: int
    drawn_ah: float
    """From load-on to the end, without what flowed in gaps."""
    bridged_ah: float
    """What flowed in short gaps if the current went straight on."""
    steady_ah: float
    """The part of it over gaps in which it can hardly have done anything else."""
    steady_ms: int
    doubt_ah: float
    """Standard deviation of what was drawn, for what lay between two samples."""
    soc: float | None
    """At load-on, 0–1."""
    soc_sigma: float
    cutoff_ts: int | None
    cutoff_ah: float | None
    """Drawn down to the cut-off."""
    loaded_cell_v: float
    """Lowest cell at the last loaded sample, or at the cut-off."""
    loaded_a: float
    """Current there, A, positive."""
    rest_cell_v: float | None
    """Lowest cell after ten minutes of rest."""
    temperature_mean_c: float | None
    temperature_end_c: float | None
    offset_known: bool
    """Whether the current sensor's offset is known from float."""
    coverage: float
    flags: frozenset[BatteryFlag]


class _End(NamedTuple):
    """The state of charge that a discharge ended in."""

    method: CapacityMethod
    reading: SocReading | None
    drawn_ah: float


def capacity_row(discharge: Discharge, limits: Limits, device: Device, seen_ts: int) -> BatteryCapacity:
    """Publish the capacity if it is known to 5 %, else its lower bound and the reason."""
    rules, nominal = limits.reference.capacity, limits.nominal_ah
    end = _end(discharge, limits)
    reason = _refusal(discharge, limits, end)
    factor = _temperature_factor(discharge, limits)
    capacity = sigma = None
    if reason is None:
        assert end.reading is not None and discharge.soc is not None  # noqa: S101, PT018 - else refused
        depth = discharge.soc - end.reading.soc
        hours = (discharge.end_ts - discharge.start_ts) / MS_PER_H
        sensor_ah = (limits.sigma_known_a if discharge.offset_known else limits.sigma_a) * hours
        relative = math.sqrt(
            ((sensor_ah + (discharge.bridged_ah - discharge.steady_ah) / 2) / end.drawn_ah) ** 2
            + (discharge.doubt_ah / end.drawn_ah) ** 2
            + (discharge.soc_sigma**2 + end.reading.sigma**2) / depth**2
            + (rules.temperature_sigma * (1 - factor)) ** 2
        )
        if relative > rules.sigma_max:
            reason = CapacityReason.UNCERTAIN
        else:
            capacity = end.drawn_ah / depth / factor
            sigma = capacity * relative
    odd = bool(discharge.flags & {BatteryFlag.REVERSED_CURRENT, BatteryFlag.OFFSET_CURRENT})
    quality = (
        Quality.UNKNOWN if capacity is None else Quality.ESTIMATED if odd or discharge.bridged_ah else Quality.GOOD
    )
    return BatteryCapacity(
        device_id=device.device_id,
        ts=discharge.start_ts,
        seen_ts=seen_ts,
        site_id=device.site_id,
        capacity_ah=capacity,
        sigma_ah=sigma,
        soh_pct=None if capacity is None else 100 * capacity / nominal,
        at_least_ah=discharge.drawn_ah,
        method=None if capacity is None else end.method,
        reason=reason,
        drawn_ah=end.drawn_ah,
        soc_start_pct=None if discharge.soc is None else 100 * discharge.soc,
        soc_end_pct=None if end.reading is None else 100 * end.reading.soc,
        temperature_mean_c=discharge.temperature_mean_c,
        temperature_factor=factor,
        cutoff_cell_v=limits.cutoff_cell_v,
        ended_ms=discharge.end_ts,
        full_cycles=discharge.drawn_ah / nominal,
        coverage=discharge.coverage,
        quality=quality,
        flags=",".join(sorted(discharge.flags)),
        reference_version=limits.reference.version,
    )


def _end(discharge: Discharge, limits: Limits) -> _End:
    """Where it ended: at the cut-off, measured by rest or else by the loaded voltage; or at rest."""
    drawn = discharge.drawn_ah + discharge.bridged_ah
    rest = None if discharge.rest_cell_v is None else limits.read_rest(discharge.rest_cell_v)
    if discharge.cutoff_ts is None or discharge.cutoff_ah is None:
        knee = limits.read_knee(discharge.loaded_cell_v, discharge.loaded_a, discharge.temperature_end_c)
        if rest is None and knee is not None:
            return _End(CapacityMethod.KNEE, knee, drawn)
        return _End(CapacityMethod.OCV, rest, drawn)
    beyond = drawn - discharge.cutoff_ah > limits.reference.capacity.noted_from * limits.nominal_ah
    if rest is None or beyond:
        rest = limits.at_cutoff(discharge.loaded_cell_v, discharge.loaded_a, discharge.temperature_end_c)
    return _End(CapacityMethod.FULL, rest, discharge.cutoff_ah)


def _refusal(discharge: Discharge, limits: Limits, end: _End) -> CapacityReason | None:  # noqa: PLR0911 - one reason each
    """Why a discharge says nothing about the capacity; None where it does."""
    rules = limits.reference.capacity
    mean = discharge.temperature_mean_c
    known = discharge.coverage + discharge.steady_ms / max(1, discharge.end_ts - discharge.start_ts)
    unsteady_ah = discharge.bridged_ah - discharge.steady_ah
    if unsteady_ah > rules.bridged_max * end.drawn_ah or known < 1 - 2 * rules.bridged_max:
        return CapacityReason.CURRENT_GAP
    if BatteryFlag.STUCK_CURRENT in discharge.flags or discharge.loaded_cell_v >= limits.float_cell_v:
        return CapacityReason.SENSOR  # the voltage contradicts the current: charge was drawn, say, and it did not fall
    if end.drawn_ah < rules.shallow * limits.nominal_ah:
        return CapacityReason.TOO_SHALLOW
    if end.method is CapacityMethod.OCV and discharge.rest_cell_v is None:
        return CapacityReason.NO_REST
    if end.reading is None:
        return CapacityReason.FLAT_REGION if limits.has_curve else CapacityReason.TOO_SHALLOW
    if discharge.soc is None or discharge.soc_sigma > rules.start_sigma_max:
        return CapacityReason.START_UNKNOWN
    if mean is None or not rules.temperature_min_c <= mean <= rules.temperature_max_c:
        return CapacityReason.TEMPERATURE
    if discharge.soc - end.reading.soc < rules.shallow:
        return CapacityReason.TOO_SHALLOW
    return None


def _temperature_factor(discharge: Discharge, limits: Limits) -> float:
    """k_T to divide by; 1 with a curve, where what cold kept inside is part of the SoC at the end."""
    mean = discharge.temperature_mean_c
    if limits.has_curve or mean is None:
        return 1.0
    return limits.capacity_factor(mean)

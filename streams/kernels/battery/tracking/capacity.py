"""Capacity from one discharge: from full ones and, where the rest voltage tells what is left, from partial ones.

C = (ΔAh + Ah left)/SoC at load-on. What is left is read from the foot of the curve as charge above empty, a share of
the nominal charge: a weak cell shows the voltage of the charge it has, not of the share of it (docs/battery-health.md,
"Numbers and their sources"). What cold kept inside is measured by the rest voltage after ten minutes where the
chemistry has a curve; a loaded voltage does not show it, so there k_T at the end's temperature says how much. Without a
curve the drawn charge is the capacity, and k_T corrects it to 25 °C.

Two kinds of doubt are kept apart. What lay between samples differs from discharge to discharge. The gain and offset of
the current sensor, what "full" means, the curve, its hysteresis and the cold's table are the same in each of a set's
discharges: they are `systematic`, and fusing many does not make them smaller.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.battery_health import BatteryCapacity, BatteryFlag, CapacityMethod, CapacityReason, Doubt, Witness
from schemas.metrics.common import Quality
from schemas.time import HOUR_MS
from streams.kernels.battery.limits import REFERENCE_C
from streams.kernels.battery.tracking.witnesses import (
    RESTORE_BELIEF,
    EndCells,
    FootSpan,
    Ratio,
    by_charge,
    by_curve,
    by_resistance,
    contradicted,
    curve_ratio,
    resistance_ratio,
    text_of,
    with_doubt,
    witnesses_of,
)

if TYPE_CHECKING:
    from schemas.registry import Device
    from streams.kernels.battery.limits import Left, Limits

SAMPLING_ALIKE = 0.85
"""Share of the doubt of when a load came on or went off that is alike in each of a set's discharges, for samplers and
test benches keep a rhythm. (unsourced)"""


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
    start: Left | None
    """What was in it at load-on, where it had rested at the foot of the curve."""
    cutoff_ts: int | None
    cutoff_ah: float | None
    """Drawn down to the cut-off."""
    loaded_cell_v: float
    """Lowest cell at the last loaded sample, or at the cut-off."""
    loaded_a: float
    """Current there, A, positive."""
    loaded_ah: float
    """Drawn up to the last loaded sample, whose voltage the knee is read from."""
    rest_cell_v: float | None
    """Lowest cell after ten minutes of rest."""
    end_cells: EndCells
    resistance_mohm: float | None
    temperature_mean_c: float | None
    temperature_end_c: float | None
    foot: FootSpan | None
    """Its stretch along the foot of the curve."""
    is_doubted: bool
    """Whether its current sensor was contradicted, and nothing that would tell its gain has borne it out since."""
    offset_known: bool
    """Whether the current sensor's offset is known from float."""
    coverage: float
    flags: frozenset[BatteryFlag]


class _End(NamedTuple):
    """The state of charge that a discharge ended in."""

    method: CapacityMethod
    left: Left | None
    drawn_ah: float


def capacity_row(discharge: Discharge, limits: Limits, device: Device, seen_ts: int) -> BatteryCapacity:
    """Publish the capacity if it is known to 5 %, else its lower bound and the reason."""
    rules, nominal = limits.reference.capacity, limits.nominal_ah
    end = _end(discharge, limits)
    reason = _refusal(discharge, limits, end)
    factor = _temperature_factor(discharge, limits)
    heard = _hear(discharge, end, limits)
    found = None
    if reason is None:
        is_two_point = end.method is CapacityMethod.TWO_POINT
        sigma_max = rules.two_point_sigma_max if is_two_point else rules.sigma_max
        found = _between_rests(discharge, end, limits) if is_two_point else _found(discharge, end, factor, limits)
        unsure = discharge.is_doubted and not heard.witnesses & RESTORE_BELIEF
        if heard.is_contradicted or unsure or found.capacity_ah > limits.reference.witness.soh_max * nominal:
            reason, found = CapacityReason.CONTRADICTED, None
        elif found.sigma_ah > sigma_max * found.capacity_ah:
            reason, found = CapacityReason.UNCERTAIN, None
        else:
            found = _doubted(found, heard.doubt, sigma_max)
    capacity = None if found is None else found.capacity_ah
    soh = limits.population if capacity is None else capacity / nominal
    soc_end = None if end.left is None else end.left.soc(soh)
    doubts = frozenset() if capacity is None else _doubts(discharge, end, heard)
    if capacity is None:
        quality = Quality.UNKNOWN
    elif doubts & {Doubt.CURRENT, Doubt.GAP}:
        quality = Quality.ESTIMATED
    else:
        quality = Quality.PARTIAL if doubts else Quality.GOOD
    return BatteryCapacity(
        device_id=device.device_id,
        ts=discharge.start_ts,
        seen_ts=seen_ts,
        site_id=device.site_id,
        capacity_ah=capacity,
        sigma_ah=None if found is None else found.sigma_ah,
        systematic_ah=None if found is None else found.systematic_ah,
        usable_ah=None if capacity is None else _usable_ah(discharge, end, capacity, limits),
        others_ah=_others_ah(discharge, end, capacity, limits),
        weakest_cell=discharge.end_cells.weakest,
        weakest_gap_v=_gap_v(discharge),
        resistance_mohm=discharge.resistance_mohm,
        witnesses=text_of(heard.witnesses),
        curve_ratio=None if heard.curve is None else heard.curve.value,
        curve_sigma=None if heard.curve is None else heard.curve.sigma,
        resistance_ratio=heard.resistance,
        charge_ratio=None,
        soh_pct=None if capacity is None else 100 * capacity / nominal,
        at_least_ah=_at_least_ah(discharge, reason, limits),
        method=None if capacity is None else end.method,
        reason=reason,
        drawn_ah=end.drawn_ah,
        soc_start_pct=None if discharge.soc is None else 100 * discharge.soc,
        soc_end_pct=None if soc_end is None else 100 * soc_end,
        temperature_mean_c=discharge.temperature_mean_c,
        temperature_factor=factor,
        cutoff_cell_v=limits.cutoff_cell_v,
        ended_ts=discharge.end_ts,
        full_cycles=discharge.drawn_ah / nominal,
        coverage=discharge.coverage,
        quality=quality,
        flags=",".join(sorted(discharge.flags)),
        reference_version=limits.reference.version,
        doubts=text_of(doubts),
    )


def _at_least_ah(discharge: Discharge, reason: CapacityReason | None, limits: Limits) -> float:
    """What was drawn, and what a rest above the foot of the curve shows to be left."""
    if reason is CapacityReason.CONTRADICTED:
        return 0.0
    if reason is not CapacityReason.FLAT_REGION or discharge.rest_cell_v is None:
        return discharge.drawn_ah
    left = limits.least_above_foot(discharge.rest_cell_v, discharge.end_cells.unseen_v)
    return discharge.drawn_ah + left * limits.nominal_ah


def _doubts(discharge: Discharge, end: _End, heard: _Heard) -> frozenset[Doubt]:
    """What takes from an estimate's worth."""
    odd = bool(discharge.flags & {BatteryFlag.REVERSED_CURRENT, BatteryFlag.OFFSET_CURRENT})
    found = {
        Doubt.CURRENT: odd,
        Doubt.GAP: discharge.bridged_ah != 0.0,
        Doubt.CHANNEL: discharge.end_cells.unseen_v != 0.0,
        Doubt.WITNESS: heard.doubt != 0.0,
        Doubt.POPULATION: end.method is CapacityMethod.TWO_POINT,
    }
    return frozenset(doubt for doubt, holds in found.items() if holds)


class _Found(NamedTuple):
    """A capacity and how sure it is."""

    capacity_ah: float
    sigma_ah: float
    systematic_ah: float


def _found(discharge: Discharge, end: _End, factor: float, limits: Limits) -> _Found:
    """Capacity of a discharge whose beginning and end are known, and its two kinds of doubt."""
    left, soc = end.left, discharge.soc
    assert left is not None and soc is not None  # noqa: S101, PT018 - else refused
    rules, nominal = limits.reference.capacity, limits.nominal_ah
    held_ah = end.drawn_ah + left.given * left.share * nominal
    capacity = held_ah / (soc - 1.0 + left.given) / factor
    hours = (discharge.end_ts - discharge.start_ts) / HOUR_MS
    offset_ah = (limits.sigma_known_a if discharge.offset_known else limits.sigma_a) * hours
    systematic = math.sqrt(
        limits.gain_sigma**2
        + (offset_ah / held_ah) ** 2
        + (discharge.soc_sigma * capacity * factor / held_ah) ** 2
        + (left.given * left.sigma * nominal / held_ah) ** 2
        + (left.given_sigma * capacity / held_ah) ** 2
        + (rules.temperature_sigma * (1 - factor)) ** 2
        + (SAMPLING_ALIKE * discharge.doubt_ah / held_ah) ** 2
    )
    sampled_ah = math.sqrt(1 - SAMPLING_ALIKE**2) * discharge.doubt_ah
    own = math.hypot(sampled_ah, (discharge.bridged_ah - discharge.steady_ah) / 2) / held_ah
    return _Found(capacity, capacity * math.hypot(systematic, own), capacity * systematic)


def _between_rests(discharge: Discharge, end: _End, limits: Limits) -> _Found:
    """Capacity of a usual set in which so much flows between two places at the foot of the curve.

    Both places tell charge above empty: a weak and a strong cell show the same two voltages for the same charge, and
    what they differ by is all in σ.
    """
    left, start = end.left, discharge.start
    assert left is not None and start is not None  # noqa: S101, PT018 - else refused
    share, hours = start.share - left.share, (discharge.end_ts - discharge.start_ts) / HOUR_MS
    capacity = end.drawn_ah / share * limits.population
    offset_ah = (limits.sigma_known_a if discharge.offset_known else limits.sigma_a) * hours
    systematic = math.sqrt(
        limits.gain_sigma**2
        + limits.reference.capacity.two_point_spread**2
        + (offset_ah / end.drawn_ah) ** 2
        + (start.sigma**2 + left.sigma**2) / share**2
        + left.given_sigma**2
    )
    own = math.hypot(discharge.doubt_ah, (discharge.bridged_ah - discharge.steady_ah) / 2) / end.drawn_ah
    return _Found(capacity, capacity * math.hypot(systematic, own), capacity * systematic)


class _Heard(NamedTuple):
    """What the witnesses say that can be heard at a discharge's end."""

    witnesses: frozenset[Witness]
    curve: Ratio | None
    resistance: float | None
    is_contradicted: bool
    doubt: float


def _hear(discharge: Discharge, end: _End, limits: Limits) -> _Heard:
    """Hold a discharge against the foot of the curve and its own resistance; the nearer witness is believed first."""
    curve = None
    if discharge.foot is not None and end.left is not None:
        span = discharge.foot._replace(counted_ah=end.drawn_ah - discharge.foot.counted_ah)
        curve = curve_ratio(span, end.left, discharge.temperature_mean_c, limits)
    resistance = resistance_ratio(discharge.resistance_mohm, limits)
    curve_says, resistance_says = (
        by_curve(curve, limits),
        by_resistance(resistance, _mean_a(discharge), discharge.temperature_mean_c, limits),
    )
    # The usual ohmic drop was taken off along the curve: of an unusual set that bears nothing out, nor contradicts it.
    unusual = resistance_says.is_contradicted or resistance_says.doubt > 0
    agreed = curve_says.is_borne_out and discharge.foot is not None and discharge.foot.is_by_level
    is_contradicted = curve_says.is_contradicted or (resistance_says.is_contradicted and not agreed)
    found = {
        Witness.CURVE: agreed and not unusual,
        Witness.RESISTANCE: resistance_says.is_borne_out,
        Witness.BENCH: limits.cell_count == 1,
    }
    heard = frozenset(each for each, bears_out in found.items() if bears_out)
    doubt = curve_says.doubt if agreed else max(curve_says.doubt, resistance_says.doubt)
    return _Heard(heard, curve, resistance, is_contradicted, doubt)


def _mean_a(discharge: Discharge) -> float:
    """Mean current, A, positive."""
    return (discharge.drawn_ah + discharge.bridged_ah) * HOUR_MS / max(1, discharge.end_ts - discharge.start_ts)


def _doubted(found: _Found, doubt: float, most: float) -> _Found:
    """Widen by a witness's doubt, up to the most that is published."""
    if not doubt:
        return found
    capacity = found.capacity_ah
    systematic = math.hypot(found.systematic_ah, doubt * capacity)
    sigma = math.hypot(found.sigma_ah, doubt * capacity)
    most_ah = most * capacity
    return _Found(capacity, min(sigma, most_ah), min(systematic, most_ah))


def after_recharge(row: BatteryCapacity, ratio: Ratio, limits: Limits, seen_ts: int) -> BatteryCapacity:
    """Publish a discharge's capacity again, with what its recharge says of it."""
    row = row._replace(seen_ts=seen_ts, charge_ratio=ratio.value)
    if row.capacity_ah is None or row.sigma_ah is None or row.systematic_ah is None:
        return row
    verdict, rules = by_charge(ratio, limits), limits.reference.capacity
    if verdict.is_contradicted:
        return contradicted(row)
    if not verdict.doubt and not verdict.is_borne_out:
        return row
    if not verdict.doubt:
        return row._replace(witnesses=text_of(witnesses_of(row.witnesses) | {Witness.CHARGE}))
    found = _doubted(_Found(row.capacity_ah, row.sigma_ah, row.systematic_ah), verdict.doubt, rules.sigma_max)
    quality = Quality.PARTIAL if row.quality is Quality.GOOD else row.quality
    doubts = with_doubt(row.doubts, Doubt.WITNESS)
    return row._replace(sigma_ah=found.sigma_ah, systematic_ah=found.systematic_ah, quality=quality, doubts=doubts)


def _usable_ah(discharge: Discharge, end: _End, capacity: float, limits: Limits) -> float:
    """What a full set gives down to the named cut-off as this discharge went: measured, or what the curve leaves."""
    if not limits.has_curve:
        return capacity * limits.capacity_factor(discharge.temperature_mean_c or REFERENCE_C)
    if end.method is CapacityMethod.FULL and discharge.soc is not None:
        return end.drawn_ah + (1.0 - discharge.soc) * capacity
    celsius = REFERENCE_C if discharge.temperature_end_c is None else discharge.temperature_end_c
    kept = limits.soc_kept(limits.cutoff_cell_v, discharge.loaded_a, celsius, capacity / limits.nominal_ah)
    return capacity * (1.0 - kept)


def _others_ah(discharge: Discharge, end: _End, capacity: float | None, limits: Limits) -> float | None:
    """What the median cell holds at least, by its voltage at the end; None where there are none, or no curve."""
    median_v = discharge.end_cells.median_v
    if capacity is None or median_v is None or end.left is None or not limits.has_curve:
        return None
    celsius = REFERENCE_C if discharge.temperature_end_c is None else discharge.temperature_end_c
    top = limits.chemistry.blind_from_percent / 100 * limits.population
    share = min(top, limits.share_left_loaded(median_v, discharge.loaded_a, celsius))
    return capacity + max(0.0, share - end.left.share) * limits.nominal_ah


def _gap_v(discharge: Discharge) -> float | None:
    """How far the weakest cell lay below the median one at the end."""
    median_v = discharge.end_cells.median_v
    return None if median_v is None else median_v - discharge.loaded_cell_v


def _end(discharge: Discharge, limits: Limits) -> _End:
    """Where it ended; by which method, is a matter of where it began as well."""
    end = _end_alone(discharge, limits)
    return end if discharge.start is None else end._replace(method=CapacityMethod.TWO_POINT)


def _end_alone(discharge: Discharge, limits: Limits) -> _End:
    """Where it ended: at the cut-off, measured by rest or else by the loaded voltage; or at rest."""
    drawn = discharge.drawn_ah + discharge.bridged_ah
    unseen_v = discharge.end_cells.unseen_v
    rest = None if discharge.rest_cell_v is None else limits.read_foot(discharge.rest_cell_v, unseen_v)
    if discharge.cutoff_ts is None or discharge.cutoff_ah is None:
        knee = limits.read_knee(discharge.loaded_cell_v, discharge.loaded_a, discharge.temperature_end_c, unseen_v)
        if rest is None and knee is not None:
            return _End(CapacityMethod.KNEE, knee, discharge.loaded_ah)
        return _End(CapacityMethod.OCV, rest, drawn)
    beyond = drawn - discharge.cutoff_ah > limits.reference.capacity.noted_from * limits.nominal_ah
    if rest is None or beyond:
        rest = limits.at_cutoff(discharge.loaded_cell_v, discharge.loaded_a, discharge.temperature_end_c, unseen_v)
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
    least = rules.shallow if discharge.start is None else rules.two_point_span * limits.population
    if end.drawn_ah < least * limits.nominal_ah:
        return CapacityReason.TOO_SHALLOW
    if end.left is None and discharge.rest_cell_v is None:
        return CapacityReason.NO_REST
    if end.left is None:
        return CapacityReason.FLAT_REGION if limits.has_curve else CapacityReason.TOO_SHALLOW
    if discharge.start is None and (discharge.soc is None or discharge.soc_sigma > rules.start_sigma_max):
        return CapacityReason.START_UNKNOWN
    if mean is None or not rules.temperature_min_c <= mean <= rules.temperature_max_c:
        return CapacityReason.TEMPERATURE
    if _spanned(discharge, end.left, limits) < least:
        return CapacityReason.TOO_SHALLOW
    return None


def _spanned(discharge: Discharge, left: Left, limits: Limits) -> float:
    """Between the beginning and the end: of two rests a share of nominal, else of a usual set's own charge."""
    if discharge.start is not None:
        return discharge.start.share - left.share
    return 0.0 if discharge.soc is None else discharge.soc - left.soc(limits.population)


def _temperature_factor(discharge: Discharge, limits: Limits) -> float:
    """k_T to divide by; 1 with a curve, where what cold kept inside is part of the SoC at the end."""
    mean = discharge.temperature_mean_c
    if limits.has_curve or mean is None:
        return 1.0
    return limits.capacity_factor(mean)

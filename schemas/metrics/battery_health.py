"""Rows of what a battery set does and shows: episodes, charge, capacity, resistance; each with its evidence.

Shares of a quantity are in per cent where a person reads them. Null means that it cannot be known; `reason` says why.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from schemas.metrics.common import Moment, Quality, Real


class EpisodeKind(StrEnum):
    """What a set does, from its current and voltage alone."""

    FLOAT = "float"
    DISCHARGE = "discharge"
    REST = "rest"
    CHARGE = "charge"
    OFFLINE = "offline"


class BatteryFlag(StrEnum):
    """What is odd about a set's readings; several are joined by commas."""

    ABSENT_CELL = "absent_cell"
    """A registered cell has no voltage: 0.000 V on the wire."""
    REVERSED_CURRENT = "reversed_current"
    """The voltage rises when the current falls: counted with the sign turned round."""
    OFFSET_CURRENT = "offset_current"
    """The current on float is far from zero; it is subtracted."""
    FROZEN_BMS_SOC = "frozen_bms_soc"
    """The BMS's SoC stands still while charge flows."""
    ODD_BMS_SOC = "odd_bms_soc"
    """The BMS's SoC is far from the counted one."""
    SENTINEL_BMS_SOH = "sentinel_bms_soh"
    """The BMS's SoH is 0 or 99 and never moves: not a measurement."""
    HELD = "held"
    """The SoC was held over a gap and not reset since."""
    GAP = "gap"
    """Readings are missing within."""
    STUCK_CURRENT = "stuck_current"
    """The current stands still while the voltage says that something else flows: not counted on."""
    CONTRADICTED = "contradicted"
    """Bus and mains of its site say otherwise (`SiteDoubt`)."""
    BLANK = "blank"
    """Its records hold nothing but zeros: the FSU has lost the BMS."""


class CapacityMethod(StrEnum):
    """How a capacity came about."""

    FULL = "full"
    """Down to the cut-off voltage under load."""
    KNEE = "knee"
    """Not quite to the cut-off, but onto the steep end of the curve, where the loaded voltage tells the SoC too."""
    OCV = "ocv"
    """From the charge between two known states of charge, the last one by its rest voltage."""
    TWO_POINT = "two_point"
    """Between two rests at the foot of the curve: what a usual set would have, as far as count and voltage agree."""


class CapacityReason(StrEnum):
    """Why there is no estimate."""

    NO_DISCHARGE = "no_discharge"
    """The set has not been discharged since it was first seen."""
    TOO_SHALLOW = "too_shallow"
    """Too little charge was drawn."""
    FLAT_REGION = "flat_region"
    """It ended and rested where the voltage does not tell the SoC."""
    NO_REST = "no_rest"
    """It was charged again before the voltage had come to rest."""
    CURRENT_GAP = "current_gap"
    """Too much of the current was not measured."""
    START_UNKNOWN = "start_unknown"
    """It did not begin from a known SoC."""
    TEMPERATURE = "temperature"
    """Too cold or too hot, or not known, so that nothing is said about 25 °C."""
    SENSOR = "sensor"
    """The current sensor is not to be trusted."""
    UNCERTAIN = "uncertain"
    """σ_C/C above 5 %."""
    CONTRADICTED = "contradicted"
    """What the current sensor counted is not what curve, resistance or recharge say: gain, clipping, or nominal_ah."""
    EXCHANGED = "exchanged"
    """Other cells stand there than those that were measured (`BatteryIdentity`)."""


class Witness(StrEnum):
    """What bears a capacity out beside the charge that its current sensor counted; several are joined by commas."""

    CURVE = "curve"
    """The foot of the open-circuit curve: charge counted along it is what the curve says."""
    RESISTANCE = "resistance"
    """Its load step shows the resistance of such a set, within a factor."""
    CHARGE = "charge"
    """As much went back in as was drawn: no offset, clipping or standstill. It does not know a gain."""
    LOAD = "load"
    """The load that the site's power system measured without mains: it knows a gain to a per cent or two."""
    BENCH = "bench"
    """One cell alone, on a laboratory's bench with its sensors."""


class Doubt(StrEnum):
    """Why an estimate is partial or estimated; several are joined by commas."""

    GAIN = "gain"
    """Nothing vouches for the gain of its current sensor: no registered `accuracy`, no load of the site."""
    CHANNEL = "channel"
    """The weakest cell may be the one that no channel shows."""
    WITNESS = "witness"
    """Curve, resistance, recharge or the site's load differ from it by more than chance."""
    GAP = "gap"
    """Readings are missing within its discharge, and were bridged."""
    CURRENT = "current"
    """Its current was turned round, or is off by a large offset that was taken off."""
    CELLS = "cells"
    """Other cells may stand there by now (`BatteryIdentity`)."""
    POPULATION = "population"
    """It says what usual sets have, not what this one has: both of its rests lie at the foot of the curve."""


class IdentitySign(StrEnum):
    """What tells one set of cells from another, without a capacity."""

    CELLS_UNDER_LOAD = "cells_under_load"
    """Which cells fall more than others under the same current: their resistances, near the top of a discharge."""
    CELLS_ON_FLOAT = "cells_on_float"
    """Which cells stand higher than others on settled float."""
    CYCLE_COUNT = "cycle_count"
    """The BMS has counted fewer cycles than before."""


class Identity(StrEnum):
    """Whether the cells are those that were measured."""

    SAME = "same"
    DOUBTED = "doubted"
    """They may be others: no proof."""
    OTHER = "other"


class BatteryIdentity(NamedTuple):
    """Cells that are not, or may not be, those that stood there before a gap in the readings; or are after all."""

    device_id: str
    ts: Moment
    """Beginning of the discharge or hour that tells."""
    seen_ts: Moment
    site_id: str
    sign: IdentitySign
    identity: Identity
    likeness: Real | None
    """Correlation of the cells' pattern with the one before, noise taken into account: about 1 of the same cells, 0 of
    others."""
    cells: int
    """How many were compared."""
    quality: Quality


class BatteryEpisode(NamedTuple):
    """One stretch in which a set does one thing; begins at `ts`. The newest one has no end yet."""

    device_id: str
    ts: Moment
    seen_ts: Moment
    """Device time of the reading that gave this version out."""
    site_id: str
    kind: EpisodeKind
    ended_ts: Moment | None
    duration_h: Real
    """Up to the end or, as long as it goes on, up to `seen_ts`."""
    charge_ah: float | None
    """Into the set (+) or out of it (−)."""
    energy_kwh: float | None
    pack_start_v: Real | None
    pack_end_v: Real | None
    temperature_start_c: Real | None
    temperature_min_c: Real | None
    temperature_max_c: Real | None
    temperature_mean_c: Real | None
    soc_start_pct: Real | None
    soc_start_sigma_pct: Real | None
    soc_end_pct: Real | None
    rest_cell_v: float | None
    """Lowest cell's voltage after ten minutes of rest: of a rest itself, and of the discharge before it."""
    cutoff_ts: Moment | None
    """When the cut-off voltage was reached under load."""
    current_min_a: Real | None
    """Smallest and largest current drawn while loaded, A, positive."""
    current_max_a: Real | None
    self_discharge_pct_month: Real | None
    """Only of a rest longer than seven days that begins and ends where the voltage tells the SoC."""
    largest_gap_s: Real
    coverage: Real
    quality: Quality
    flags: str


class BatteryCapacity(NamedTuple):
    """What one discharge says about the capacity; `ts` is the discharge's own, the evidence."""

    device_id: str
    ts: Moment
    seen_ts: Moment
    site_id: str
    capacity_ah: float | None
    """At 25 °C: all that the cell has, down to the end of its chemistry's curve; of a chemistry without one, to the
    named cut-off. None where it is not known to 5 %."""
    sigma_ah: float | None
    systematic_ah: float | None
    """The part of sigma_ah that further discharges of the set do not make smaller: gain, offset, curve, cold."""
    usable_ah: float | None
    """What the site gets: from full to the named cut-off, at this discharge's current and temperature."""
    others_ah: float | None
    """At least what the set's median cell has, beside its weakest."""
    weakest_cell: int | None
    """1-based: the lowest one at the last loaded sample, or at the cut-off."""
    weakest_gap_v: Real | None
    """How far it lay below the median cell there."""
    resistance_mohm: Real | None
    """Of the pack, at 25 °C, from the load-on of this discharge."""
    soh_pct: float | None
    """The ratio of `capacity_ah` to the nominal capacity; one discharge's, not fused."""
    at_least_ah: float
    """Charge that was drawn, and what a rest above the foot of the curve shows to be left: the capacity is no less."""
    method: CapacityMethod | None
    reason: CapacityReason | None
    """Why capacity_ah is null."""
    drawn_ah: float
    """∫|I|dt from load-on to the first loaded sample at or below the cut-off, or to the end."""
    soc_start_pct: Real | None
    soc_end_pct: Real | None
    """0 % is empty at the chemistry's lowest voltage; what the cut-off leaves inside is above it."""
    temperature_mean_c: Real | None
    temperature_factor: Real
    """Capacity at that temperature over that at 25 °C that was divided by; 1 where what is left was measured."""
    cutoff_cell_v: Real
    ended_ts: Moment
    full_cycles: Real
    """Charge drawn over nominal capacity."""
    coverage: Real
    quality: Quality
    flags: str
    reference_version: str
    witnesses: str = ""
    """What bears it out beside the count of its own current sensor (`Witness`); empty: one method alone."""
    curve_ratio: Real | None = None
    """Charge counted along the foot of the open-circuit curve over what the curve says; 1 where they agree."""
    curve_sigma: Real | None = None
    resistance_ratio: Real | None = None
    """Usual resistance of such a set over its own; 2 where the current is counted twice."""
    charge_ratio: Real | None = None
    """What was drawn over what went back in until the set was full again; null until then."""
    doubts: str = ""
    """Why it is partial or estimated (`Doubt`)."""


class BatteryResistance(NamedTuple):
    """Internal resistance from one load step at `ts`: ΔV/ΔI. A trend of the set against itself, never a SoH."""

    device_id: str
    ts: Moment
    seen_ts: Moment
    site_id: str
    resistance_mohm: float
    """Of the whole pack."""
    resistance_25c_mohm: float | None
    """Normalised to 25 °C with 20 kJ/mol."""
    cell_mohm_ah_25c: float | None
    """Of one cell, times the nominal capacity: comparable over the fleet."""
    step_a: Real
    step_s: Real
    """Time between the two readings: part of what was measured."""
    step: str
    """One of `load_on`, `load_off` and `load_change`."""
    temperature_c: Real | None


class BatteryHour(NamedTuple):
    """A set over the hour that begins at `ts`: charge, cells in float, rest and load, temperature, BMS beside it."""

    device_id: str
    ts: Moment
    site_id: str
    soc_pct: Real | None
    """Counted, at the end of the hour."""
    soc_sigma_pct: Real | None
    soc_bms_pct: Real | None
    """As the BMS says."""
    soc_bms_difference_pct: Real | None
    """BMS less counted."""
    soh_bms_pct: Real | None
    """As the BMS says; null where it is a sentinel."""
    float_min: Real
    """Minutes of the hour on float, in rest, under load."""
    rest_min: Real
    load_min: Real
    float_current_a: Real | None
    """Mean on float as measured, offset included."""
    current_offset_a: Real | None
    """Offset of the current sensor as learned on float, which is subtracted."""
    float_spread_mv: Real | None
    """Highest less lowest cell, of cell voltages averaged over the hour's float."""
    float_worst_cell: int | None
    float_worst_z: Real | None
    """The worst cell's distance from the pack's median, in robust standard deviations (1.4826·MAD)."""
    rest_spread_mv: Real | None
    rest_worst_cell: int | None
    rest_worst_z: Real | None
    load_spread_mv: Real | None
    load_worst_cell: int | None
    load_worst_z: Real | None
    temperature_mean_c: Real | None
    temperature_spread_max_c: Real | None
    """Highest less lowest sensor, the largest of the hour."""
    coverage: Real
    quality: Quality
    flags: str


class BatteryState(NamedTuple):
    """What a set does now and how long it will last; one row per set, from the first reading of each minute."""

    device_id: str
    ts: Moment
    """Start of the minute."""
    site_id: str
    kind: EpisodeKind
    since_ts: Moment
    soc_pct: Real | None
    soc_sigma_pct: Real | None
    soc_bms_pct: Real | None
    discharged_ah: Real | None
    """Of the discharge that is going on."""
    power_w: Real | None
    """Smoothed over five minutes, discharge positive."""
    remaining_p50_h: Real | None
    """Until cut-off at this power; only in a discharge and with a capacity of its own."""
    remaining_p10_h: Real | None
    flags: str

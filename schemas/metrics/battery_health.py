"""Rows of battery health: episodes, charge, capacity, state of health, resistance, backup; each with its evidence.

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


class SohChange(StrEnum):
    """What a new estimate says that contradicts all before it."""

    SET_REPLACED = "set_replaced"
    """More than there was, or less without a cell that fell behind: other cells."""
    CELL_FAILED = "cell_failed"
    """Less, and one cell fell behind the others."""
    RECALIBRATED = "recalibrated"
    """Capacity times resistance is as it was: the current sensor counts differently."""
    REGISTERED = "registered"
    """The registry says that the set was replaced: what was known is of another one."""


class DischargeCause(StrEnum):
    """Why a set was discharged."""

    OUTAGE = "outage"
    """Mains had failed (市电停电)."""
    CAPACITY_TEST = "capacity_test"
    """With mains on and long enough: a core-capacity test (核对性放电)."""
    UNKNOWN = "unknown"
    """The site's power system does not tell."""


class Advice(StrEnum):
    """What to do with a set."""

    KEEP = "keep"
    WATCH = "watch"
    RETIRE = "retire"
    """Take out of service (退役)."""
    UNKNOWN = "unknown"
    """Nothing speaks against it, but its health was never measured."""


class BatteryEpisode(NamedTuple):
    """One stretch in which a set does one thing; begins at `ts`. The newest one has no end yet."""

    device_id: str
    ts: Moment
    seen_ts: Moment
    """Device time of the reading that gave this version out."""
    site_id: str
    kind: EpisodeKind
    ended_ms: Moment | None
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
    cutoff_ms: Moment | None
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
    """At least what the set's other cells have on average, beside its weakest."""
    weakest_cell: int | None
    """1-based: the lowest one at the last loaded sample, or at the cut-off."""
    weakest_gap_v: Real | None
    """How far it lay below the mean of the others there."""
    resistance_mohm: Real | None
    """Of the pack, at 25 °C, from the load-on of this discharge."""
    soh_pct: float | None
    """capacity_ah over the nominal capacity; one discharge's, not fused."""
    at_least_ah: float
    """Charge that was drawn: the capacity is no less."""
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
    ended_ms: Moment
    full_cycles: Real
    """Charge drawn over nominal capacity."""
    coverage: Real
    quality: Quality
    flags: str
    reference_version: str


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
    """load_on, load_off or load_change."""
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
    since_ms: Moment
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


class SiteOutage(NamedTuple):
    """A failure of a site's mains that begins at `ts`, as its power system says; no end yet while it lasts."""

    device_id: str
    """The power system."""
    ts: Moment
    seen_ts: Moment
    site_id: str
    ended_ms: Moment | None
    duration_h: Real
    largest_gap_s: Real
    """Longest time without a reading within."""
    energy_kwh: float | None
    """Drawn by the site while it was measured."""
    bus_before_v: Real | None
    """DC bus when mains was last on."""
    bus_low_v: Real | None
    """Lowest since."""
    contradicted: bool
    """Told by phases alone, and the bus did not come down within ten minutes: it was their meter that failed."""


class DoubtKind(StrEnum):
    """Which of a site's devices the others contradict."""

    MAINS = "mains"
    """Mains is said to have failed, and neither bus nor sets know of it."""
    BUS = "bus"
    """The bus stands still while a set carries the load."""
    SET = "set"
    """A set says float and full while its bus has come down: what it shows is old."""
    BLANK = "blank"
    """A set's records hold nothing but zeros: it is heard, and nothing is known of it."""


class SiteDoubt(NamedTuple):
    """A stretch over which a device of a base station is not believed; begins at `ts`, no end yet while it lasts."""

    device_id: str
    """Not believed: a set, or the power system."""
    ts: Moment
    site_id: str
    kind: DoubtKind
    ended_ms: Moment | None
    told_ms: Moment
    """From when on there was enough to say so."""
    since_ms: Moment | None
    """Since when the set has shown what it shows."""
    pack_v: Real | None
    """What the set shows."""
    bus_before_v: Real | None
    """DC bus when mains was last on, and its lowest since."""
    bus_low_v: Real | None


class SiteLoadHour(NamedTuple):
    """The load of a site over the hour that begins at `ts`."""

    device_id: str
    """The power system."""
    ts: Moment
    site_id: str
    load_w: float | None
    """Mean DC power over the time that the bus was alive."""
    load_max_w: Real | None
    failed_min: Real
    """Minutes of the hour without mains."""
    coverage: Real
    quality: Quality


class BatterySoh(NamedTuple):
    """State of health after the discharge at `ts`, fused over all of a set's estimates up to it."""

    device_id: str
    ts: Moment
    site_id: str
    soh_pct: float | None
    """C(25 °C)/C_nominal at the named cut-off."""
    soh_low_pct: float | None
    """90 % interval."""
    soh_high_pct: float | None
    sigma_pct: float | None
    systematic_pct: float | None
    """The part of sigma_pct that does not average out."""
    capacity_ah: float | None
    usable_pct: float | None
    """To the named cut-off as the newest estimate's discharge went: what the site gets, over nominal."""
    change: SohChange | None
    """What the newest estimate says of the set, if it contradicts what was believed."""
    change_pct: Real | None
    """By how many points."""
    believed_pct: Real | None
    """What was believed then."""
    weakest_cell: int | None
    """Of the newest estimate's discharge."""
    others_pct: Real | None
    """What the other cells have at least, over nominal."""
    at_least_pct: float | None
    """Most that any one discharge drew since the set last changed, over nominal: the SoH was no less then."""
    method: CapacityMethod | None
    """Of the newest estimate."""
    evidence_ms: Moment | None
    """`ts` of the discharge behind the newest estimate."""
    estimates: int
    """How many discharges went into it."""
    reason: CapacityReason | None
    """Why it is null: that of the newest discharge."""
    cutoff_cell_v: Real
    quality: Quality
    reference_version: str


class BatteryDay(NamedTuple):
    """How a set stood at the end of the last hour known of the local day that begins at `ts`."""

    device_id: str
    ts: Moment
    site_id: str
    as_of_ms: Moment
    """That hour's end."""
    soh_pct: Real | None
    backup_p50_h: Real | None
    """From full, at the site's load of that day, of which the set carries its share, and the last temperature."""
    backup_p10_h: Real | None
    contract_h: Real
    resistance_25c_mohm: Real | None
    """Newest, of the pack, from load-on."""
    resistance_usual_mohm: Real | None
    """Median of the set's own steps before the two newest."""
    resistance_rise_pct: Real | None
    """How far the lower of the two newest lies above that: a single odd step is no rise."""
    resistance_steps: int
    """Load-on steps of the last 400 days with a resistance."""
    quality: Quality
    """Of the SoH."""
    reference_version: str


class BatteryDischarge(NamedTuple):
    """A discharge with its cause, and the backup time that was forecast at its beginning."""

    device_id: str
    ts: Moment
    site_id: str
    cause: DischargeCause
    outage_ms: Moment | None
    """`ts` of the outage behind it."""
    ended_ms: Moment | None
    duration_h: Real
    charge_ah: float | None
    cutoff_ms: Moment | None
    cutoff_h: Real | None
    """From load-on to the cut-off: what the forecast is held against."""
    forecast_p50_h: Real | None
    """Hours to cut-off, forecast from what was known at the beginning."""
    forecast_p10_h: Real | None
    forecast_load_w: Real | None
    coverage: Real
    quality: Quality


class BatteryHealth(NamedTuple):
    """Everything about the health of a set now: one row per set, answers for the whole fleet in one query."""

    device_id: str
    ts: Moment
    """Hour that it was computed for."""
    site_id: str
    city: str
    maker: str
    batch: str
    nominal_ah: Real
    in_service_years: Real | None
    soh_pct: Real | None
    soh_low_pct: Real | None
    soh_high_pct: Real | None
    soh_sigma_pct: Real | None
    soh_at_least_pct: Real | None
    soh_method: CapacityMethod | None
    soh_evidence_ms: Moment | None
    soh_age_days: Real | None
    soh_estimates: int
    soh_reason: CapacityReason | None
    soh_bms_pct: Real | None
    """As the BMS says; null where it is a sentinel."""
    soc_pct: Real | None
    soc_sigma_pct: Real | None
    soc_bms_difference_pct: Real | None
    resistance_25c_mohm: Real | None
    """Newest, of the pack, from load-on."""
    resistance_trend: Real | None
    """Newest over the median of the set's own earlier ones."""
    resistance_mohm_ah: Real | None
    """Newest, per cell times nominal capacity: what is compared over the fleet."""
    float_spread_mv: Real | None
    float_worst_cell: int | None
    float_worst_z: Real | None
    temperature_mean_c: Real | None
    load_w: Real | None
    """Of the site: median of the last 24 h around the same hour."""
    backup_p50_h: Real | None
    """From full, at the site's present load, of which the set carries its share, and the present temperature."""
    backup_p10_h: Real | None
    contract_h: Real
    misses_contract: bool | None
    """Whether backup_p10_h is below the contract's hours."""
    last_discharge_ms: Moment | None
    """Newest discharge of an hour or more."""
    observable: bool
    """Whether there was one within twelve months."""
    test_priority_kwh: Real
    """Contracted energy times the relative doubt about the SoH: where a core-capacity test (核对性放电) tells most."""
    advice: Advice
    advice_reasons: str
    flags: str
    quality: Quality
    reference_version: str

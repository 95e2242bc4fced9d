"""Rows of what a battery set can still do: state of health, backup, what its discharges were, what to do with it.

Shares of a quantity are in per cent where a person reads them. Null means that it cannot be known; `reason` says why.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from schemas.metrics.battery_health import CapacityMethod, CapacityReason
from schemas.metrics.common import Moment, Quality, Real


class SohChange(StrEnum):
    """What a new estimate says that contradicts all before it."""

    SET_REPLACED = "set_replaced"
    """More than there was, or less without a cell that fell behind: other cells."""
    CELL_FAILED = "cell_failed"
    """Less, and one cell fell behind the others."""
    RECALIBRATED = "recalibrated"
    """Capacity times resistance is as it was: the current sensor counts differently."""
    CORRECTED = "corrected"
    """More than there was, and the same cell stands out by as much: the same set, of which too little was believed."""
    REGISTERED = "registered"
    """The registry says that the set was replaced: what was known is of another one."""
    REMEASURED = "remeasured"
    """The figure has moved and is surer than before: another gain of the current sensor is taken out. The same set."""
    LESS_SURE = "less_sure"
    """The figure has moved and is less sure than before: what bore it out is no longer heard. The same set."""


class DischargeCause(StrEnum):
    """Why a set was discharged."""

    OUTAGE = "outage"
    """Mains had failed (市电停电)."""
    CAPACITY_TEST = "capacity_test"
    """With mains on and long enough: a core-capacity test (核对性放电)."""
    CYCLING = "cycling"
    """With mains on, of a set that is run for peak shaving or storage."""
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
    """What the median cell has at least, over nominal."""
    at_least_pct: float | None
    """Most that any one discharge drew since the set last changed, over nominal: the SoH was no less then."""
    method: CapacityMethod | None
    """Of the newest estimate."""
    evidence_ts: Moment | None
    """`ts` of the discharge behind the newest estimate."""
    estimates: int
    """How many discharges went into it."""
    reason: CapacityReason | None
    """Why it is null: that of the newest discharge."""
    cutoff_cell_v: Real
    quality: Quality
    """`partial` where nothing does: one method alone."""
    reference_version: str
    witnesses: str = ""
    """What bears the newest estimate out beside its own count (`Witness`), or has borne out this sensor before."""
    load_ratio: Real | None = None
    """What the set counted in whole hours without mains over what its site's power system leaves for it, and the
    standard deviation of that: newest one known."""
    load_sigma: Real | None = None
    gain_pct: Real | None = None
    """By how much its current sensor counts too much by that: what the newest estimate was corrected for."""
    doubts: str = ""
    """Why the figure is partial or estimated (`Doubt`)."""


class BatteryDay(NamedTuple):
    """How a set stood at the end of the last hour known of the local day that begins at `ts`."""

    device_id: str
    ts: Moment
    site_id: str
    as_of_ts: Moment
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
    outage_ts: Moment | None
    """`ts` of the outage behind it."""
    ended_ts: Moment | None
    duration_h: Real
    charge_ah: float | None
    cutoff_ts: Moment | None
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
    soh_evidence_ts: Moment | None
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
    last_discharge_ts: Moment | None
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

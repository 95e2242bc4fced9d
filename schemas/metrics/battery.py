"""Rows derived for battery sets and the power systems of their sites."""

from __future__ import annotations

from typing import NamedTuple

from schemas.metrics.common import Moment, Quality, Real


class BatteryQuarter(NamedTuple):
    """A battery set over a quarter of an hour that begins at `ts`."""

    device_id: str
    ts: Moment
    site_id: str
    energy_in_kwh: float | None
    energy_out_kwh: float | None
    charge_ah: float | None
    discharge_ah: float | None
    cell_spread_max_mv: Real | None
    temperature_max_c: Real | None
    temperature_rise_max_c: Real | None
    """Highest T_max − T_ambient."""
    temperature_rate_max_c_min: Real | None
    """Highest dT/dt over five minutes."""
    coverage: Real
    quality: Quality
    flags: str
    """`reversed_current` where the sensor's sign was turned round, `stuck_current` where it showed none."""


class BatteryLatest(NamedTuple):
    """Newest view of a battery set: all 7 000 of them answer one query."""

    device_id: str
    ts: Moment
    site_id: str
    received_ts: Moment
    pack_voltage_v: float | None
    current_a: float | None
    """Charge positive; turned round where the sensor's sign is known to be the wrong way."""
    soc_pct: Real | None
    """As the BMS says; not fenhe's own."""
    soh_bms_pct: Real | None
    """As the BMS says; not fenhe's own."""
    cell_min_v: Real | None
    cell_max_v: Real | None
    cell_spread_mv: Real | None
    worst_cell: int | None
    """1-based number of the cell farthest from the pack's median."""
    temperature_max_c: Real | None
    temperature_rise_c: Real | None
    temperature_rate_c_min: Real | None
    flags: str
    """`reversed_current`, or `blank` where the newest record holds nothing but zeros."""


class SitePowerLatest(NamedTuple):
    """Newest view of a base station's power system."""

    device_id: str
    ts: Moment
    site_id: str
    received_ts: Moment
    mains_failed: bool | None
    mains_voltage_v: Real | None
    """Mean of the phases."""
    dc_voltage_v: Real | None
    dc_load_current_a: Real | None
    smoke: bool | None
    water: bool | None
    door: bool | None

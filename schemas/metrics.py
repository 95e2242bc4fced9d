"""Rows the stream processors derive. Plain named tuples: built by the thousand, checked by the database's types.

Every row carries coverage (0–1, share of its window backed by good readings) and quality.
Null is an answer: a figure that cannot be known is None, never 0.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

MINUTE_MS = 60_000
QUARTER_MS = 15 * MINUTE_MS
HOUR_MS = 60 * MINUTE_MS


class Quality(StrEnum):
    """How far a derived figure can be trusted."""

    GOOD = "good"
    PARTIAL = "partial"
    ESTIMATED = "estimated"
    UNKNOWN = "unknown"


GOOD_COVERAGE = 0.99
"""Share of a window that must be backed by good readings for `good`. (unsourced)"""


def quality_of(coverage: float, *, estimated: bool) -> Quality:
    """Quality of a sum from its coverage; `estimated` where some of it is an interpolation over a gap."""
    if coverage >= GOOD_COVERAGE:
        return Quality.GOOD
    if coverage > 0:
        return Quality.PARTIAL
    return Quality.ESTIMATED if estimated else Quality.UNKNOWN


class MeterMinute(NamedTuple):
    """What one register counted within one minute."""

    device_id: str
    quantity: str
    """The register's field name; its unit is in it."""
    ts: int
    """Start of the minute, ms."""
    site_id: str
    increment: float | None
    """In the register's unit; None where not even the register tells."""
    coverage: float
    quality: Quality


class MeterLatest(NamedTuple):
    """Newest reading of a meter, for live pages."""

    device_id: str
    ts: int
    site_id: str
    kind: str
    received_ms: int
    total: float | None
    """The kind's main register, in its own unit."""
    rate: float | None
    """Instantaneous kW, MW, m³/h or t/h, as the device says."""


class PlantWindow(NamedTuple):
    """Rolling figures of a plant over the window that ends at `ts`."""

    site_id: str
    window_min: int
    ts: int
    """End of the window, ms."""
    energy_kwh: float | None
    """Electricity across the boundary: imported less exported."""
    power_kw: float | None
    """Mean over the covered part of the window."""
    energy_kgce: float | None
    """Comprehensive energy (综合能耗)."""
    water_m3: float | None
    production: float | None
    """In the site's product unit."""
    unit_energy_kgce: float | None
    """Unit-product energy (单位产品综合能耗): kgce per product unit, a ratio of sums."""
    unit_water_m3: float | None
    coverage: float
    quality: Quality
    reference_version: str


class BatteryQuarter(NamedTuple):
    """A battery set over a quarter of an hour that begins at `ts`."""

    device_id: str
    ts: int
    site_id: str
    energy_in_kwh: float | None
    energy_out_kwh: float | None
    charge_ah: float | None
    discharge_ah: float | None
    cell_spread_max_mv: float | None
    temperature_max_c: float | None
    temperature_rise_max_c: float | None
    """Highest T_max − T_ambient."""
    temperature_rate_max_c_min: float | None
    """Highest dT/dt over five minutes."""
    coverage: float
    quality: Quality


class BatteryLatest(NamedTuple):
    """Newest view of a battery set: all 7 000 of them answer one query."""

    device_id: str
    ts: int
    site_id: str
    received_ms: int
    pack_voltage_v: float | None
    current_a: float | None
    soc_pct: float | None
    """As the BMS says; not fenhe's own."""
    soh_bms_pct: float | None
    """As the BMS says; not fenhe's own."""
    cell_min_v: float | None
    cell_max_v: float | None
    cell_spread_mv: float | None
    worst_cell: int | None
    """1-based number of the cell farthest from the pack's median."""
    temperature_max_c: float | None
    temperature_rise_c: float | None
    temperature_rate_c_min: float | None


class SitePowerLatest(NamedTuple):
    """Newest view of a base station's power system."""

    device_id: str
    ts: int
    site_id: str
    received_ms: int
    mains_failed: bool | None
    mains_voltage_v: float | None
    """Mean of the phases."""
    dc_voltage_v: float | None
    dc_load_current_a: float | None
    smoke: bool | None
    water: bool | None
    door: bool | None


Row = MeterMinute | MeterLatest | PlantWindow | BatteryQuarter | BatteryLatest | SitePowerLatest
"""Every derived row there is; a kernel that derives a new one adds it here and its table in `storage.tables`."""

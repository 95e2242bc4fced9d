"""Rows derived for a whole plant."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from schemas.metrics.common import Json, Moment, Quality, Real


class PlantWindow(NamedTuple):
    """Rolling figures of a plant over the window that ends at `ts`."""

    site_id: str
    window_min: int
    ts: Moment
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
    coverage: Real
    quality: Quality
    reference_version: str


class PlantHour(NamedTuple):
    """What a product line used and made within the hour that begins at `ts`: sums, from which every ratio is taken."""

    site_id: str
    line_id: str
    """`plant` is the whole plant."""
    ts: Moment
    energy_kwh: float | None
    """Electricity in less electricity out."""
    electricity_kgce: float | None
    gas_kgce: float | None
    heat_kgce: float | None
    """Steam and heat."""
    fuel_kgce: float | None
    water_kgce: float | None
    exported_kgce: float | None
    """All energy that left, subtracted in the total."""
    energy_kgce: float | None
    """Comprehensive energy (综合能耗): Σ Eᵢ·kᵢ − Σ exportedⱼ·kⱼ."""
    energy_known: float
    """Share of the hour that every energy meter knows."""
    water_in_m3: float | None
    water_out_m3: float | None
    water_reused_m3: float | None
    water_known: float
    """Share of the hour that every intake meter knows."""
    production: float | None
    """In the site's product unit."""
    production_known: float
    coverage: Real
    quality: Quality
    reference_version: str


class PlantDay(NamedTuple):
    """The hours of a local day (Asia/Shanghai) that begins at `ts`, summed; and the sums its ratios are taken of."""

    site_id: str
    line_id: str
    ts: Moment
    energy_kwh: float | None
    electricity_kgce: float | None
    gas_kgce: float | None
    heat_kgce: float | None
    fuel_kgce: float | None
    water_kgce: float | None
    exported_kgce: float | None
    energy_kgce: float | None
    water_in_m3: float | None
    water_out_m3: float | None
    water_reused_m3: float | None
    production: float | None
    energy_hours: int
    """Hours of which energy and production are both known in full; the next four are their sums."""
    ratio_energy_kgce: float
    ratio_energy_kwh: float
    ratio_fuel_kgce: float
    ratio_production: float
    water_hours: int
    """Hours of which intake and production are both known in full; the next four are their sums."""
    ratio_water_m3: float
    ratio_water_production: float
    water_production_squared: float
    """ΣP² over those hours; with the next one, what a fit of intake on production is made of."""
    water_times_production: float
    """ΣV·P"""
    unit_energy_kgce: float | None
    """Per product unit: ratio_energy_kgce / ratio_production."""
    unit_water_m3: float | None
    reuse_rate_pct: float | None
    coverage: Real
    quality: Quality
    reference_version: str


class PlantRolling(NamedTuple):
    """Rolling figures of a product line, held against its limits: ratios of sums over the window that ends at `ts`.

    1, 8 and 24 h end with every hour; 168 h (7 d) and 720 h (30 d) are whole local days and end with each day. The
    newest window still grows.
    """

    site_id: str
    line_id: str
    window_h: int
    ts: Moment
    """End of the window, ms."""
    energy_kgce: float | None
    production: float | None
    """Both over all known hours."""
    unit_energy_kgce: float | None
    """Unit-product energy (单位产品综合能耗), kgce per product unit (gce/kWh of a power plant)."""
    unit_electricity_kwh: float | None
    """Electricity per product unit, kWh."""
    limit_level_1: float | None
    limit_level_2: float | None
    limit_level_3: float | None
    """The line's energy limits after corrections, in the limit's own unit."""
    gap_to_limit_pct: float | None
    """(e − L3)/|L3|, windows of 24 h and 30 d; positive is worse."""
    gap_to_leader_pct: float | None
    leader_is_level_1: bool | None
    """No leader value is published: level 1 stands in its place."""
    grade: int | None
    """1 advanced, 2 admission, 3 limit, 0 worse than the limit; windows of 30 d."""
    water_in_m3: float | None
    unit_water_m3: float | None
    """Intake per product (单位产品取水量), m³ per product unit."""
    gap_to_quota_pct: float | None
    """Against the general quota; positive is worse."""
    gap_to_advanced_quota_pct: float | None
    reuse_rate_pct: float | None
    """V_reused / (V_in + V_reused)."""
    coverage: Real
    """Share of the window's hours of which energy and production are both known in full."""
    quality: Quality
    reference_version: str


class WaterDay(NamedTuple):
    """A site's water balance over a local day that begins at `ts`."""

    site_id: str
    ts: Moment
    intake_m3: float | None
    sub_meters_m3: float | None
    storage_m3: float | None
    """Into tanks less out of them."""
    outflow_m3: float | None
    residual_m3: float | None
    """V_in − ΣV_sub − ΔStorage − V_out; None unless every meter knows the whole day."""
    tolerance_m3: float | None
    """2·√Σ(εᵢ·Vᵢ)²."""
    exceeds: bool | None
    """The residual is greater than its tolerance."""
    leak_suspected: bool | None
    """It is so on this day and the day before."""
    coverage: Real
    quality: Quality
    reference_version: str


class BalanceDay(NamedTuple):
    """A site's balance of electricity, steam or a gas over a local day that begins at `ts`."""

    site_id: str
    medium: str
    """Carrier, or the kind of meter where none is registered."""
    ts: Moment
    unit: str
    """Of all amounts, as in the register's name: kwh, m3 or t."""
    intake: float | None
    sub_meters: float | None
    outflow: float | None
    residual: float | None
    """Intake less outflow and sub-meters; None unless every meter knows the whole day."""
    tolerance: float | None
    """2·√Σ(εᵢ·Vᵢ)²."""
    meters: Json
    """By device: the sign it enters the residual with, and its amount."""
    coverage: Real
    quality: Quality
    reference_version: str


class NightMethod(StrEnum):
    """How a minimum night flow was come to."""

    PLAIN = "plain"
    """The site makes nothing that is measured, or stood still: lowest mean of four consecutive quarters."""
    IDLE = "idle"
    """Of quarters with production at or below the line's idle output."""
    REGRESSION = "regression"
    """The plant ran all night: lowest mean residual of a regression of intake on production."""


class NightFlow(NamedTuple):
    """Minimum night flow of a water meter, or of the site's whole intake, on the local day that begins at `ts`."""

    site_id: str
    meter_id: str
    """Device, or empty: the sum of all intake meters less those that export."""
    ts: Moment
    night_flow_m3_h: float | None
    """Lowest mean of four consecutive quarters between 02:00 and 05:00; of a regression, above what was expected."""
    method: NightMethod
    volume_m3: float | None
    """Of the whole day; None unless all 96 quarters are known."""
    points: int
    """Quarters of the day known by measurement, of 96; fewer than 92 give no night flow."""
    coverage: Real
    quality: Quality
    reference_version: str

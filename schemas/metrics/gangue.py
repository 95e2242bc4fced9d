"""Rows derived for coal-gangue power units (煤矸石机组)."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from schemas.metrics.common import Moment, Quality, Real


class FuelAssay(NamedTuple):
    """A laboratory's result for one fuel; it holds for what was burnt from `ts` to `until`."""

    device_id: str
    """The laboratory."""
    fuel: str
    ts: Moment
    """Begin of sampling, ms."""
    site_id: str
    until_ts: Moment
    released_ts: Moment
    """When the laboratory gave it out; of two results for one time the later released stands, of two released
    together the one of the shorter sample."""
    lhv_mj_kg: float | None
    ash_pct: float | None
    """As received."""
    sulphur_pct: float | None
    moisture_pct: float | None


class WindowSpan(StrEnum):
    """Over what a unit's sums are taken."""

    HOUR = "hour"
    DAY = "day"
    """A local day (Asia/Shanghai)."""


class GangueSum(NamedTuple):
    """What a unit generated, used and burnt within an hour or a local day that begins at `ts`."""

    device_id: str
    span: WindowSpan
    ts: Moment
    site_id: str
    generated_mwh: float | None
    auxiliary_mwh: float | None
    heat_export_gj: float | None
    gangue_t: float | None
    slime_t: float | None
    coal_t: float | None
    fuel_heat_gj: float | None
    """Σ Bₖ·LHVₖ; None where a fuel's mass is not known."""
    ash_t: float | None
    """Σ Bₖ·A_ar."""
    fly_ash_t: float | None
    bed_ash_t: float | None
    gypsum_t: float | None
    """Σ Bₖ·S_ar·η_S·5.375/purity."""
    laboratory_share: float
    """Share of the fuel mass that laboratory values cover; for the rest an earlier or the registered one stands in."""
    known: float
    """Share of the span that every register of the unit knows."""
    coverage: Real
    quality: Quality
    """`estimated` until the laboratory covers all of it."""
    reference_version: str


class UnitWindow(StrEnum):
    """Windows of a unit's figures."""

    QUARTER = "quarter"
    """15 minutes; its ratios are None unless the load was steady."""
    HOUR = "hour"
    DAY = "day"
    """24 hours; ends with every hour."""
    MONTH = "month"
    """A calendar month, local time; grows until it is over."""


class GangueWindow(NamedTuple):
    """Figures of a unit over a window: ratios of sums, exported heat subtracted first."""

    device_id: str
    span: UnitWindow
    ts: Moment
    """End of the window; of a month its beginning, ms."""
    site_id: str
    from_ts: Moment
    generated_mwh: float | None
    supplied_mwh: float | None
    """Generated less auxiliary."""
    fuel_heat_gj: float | None
    """Of the fuel, less exported heat."""
    gross_heat_rate_kj_kwh: float | None
    net_heat_rate_kj_kwh: float | None
    gross_coal_rate_gce_kwh: float | None
    """发电标准煤耗"""
    net_coal_rate_gce_kwh: float | None
    """供电标准煤耗"""
    net_coal_rate_check_gce_kwh: float | None
    """b_gross/(1 − r_aux): the self-check."""
    station_service_pct: float | None
    """厂用电率"""
    net_efficiency_pct: float | None
    capacity_factor_pct: float | None
    equivalent_h: float | None
    """利用小时: capacity factor × 8760 h."""
    gangue_rate_kg_kwh: float | None
    gangue_share_pct: float | None
    gangue_t: float | None
    fuel_t: float | None
    ash_t: float | None
    fly_ash_t: float | None
    bed_ash_t: float | None
    gypsum_t: float | None
    laboratory_share: float
    coverage: Real
    quality: Quality
    reference_version: str

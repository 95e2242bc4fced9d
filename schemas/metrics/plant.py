"""Rows derived for a whole plant."""

from __future__ import annotations

from typing import NamedTuple

from schemas.metrics.common import Moment, Quality, Real


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

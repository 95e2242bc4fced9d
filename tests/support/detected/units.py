"""Rows of a power unit, and readings of a meter with three phases."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from schemas.arrival import Arrival
from schemas.metrics import GangueWindow, Quality
from schemas.metrics.gangue import UnitWindow
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device, Sector, Site
from schemas.time import DAY_MS, UTC_OFFSET_MS
from streams.kernels.detection.phases import PhaseLoss
from streams.kernels.detection.reference import detection
from streams.kernels.detection.unit_drift import UnitDrift

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from schemas.metrics import Row

HOUR_MS = 3_600_000

T0 = 20_600 * DAY_MS - UTC_OFFSET_MS
"""A local midnight."""

SITE = Site(site_id="p", name="Plant", name_zh="厂", sector=Sector.CEMENT, city="长治")

UNIT = Device(device_id="u", site_id="p", kind=Kind.GANGUE_UNIT, rated=300)

METER = Device(device_id="e", site_id="p", kind=Kind.ELECTRICITY, rated=1000)


DRIFT = UnitDrift(detection().heat_rate, detection().capacity_factor, "test")
PHASES = PhaseLoss(detection().phase_loss, "test")


def blank(row_type: Callable[..., Any], **values: object) -> Any:  # noqa: ANN401 - a row of that type
    """A row of which nothing else is known."""
    fields: dict[str, object] = dict.fromkeys(row_type._fields)  # type: ignore[attr-defined]
    known = {name: value for name, value in {"coverage": 1.0, "quality": Quality.GOOD}.items() if name in fields}
    return row_type(**(fields | known | values))


def unit_hours(
    hours: int, *, worse: float = 0.0, from_hour: int = 10**6, laboratory: float = 1.0, seed: int = 4
) -> list[Row]:
    """Hours of a 300 MW unit at changing load, with 1.5 % noise."""
    rng, load = random.Random(seed), 0.6
    rows: list[Row] = []
    for at in range(hours):
        load = rng.uniform(0.45, 0.8) if at % 6 == 0 else load
        supplied = 300 * load * 0.91
        heat = (180 + 8.6 * supplied) * (1 + worse * (at >= from_hour)) * (1 + rng.gauss(0, 0.015))
        common = {"device_id": "u", "site_id": "p", "ts": T0 + (at + 1) * HOUR_MS, "laboratory_share": laboratory}
        rows.append(blank(GangueWindow, span=UnitWindow.HOUR, supplied_mwh=supplied, fuel_heat_gj=heat, **common))
    return rows


def unit_days(factors: Sequence[float]) -> list[Row]:
    """Local days of a unit by their capacity factor, %."""
    return [
        blank(
            GangueWindow,
            device_id="u", site_id="p", span=UnitWindow.DAY, ts=T0 + (day + 1) * DAY_MS, laboratory_share=1.0,
            capacity_factor_pct=factor, generated_mwh=72 * factor,
        )
        for day, factor in enumerate(factors)
    ]  # fmt: skip


def phases(volts: list[float] | None, amperes: list[float] | None = None, kw: float = 500.0) -> list[Arrival]:
    """Six readings of an energy meter."""
    return [
        Arrival(
            "e", 0,
            ElectricityReading.model_construct(
                ts=T0 + at * 60_000, voltage_v=volts, current_a=amperes, power_kw=kw, energy_import_kwh=None
            ),
        )
        for at in range(6)
    ]  # fmt: skip

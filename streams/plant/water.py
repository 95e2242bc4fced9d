"""Water of a site: the day's balance against the tolerance of its meters, and a leak that shows on two days running."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import QUARTER_MS, MeterQuarter, Quality, WaterDay
from schemas.readings import Kind
from schemas.registry import Role
from streams.kernel import Replaced, Want
from streams.plant.calendar import DAY_MS, day_of
from streams.plant.days import sum_known
from streams.plant.quarters import over, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row
    from schemas.reference import Reference
    from schemas.registry import Device, Site
    from streams.kernel import Changed, Found

QUARTERS = DAY_MS // QUARTER_MS
INFLOW = {Role.CONSUMED: 1.0, Role.DRAWN: 1.0, Role.EXPORTED: -1.0, Role.STORED: -1.0}
"""Sign with which a water meter enters what the site takes in net of what leaves it and what its tanks take up."""


class Volume(NamedTuple):
    """What a water meter counted within a local day."""

    meter: Device
    volume_m3: float | None
    """None where nothing is known."""
    known: float
    coverage: float
    estimated: bool


def water_meters(devices: Sequence[Device]) -> list[Device]:
    """Water meters of a site, whatever they measure."""
    return [device for device in devices if device.kind is Kind.WATER]


class WaterDays:
    """View over quarters of water meters: balances of the days that hold a changed one, and of those after them."""

    name = "water_days"
    inputs: frozenset[type[Row]] = frozenset({MeterQuarter})

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def wants(self, _site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """All quarters of the site's water meters from the day before the touched ones to the day after."""
        meters = [meter.device_id for meter in water_meters(devices)]
        days = {day_of(row.ts) for row in whole(changed[MeterQuarter], meters)}
        return [Want(MeterQuarter, meters, min(days) - DAY_MS, max(days) + 2 * DAY_MS)] if days else []

    def rows(self, site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Balance the touched days and those after them."""
        meters = water_meters(devices)
        names = {meter.device_id for meter in meters}
        quarters: dict[tuple[int, str], list[MeterQuarter]] = {}
        for row in whole(found.get(MeterQuarter, ()), names):
            quarters.setdefault((day_of(row.ts), row.device_id), []).append(row)
        touched = {day_of(row.ts) for row in whole(changed[MeterQuarter], names)}
        present = {day for day, _ in quarters}
        given: list[Row] = []
        for day in sorted({day + at for day in touched for at in (0, DAY_MS)} & present):
            before, now = (
                [_volume(meter, quarters.get((at, meter.device_id), ())) for meter in meters]
                for at in (day - DAY_MS, day)
            )
            yesterday = self._balance(site, day - DAY_MS, before)
            today = self._balance(site, day, now)
            both = None if yesterday.exceeds is None or today.exceeds is None else yesterday.exceeds and today.exceeds
            given.append(today._replace(leak_suspected=both))
        return Replaced(given)

    def _balance(self, site: Site, day: int, volumes: Sequence[Volume]) -> WaterDay:
        default = self._reference.setting("water_meter_error")
        counted = [each for each in volumes if each.meter.role is not Role.REUSED]
        sums = {
            role: sum_known(each.volume_m3 for each in counted if each.meter.role is role)
            for role in (Role.CONSUMED, Role.INTERNAL, Role.EXPORTED, Role.STORED, Role.DRAWN)
        }
        least = self._reference.setting("whole_hour")
        closes = (
            all(each.known >= least and each.volume_m3 is not None for each in counted)
            and sums[Role.CONSUMED] is not None
            and sums[Role.INTERNAL] is not None
        )
        storage = None
        if sums[Role.STORED] is not None or sums[Role.DRAWN] is not None:
            storage = (sums[Role.STORED] or 0.0) - (sums[Role.DRAWN] or 0.0)
        residual = tolerance = None
        if closes:
            net = math.fsum(INFLOW.get(each.meter.role, 0.0) * (each.volume_m3 or 0.0) for each in counted)
            residual = net - (sums[Role.INTERNAL] or 0.0)
            squares = ((each.meter.accuracy or default) * (each.volume_m3 or 0.0) for each in counted)
            tolerance = 2 * math.sqrt(math.fsum(error * error for error in squares))
        coverage = math.fsum(each.coverage for each in counted) / len(counted) if counted else 0.0
        return WaterDay(
            site.site_id,
            day,
            intake_m3=sums[Role.CONSUMED],
            sub_meters_m3=sums[Role.INTERNAL],
            storage_m3=storage,
            outflow_m3=sums[Role.EXPORTED],
            residual_m3=residual,
            tolerance_m3=tolerance,
            exceeds=None if residual is None or tolerance is None else residual > tolerance,
            leak_suspected=None,
            coverage=coverage,
            quality=over(coverage, estimated=any(each.estimated for each in counted)),
            reference_version=self._reference.version,
        )


def _volume(meter: Device, quarters: Sequence[MeterQuarter]) -> Volume:
    return Volume(
        meter,
        sum_known(row.increment for row in quarters),
        math.fsum(row.known for row in quarters) / QUARTERS,
        math.fsum(row.coverage for row in quarters) / QUARTERS,
        any(row.quality is Quality.ESTIMATED for row in quarters),
    )

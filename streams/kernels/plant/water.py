"""Water of a site: the day's balance against the tolerance of its meters, and a leak that shows on two days running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.metrics import MeterQuarter, WaterDay
from schemas.readings import Kind
from schemas.registry import Role
from schemas.time import DAY_MS, day_of
from streams.kernels.contract import Replaced, SiteRows, Want
from streams.kernels.plant.balance import balanced, by_day, passed
from streams.kernels.plant.quarters import over, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row
    from schemas.reference import Reference
    from schemas.registry import Device, Site
    from streams.kernels.contract import Changed, Found
    from streams.kernels.plant.balance import Passed

VOLUME = {"volume_m3": 1.0}


def water_meters(devices: Sequence[Device]) -> list[Device]:
    """Water meters of a site, whatever they measure."""
    return [device for device in devices if device.kind is Kind.WATER]


class WaterDays(SiteRows):
    """View over quarters of water meters: balances of the days that hold a changed one, and of those after them."""

    name = "water_days"
    inputs: frozenset[type[Row]] = frozenset({MeterQuarter})
    gives: type[Row] = WaterDay

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
        quarters = by_day(found.get(MeterQuarter, ()), names)
        touched = {day_of(row.ts) for row in whole(changed[MeterQuarter], names)}
        present = {day for day, _ in quarters}
        given: list[Row] = []
        for day in sorted({day + at for day in touched for at in (0, DAY_MS)} & present):
            before, now = (
                [passed(meter, VOLUME, quarters.get((at, meter.device_id), ())) for meter in meters]
                for at in (day - DAY_MS, day)
            )
            yesterday = self._balance(site, day - DAY_MS, before)
            today = self._balance(site, day, now)
            both = None if yesterday.exceeds is None or today.exceeds is None else yesterday.exceeds and today.exceeds
            given.append(today._replace(leak_suspected=both))
        gone = sorted(touched - present)
        return Replaced(given, [Want(WaterDay, [site.site_id], day, day + 1) for day in gone])

    def _balance(self, site: Site, day: int, volumes: Sequence[Passed]) -> WaterDay:
        reference = self._reference
        found = balanced(volumes, error=reference.setting("water_meter_error"), least=reference.setting("whole_hour"))
        sums, residual, tolerance = found.sums, found.residual, found.tolerance
        storage = None
        if sums[Role.STORED] is not None or sums[Role.DRAWN] is not None:
            storage = (sums[Role.STORED] or 0.0) - (sums[Role.DRAWN] or 0.0)
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
            coverage=found.coverage,
            quality=over(found.coverage, estimated=found.estimated),
            reference_version=reference.version,
        )

"""Days of electricity, steam and gas: what a site takes in, less what its sub-meters and its exports account for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson

from schemas.kinds import described, unit_of
from schemas.metrics import BalanceDay, MeterQuarter
from schemas.readings import Kind
from schemas.registry import Role
from schemas.time import DAY_MS, day_of
from streams.kernels.contract import Replaced, SiteRows, Want
from streams.kernels.plant.balance import INFLOW, balanced, by_day, passed
from streams.kernels.plant.quarters import over, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.metrics import Row
    from schemas.reference import Reference
    from schemas.registry import Device, Site
    from streams.kernels.contract import Changed, Found


class BalancedMedium(NamedTuple):
    """What is balanced, with all meters of it."""

    name: str
    kind: Kind
    meters: tuple[Device, ...]


def media(devices: Sequence[Device]) -> list[BalancedMedium]:
    """Media of a site that have a meter at its boundary and one below; not electricity of a site that generates it."""
    generates = any(device.kind is Kind.GANGUE_UNIT for device in devices)
    by_name: dict[tuple[Kind, str], list[Device]] = {}
    for device in devices:
        if described(device.kind).balanced and (device.role in INFLOW or device.role is Role.INTERNAL):
            by_name.setdefault((device.kind, device.carrier or device.kind.value), []).append(device)
    return [
        BalancedMedium(name, kind, tuple(meters))
        for (kind, name), meters in sorted(by_name.items())
        if {Role.CONSUMED, Role.INTERNAL} <= {meter.role for meter in meters}
        and not (generates and kind is Kind.ELECTRICITY)
    ]


class BalanceDays(SiteRows):
    """View over quarters of meters of energy: balances of the days that hold a changed one."""

    name = "balance_days"
    inputs: frozenset[type[Row]] = frozenset({MeterQuarter})
    gives: type[Row] = BalanceDay

    def __init__(self, reference: Reference, error: float) -> None:
        """`error`: relative error of a meter whose accuracy is not registered."""
        self._reference, self._error = reference, error

    def wants(self, _site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """All quarters of the touched days."""
        found = [(medium, self._days(medium, changed)) for medium in media(devices)]
        return [
            Want(MeterQuarter, [meter.device_id for meter in medium.meters], min(days), max(days) + DAY_MS)
            for medium, days in found
            if days
        ]

    @staticmethod
    def _days(medium: BalancedMedium, changed: Changed) -> set[int]:
        names = {meter.device_id for meter in medium.meters}
        return {
            day_of(row.ts)
            for row in whole(changed.get(MeterQuarter, ()), names)
            if row.quantity in described(medium.kind).balanced
        }

    def rows(self, site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Balance the touched days of every medium."""
        given: list[Row] = []
        cleared: list[Want] = []
        for medium in media(devices):
            days = self._days(medium, changed)
            if not days:
                continue
            names = {meter.device_id for meter in medium.meters}
            quarters = by_day(found.get(MeterQuarter, ()), names)
            registers = described(medium.kind).balanced
            present = days & {
                day for (day, _), own in quarters.items() if any(row.quantity in registers for row in own)
            }
            given += [self._balance(site, day, medium, quarters) for day in sorted(present)]
            cleared += [Want(BalanceDay, [site.site_id], day, day + 1, medium.name) for day in sorted(days - present)]
        return Replaced(given, cleared)

    def _balance(
        self, site: Site, day: int, medium: BalancedMedium, quarters: Mapping[tuple[int, str], Sequence[MeterQuarter]]
    ) -> BalanceDay:
        registers = described(medium.kind).balanced
        own = [passed(meter, registers, quarters.get((day, meter.device_id), ())) for meter in medium.meters]
        found = balanced(own, error=self._error, least=self._reference.setting("whole_hour"))
        amounts = {each.meter.device_id: [INFLOW.get(each.meter.role, -1.0), each.amount] for each in own}
        return BalanceDay(
            site.site_id,
            medium.name,
            day,
            unit_of(next(iter(registers))),
            intake=found.sums[Role.CONSUMED],
            sub_meters=found.sums[Role.INTERNAL],
            outflow=found.sums[Role.EXPORTED],
            residual=found.residual,
            tolerance=found.tolerance,
            meters=orjson.dumps(amounts, option=orjson.OPT_SORT_KEYS).decode(),
            coverage=found.coverage,
            quality=over(found.coverage, estimated=found.estimated),
            reference_version=self._reference.version,
        )

"""Hours of a plant and of each product line: sums of energy by carrier, of water and of product. Never averages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.kinds import Medium, described
from schemas.metrics import GangueSum, MeterQuarter, PlantHour, Quality
from schemas.metrics.gangue import WindowSpan
from schemas.readings import Kind
from schemas.registry import Role
from schemas.time import HOUR_MS, QUARTER_MS, hour_of
from streams.kernels.contract import Replaced, SiteRows, Want
from streams.kernels.plant.boundary import KGCE_PER_MJ, Total, boundary_meters, contributions
from streams.kernels.plant.lines import meters_of
from streams.kernels.plant.quarters import lost, over, whole

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from schemas.metrics import Row
    from schemas.reference import Reference
    from schemas.registry import Device, ProductLine, Site
    from streams.kernels.contract import Changed, Found
    from streams.kernels.plant.boundary import Contribution

QUARTERS = HOUR_MS // QUARTER_MS


class _Part(NamedTuple):
    """One meter's part in an hour of a line."""

    device: Device
    sums: dict[Total, float]
    """What is known of each total; absent: nothing."""
    imports_kgce: float
    exports_kgce: float
    known: float
    coverage: float
    estimated: bool


class PlantHours(SiteRows):
    """View over meter quarters: the hours that hold a changed one, of every product line of the site."""

    name = "plant_hours"
    inputs: frozenset[type[Row]] = frozenset({MeterQuarter, GangueSum})
    gives: type[Row] = PlantHour

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._factors = reference.energy_factors

    def wants(self, _site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """All quarters and unit hours of the site's counting meters within the touched hours."""
        meters = counting(devices)
        hours = _touched(meters, changed)
        if not hours:
            return []
        reach = (min(hours), max(hours) + HOUR_MS)
        units = [meter.device_id for meter in meters if meter.kind is Kind.GANGUE_UNIT]
        wants = [Want(MeterQuarter, [meter.device_id for meter in meters], *reach)]
        return [*wants, Want(GangueSum, units, *reach)] if units else wants

    def rows(self, site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Sum the touched hours."""
        meters = counting(devices)
        quarters: dict[tuple[str, int], list[MeterQuarter]] = {}
        for row in whole(found.get(MeterQuarter, ()), {meter.device_id for meter in meters}):
            quarters.setdefault((row.device_id, hour_of(row.ts)), []).append(row)
        burnt = {
            (row.device_id, row.ts): row
            for row in found.get(GangueSum, ())
            if isinstance(row, GangueSum) and row.span is WindowSpan.HOUR
        }
        parts = {meter.device_id: contributions(meter, self._factors) for meter in meters}
        given: list[Row] = []
        for hour in sorted(_touched(meters, changed)):
            for line in site.lines:
                members = meters_of(line, meters)
                if not any((meter.device_id, hour) in quarters for meter in members):
                    continue
                own = [
                    _part(
                        meter,
                        parts[meter.device_id],
                        quarters.get((meter.device_id, hour), ()),
                        burnt.get((meter.device_id, hour)),
                    )
                    for meter in members
                ]
                unknown = {part.total for meter in members for part in parts[meter.device_id] if part.factor is None}
                given.append(_hour(site, line, hour, own, missing=unknown, version=self._reference.version))
        names = {meter.device_id for meter in meters}
        gone = {hour_of(row.ts) for row in lost(changed.get(MeterQuarter, ()), found.get(MeterQuarter, ()), names)}
        return Replaced(given, [Want(PlantHour, [site.site_id], hour, hour + HOUR_MS) for hour in sorted(gone)])


def counting(devices: Sequence[Device]) -> list[Device]:
    """Meters that a plant's hours are made of: those at its boundary, of its product, and of water used again."""
    reused = [device for device in devices if device.role is Role.REUSED and device.kind is Kind.WATER]
    return [*boundary_meters(devices), *reused]


def _touched(meters: Sequence[Device], changed: Changed) -> set[int]:
    names = {meter.device_id for meter in meters}
    burnt = {row.ts for row in changed.get(GangueSum, ()) if isinstance(row, GangueSum) and row.span is WindowSpan.HOUR}
    return burnt | {hour_of(row.ts) for row in whole(changed.get(MeterQuarter, ()), names)}


def _part(
    device: Device, parts: Sequence[Contribution], quarters: Sequence[MeterQuarter], burnt: GangueSum | None
) -> _Part:
    """What one meter adds to its line in one hour."""
    sums: dict[Total, float] = {}
    known: list[float] = []
    covered: list[float] = []
    imports = exports = 0.0
    estimated = burnt is not None and burnt.quality is Quality.ESTIMATED
    by_quantity: dict[str, list[MeterQuarter]] = {}
    for row in quarters:
        by_quantity.setdefault(row.quantity, []).append(row)
    for quantity in dict.fromkeys(part.quantity for part in parts):
        rows = by_quantity.get(quantity)
        if rows is None:
            continue  # a register this meter does not have
        known.append(math.fsum(row.known for row in rows) / QUARTERS)
        covered.append(math.fsum(row.coverage for row in rows) / QUARTERS)
        estimated |= any(row.quality is Quality.ESTIMATED for row in rows)
        counted = [row.increment for row in rows if row.increment is not None]
        if not counted:
            continue
        for part in parts:
            if part.quantity != quantity or part.factor is None or (burnt and quantity in device.lhv_mj_kg):
                continue
            value = part.factor * math.fsum(counted)
            sums[part.total] = sums.get(part.total, 0.0) + value
            if part.total is Total.COAL_EQUIVALENT:
                imports, exports = imports + max(value, 0.0), exports - min(value, 0.0)
    if burnt is not None and burnt.fuel_heat_gj is not None:
        fuel = 1000 * burnt.fuel_heat_gj * KGCE_PER_MJ
        sums[Total.COAL_EQUIVALENT] = sums.get(Total.COAL_EQUIVALENT, 0.0) + fuel
        imports += fuel
    share = min(known, default=0.0)
    coverage = math.fsum(covered) / len(covered) if covered else 0.0
    return _Part(device, sums, imports, exports, share, coverage, estimated)


def _hour(
    site: Site, line: ProductLine, hour: int, parts: Sequence[_Part], *, missing: Container[Total], version: str
) -> PlantHour:
    counted = [part for part in parts if part.device.role is not Role.REUSED]

    def total(which: Total) -> float | None:
        values = [part.sums[which] for part in counted if which in part.sums]
        return math.fsum(values) if values and which not in missing else None

    def imports(medium: Medium) -> float | None:
        values = [
            part.imports_kgce
            for part in counted
            if described(part.device.kind).medium is medium and Total.COAL_EQUIVALENT in part.sums
        ]
        return math.fsum(values) if values else None

    def known(which: Total) -> float:
        shares = [part.known for part in parts if _adds_to(part.device, which)]
        return 0.0 if which in missing else min(shares, default=0.0)

    def water(role: Role) -> float | None:
        values = [
            abs(part.sums[Total.WATER_M3]) for part in parts if part.device.role is role and Total.WATER_M3 in part.sums
        ]
        return math.fsum(values) if values else None

    exported = [part.exports_kgce for part in counted if Total.COAL_EQUIVALENT in part.sums]
    coverage = math.fsum(part.coverage for part in parts) / len(parts)
    return PlantHour(
        site.site_id,
        line.line_id,
        hour,
        energy_kwh=total(Total.ELECTRICITY_KWH),
        electricity_kgce=imports(Medium.ELECTRICITY),
        gas_kgce=imports(Medium.GAS),
        heat_kgce=imports(Medium.HEAT),
        fuel_kgce=imports(Medium.FUEL),
        water_kgce=imports(Medium.WATER),
        exported_kgce=math.fsum(exported) if exported else None,
        energy_kgce=total(Total.COAL_EQUIVALENT),
        energy_known=known(Total.COAL_EQUIVALENT),
        water_in_m3=water(Role.CONSUMED),
        water_out_m3=water(Role.EXPORTED),
        water_reused_m3=water(Role.REUSED),
        water_known=known(Total.WATER_M3),
        production=total(Total.PRODUCTION),
        production_known=known(Total.PRODUCTION),
        coverage=coverage,
        quality=over(coverage, estimated=any(part.estimated for part in parts)),
        reference_version=version,
    )


def _adds_to(device: Device, total: Total) -> bool:
    """Whether a total is not whole without this meter."""
    match total:
        case Total.PRODUCTION:
            return device.role is Role.PRODUCT or device.kind is Kind.GANGUE_UNIT
        case Total.WATER_M3:
            return device.kind is Kind.WATER and device.role is Role.CONSUMED
        case Total.ELECTRICITY_KWH:
            return device.kind is Kind.ELECTRICITY
        case Total.COAL_EQUIVALENT:
            return device.role in {Role.CONSUMED, Role.EXPORTED}

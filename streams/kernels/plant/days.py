"""Local days of a plant, and its rolling windows held against limits and quotas: ratios of sums, never means of ratios.

Energy and production enter a ratio from the same hours only: those of which both are known in full. So a meter that
was silent for an hour makes a window's ratio rest on one hour less, and never looks like a saving.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, assert_never

from schemas.metrics import PlantDay, PlantHour, PlantRolling, Quality
from schemas.reference import Level, Limited
from schemas.time import DAY_MS, HOUR_MS, day_of
from streams.kernels.contract import Replaced, SiteRows, Want
from streams.kernels.plant.limits import corrected, gap_pct, grade
from streams.kernels.plant.quarters import over

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.metrics import Row
    from schemas.reference import EnergyLimit, Reference
    from schemas.registry import Device, ProductLine, Site
    from streams.kernels.contract import Changed, Found

HOURLY_H = (1, 8, 24)
"""Windows that end with every hour."""
DAILY_D = (7, 30)
"""Windows of whole local days."""
GAP_H = (24, 720)
GRADE_H = 720


class Sums(NamedTuple):
    """What hours and days of a line add up to; the ratio sums only over hours known in full."""

    hours: float
    """Hours backed by good readings."""
    energy_hours: int
    ratio_energy_kgce: float
    ratio_energy_kwh: float
    ratio_fuel_kgce: float
    ratio_production: float
    water_hours: int
    ratio_water_m3: float
    ratio_water_production: float
    water_production_squared: float
    water_times_production: float
    energy_kgce: float | None
    production: float | None
    water_in_m3: float | None
    water_reused_m3: float | None
    estimated: bool


def of_hour(row: PlantHour, whole: float) -> Sums:
    """One hour; it enters a ratio if `whole` of it is known of both sides."""
    made = row.production if row.production_known >= whole else None
    energy = row.energy_kgce if row.energy_known >= whole and made is not None else None
    water = row.water_in_m3 if row.water_known >= whole and made is not None else None
    return Sums(
        row.coverage,
        int(energy is not None),
        energy or 0.0,
        (row.energy_kwh or 0.0) if energy is not None else 0.0,
        (row.fuel_kgce or 0.0) if energy is not None else 0.0,
        (made or 0.0) if energy is not None else 0.0,
        int(water is not None),
        water or 0.0,
        (made or 0.0) if water is not None else 0.0,
        (made or 0.0) ** 2 if water is not None else 0.0,
        (made or 0.0) * (water or 0.0),
        row.energy_kgce,
        row.production,
        row.water_in_m3,
        row.water_reused_m3,
        row.quality is Quality.ESTIMATED,
    )


def of_day(row: PlantDay) -> Sums:
    """One day, whose ratio sums stand in the row."""
    return Sums(
        24 * row.coverage,
        row.energy_hours,
        row.ratio_energy_kgce,
        row.ratio_energy_kwh,
        row.ratio_fuel_kgce,
        row.ratio_production,
        row.water_hours,
        row.ratio_water_m3,
        row.ratio_water_production,
        row.water_production_squared,
        row.water_times_production,
        row.energy_kgce,
        row.production,
        row.water_in_m3,
        row.water_reused_m3,
        row.quality is Quality.ESTIMATED,
    )


def add(parts: Sequence[Sums]) -> Sums:
    """Sum up, exactly: in whatever order the parts come."""
    return Sums(
        math.fsum(part.hours for part in parts),
        sum(part.energy_hours for part in parts),
        math.fsum(part.ratio_energy_kgce for part in parts),
        math.fsum(part.ratio_energy_kwh for part in parts),
        math.fsum(part.ratio_fuel_kgce for part in parts),
        math.fsum(part.ratio_production for part in parts),
        sum(part.water_hours for part in parts),
        math.fsum(part.ratio_water_m3 for part in parts),
        math.fsum(part.ratio_water_production for part in parts),
        math.fsum(part.water_production_squared for part in parts),
        math.fsum(part.water_times_production for part in parts),
        sum_known(part.energy_kgce for part in parts),
        sum_known(part.production for part in parts),
        sum_known(part.water_in_m3 for part in parts),
        sum_known(part.water_reused_m3 for part in parts),
        any(part.estimated for part in parts),
    )


def sum_known(values: Iterable[float | None]) -> float | None:
    """Sum of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return math.fsum(known) if known else None


def reuse_rate_pct(sums: Sums) -> float | None:
    """V_reused / (V_in + V_reused), per cent (重复利用率)."""
    if sums.water_in_m3 is None or sums.water_reused_m3 is None:
        return None
    total = sums.water_in_m3 + sums.water_reused_m3
    return 100 * sums.water_reused_m3 / total if total > 0 else None


class _Ratios(NamedTuple):
    energy_kgce: float | None
    electricity_kwh: float | None
    fuel_kgce: float | None
    water_m3: float | None


class PlantDays(SiteRows):
    """View over plant hours: local days, as sums and as ratios."""

    name = "plant_days"
    inputs: frozenset[type[Row]] = frozenset({PlantHour})
    gives: type[Row] = PlantDay

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def wants(self, site: Site, _devices: Sequence[Device], changed: Changed) -> list[Want]:
        """All hours of the touched days."""
        days = [day_of(row.ts) for row in changed[PlantHour]]
        return [Want(PlantHour, [site.site_id], min(days), max(days) + DAY_MS)]

    def rows(self, site: Site, _devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Sum the touched days of every line."""
        touched = {(row[1], day_of(row.ts)) for row in changed[PlantHour]}
        hours: dict[tuple[str, int], list[PlantHour]] = {}
        for row in found[PlantHour]:
            assert isinstance(row, PlantHour)  # noqa: S101 - by type
            key = (row.line_id, day_of(row.ts))
            if key in touched:
                hours.setdefault(key, []).append(row)
        gone = [Want(PlantDay, [site.site_id], day, day + 1, line) for line, day in sorted(touched - hours.keys())]
        return Replaced([self._day(site, *key, own) for key, own in hours.items()], gone)

    def _day(self, site: Site, line_id: str, day: int, hours: Sequence[PlantHour]) -> PlantDay:
        sums = add([of_hour(row, self._reference.setting("whole_hour")) for row in hours])
        ratios = ratios_of(self._reference, sums, 24)
        coverage = sums.hours / 24
        return PlantDay(
            site.site_id,
            line_id,
            day,
            energy_kwh=sum_known(row.energy_kwh for row in hours),
            electricity_kgce=sum_known(row.electricity_kgce for row in hours),
            gas_kgce=sum_known(row.gas_kgce for row in hours),
            heat_kgce=sum_known(row.heat_kgce for row in hours),
            fuel_kgce=sum_known(row.fuel_kgce for row in hours),
            water_kgce=sum_known(row.water_kgce for row in hours),
            exported_kgce=sum_known(row.exported_kgce for row in hours),
            energy_kgce=sums.energy_kgce,
            water_in_m3=sums.water_in_m3,
            water_out_m3=sum_known(row.water_out_m3 for row in hours),
            water_reused_m3=sums.water_reused_m3,
            production=sums.production,
            energy_hours=sums.energy_hours,
            ratio_energy_kgce=sums.ratio_energy_kgce,
            ratio_energy_kwh=sums.ratio_energy_kwh,
            ratio_fuel_kgce=sums.ratio_fuel_kgce,
            ratio_production=sums.ratio_production,
            water_hours=sums.water_hours,
            ratio_water_m3=sums.ratio_water_m3,
            ratio_water_production=sums.ratio_water_production,
            water_production_squared=sums.water_production_squared,
            water_times_production=sums.water_times_production,
            unit_energy_kgce=ratios.energy_kgce,
            unit_water_m3=ratios.water_m3,
            reuse_rate_pct=reuse_rate_pct(sums),
            coverage=coverage,
            quality=over(coverage, estimated=sums.estimated),
            reference_version=self._reference.version,
        )


def ratios_of(reference: Reference, sums: Sums, window_h: int) -> _Ratios:
    """Per unit of product; None where too few hours are whole, or too little was made in them."""
    enough = reference.setting("window_coverage") * window_h
    least = reference.setting("minimum_production_per_h")

    def ratio(amount: float, made: float, hours: int) -> float | None:
        return amount / made if hours >= enough and made >= least * hours and made > 0 else None

    return _Ratios(
        ratio(sums.ratio_energy_kgce, sums.ratio_production, sums.energy_hours),
        ratio(sums.ratio_energy_kwh, sums.ratio_production, sums.energy_hours),
        ratio(sums.ratio_fuel_kgce, sums.ratio_production, sums.energy_hours),
        ratio(sums.ratio_water_m3, sums.ratio_water_production, sums.water_hours),
    )


class PlantRollings(SiteRows):
    """View over plant hours and days: windows of 1, 8, 24 h end with an hour, of 7 and 30 d with a local day."""

    name = "plant_rollings"
    inputs: frozenset[type[Row]] = frozenset({PlantHour, PlantDay})
    gives: type[Row] = PlantRolling

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def anchor_ts(self, row: Row) -> int:
        """The hour, or the day, that it ends with."""
        assert isinstance(row, PlantRolling)  # noqa: S101 - by type
        return row.ts - (HOUR_MS if row.window_h in HOURLY_H else DAY_MS)

    def wants(self, site: Site, _devices: Sequence[Device], changed: Changed) -> list[Want]:
        """All hours and days that share a window with a changed one."""
        wants: list[Want] = []
        for row_type, step, longest in _GRAINS:
            if rows := changed.get(row_type):
                times = [row.ts for row in rows]
                reach = (longest - 1) * step
                wants.append(Want(row_type, [site.site_id], min(times) - reach, max(times) + reach + step))
        return wants

    def rows(self, site: Site, _devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Compute the windows that hold a changed hour or day and end with one that is there."""
        lines = {line.line_id: line for line in site.lines}
        whole = self._reference.setting("whole_hour")
        given: list[Row] = []
        cleared: list[Want] = []
        for row_type, step, _ in _GRAINS:
            touched: dict[str, set[int]] = {}
            for row in changed.get(row_type, ()):
                touched.setdefault(row[1], set()).add(row.ts)
            series: dict[str, dict[int, Sums]] = {}
            for row in found.get(row_type, ()):
                sums = of_hour(row, whole) if isinstance(row, PlantHour) else of_day(_day(row))
                series.setdefault(row[1], {})[row.ts] = sums
            for line_id in touched.keys() & series.keys() & lines.keys():
                given += self._windows(site, lines[line_id], series[line_id], touched=touched[line_id], step=step)
            for line_id, times in touched.items():
                ends = sorted(ts + step for ts in times - series.get(line_id, {}).keys())
                cleared += [Want(PlantRolling, [site.site_id], end, end + 1, line_id) for end in ends]
        return Replaced(given, cleared)

    def _windows(
        self,
        site: Site,
        line: ProductLine,
        series: Mapping[int, Sums],
        *,
        touched: set[int],
        step: int,
    ) -> list[Row]:
        rows: list[Row] = []
        for length in HOURLY_H if step == HOUR_MS else DAILY_D:
            ends = {ts + at * step for ts in touched for at in range(length)} & series.keys()
            for last in sorted(ends):
                parts = [series[ts] for ts in range(last - (length - 1) * step, last + step, step) if ts in series]
                rows.append(self._row(site, line, length * step // HOUR_MS, last + step, add(parts)))
        return rows

    def _row(self, site: Site, line: ProductLine, window_h: int, end: int, sums: Sums) -> PlantRolling:
        reference = self._reference
        ratios = ratios_of(reference, sums, window_h)
        limit = corrected(reference, line.product, line.parameters)
        quota = reference.quotas.get(line.water_quota)
        held = None
        if limit is not None:
            held = _held(ratios, reference.limits[line.product])
        levels = limit.levels if limit is not None else {}
        is_compared = held is not None and window_h in GAP_H
        reached = grade(held, levels) if held is not None else None
        coverage = sums.hours / window_h
        return PlantRolling(
            site.site_id,
            line.line_id,
            window_h,
            end,
            energy_kgce=sums.energy_kgce,
            production=sums.production,
            unit_energy_kgce=ratios.energy_kgce,
            unit_electricity_kwh=ratios.electricity_kwh,
            limit_level_1=levels.get(Level.ADVANCED),
            limit_level_2=levels.get(Level.ADMISSION),
            limit_level_3=levels.get(Level.LIMIT),
            gap_to_limit_pct=gap_pct(held, levels.get(Level.LIMIT)) if held is not None and is_compared else None,
            gap_to_leader_pct=(
                gap_pct(held, limit.leader) if held is not None and limit is not None and is_compared else None
            ),
            leader_is_level_1=limit.leader_is_level_1 if limit is not None else None,
            grade=int(reached or 0) if held is not None and window_h == GRADE_H else None,
            water_in_m3=sums.water_in_m3,
            unit_water_m3=ratios.water_m3,
            gap_to_quota_pct=(
                gap_pct(ratios.water_m3, quota.general_m3_t) if quota and ratios.water_m3 is not None else None
            ),
            gap_to_advanced_quota_pct=(
                gap_pct(ratios.water_m3, quota.advanced_m3_t) if quota and ratios.water_m3 is not None else None
            ),
            reuse_rate_pct=reuse_rate_pct(sums),
            coverage=coverage,
            quality=over(coverage, estimated=sums.estimated),
            reference_version=reference.version,
        )


def _held(ratios: _Ratios, limit: EnergyLimit) -> float | None:
    """What a limit is held against: it may limit electricity or fuel alone, not all energy."""
    match limit.of:
        case Limited.ELECTRICITY:
            return ratios.electricity_kwh
        case Limited.FUEL:
            return ratios.fuel_kgce
        case Limited.ENERGY:
            return ratios.energy_kgce
        case _:
            assert_never(limit.of)


_GRAINS: tuple[tuple[type[Row], int, int], ...] = (
    (PlantHour, HOUR_MS, max(HOURLY_H)),
    (PlantDay, DAY_MS, max(DAILY_D)),
)


def _day(row: Row) -> PlantDay:
    assert isinstance(row, PlantDay)  # noqa: S101 - by type
    return row

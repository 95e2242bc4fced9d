"""Coal-gangue power units: fuel heat by laboratory values, sums by hour and day, and the figures of every window.

A laboratory value arrives hours late. Until one covers a moment, the newest earlier one stands in (else the value in
the registry) and the figures are `estimated`; when it comes, the hours it covers, and those for which it is now the
newest earlier one, are computed again by the same view.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import FuelAssay, GangueSum, GangueWindow, MeterQuarter, Quality
from schemas.metrics.gangue import UnitWindow, WindowSpan
from schemas.readings import Kind
from schemas.time import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS, day_of, hour_of, month_after, month_of
from streams.kernels.contract import Replaced, Want
from streams.kernels.plant.assays import Laboratory
from streams.kernels.plant.days import sum_known
from streams.kernels.plant.heat_rate import figures, gypsum_t
from streams.kernels.plant.quarters import lost, over, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.metrics import Row
    from schemas.reference import Reference
    from schemas.registry import Device, Site
    from streams.kernels.contract import Changed, Found

FUELS = ("gangue_t", "slime_t", "coal_t")
REGISTERS = ("generated_mwh", "auxiliary_mwh", "heat_export_gj", *FUELS)
LONGEST_SAMPLE_MS = 7 * DAY_MS
"""Sampling that lasted longer is not looked for."""


class _Burnt(NamedTuple):
    """What a unit did in one quarter, with the laboratory's values applied."""

    ts: int
    amounts: dict[str, float | None]
    fuel_heat_gj: float | None
    ash_t: float | None
    sulphur_t: float | None
    measured_t: float
    """Fuel that laboratory values cover."""
    fuel_t: float
    known: float
    coverage: float
    estimated: bool
    is_steady: bool


def units_of(devices: Sequence[Device]) -> list[Device]:
    """Gangue units among a site's devices."""
    return [device for device in devices if device.kind is Kind.GANGUE_UNIT]


class GangueHours:
    """View over a unit's quarters and its laboratory's results: hour sums, and the figures of steady quarters."""

    name = "gangue_hours"
    inputs: frozenset[type[Row]] = frozenset({MeterQuarter, FuelAssay})

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._reach_ms = round(reference.setting("laboratory_reach_h") * HOUR_MS)

    def wants(self, _site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """Quarters that a change touches, and all results that may hold for them."""
        units = [unit.device_id for unit in units_of(devices)]
        reach = self._reach(units, changed)
        if reach is None:
            return []
        low, high = reach
        laboratories = [device.device_id for device in devices if device.kind is Kind.LAB]
        since = low - self._reach_ms - LONGEST_SAMPLE_MS
        wants = [Want(MeterQuarter, units, low, high)]
        return [*wants, Want(FuelAssay, laboratories, since, high)] if laboratories else wants

    def rows(self, _site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Sum the touched hours of every unit."""
        units = units_of(devices)
        reach = self._reach([unit.device_id for unit in units], changed)
        if reach is None:
            return Replaced([])
        assays = [row for row in found.get(FuelAssay, ()) if isinstance(row, FuelAssay)]
        laboratory = Laboratory(assays, reach_ms=self._reach_ms)
        quarters: dict[tuple[str, int], dict[str, MeterQuarter]] = {}
        own = {unit.device_id: unit for unit in units}
        for row in whole(found.get(MeterQuarter, ()), own):
            quarters.setdefault((row.device_id, row.ts), {})[row.quantity] = row
        hours: dict[tuple[str, int], list[_Burnt]] = {}
        for (device_id, ts), registers in sorted(quarters.items()):
            burnt = self._burnt(own[device_id], ts, registers, laboratory)
            hours.setdefault((device_id, hour_of(ts)), []).append(burnt)
        given: list[Row] = []
        for (device_id, hour), parts in hours.items():
            given += [self._sum(own[device_id], hour, parts), *(self._quarter(own[device_id], part) for part in parts)]
        gone = lost(changed.get(MeterQuarter, ()), found.get(MeterQuarter, ()), own)
        cleared: list[Want] = []
        for device_id, ts in sorted({(row.device_id, row.ts) for row in gone} - quarters.keys()):
            cleared.append(Want(GangueWindow, [device_id], ts + QUARTER_MS, ts + QUARTER_MS + 1, UnitWindow.QUARTER))
            if (device_id, hour := hour_of(ts)) not in hours:
                cleared.append(Want(GangueSum, [device_id], hour, hour + 1, WindowSpan.HOUR))
        return Replaced(given, cleared)

    def _reach(self, units: Sequence[str], changed: Changed) -> tuple[int, int] | None:
        """First and behind the last hour that a change touches."""
        lows = [hour_of(row.ts) for row in whole(changed.get(MeterQuarter, ()), units)]
        highs = [low + HOUR_MS for low in lows]
        for row in changed.get(FuelAssay, ()):
            assert isinstance(row, FuelAssay)  # noqa: S101 - by type
            lows.append(hour_of(row.ts))
            highs.append(hour_of(row.until_ts + self._reach_ms) + HOUR_MS)
        return (min(lows), max(highs)) if lows and units else None

    def _burnt(self, unit: Device, ts: int, registers: Mapping[str, MeterQuarter], laboratory: Laboratory) -> _Burnt:
        reference, middle = self._reference, ts + QUARTER_MS // 2
        amounts = {name: registers[name].increment if name in registers else None for name in REGISTERS}
        heat = ash = sulphur = measured = fuel = 0.0
        is_known = any(amounts[name] is not None for name in FUELS)
        for name in FUELS:
            if name not in registers:
                continue  # a fuel this unit does not burn
            mass = amounts[name]
            if mass is None:
                is_known = False
                continue
            key = name.removesuffix("_t")
            lhv = laboratory.at(key, "lhv_mj_kg", middle, otherwise=unit.lhv_mj_kg.get(name))
            grey = laboratory.at(key, "ash_pct", middle, otherwise=reference.setting("ash_default"))
            sour = laboratory.at(key, "sulphur_pct", middle, otherwise=reference.setting("sulphur_default"))
            if lhv is None or grey is None or sour is None:
                is_known = is_known and mass == 0.0
                continue
            heat += mass * lhv.value
            ash += mass * grey.value / 100
            sulphur += mass * sour.value / 100
            fuel += mass
            measured += mass if lhv.is_measured and grey.is_measured and sour.is_measured else 0.0
        present = [registers[name] for name in REGISTERS if name in registers]
        return _Burnt(
            ts,
            amounts,
            heat if is_known else None,
            ash if is_known else None,
            sulphur if is_known else None,
            measured,
            fuel,
            min((row.known for row in present), default=0.0),
            math.fsum(row.coverage for row in present) / len(present) if present else 0.0,
            measured < fuel or any(row.quality is Quality.ESTIMATED for row in present),
            self._is_steady(unit, registers.get("generated_mwh")),
        )

    def _is_steady(self, unit: Device, generated: MeterQuarter | None) -> bool:
        """Whether no minute of a whole quarter differs from the mean by more than the allowed share of rated power."""
        if generated is None or generated.increment is None or generated.known < 1.0:
            return False
        rated = unit.rated_at(generated.ts)
        if not rated or generated.minute_min is None or generated.minute_max is None or not generated.increment:
            return False
        mean = generated.increment * MINUTE_MS / QUARTER_MS
        allowed = self._reference.setting("steady_load") / 100 * rated * MINUTE_MS / HOUR_MS
        return max(generated.minute_max - mean, mean - generated.minute_min) <= allowed

    def _sum(self, unit: Device, hour: int, parts: Sequence[_Burnt]) -> GangueSum:
        quarters = HOUR_MS // QUARTER_MS
        amounts = {name: sum_known(part.amounts[name] for part in parts) for name in REGISTERS}
        ash = _all_known([part.ash_t for part in parts])
        sulphur = _all_known([part.sulphur_t for part in parts])
        fuel, measured = (math.fsum(values) for values in ((p.fuel_t for p in parts), (p.measured_t for p in parts)))
        coverage = math.fsum(part.coverage for part in parts) / quarters
        fly = self._reference.setting("fly_ash_share")
        return GangueSum(
            unit.device_id,
            WindowSpan.HOUR,
            hour,
            unit.site_id,
            generated_mwh=amounts["generated_mwh"],
            auxiliary_mwh=amounts["auxiliary_mwh"],
            heat_export_gj=amounts["heat_export_gj"],
            gangue_t=amounts["gangue_t"],
            slime_t=amounts["slime_t"],
            coal_t=amounts["coal_t"],
            fuel_heat_gj=_all_known([part.fuel_heat_gj for part in parts]),
            ash_t=ash,
            fly_ash_t=None if ash is None else fly * ash,
            bed_ash_t=None if ash is None else (1 - fly) * ash,
            gypsum_t=None if sulphur is None else gypsum_t(self._reference, sulphur),
            laboratory_share=measured / fuel if fuel > 0 else 1.0,
            known=math.fsum(part.known for part in parts) / quarters,
            coverage=coverage,
            quality=over(coverage, estimated=any(part.estimated for part in parts)),
            reference_version=self._reference.version,
        )

    def _quarter(self, unit: Device, part: _Burnt) -> GangueWindow:
        row = self._sum(unit, part.ts, [part])
        coverage = part.coverage
        row = row._replace(known=part.known, coverage=coverage, quality=over(coverage, estimated=part.estimated))
        over_ = _Over(UnitWindow.QUARTER, part.ts + QUARTER_MS, part.ts, 0.25)
        return _window(self._reference, unit, over_, row, has_figures=part.is_steady)


class GangueDays:
    """View over a unit's hour sums: its local days, and the figures of 1 h and 24 h."""

    name = "gangue_days"
    inputs: frozenset[type[Row]] = frozenset({GangueSum})

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def wants(self, _site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """All hours within a day of the touched ones."""
        times = [row.ts for row in changed[GangueSum]]
        units = [unit.device_id for unit in units_of(devices)]
        return [Want(GangueSum, units, min(times) - DAY_MS, max(times) + DAY_MS + HOUR_MS)]

    def rows(self, _site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Sum up the touched days and windows."""
        hours = _by_unit(found[GangueSum], WindowSpan.HOUR)
        given: list[Row] = []
        cleared: list[Want] = []
        for unit in units_of(devices):
            series = hours.get(unit.device_id, {})
            touched = {row.ts for row in _sums(changed[GangueSum], WindowSpan.HOUR) if row.device_id == unit.device_id}
            for hour in sorted(touched & series.keys()):
                row = series[hour]
                given.append(_window(self._reference, unit, _Over(UnitWindow.HOUR, hour + HOUR_MS, hour, 1.0), row))
            for last in sorted({hour + at * HOUR_MS for hour in touched for at in range(24)} & series.keys()):
                end, begin = last + HOUR_MS, last + HOUR_MS - DAY_MS
                total = _add(
                    [series[ts] for ts in range(begin, end, HOUR_MS) if ts in series], WindowSpan.DAY, begin, 24
                )
                given.append(_window(self._reference, unit, _Over(UnitWindow.DAY, end, begin, 24.0), total))
            for day in sorted({day_of(hour) for hour in touched}):
                parts = [series[ts] for ts in range(day, day + DAY_MS, HOUR_MS) if ts in series]
                if parts:
                    given.append(_add(parts, WindowSpan.DAY, day, 24))
                else:
                    cleared.append(Want(GangueSum, [unit.device_id], day, day + 1, WindowSpan.DAY))
            for end in sorted(hour + HOUR_MS for hour in touched - series.keys()):
                cleared += [
                    Want(GangueWindow, [unit.device_id], end, end + 1, span)
                    for span in (UnitWindow.HOUR, UnitWindow.DAY)
                ]
        return Replaced(given, cleared)


class GangueMonths:
    """View over a unit's days: the calendar month, which grows with each of them."""

    name = "gangue_months"
    inputs: frozenset[type[Row]] = frozenset({GangueSum})

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def wants(self, _site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """All days of the touched months."""
        months = [month_of(row.ts) for row in changed[GangueSum]]
        units = [unit.device_id for unit in units_of(devices)]
        return [Want(GangueSum, units, min(months), month_after(max(months)))]

    def rows(self, _site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Sum up the touched months; the window ends with the last day there is."""
        days = _by_unit(found[GangueSum], WindowSpan.DAY)
        given: list[Row] = []
        cleared: list[Want] = []
        for unit in units_of(devices):
            series = days.get(unit.device_id, {})
            touched = {row.ts for row in changed[GangueSum] if row[0] == unit.device_id}
            for month in sorted({month_of(ts) for ts in touched}):
                parts = [row for ts, row in sorted(series.items()) if month <= ts < month_after(month)]
                if parts:
                    days_so_far = (parts[-1].ts + DAY_MS - month) // DAY_MS
                    total = _add(parts, WindowSpan.DAY, month, days_so_far)
                    hours_so_far = 24.0 * days_so_far
                    given.append(
                        _window(self._reference, unit, _Over(UnitWindow.MONTH, month, month, hours_so_far), total)
                    )
                else:
                    cleared.append(Want(GangueWindow, [unit.device_id], month, month + 1, UnitWindow.MONTH))
        return Replaced(given, cleared)


def _by_unit(rows: Iterable[Row], span: WindowSpan) -> dict[str, dict[int, GangueSum]]:
    found: dict[str, dict[int, GangueSum]] = {}
    for row in _sums(rows, span):
        found.setdefault(row.device_id, {})[row.ts] = row
    return found


def _sums(rows: Iterable[Row], span: WindowSpan) -> list[GangueSum]:
    return [row for row in rows if isinstance(row, GangueSum) and row.span is span]


def _all_known(values: Sequence[float | None]) -> float | None:
    """Sum; None where a part is unknown or there is none."""
    known = [value for value in values if value is not None]
    return math.fsum(known) if known and len(known) == len(values) else None


def _add(parts: Sequence[GangueSum], span: WindowSpan, begin: int, count: int) -> GangueSum:
    """Sum up hours or days, `count` of which would be the whole.

    Parts whose fuel heat or generation is unknown are left out of every sum, so that ratios rest on the same hours;
    `known` says how many are in.
    """
    counted = [part for part in parts if part.fuel_heat_gj is not None and part.generated_mwh is not None]
    fuel = math.fsum(_fuel_t(part) or 0.0 for part in counted)
    measured = math.fsum(part.laboratory_share * (_fuel_t(part) or 0.0) for part in counted)
    coverage = math.fsum(part.coverage for part in counted) / count
    estimated = any(part.quality is Quality.ESTIMATED for part in counted)
    last = parts[-1]
    return GangueSum(
        last.device_id,
        span,
        begin,
        last.site_id,
        generated_mwh=sum_known(part.generated_mwh for part in counted),
        auxiliary_mwh=sum_known(part.auxiliary_mwh for part in counted),
        heat_export_gj=sum_known(part.heat_export_gj for part in counted),
        gangue_t=sum_known(part.gangue_t for part in counted),
        slime_t=sum_known(part.slime_t for part in counted),
        coal_t=sum_known(part.coal_t for part in counted),
        fuel_heat_gj=sum_known(part.fuel_heat_gj for part in counted),
        ash_t=sum_known(part.ash_t for part in counted),
        fly_ash_t=sum_known(part.fly_ash_t for part in counted),
        bed_ash_t=sum_known(part.bed_ash_t for part in counted),
        gypsum_t=sum_known(part.gypsum_t for part in counted),
        laboratory_share=measured / fuel if fuel > 0 else 1.0,
        known=math.fsum(part.known for part in counted) / count,
        coverage=coverage,
        quality=over(coverage, estimated=estimated),
        reference_version=last.reference_version,
    )


def _fuel_t(total: GangueSum) -> float | None:
    return sum_known((total.gangue_t, total.slime_t, total.coal_t))


class _Over(NamedTuple):
    """A window."""

    window: UnitWindow
    ts: int
    begin: int
    hours: float


def _window(
    reference: Reference, unit: Device, over_: _Over, total: GangueSum, *, has_figures: bool = True
) -> GangueWindow:
    """Figures of a window out of its sums, over the part of it that is known; or its sums alone."""
    window, ts, begin, hours = over_
    enough = has_figures and (window is UnitWindow.MONTH or total.known >= reference.setting("window_coverage"))
    generated = total.generated_mwh if enough else None
    heat = None if total.fuel_heat_gj is None else total.fuel_heat_gj - (total.heat_export_gj or 0.0)
    fuel = _fuel_t(total)
    ratios = figures(
        reference,
        generated_mwh=generated,
        auxiliary_mwh=total.auxiliary_mwh,
        fuel_heat_gj=heat,
        gangue_t=total.gangue_t,
        fuel_t=fuel,
        rated_mw=unit.rated_at(ts),
        hours=max(total.known * hours, 1 / 60),
    )
    supplied = (
        None
        if total.generated_mwh is None or total.auxiliary_mwh is None
        else total.generated_mwh - total.auxiliary_mwh
    )
    return GangueWindow(
        unit.device_id,
        window,
        ts,
        unit.site_id,
        begin,
        total.generated_mwh,
        supplied,
        heat,
        *ratios,
        gangue_t=total.gangue_t,
        fuel_t=fuel,
        ash_t=total.ash_t,
        fly_ash_t=total.fly_ash_t,
        bed_ash_t=total.bed_ash_t,
        gypsum_t=total.gypsum_t,
        laboratory_share=total.laboratory_share,
        coverage=total.coverage,
        quality=total.quality,
        reference_version=total.reference_version,
    )

"""Rolling energy, water and unit-product energy of a plant over 15 minutes and an hour.

A ratio over a window is the ratio of sums (metric specification, rule 1). Where a meter covered only part of the
window its sum is scaled to the whole of it before the ratio, and below half of the window there is no ratio.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import MeterMinute, PlantWindow, Quality, Row, quality_of
from schemas.time import HOUR_MS, MINUTE_MS
from streams.kernels.contract import Replaced, Want
from streams.kernels.plant.boundary import Contribution, Total, boundary_meters, contributions
from streams.kernels.plant.quarters import known_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.reference import EnergyFactors
    from schemas.registry import Device, Site
    from streams.kernels.contract import Changed, Found

WINDOWS_MIN = (15, 60)
MIN_KNOWN = 0.5
"""Share of the window each meter of a ratio must know. (unsourced)"""
MIN_PRODUCTION = 0.01
"""Smallest production, in product units, that anything is divided by. (unsourced)"""


class _Register(NamedTuple):
    """A register minute by minute, zero where there is no row; lists, because `math.fsum` likes them best."""

    increment: list[float]
    known: list[float]
    coverage: list[float]
    estimated: list[bool]
    present: list[bool]


class _Dense(NamedTuple):
    """Registers on one grid of minutes that begins at `begin`."""

    begin: int
    registers: dict[tuple[str, str], _Register]


class RollingPlant:
    """View over meter minutes: the plant's windows that end with each minute."""

    name = "rolling_plant"
    inputs: frozenset[type[Row]] = frozenset({MeterMinute})

    def __init__(self, factors: EnergyFactors) -> None:
        self._factors = factors

    def wants(self, _site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """Minutes of the meters at the plant's boundary that share a window with a changed one."""
        first, last = _reach(changed)
        return [
            Want(MeterMinute, [meter.device_id for meter in boundary_meters(devices)], first - HOUR_MS, last + HOUR_MS)
        ]

    def rows(self, site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Compute the windows that hold a changed minute and end with one of which anything is known."""
        first, last = _reach(changed)
        minutes = [row for row in found[MeterMinute] if isinstance(row, MeterMinute)]
        meters = boundary_meters(devices)
        names = {meter.device_id for meter in meters}
        lost = {row.ts for row in changed[MeterMinute] if row[0] in names} - {minute.ts for minute in minutes}
        cleared = [Want(PlantWindow, [site.site_id], ts + MINUTE_MS, ts + MINUTE_MS + 1) for ts in sorted(lost)]
        return Replaced(self.windows(site, meters, minutes, first, last + HOUR_MS), cleared)

    def windows(
        self, site: Site, meters: Sequence[Device], minutes: Sequence[MeterMinute], from_ms: int, to_ms: int
    ) -> list[Row]:
        """Compute the windows with from_ms < end <= to_ms that end with a minute of which anything is known."""
        ends = sorted({minute.ts + MINUTE_MS for minute in minutes if from_ms < minute.ts + MINUTE_MS <= to_ms})
        if not ends:
            return []
        series = _dense(minutes, ends[0] - HOUR_MS, ends[-1])
        parts = [(device, contributions(device, self._factors)) for device in meters]
        return [self._window(site, parts, series, end, window) for end in ends for window in WINDOWS_MIN]

    def _window(
        self,
        site: Site,
        parts: Sequence[tuple[Device, Sequence[Contribution]]],
        series: _Dense,
        end: int,
        window_min: int,
    ) -> PlantWindow:
        stop = (end - series.begin) // MINUTE_MS
        over = slice(stop - window_min, stop)
        sums: dict[Total, list[float]] = {total: [] for total in Total}
        rates: dict[Total, list[float | None]] = {total: [] for total in Total}
        coverages, estimated = [], False
        unknown = {part.total for _, contributed in parts for part in contributed if part.factor is None}
        for device, contributed in parts:
            covered = []
            for quantity in dict.fromkeys(part.quantity for part in contributed):
                register = series.registers.get((device.device_id, quantity))
                if register is None or not any(register.present[over]):
                    continue  # a register this meter does not have
                known = math.fsum(register.known[over]) / window_min
                counted = math.fsum(register.increment[over])
                estimated |= any(register.estimated[over])
                covered.append(math.fsum(register.coverage[over]) / window_min)
                for part in contributed:
                    if part.quantity == quantity and part.factor is not None:
                        if known:
                            sums[part.total].append(part.factor * counted)
                        enough = known >= MIN_KNOWN
                        rates[part.total].append(part.factor * counted / known if enough else None)
            if not covered:
                for total in {part.total for part in contributed}:
                    rates[total].append(None)
            coverages.append(math.fsum(covered) / len(covered) if covered else 0.0)
        for total in unknown:
            sums[total], rates[total] = [], [None]
        return self._row(site, end, window_min, sums=sums, rates=rates, coverages=coverages, estimated=estimated)

    def _row(
        self,
        site: Site,
        end: int,
        window_min: int,
        *,
        sums: dict[Total, list[float]],
        rates: dict[Total, list[float | None]],
        coverages: Sequence[float],
        estimated: bool,
    ) -> PlantWindow:
        coverage = math.fsum(coverages) / len(coverages) if coverages else 0.0
        total = {key: math.fsum(values) if values else None for key, values in sums.items()}
        rate = {key: _sum_or_unknown(values) for key, values in rates.items()}
        power = rate[Total.ELECTRICITY_KWH]
        quality = quality_of(coverage, estimated=estimated)
        return PlantWindow(
            site.site_id,
            window_min,
            end,
            total[Total.ELECTRICITY_KWH],
            None if power is None else power / (window_min / 60),
            total[Total.COAL_EQUIVALENT],
            total[Total.WATER_M3],
            total[Total.PRODUCTION],
            _ratio(rate[Total.COAL_EQUIVALENT], rate[Total.PRODUCTION]),
            _ratio(rate[Total.WATER_M3], rate[Total.PRODUCTION]),
            coverage,
            quality,
            self._factors.version,
        )


def _reach(changed: Changed) -> tuple[int, int]:
    """First and last changed minute."""
    times = [row.ts for row in changed[MeterMinute]]
    return min(times), max(times)


def _sum_or_unknown(values: Sequence[float | None]) -> float | None:
    """Sum of the meters' rates; unknown when one of them is, or when there is no meter."""
    known = [value for value in values if value is not None]
    return math.fsum(known) if known and len(known) == len(values) else None


def _ratio(numerator: float | None, denominator: float | None) -> float | None:
    if numerator is None or denominator is None or denominator < MIN_PRODUCTION:
        return None
    return numerator / denominator


def _dense(minutes: Sequence[MeterMinute], begin: int, end: int) -> _Dense:
    count = (end - begin) // MINUTE_MS
    registers: dict[tuple[str, str], _Register] = {}
    for minute in minutes:
        at = (minute.ts - begin) // MINUTE_MS
        if not 0 <= at < count:
            continue
        key = (minute.device_id, minute.quantity)
        register = registers.get(key)
        if register is None:
            nothing = [0.0] * count
            register = _Register(nothing, [*nothing], [*nothing], [False] * count, [False] * count)
            registers[key] = register
        register.increment[at] = minute.increment or 0.0
        register.known[at] = known_share(minute)
        register.coverage[at] = minute.coverage
        register.present[at] = True
        register.estimated[at] = minute.quality is Quality.ESTIMATED
    return _Dense(begin, registers)

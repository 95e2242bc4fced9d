"""Rolling energy, water and unit-product energy of a plant over 15 minutes and an hour.

A ratio over a window is the ratio of sums (metric specification, rule 1). Where a meter covered only part of the
window its sum is scaled to the whole of it before the ratio, and below half of the window there is no ratio.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import HOUR_MS, MINUTE_MS, MeterMinute, PlantWindow, Quality, Row, quality_of
from schemas.readings import Kind
from schemas.registry import Role
from streams.kernel import Replaced, Want

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from schemas.reference import EnergyFactors
    from schemas.registry import Device, Site
    from streams.kernel import Changed, Found

WINDOWS_MIN = (15, 60)
MIN_KNOWN = 0.5
"""Share of the window each meter of a ratio must know. (unsourced)"""
MIN_PRODUCTION = 0.01
"""Smallest production, in product units, that anything is divided by. (unsourced)"""


class Total(Enum):
    """What a register adds to."""

    ELECTRICITY_KWH = "energy_kwh"
    COAL_EQUIVALENT = "energy_kgce"
    WATER_M3 = "water_m3"
    PRODUCTION = "production"


class Contribution(NamedTuple):
    """One register's part in one total of its plant."""

    quantity: str
    total: Total
    factor: float | None
    """Total's unit per register's unit; negative where it leaves the plant; None where nobody knows it."""


KGCE_PER_MJ = 1 / 29.3076
"""A kilogram of coal equivalent is 29 307.6 kJ (GB/T 2589-2020)."""


def contributions(device: Device, factors: EnergyFactors) -> list[Contribution]:
    """What a boundary meter's registers add to, by its kind, role and energy carrier.

    A carrier that the reference data does not know leaves the factor unknown, and so the total it belongs to.
    """
    return list(_contributions(device, factors))


def unknown_carriers(devices: Sequence[Device], factors: EnergyFactors) -> dict[str, str]:
    """Boundary meters whose energy cannot be converted, with the carrier they name."""
    return {
        device.device_id: device.carrier
        for device in devices
        if device.role is not Role.INTERNAL and any(part.factor is None for part in contributions(device, factors))
    }


def _contributions(device: Device, factors: EnergyFactors) -> Iterator[Contribution]:
    sign = -1.0 if device.role is Role.EXPORTED else 1.0

    def kgce(carrier: str, sign: float) -> float | None:
        factor = factors.factors.get(carrier)
        return None if factor is None else sign * factor.kgce

    match device.kind:
        case Kind.ELECTRICITY:
            carrier = device.carrier or "electricity"
            for quantity, direction in (("energy_import_kwh", sign), ("energy_export_kwh", -sign)):
                yield Contribution(quantity, Total.ELECTRICITY_KWH, direction)
                yield Contribution(quantity, Total.COAL_EQUIVALENT, kgce(carrier, direction))
        case Kind.WATER:
            yield Contribution("volume_m3", Total.WATER_M3, sign)
            yield Contribution("volume_m3", Total.COAL_EQUIVALENT, kgce(device.carrier or "fresh_water", sign))
        case Kind.STEAM | Kind.GAS:
            factor = factors.factors.get(device.carrier)
            quantity = "mass_t" if factor is not None and factor.per == "t" else "volume_m3"
            yield Contribution(quantity, Total.COAL_EQUIVALENT, kgce(device.carrier, sign))
        case Kind.PRODUCTION:
            if device.role is Role.PRODUCT:
                yield Contribution("mass_t", Total.PRODUCTION, 1.0)
            else:
                yield Contribution("mass_t", Total.COAL_EQUIVALENT, kgce(device.carrier, sign))
        case Kind.GANGUE_UNIT:
            yield Contribution("generated_mwh", Total.PRODUCTION, 1.0)
            yield Contribution("auxiliary_mwh", Total.PRODUCTION, -1.0)
            for quantity, lhv_mj_kg in device.lhv_mj_kg.items():
                yield Contribution(quantity, Total.COAL_EQUIVALENT, 1000 * lhv_mj_kg * KGCE_PER_MJ)
            yield Contribution("heat_export_gj", Total.COAL_EQUIVALENT, kgce("heat", -1.0))
        case _:
            return


class RollingPlant:
    """View over meter minutes: the plant's windows that end with each minute."""

    name = "rolling_plant"
    inputs: frozenset[type[Row]] = frozenset({MeterMinute})

    def __init__(self, factors: EnergyFactors) -> None:
        self._factors = factors

    def wants(self, _site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """Minutes of the meters at the plant's boundary that share a window with a changed one."""
        first, last = _reach(changed)
        return [Want(MeterMinute, [meter.device_id for meter in _meters(devices)], first - HOUR_MS, last + HOUR_MS)]

    def rows(self, site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Compute the windows that hold a changed minute and end with one of which anything is known."""
        first, last = _reach(changed)
        minutes = [row for row in found[MeterMinute] if isinstance(row, MeterMinute)]
        return Replaced(self.windows(site, _meters(devices), minutes, first, last + HOUR_MS))

    def windows(
        self, site: Site, meters: Sequence[Device], minutes: Sequence[MeterMinute], from_ms: int, to_ms: int
    ) -> list[Row]:
        """Compute the windows with from_ms < end <= to_ms that end with a minute of which anything is known."""
        series: dict[tuple[str, str], dict[int, MeterMinute]] = {}
        for minute in minutes:
            series.setdefault((minute.device_id, minute.quantity), {})[minute.ts] = minute
        parts = [(device, contributions(device, self._factors)) for device in meters]
        ends = sorted({minute.ts + MINUTE_MS for minute in minutes if from_ms < minute.ts + MINUTE_MS <= to_ms})
        return [self._window(site, parts, series, end, window) for end in ends for window in WINDOWS_MIN]

    def _window(
        self,
        site: Site,
        parts: Sequence[tuple[Device, Sequence[Contribution]]],
        series: dict[tuple[str, str], dict[int, MeterMinute]],
        end: int,
        window_min: int,
    ) -> PlantWindow:
        starts = range(end - window_min * MINUTE_MS, end, MINUTE_MS)
        sums: dict[Total, list[float]] = {total: [] for total in Total}
        rates: dict[Total, list[float | None]] = {total: [] for total in Total}
        coverages, estimated = [], False
        unknown = {part.total for _, contributed in parts for part in contributed if part.factor is None}
        for device, contributed in parts:
            covered = []
            for quantity in dict.fromkeys(part.quantity for part in contributed):
                minutes = series.get((device.device_id, quantity))
                if minutes is None:
                    continue  # a register this meter does not have
                found = [minute for start in starts if (minute := minutes.get(start)) is not None]
                known = math.fsum(_known(minute) for minute in found) / window_min
                counted = math.fsum(minute.increment for minute in found if minute.increment is not None)
                estimated |= any(minute.quality is Quality.ESTIMATED for minute in found)
                covered.append(math.fsum(minute.coverage for minute in found) / window_min)
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


def _meters(devices: Sequence[Device]) -> list[Device]:
    """Choose the meters at the plant's boundary and of its product."""
    return [
        device
        for device in devices
        if device.role is not Role.INTERNAL and device.kind not in {Kind.LAB, Kind.BATTERY, Kind.SITE_POWER}
    ]


def _known(minute: MeterMinute) -> float:
    """Share of a minute whose increment is in the row."""
    if minute.increment is None:
        return 0.0
    return minute.coverage if minute.quality is Quality.PARTIAL else 1.0


def _sum_or_unknown(values: Sequence[float | None]) -> float | None:
    """Sum of the meters' rates; unknown when one of them is, or when there is no meter."""
    known = [value for value in values if value is not None]
    return math.fsum(known) if known and len(known) == len(values) else None


def _ratio(numerator: float | None, denominator: float | None) -> float | None:
    if numerator is None or denominator is None or denominator < MIN_PRODUCTION:
        return None
    return numerator / denominator

"""Minimum night flow (夜间最小流量): the lowest hour of water between two and five, when only leaks should run.

A plant that runs at night is judged by the quarters in which it stood still; where there were none, by what it took
in beyond a regression of intake on production over the days before.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import MeterQuarter, NightFlow, PlantDay, Quality
from schemas.metrics.plant import NightMethod
from schemas.registry import WHOLE_PLANT
from schemas.time import DAY_MS, QUARTER_MS, day_of
from streams.kernels.contract import Replaced, SiteRows, Want
from streams.kernels.plant.balance import INFLOW, QUARTERS
from streams.kernels.plant.product import PER_HOUR, product_meters, production
from streams.kernels.plant.quarters import over, whole
from streams.kernels.plant.water import water_meters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.metrics import Row
    from schemas.reference import Reference
    from schemas.registry import Device, Site
    from streams.kernels.contract import Changed, Found

RUN = 4
"""Consecutive quarters of which the mean is taken."""


class NightLine(NamedTuple):
    """Intake on production, per hour: intercept m³/h, slope m³ per product unit."""

    intercept: float
    slope: float


class _Point(NamedTuple):
    """A quarter of a flow."""

    flow_m3_h: float | None
    """None where it is not known in full."""
    coverage: float
    is_measured: bool
    estimated: bool


class NightFlows(SiteRows):
    """View over quarters of water and product meters, and the plant's earlier days."""

    name = "night_flows"
    inputs: frozenset[type[Row]] = frozenset({MeterQuarter, PlantDay})
    gives: type[Row] = NightFlow

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._fit_ms = round(reference.setting("night_regression_days")) * DAY_MS

    def wants(self, site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """Quarters of the touched days, and the days that a regression for them is made of."""
        meters = [meter.device_id for meter in [*water_meters(devices), *product_meters(devices)]]
        reach = self._reach(meters, changed) if water_meters(devices) else None
        if reach is None:
            return []
        return [
            Want(MeterQuarter, meters, reach[0], reach[1]),
            Want(PlantDay, [site.site_id], reach[0] - self._fit_ms, reach[1]),
        ]

    def _reach(self, meters: Sequence[str], changed: Changed) -> tuple[int, int] | None:
        """First and behind the last touched day; a plant's day touches the nights after it."""
        days = [day_of(row.ts) for row in whole(changed.get(MeterQuarter, ()), meters)]
        for row in changed.get(PlantDay, ()):
            days += [row.ts + DAY_MS, row.ts + self._fit_ms]
        return (min(days), max(days) + DAY_MS) if days else None

    def rows(self, site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Compute the touched days of every water meter and of the whole intake."""
        water, products = water_meters(devices), product_meters(devices)
        reach = self._reach([meter.device_id for meter in [*water, *products]], changed) if water else None
        if reach is None:
            return Replaced([])
        quarters: dict[tuple[str, int], dict[str, MeterQuarter]] = {}
        for row in whole(found.get(MeterQuarter, ()), {meter.device_id for meter in [*water, *products]}):
            quarters.setdefault((row.device_id, row.ts), {})[row.quantity] = row
        history = {
            row.ts: row for row in found.get(PlantDay, ()) if isinstance(row, PlantDay) and row.line_id == WHOLE_PLANT
        }
        given: list[Row] = []
        for day in sorted({day_of(ts) for _, ts in quarters}):
            times = range(day, day + DAY_MS, QUARTER_MS)
            points = {meter.device_id: [_point(quarters.get((meter.device_id, ts))) for ts in times] for meter in water}
            given += [self._plain(site, meter_id, day, own) for meter_id, own in points.items() if _says(own)]
            signed = [(INFLOW[meter.role], points[meter.device_id]) for meter in water if meter.role in INFLOW]
            net = _net(signed)
            if not _says(net):
                continue
            made = [production(products, quarters, ts) for ts in times] if products else None
            given.append(self._whole(site, day, net, made=made, history=history))
        # What was known of a night for a while, and is not any more, has no row.
        return Replaced(given, [Want(NightFlow, [site.site_id], *reach)])

    def _plain(self, site: Site, meter_id: str, day: int, points: Sequence[_Point]) -> NightFlow:
        flows = [point.flow_m3_h for point in points]
        return self._row((site.site_id, meter_id, day), points, self._lowest(flows), NightMethod.PLAIN)

    def _whole(
        self,
        site: Site,
        day: int,
        points: Sequence[_Point],
        *,
        made: Sequence[float | None] | None,
        history: Mapping[int, PlantDay],
    ) -> NightFlow:
        """The site's whole intake, by the method its production allows."""
        if made is None:
            return self._plain(site, "", day, points)
        idle = site.lines[0].idle_production_per_h
        flows = [
            point.flow_m3_h if rate is not None and rate <= idle else None
            for point, rate in zip(points, made, strict=True)
        ]
        lowest = self._lowest(flows)
        if lowest is not None:
            return self._row((site.site_id, "", day), points, lowest, NightMethod.IDLE)
        line = self._fit([row for ts, row in sorted(history.items()) if day - self._fit_ms <= ts < day])
        beyond = [
            None if line is None or point.flow_m3_h is None or rate is None
            else point.flow_m3_h - line.intercept - line.slope * rate
            for point, rate in zip(points, made, strict=True)
        ]  # fmt: skip
        return self._row((site.site_id, "", day), points, self._lowest(beyond), NightMethod.REGRESSION)

    def _fit(self, days: Sequence[PlantDay]) -> NightLine | None:
        """Least squares of hourly intake on hourly production; None with too few hours or no spread of production."""
        hours = sum(row.water_hours for row in days)
        if hours < self._reference.setting("night_regression_points"):
            return None
        water, made, squares, products = (
            math.fsum(values)
            for values in zip(
                *(
                    (
                        row.ratio_water_m3,
                        row.ratio_water_production,
                        row.water_production_squared,
                        row.water_times_production,
                    )
                    for row in days
                ),
                strict=True,
            )
        )
        spread = squares - made * made / hours
        if spread <= 1e-9 * squares:
            return NightLine(water / hours, 0.0)
        slope = (products - made * water / hours) / spread
        return NightLine((water - slope * made) / hours, slope)

    def _lowest(self, flows: Sequence[float | None]) -> float | None:
        """Lowest mean of four consecutive known quarters of the night."""
        first = round(self._reference.setting("night_from_h")) * PER_HOUR
        last = round(self._reference.setting("night_to_h")) * PER_HOUR
        means = []
        for start in range(first, last - RUN + 1):
            run = [flow for flow in flows[start : start + RUN] if flow is not None]
            if len(run) == RUN:
                means.append(math.fsum(run) / RUN)
        return min(means, default=None)

    def _row(
        self, key: tuple[str, str, int], points: Sequence[_Point], lowest: float | None, method: NightMethod
    ) -> NightFlow:
        measured = sum(point.is_measured for point in points)
        flows = [point.flow_m3_h for point in points if point.flow_m3_h is not None]
        coverage = math.fsum(point.coverage for point in points) / QUARTERS
        return NightFlow(
            *key,
            lowest if measured >= self._reference.setting("night_points") else None,
            method,
            math.fsum(flows) / PER_HOUR if len(flows) == QUARTERS else None,
            measured,
            coverage,
            over(coverage, estimated=any(point.estimated for point in points)),
            self._reference.version,
        )


_ABSENT = _Point(None, 0.0, is_measured=False, estimated=False)


def _says(points: Sequence[_Point]) -> bool:
    return any(point.coverage or point.flow_m3_h is not None for point in points)


def _point(registers: Mapping[str, MeterQuarter] | None) -> _Point:
    row = registers.get("volume_m3") if registers else None
    if row is None:
        return _ABSENT
    flow = None if row.increment is None or row.known < 1.0 else PER_HOUR * row.increment
    measured = row.quality is Quality.GOOD and flow is not None
    return _Point(flow, row.coverage, is_measured=measured, estimated=row.quality is Quality.ESTIMATED)


def _net(signed: Sequence[tuple[float, Sequence[_Point]]]) -> list[_Point]:
    """Net inflow of a site, quarter by quarter: known where every meter of it is."""
    if not signed:
        return []
    net: list[_Point] = []
    for at in range(QUARTERS):
        parts = [(sign, points[at]) for sign, points in signed]
        flows = [sign * point.flow_m3_h for sign, point in parts if point.flow_m3_h is not None]
        net.append(
            _Point(
                math.fsum(flows) if len(flows) == len(parts) else None,
                math.fsum(point.coverage for _, point in parts) / len(parts),
                is_measured=all(point.is_measured for _, point in parts),
                estimated=any(point.estimated for _, point in parts),
            )
        )
    return net

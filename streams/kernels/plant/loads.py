"""Hours of registers beside what their plant made in them: production decides what a plant's meters may count.

An hour is given out once its last quarter is there and that of every meter of its product. Where those are silent it
waits for one hour more, and goes on without.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import MeterLoad, MeterQuarter
from schemas.readings import Kind
from schemas.time import HOUR_MS, QUARTER_MS, hour_of
from streams.kernels.contract import Replaced, Want
from streams.kernels.plant.lines import meters_of
from streams.kernels.plant.product import PER_HOUR, product_meters, production, register_of
from streams.kernels.plant.quarters import lost, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.metrics import Row
    from schemas.registry import Device, Site
    from streams.kernels.contract import Changed, Found

MEASURED_SHARE = 0.8
"""Of a quarter of an hour that must be backed by readings; otherwise its rate is unknown. (unsourced)"""
LAST = HOUR_MS - QUARTER_MS

Quarters = dict[tuple[str, int], dict[str, MeterQuarter]]


class _Work(NamedTuple):
    """What a meter works for."""

    products: tuple[Device, ...]
    idle_per_h: float


NOTHING = _Work((), 0.0)


class _Touched(NamedTuple):
    """Meters and hours to look at again."""

    fresh: set[tuple[str, int]]
    """A quarter of it, or of its product, has changed."""
    waiting: set[tuple[str, int]]
    """The hour after it is complete: it has waited for its product for long enough."""


class MeterLoads:
    """View over quarters of meters that detectors watch: the hours that a changed one completes."""

    name = "meter_loads"
    inputs: frozenset[type[Row]] = frozenset({MeterQuarter})

    def __init__(self, quantities: frozenset[str]) -> None:
        """`quantities`: registers that detectors have rules for."""
        self._quantities = quantities

    def wants(self, site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """Quarters of the touched hours, and of the ones after them."""
        works = _works(site, devices)
        touched = set[tuple[str, int]]().union(*self._touched(works, changed))
        if not touched:
            return []
        hours = [hour for _, hour in touched]
        return [Want(MeterQuarter, sorted(_names(works, touched)), min(hours), max(hours) + 2 * HOUR_MS)]

    def rows(self, site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Lay the touched hours that are complete beside their production."""
        works = _works(site, devices)
        fresh, waiting = self._touched(works, changed)
        names = _names(works, fresh | waiting)
        quarters: Quarters = {}
        for row in whole(found.get(MeterQuarter, ()), names):
            quarters.setdefault((row.device_id, row.ts), {})[row.quantity] = row
        gone = lost(changed.get(MeterQuarter, ()), found.get(MeterQuarter, ()), names)
        recomputed = set[tuple[str, int]]().union(*self._touched(works, {MeterQuarter: gone}))
        fresh |= recomputed
        given: list[Row] = []
        for meter_id, hour in sorted(fresh | waiting):
            work = works[meter_id]
            is_ready = all(
                register_of(product) in quarters.get((product.device_id, hour + LAST), {}) for product in work.products
            )
            has_waited = not self._quantities.isdisjoint(quarters.get((meter_id, hour + HOUR_MS + LAST), ()))
            if (meter_id, hour) in fresh if is_ready else has_waited:
                present = self._quantities & quarters.get((meter_id, hour + LAST), {}).keys()
                given += [_load(site, (meter_id, each), hour, quarters, work) for each in sorted(present)]
        return Replaced(given, [Want(MeterLoad, [meter_id], hour, hour + 1) for meter_id, hour in sorted(recomputed)])

    def _touched(self, works: Mapping[str, _Work], changed: Changed) -> _Touched:
        working: dict[str, list[str]] = {}
        for meter_id, work in works.items():
            for product in work.products:
                working.setdefault(product.device_id, []).append(meter_id)
        fresh, waiting = set[tuple[str, int]](), set[tuple[str, int]]()
        for row in whole(changed.get(MeterQuarter, ()), works):
            hour = hour_of(row.ts)
            fresh |= {(meter_id, hour) for meter_id in working.get(row.device_id, ())}
            if row.quantity in self._quantities:
                fresh.add((row.device_id, hour))
                if row.ts == hour + LAST and works[row.device_id].products:
                    waiting.add((row.device_id, hour - HOUR_MS))
        return _Touched(fresh, waiting)


def _works(site: Site, devices: Sequence[Device]) -> dict[str, _Work]:
    """Every meter, real or virtual, with what it works for; a meter of production works for nothing but itself."""
    lines = site.lines  # made anew each time it is asked for
    work_of = {
        line.line_id: _Work(tuple(product_meters(meters_of(line, devices))), line.idle_production_per_h)
        for line in lines
    }
    kinds = {device.device_id: device.kind for device in devices} | {
        meter.meter_id: meter.kind for meter in site.virtual_meters
    }
    works: dict[str, _Work] = {}
    for meter_id, kind in kinds.items():
        own = [line for line in lines if meter_id in line.meters and work_of[line.line_id].products]
        line = own[0] if len(own) == 1 else lines[0]
        works[meter_id] = NOTHING if kind is Kind.PRODUCTION else work_of[line.line_id]
    return works


def _names(works: Mapping[str, _Work], touched: Iterable[tuple[str, int]]) -> set[str]:
    """Touched meters, and those of their products."""
    meters = {meter_id for meter_id, _ in touched}
    return meters | {product.device_id for meter_id in meters for product in works[meter_id].products}


def _load(site: Site, register: tuple[str, str], hour: int, quarters: Quarters, work: _Work) -> MeterLoad:
    meter_id, quantity = register
    times = range(hour, hour + HOUR_MS, QUARTER_MS)
    first, second, third, fourth = (_rate(quarters.get((meter_id, ts), {}).get(quantity)) for ts in times)
    made = [production(work.products, quarters, ts) for ts in times]
    known = [rate for rate in made if rate is not None]
    total = math.fsum(known) / PER_HOUR if len(known) == PER_HOUR else None
    is_idle = total is not None and total <= work.idle_per_h
    is_measured = bool(work.products)
    return MeterLoad(*register, hour, site.site_id, first, second, third, fourth, is_measured, total, is_idle)


def _rate(row: MeterQuarter | None) -> float | None:
    """Mean rate of a quarter; None where it was not measured for the most part, right in sum as it may be."""
    if row is None or row.increment is None or row.coverage < MEASURED_SHARE:
        return None
    return row.increment / row.known * PER_HOUR

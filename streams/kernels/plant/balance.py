"""What goes into a site and what comes out of it within a local day, of water or of any other medium.

    residual = V_in + V_drawn − V_out − V_stored − ΣV_sub,   tolerance = 2·√Σ(εᵢ·Vᵢ)²

Roles of the registry say where a meter stands; a day closes only where every meter knows it.

Source: docs/plant-metrics.md, "Water".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import MeterQuarter, Quality
from schemas.registry import Role
from schemas.time import DAY_MS, QUARTER_MS, day_of
from streams.kernels.plant.days import sum_known
from streams.kernels.plant.quarters import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.metrics import Row
    from schemas.registry import Device

QUARTERS = DAY_MS // QUARTER_MS
INFLOW = {Role.CONSUMED: 1.0, Role.DRAWN: 1.0, Role.EXPORTED: -1.0, Role.STORED: -1.0}
"""Sign with which a meter enters what a site takes in, net of what leaves it and what its tanks take up."""


class Passed(NamedTuple):
    """What passed a meter within a local day."""

    meter: Device
    amount: float | None
    """In its register's unit; None where nothing is known."""
    known: float
    coverage: float
    estimated: bool


class Balance(NamedTuple):
    """A day of one medium."""

    sums: dict[Role, float | None]
    residual: float | None
    """None unless every meter knows the whole day, and there are both an intake and a sub-meter."""
    tolerance: float | None
    coverage: float
    estimated: bool


def passed(meter: Device, registers: Mapping[str, float], quarters: Sequence[MeterQuarter]) -> Passed:
    """Sum a day's quarters of a meter; `registers` are those that count, with the sign they count with."""
    own = [row for row in quarters if row.quantity in registers]
    present = {row.quantity for row in own}
    count = max(1, len(present)) * QUARTERS
    return Passed(
        meter,
        sum_known(None if row.increment is None else registers[row.quantity] * row.increment for row in own),
        math.fsum(row.known for row in own) / count,
        math.fsum(row.coverage for row in own) / count,
        any(row.quality is Quality.ESTIMATED for row in own),
    )


def balanced(day: Sequence[Passed], *, error: float, least: float) -> Balance:
    """Balance a day; `error`: of a meter without one of its own, `least`: share of the day that each must know."""
    counted = [each for each in day if each.meter.role in INFLOW or each.meter.role is Role.INTERNAL]
    sums = {
        role: sum_known(each.amount for each in counted if each.meter.role is role) for role in (*INFLOW, Role.INTERNAL)
    }
    closes = (
        all(each.known >= least and each.amount is not None for each in counted)
        and sums[Role.CONSUMED] is not None
        and sums[Role.INTERNAL] is not None
    )
    residual = tolerance = None
    if closes:
        net = math.fsum(INFLOW.get(each.meter.role, 0.0) * (each.amount or 0.0) for each in counted)
        residual = net - (sums[Role.INTERNAL] or 0.0)
        errors = ((each.meter.accuracy or error) * (each.amount or 0.0) for each in counted)
        tolerance = 2 * math.sqrt(math.fsum(each * each for each in errors))
    coverage = math.fsum(each.coverage for each in counted) / len(counted) if counted else 0.0
    return Balance(sums, residual, tolerance, coverage, any(each.estimated for each in counted))


def by_day(rows: Iterable[Row], names: set[str]) -> dict[tuple[int, str], list[MeterQuarter]]:
    """Whole quarters of some meters, by local day and meter."""
    found: dict[tuple[int, str], list[MeterQuarter]] = {}
    for row in whole(rows, names):
        found.setdefault((day_of(row.ts), row.device_id), []).append(row)
    return found

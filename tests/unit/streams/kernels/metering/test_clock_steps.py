"""A clock that steps back, and is set right again or not: nothing is counted twice, and no good minute is wrong."""

from __future__ import annotations

import math

import pytest

from schemas.arrival import Arrival
from schemas.metrics import MeterMinute
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device
from schemas.time import MINUTE_MS
from tests.support.meter_worlds import FIELD, KERNEL, START_MS, World, judge

METER = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=60)


@pytest.mark.parametrize("power", [None, 42.0])
@pytest.mark.parametrize("until", [450, 600])
@pytest.mark.parametrize("back_s", [17, 125, 3_600, 3_617, 7_213])
def test_a_clock_that_steps_back_counts_nothing_twice(back_s: int, until: int, power: float | None) -> None:
    """At the 300th of 600 minutes; what bears a time that was there already is refused, the rest stands between."""
    moments = [START_MS + at * MINUTE_MS for at in range(600)]
    shown = [round(1000 + 0.7 * at + 0.1 * (at % 3), 1) for at in range(600)]
    sent: dict[int, Arrival] = {}
    for at, value in enumerate(shown):
        ts = moments[at] - (back_s * 1000 if 300 <= at < until else 0)
        sent.setdefault(ts, Arrival("m", 0, ElectricityReading(ts=ts, energy_import_kwh=value, power_kw=power)))
    arrivals = [sent[ts] for ts in sorted(sent)]
    world = World(0, METER, arrivals, moments, [value - 1000 for value in shown], 0.1, [])
    judged = judge(world)
    assert judged.wrong_kwh <= judged.allowed_kwh
    rows = {row.ts: row for row in KERNEL.fold(None, METER, arrivals)[1]
            if isinstance(row, MeterMinute) and row.quantity == FIELD}  # fmt: skip
    counted = math.fsum(row.increment or 0.0 for row in rows.values())
    assert counted == pytest.approx(shown[-1] - 1000, abs=1.5)

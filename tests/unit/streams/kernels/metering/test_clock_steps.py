"""A clock that steps back, and is set right again or not: nothing is counted twice, and no good minute is wrong."""

from __future__ import annotations

import math
import random

import pytest

from schemas.arrival import Arrival
from schemas.metrics import MeterMinute, Quality
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device
from schemas.time import HOUR_MS, MINUTE_MS
from tests.support.worlds.meter_worlds import FIELD, KERNEL, START_TS, World, judge

HALF, NEARLY_ALL = 0.5, 0.95
METER = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=60)


@pytest.mark.parametrize("power", [None, 42.0])
@pytest.mark.parametrize("until", [450, 600])
@pytest.mark.parametrize("back_s", [17, 125, 3_600, 3_617, 7_213])
def test_a_clock_that_steps_back_counts_nothing_twice(back_s: int, until: int, power: float | None) -> None:
    """At the 300th of 600 minutes; what bears a time that was there already is refused, the rest stands between."""
    moments = [START_TS + at * MINUTE_MS for at in range(600)]
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


@pytest.mark.parametrize("power", [None, 42.0])
@pytest.mark.parametrize("speed", [0.2, 0.5, 0.7])
def test_what_a_crawling_clock_stamps_is_not_good(speed: float, power: float | None) -> None:
    """From the 300th minute on it goes at a part of its speed, and is set right at the 500th."""
    moments = [START_TS + at * MINUTE_MS for at in range(600)]
    shown = [round(1000 + 0.7 * at + 0.1 * (at % 3), 1) for at in range(600)]
    stamped = [
        ts if not 300 <= at < 500 else round(moments[300] + speed * (ts - moments[300]))
        for at, ts in enumerate(moments)
    ]
    arrivals = [
        Arrival("m", 0, ElectricityReading(ts=ts, energy_import_kwh=value, power_kw=power))
        for ts, value in zip(stamped, shown, strict=True)
    ]
    world = World(0, METER, arrivals, moments, [value - 1000 for value in shown], 0.1, [])
    judged = judge(world)
    assert judged.wrong_kwh <= judged.allowed_kwh
    assert judged.good_share > HALF, "before and after it the minutes are as good as ever"


EXTRA_S, EARLY_S = 20, 15


@pytest.mark.parametrize(
    ("jitter_s", "hourly"),
    [(3, ""), (8, ""), (10, ""), (15, ""), (0, "more"), (5, "more"), (0, "early"), (5, "early")],
)
def test_jitter_is_no_crawling_clock(jitter_s: int, hourly: str) -> None:
    """Nor is one reading an hour too many or early: after the first hour every minute is as good as ever."""
    rng = random.Random(jitter_s)
    moments = [START_TS + at * MINUTE_MS + rng.randint(-jitter_s, jitter_s) * 1000 for at in range(1_440)]
    for at in range(30, 1_440, 60):
        if hourly == "early":
            moments[at] -= EARLY_S * 1000
        elif hourly == "more":
            moments.append(START_TS + at * MINUTE_MS + EXTRA_S * 1000)
    arrivals = [
        Arrival("m", 0, ElectricityReading(ts=ts, energy_import_kwh=round(1_000 + (ts - START_TS) / MINUTE_MS, 3)))
        for ts in sorted(set(moments))
    ]
    rows = {row.ts: row for row in KERNEL.fold(None, METER, arrivals)[1] if isinstance(row, MeterMinute)}
    assert {row.quality for ts, row in rows.items() if ts >= START_TS + HOUR_MS} == {Quality.GOOD}


def test_a_meter_that_always_sends_sooner_than_registered_is_believed() -> None:
    """Registered for a minute and sending every ten seconds from the first reading on; only a change is odd."""
    moments = [START_TS + at * 10_000 for at in range(2_000)]
    energy = [0.1 * at for at in range(2_000)]
    arrivals = [
        Arrival("m", 0, ElectricityReading(ts=ts, energy_import_kwh=round(1_000 + passed, 1)))
        for ts, passed in zip(moments, energy, strict=True)
    ]
    assert judge(World(0, METER, arrivals, moments, energy, 0.1, [])).good_share > NEARLY_ALL

"""Right meters: coarse ones that stand between two of their steps, and those whose power is sampled with noise."""

from __future__ import annotations

import math
import random
from typing import NamedTuple

import pytest

from schemas.arrival import Arrival
from schemas.metrics import MeterEvent, MeterMinute, Quality
from schemas.readings import ElectricityReading, FlowReading, Kind
from schemas.registry import Device
from schemas.time import HOUR_MS
from streams.kernels.metering.register import RegisterMetering
from streams.kernels.metering.settling import BREAKS

KERNEL = RegisterMetering()
T0 = 1_780_000_020_000 - 1_780_000_020_000 % HOUR_MS
FIRST = 15
"""Minutes of a meter that may be estimated: its first steps."""


class Found(NamedTuple):
    """What metering made of a meter that is right."""

    doubted: int
    """Minutes that are not `good`."""
    total: float
    events: list[MeterEvent]


def metered(device: Device, readings: list[ElectricityReading] | list[FlowReading], field: str) -> Found:
    """Meter readings in one pass."""
    rows = KERNEL.fold(None, device, [Arrival("m", 0, reading) for reading in readings])[1]
    minutes = {row.ts: row for row in rows if isinstance(row, MeterMinute) and row.quantity == field}
    doubted = sum(row.quality is not Quality.GOOD for row in minutes.values())
    total = math.fsum(row.increment or 0.0 for row in minutes.values())
    return Found(doubted, total, [row for row in rows if isinstance(row, MeterEvent)])


def coarse(passed: float, step: float, digits: int) -> float:
    """What a register shows that counts by a step."""
    return round(math.floor(passed / step + 1e-9) * step, digits)


@pytest.mark.parametrize("has_power", [False, True])
@pytest.mark.parametrize(
    ("step", "load"), [(1.0, 13.0), (1.0, 22.0), (1.0, 29.0), (0.1, 1.7), (0.1, 2.9), (0.01, 0.22), (10.0, 230.0)]
)
@pytest.mark.parametrize("period_s", [30, 60, 300])
def test_a_register_that_stands_between_two_of_its_steps_is_good(
    step: float, load: float, period_s: int, *, has_power: bool
) -> None:
    """A step every two to four readings, noisy or not, is all that such a register can show: it missed none."""
    load *= 60 / period_s
    for shape, seed in (("steady", 1), ("noisy", 2)):
        draw, passed, readings = random.Random(seed), 7.3 * step, []
        for at in range(700):
            power = load * (draw.uniform(0.7, 1.3) if shape == "noisy" else 1.0)
            passed += power * period_s / 3600
            shown = coarse(passed, step, 2)
            reading = ElectricityReading(ts=T0 + at * period_s * 1000, energy_import_kwh=shown)
            readings.append(reading.model_copy(update={"power_kw": round(power, 3)}) if has_power else reading)
        device = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=period_s, rated=3 * load)
        found = metered(device, readings, "energy_import_kwh")
        assert found.events == []
        assert found.doubted <= FIRST * max(1, period_s // 60)
        assert found.total == pytest.approx(passed, abs=8.3 * step)


@pytest.mark.parametrize("has_power", [False, True])
@pytest.mark.parametrize("phase", [0.0, 11.0, 37.0])
@pytest.mark.parametrize(("load", "rated"), [(1_400.0, None), (1_400.0, 1_500.0), (900.0, 1_000.0), (500.0, 600.0)])
def test_a_step_behind_large_transformers_is_no_missed_one(
    load: float, rated: float | None, phase: float, *, has_power: bool
) -> None:
    """10 kV and 6000 times: the last digit is 60 kWh, counted every two to seven minutes, the first at once."""
    draw, passed, readings = random.Random(5), 6_000.0 + phase, []
    for at in range(720):
        power = load * (1.0 if rated is None else draw.uniform(0.7, 1.3))
        passed += power / 60
        reading = ElectricityReading(ts=T0 + at * 60_000, energy_import_kwh=coarse(passed / 6_000, 0.01, 2))
        readings.append(reading.model_copy(update={"power_kw": power / 6_000}) if has_power else reading)
    device = Device(
        device_id="m",
        site_id="s",
        kind=Kind.ELECTRICITY,
        period_s=60,
        rated=rated,
        multiplier={"energy_import_kwh": 6_000.0, "power_kw": 6_000.0},
    )
    found = metered(device, readings, "energy_import_kwh")
    assert not {event.kind for event in found.events} & BREAKS
    assert found.doubted <= 2 * FIRST


@pytest.mark.parametrize("flow", [1.6, 1.9, 2.2, 3.4])
def test_water_by_tenths_beside_its_flow_is_good(flow: float) -> None:
    """0.1 m³ a step and a few m³ an hour."""
    readings = [
        FlowReading(ts=T0 + at * 60_000, volume_m3=coarse(900.0 + flow * at / 60, 0.1, 1), flow_m3_h=flow)
        for at in range(1440)
    ]
    device = Device(device_id="m", site_id="s", kind=Kind.WATER, period_s=60, rated=10.0)
    found = metered(device, readings, "volume_m3")
    assert found.events == []
    assert found.doubted <= FIRST


def test_a_load_that_begins_to_come_and_go_is_learnt() -> None:
    """A fine register that never stood: one stand before a burst may be an old value, not a hundred."""
    passed, readings = 100.0, []
    for at in range(1440):
        passed += (30.0 if at < 120 else 100.0 * (at % 4 < 2)) / 60
        readings.append(ElectricityReading(ts=T0 + at * 60_000, energy_import_kwh=round(passed, 3)))
    device = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=60)
    found = metered(device, readings, "energy_import_kwh")
    assert found.events == []
    assert found.doubted <= FIRST


@pytest.mark.parametrize(
    ("period_s", "days", "noise", "shape", "most"),
    [
        (900, 14, 0.05, "daily", 1515),
        (900, 14, 0.05, "noisy", 1035),
        (900, 14, 0.1, "daily", 1680),
        (900, 14, 0.1, "noisy", 1200),
        (900, 14, 0.2, "daily", 1620),
        (900, 14, 0.2, "noisy", 1410),
        (300, 5, 0.05, "daily", 150),
        (300, 5, 0.05, "noisy", 170),
        (300, 5, 0.1, "daily", 230),
        (300, 5, 0.1, "noisy", 220),
        (300, 5, 0.2, "daily", 320),
        (300, 5, 0.2, "noisy", 305),
    ],
)
def test_power_with_noise_beside_a_right_register_costs_little(
    period_s: int, days: int, noise: float, shape: str, most: int
) -> None:
    """Of four meters no more minutes are doubted than at dbd71c0, before odd increments were looked at one by one."""
    doubted = 0
    for seed, load in ((1, 300.0), (2, 30.0), (3, 1_000.0), (4, 300.0)):
        draw, passed, readings = random.Random(seed), 1e5, []
        for at in range(days * 86_400 // period_s):
            hour = at * period_s / 3600 % 24
            by_day = 0.3 + 0.7 * max(0.0, math.sin((hour - 6) / 12 * math.pi))
            power = load * (by_day * draw.uniform(0.9, 1.1) if shape == "daily" else draw.uniform(0.6, 1.4))
            passed += power * period_s / 3600
            sampled = round(power * (1 + draw.uniform(-noise, noise)), 2)
            ts = T0 + at * period_s * 1000
            readings.append(ElectricityReading(ts=ts, energy_import_kwh=round(passed, 2), power_kw=sampled))
        device = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=period_s)
        found = metered(device, readings, "energy_import_kwh")
        assert found.events == []
        doubted += found.doubted
    assert doubted <= most


@pytest.mark.parametrize(
    ("period_s", "mean_s", "most"), [(900, 1200.0, 0.1), (900, 3600.0, 0.09), (60, 600.0, 0.04), (60, 120.0, 0.04)]
)
def test_a_machine_that_goes_on_and_off_costs_little(period_s: int, mean_s: float, most: float) -> None:
    """Power is sampled while it runs or stands: one increment that parts from that says nothing of those behind it."""
    draw, is_on, passed, readings = random.Random(3), True, 5000.0, []
    left = draw.expovariate(1 / mean_s)
    count = 96 * 20 if period_s == 900 else 1440 * 4
    for at in range(count):
        to_go = float(period_s)
        while to_go > 0:
            step = min(to_go, left)
            passed += step * 100 * draw.uniform(0.95, 1.05) / 3600 if is_on else 0.0
            to_go, left = to_go - step, left - step
            if left <= 0:
                is_on, left = not is_on, draw.expovariate(1 / mean_s)
        power = round(100 * draw.uniform(0.95, 1.05), 2) if is_on else 0.0
        readings.append(
            ElectricityReading(ts=T0 + at * period_s * 1000, energy_import_kwh=round(passed, 2), power_kw=power)
        )
    found = metered(
        Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=period_s), readings, "energy_import_kwh"
    )
    assert found.doubted / (count * period_s / 60) <= most


@pytest.mark.parametrize(("cycle_s", "share"), [(37, 0.7), (22.7, 0.7), (37, 0.8), (53.3, 0.85)])
def test_an_oven_that_is_held_warm_by_short_bursts_is_good(cycle_s: float, share: float) -> None:
    """Full power for two hours, then on and off faster than it is read, twelve hours a day."""
    passed, readings = 1_000.0, []
    for at_s in range(2 * 24 * 3600):
        hour = at_s / 3600 % 24
        is_on = 4 <= hour < 6 or (6 <= hour < 18 and at_s % cycle_s < share * cycle_s)
        power = 100.0 if is_on else 2.0
        if at_s % 60 == 0:
            reading = ElectricityReading(ts=T0 + at_s * 1000, energy_import_kwh=round(passed, 2), power_kw=power)
            readings.append(reading)
        passed += power / 3600
    found = metered(
        Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=60), readings, "energy_import_kwh"
    )
    assert found.doubted < 0.1 * len(readings)

"""Values that tremble, readings that are a little late, and increments that stay what they were taken for."""

from __future__ import annotations

import math
import random

import pytest

from schemas.arrival import Arrival
from schemas.metrics import MeterEvent, MeterMinute, Quality
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device
from schemas.time import HOUR_MS, MINUTE_MS
from streams.kernels.metering.register import RegisterMetering
from streams.kernels.metering.settling import BREAKS

KERNEL = RegisterMetering()
FIELD = "energy_import_kwh"
T0 = 1_780_000_020_000 - 1_780_000_020_000 % HOUR_MS


def metered(points: list[tuple[int, float]], period_s: int) -> tuple[dict[int, MeterMinute], list[MeterEvent]]:
    """Minutes and events of a register shown at moments (ms after T0), read in pieces through JSON."""
    device = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=period_s)
    arrivals = [Arrival("m", 0, ElectricityReading(ts=T0 + at, energy_import_kwh=value)) for at, value in points]
    state, rows = None, []
    for at in range(0, len(arrivals), 50):
        state, more = KERNEL.fold(state, device, arrivals[at : at + 50])
        state = KERNEL.load(KERNEL.dump(state))
        rows += more
    minutes = {row.ts - T0: row for row in rows if isinstance(row, MeterMinute) and row.quantity == FIELD}
    return minutes, [row for row in rows if isinstance(row, MeterEvent)]


@pytest.mark.parametrize("seed", range(5))
def test_minutes_of_a_value_that_moves_by_more_than_it_counts_are_estimated(seed: int) -> None:
    """Three digits up and down where one is counted a minute, for an hour of four: right in sum, not in time."""
    draw = random.Random(seed)
    values = [1000.0 + 0.1 * at for at in range(241)]
    values[120:180] = [value + draw.choice((-0.3, -0.2, 0.2, 0.3)) for value in values[120:180]]
    found, events = metered([(at * MINUTE_MS, round(value, 1)) for at, value in enumerate(values)], 60)
    assert not {event.kind for event in events} & BREAKS
    assert math.fsum(row.increment or 0.0 for row in found.values()) == pytest.approx(24.0, abs=0.7)
    of = {name: {found[at * MINUTE_MS].quality for at in range(*span)} for name, span in
          {"before": (10, 118), "trembling": (130, 178), "after": (200, 239)}.items()}  # fmt: skip
    assert of["before"] == of["after"] == {Quality.GOOD}
    assert of["trembling"] == {Quality.ESTIMATED}


def test_a_last_digit_that_flickers_costs_nothing() -> None:
    """A standing value between two of its last digits is no trembling: its zeros stay good."""
    counts = [(at * MINUTE_MS, round(1000 + 0.1 * at, 1)) for at in range(60)]
    stands = [((60 + at) * MINUTE_MS, round(1005.9 + 0.1 * (at % 2), 1)) for at in range(120)]
    found, events = metered(counts + stands, 60)
    assert events == []
    assert {row.quality for row in found.values()} == {Quality.GOOD}


def test_hourly_readings_that_are_some_seconds_late_are_good() -> None:
    """A reading a minute late is still an hourly one; one that is missing is not."""
    draw = random.Random(1)
    points = [(at * HOUR_MS + draw.randint(0, 90_000), 1000 + 5.0 * at) for at in range(80) if at != 50]
    found, _ = metered(points, 3600)
    within = {at: row for at, row in found.items() if points[0][0] + MINUTE_MS < at < 79 * HOUR_MS - MINUTE_MS}
    odd = {at // HOUR_MS for at, row in within.items() if row.quality is not Quality.GOOD}
    assert odd - {51} == {49, 50}


@pytest.mark.parametrize("follows", ["counts", "stands", "noise"])
def test_an_increment_that_was_estimated_stays_so(follows: str) -> None:
    """Seven times any before within the first hours: whatever comes next, it does not become good by being learned."""
    values = [1000 + 1.0 * at for at in range(60)] + [1066.0 + 1.0 * at for at in range(60)]
    if follows == "stands":
        values[61:63] = [values[60]] * 2
    if follows == "noise":
        values[61] = 9_999_999.0
    found, _ = metered([(at * MINUTE_MS, value) for at, value in enumerate(values)], 60)
    assert found[59 * MINUTE_MS].increment == pytest.approx(7.0)
    assert found[59 * MINUTE_MS].quality is Quality.ESTIMATED
    assert found[58 * MINUTE_MS].quality is Quality.GOOD


FEW_EVENTS = 20


def test_half_a_kilowatt_hour_of_noise_is_a_few_events() -> None:
    """Three days of a register that moves by a minute's count either way were 177 spikes and dips in turn."""
    draw = random.Random(5)
    points = [(at * MINUTE_MS, round(1000 + 0.5 * at + draw.choice((-0.5, 0.0, 0.5)), 2)) for at in range(4_320)]
    found, events = metered(points, 60)
    assert len({(event.ts, event.kind) for event in events}) < FEW_EVENTS
    assert math.fsum(row.increment or 0.0 for row in found.values()) == pytest.approx(2_159.5, abs=1.5)

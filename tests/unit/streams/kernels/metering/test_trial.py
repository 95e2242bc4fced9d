"""A level that is left before it has proved itself was perhaps never the meter's own."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import pytest

from schemas.arrival import Arrival
from schemas.metrics import MeterMinute, Quality
from schemas.readings import ElectricityReading, FlowReading, Kind
from schemas.registry import Device
from schemas.time import DAY_MS, MINUTE_MS, QUARTER_MS
from streams.kernels.metering.register import RegisterMetering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row

KERNEL = RegisterMetering()
T0 = 1_780_000_020_000 - 1_780_000_020_000 % DAY_MS
METER = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=900)


def quarters(values: Sequence[float], power_kw: float | None = None) -> list[Arrival]:
    """Readings of a register, one a quarter of an hour."""
    return [
        Arrival("m", 0, ElectricityReading(ts=T0 + number * QUARTER_MS, energy_import_kwh=value, power_kw=power_kw))
        for number, value in enumerate(values)
    ]


def metered(arrivals: Sequence[Arrival]) -> dict[int, MeterMinute]:
    """Minutes as they stand in the end, by their start after T0, ms."""
    _, rows = KERNEL.fold(None, METER, arrivals)
    return _minutes(rows)


def _minutes(rows: Sequence[Row]) -> dict[int, MeterMinute]:
    return {row.ts - T0: row for row in rows if isinstance(row, MeterMinute) and row.quantity == "energy_import_kwh"}


def counting(start: float, step: float, readings: int) -> list[float]:
    """Values of a register that counts evenly."""
    return [round(start + step * number, 2) for number in range(readings)]


def good(minutes: dict[int, MeterMinute], start: int, stop: int) -> int:
    """How many minutes between two readings are good."""
    return sum(
        row.quality is Quality.GOOD for ts, row in minutes.items() if start * QUARTER_MS <= ts < stop * QUARTER_MS
    )


def test_a_first_level_that_is_left_within_a_day_is_estimated_and_its_sum_stays() -> None:
    """A world that begins with another device's counting: nothing of it is good once the register leaves it."""
    minutes = metered(quarters([*counting(5_000.0, 7.0, 40), *counting(100.0, 1.0, 40)]))
    assert good(minutes, 0, 40) == 0
    before = math.fsum(row.increment or 0.0 for ts, row in minutes.items() if ts < 39 * QUARTER_MS)
    assert before == pytest.approx(39 * 7.0)


def test_a_first_level_that_has_counted_for_a_day_stays_good() -> None:
    """An exchange two days after the first reading takes nothing from the two days before."""
    minutes = metered(quarters([*counting(5_000.0, 7.0, 200), *counting(100.0, 7.0, 40)]))
    assert good(minutes, 0, 190) == 190 * QUARTER_MS // MINUTE_MS


def test_a_level_that_only_stands_takes_nothing_from_the_first_one() -> None:
    """A gateway that sends 0 for an hour on the first day: what was counted before and after it is good."""
    own = counting(5_000.0, 7.0, 60)
    minutes = metered(quarters([*own[:30], *[0.0] * 6, *own[36:]]))
    assert good(minutes, 0, 28) == 28 * QUARTER_MS // MINUTE_MS
    assert good(minutes, 28, 37) < 9 * QUARTER_MS // MINUTE_MS


def test_a_short_stretch_of_power_is_heard_with_the_next_one() -> None:
    """A register that counts from its third reading on although its power is 0: none of its minutes is good."""
    minutes = metered(quarters([5_000.0, *counting(5_000.0, 7.0, 30)], power_kw=0.0))
    assert good(minutes, 1, 28) == 0


def test_an_increment_beyond_any_before_that_power_denies_is_estimated() -> None:
    """An exchange to a slightly higher value between two readings is told by power alone."""
    own = [round(value + 0.01 * (number % 3), 2) for number, value in enumerate(counting(5_000.0, 7.0, 60))]
    raised = [round(value + (6.0 if number >= 45 else 0.0), 2) for number, value in enumerate(own)]
    minutes = metered(quarters(raised, power_kw=28.0))
    assert good(minutes, 44, 45) == 0
    assert good(minutes, 20, 44) == 24 * QUARTER_MS // MINUTE_MS


def test_a_state_on_trial_can_be_written_and_read_back() -> None:
    """Folding on from a state that was dumped and loaded gives what folding at once gives."""
    readings = quarters([*counting(5_000.0, 7.0, 40), *counting(100.0, 1.0, 40)])
    state, given = KERNEL.fold(None, METER, readings[:30])
    loaded = KERNEL.load(KERNEL.dump(state))
    assert loaded == state
    _, rest = KERNEL.fold(loaded, METER, readings[30:])
    assert _minutes([*given, *rest]) == metered(readings)


def test_a_late_reading_on_trial_is_never_taken_for_nothing() -> None:
    """While a level is on trial its minutes may be written again, so one more reading makes another state."""
    readings = quarters(counting(5_000.0, 7.0, 60))
    with_all, _ = KERNEL.fold(None, METER, readings)
    without, _ = KERNEL.fold(None, METER, [*readings[:20], *readings[21:]])
    assert KERNEL.dump(with_all) != KERNEL.dump(without)


@pytest.mark.parametrize(("seed", "least"), [(1, 0.7), (0, 0.8), (2, 0.7)])
def test_a_new_meter_whose_bursts_outdo_each_other_is_no_other_one(seed: int, least: float) -> None:
    """A water meter without a flow, read every quarter of an hour: 40 % of its first three days were good."""
    draw, volume, arrivals = random.Random(seed), 500.0, []
    for at in range(3 * 96):
        flow = 0.2 * draw.uniform(0.8, 1.2)
        if 6 < at / 4 % 24 < 22 and draw.random() < 0.15:
            flow += 5 * draw.lognormvariate(0, 0.8)
        volume += flow / 4
        arrivals.append(Arrival("m", 0, FlowReading(ts=T0 + at * 900_000, volume_m3=round(volume, 3))))
    device = Device(device_id="m", site_id="s", kind=Kind.WATER, period_s=900)
    rows = KERNEL.fold(None, device, arrivals)[1]
    minutes = {row.ts: row for row in rows if isinstance(row, MeterMinute)}
    good = sum(row.quality is Quality.GOOD for row in minutes.values())
    assert good > least * len(minutes)

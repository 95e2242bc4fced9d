"""Meters and sensors that stand still: told when it lasts and something moved, and not when nothing did."""

from __future__ import annotations

import dataclasses
import math
import random
from typing import TYPE_CHECKING

import orjson
import pytest

from schemas.arrival import Arrival
from schemas.metrics import MeterEvent, MeterEventKind, MeterMinute, Signal
from schemas.metrics.signal import SignalKind
from schemas.readings import BatteryReading, ElectricityReading, Kind, ProductionReading
from schemas.registry import BatterySet, Device
from schemas.time import HOUR_MS, MINUTE_MS
from streams.kernels.detection.batteries.set_safety import SetSafety
from streams.kernels.detection.frozen_meters import FrozenMeters
from streams.kernels.detection.reference import detection
from streams.kernels.metering.register import RegisterMetering

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from schemas.metrics import Row

T0 = 1_780_243_200_000
METER = Device(device_id="e-1", site_id="plant-1", kind=Kind.ELECTRICITY, period_s=60, rated=5_000)
SET = Device(
    device_id="b-1", site_id="bs-1", kind=Kind.BATTERY, period_s=60, battery=BatterySet(cell_count=16, nominal_ah=100)
)
DAY = 1_440


def metered(frozen: range, *, until: int = 24 * 60, catches_up: bool = True) -> list[Signal]:
    """A meter of 3 MW, a reading a minute, whose whole reading stands for some minutes."""
    arrivals, total, held = [], 1_000.0, (0.0, 0.0)
    for minute in range(until):
        total += 50.0 if catches_up or minute not in frozen else 0.0
        if minute not in frozen:
            held = (total, 3_000.0)
        reading = ElectricityReading(ts=T0 + minute * MINUTE_MS, energy_import_kwh=held[0], power_kw=held[1])
        arrivals.append(Arrival("e-1", 0, reading))
    rows = RegisterMetering().fold(None, METER, arrivals)[1]
    events = {(row.quantity, row.ts, row.kind): row for row in rows if isinstance(row, MeterEvent)}
    given = FrozenMeters("test").fold(None, METER, sorted(events.values(), key=lambda row: row.ts))[1]
    return [row for row in given if isinstance(row, Signal)]


@pytest.mark.parametrize("catches_up", [True, False])
def test_a_meter_that_stands_for_hours_is_told_after_three_of_them(*, catches_up: bool) -> None:
    """Five hours: raised after three, over when it moves, with what its own power says has passed."""
    raised, over = metered(range(600, 900), catches_up=catches_up)
    assert (raised.kind, raised.active, over.active) == (SignalKind.FROZEN, True, False)
    assert (raised.since_ts, raised.ts) == (T0 + 599 * MINUTE_MS, T0 + 599 * MINUTE_MS + 3 * HOUR_MS)
    assert over.ts == T0 + 899 * MINUTE_MS
    assert raised.cost == pytest.approx(15_000, rel=0.01)
    assert (raised.unit, raised.cost_unit) == ("kWh", "kWh")
    assert "instantaneous" in orjson.loads(raised.evidence)["rule"]


def test_it_is_told_while_it_lasts() -> None:
    """Nobody has to wait for its end."""
    (raised,) = metered(range(600, 2_000), until=600 + 185)
    assert raised.active


def test_what_stands_for_an_hour_calls_nobody() -> None:
    """A gateway that repeats itself; the event stands in the meter's own list."""
    assert not metered(range(600, 700))


@pytest.mark.parametrize(("says", "freezes_expected"), [("down", 0), ("停机", 0), ("running", 1), (None, 1)])
def test_a_line_that_says_it_stands_is_not_frozen(says: str | None, freezes_expected: int) -> None:
    """Seventeen hours after nine days of production, and ten minutes more until the first tonne."""
    line = Device(device_id="p-1", site_id="plant-1", kind=Kind.PRODUCTION, period_s=300)
    arrivals, total = [], 0.0
    stop = range(9 * DAY, 9 * DAY + 17 * 60)
    for minute in range(0, stop.stop + 180, 5):
        total += 0.0 if stop.start <= minute < stop.stop + 10 else 10.0
        state = says if minute in stop else "running"
        reading = ProductionReading(ts=T0 + minute * MINUTE_MS, mass_t=total, state=state)
        arrivals.append(Arrival("p-1", 0, reading))
    rows = RegisterMetering().fold(None, line, arrivals)[1]
    freezes = {row.ts for row in rows if isinstance(row, MeterEvent) and row.kind is MeterEventKind.FREEZE}
    assert len(freezes) == freezes_expected
    known = {row.ts: row.increment for row in rows if isinstance(row, MeterMinute)}
    assert freezes_expected or known[T0 + (stop.start + 60) * MINUTE_MS] == 0.0


def watched(days: float, bend: Callable[[int, list[float], list[float]], None], *, digits: int = 1) -> list[Signal]:
    """A set whose temperatures follow the day by ±4 °C, with an outage of two hours on the second day."""
    rng = random.Random(5)
    usual = [rng.gauss(0, 0.006) for _ in range(16)]
    arrivals: list[Arrival] = []
    for minute in range(round(days * DAY)):
        is_out = DAY + 600 <= minute < DAY + 720
        base = 3.22 - 0.0005 * (minute - DAY - 600) if is_out else 3.39
        cells = [round(base + each + rng.gauss(0, 0.001), 3) for each in usual]
        celsius = 22 + 4 * math.sin(minute / DAY * 2 * math.pi)
        temperatures = [round(celsius + at / 3 + rng.gauss(0, 0.05), digits) for at in range(4)]
        bend(minute, cells, temperatures)
        reading = BatteryReading(
            ts=T0 + minute * MINUTE_MS,
            current_a=-30.0 if is_out else 0.1,
            cell_voltage_v=list(cells),
            temperature_c=list(temperatures),
            ambient_c=20.0,
        )
        arrivals.append(Arrival("b-1", 0, reading))
    kernel, state = SetSafety(detection().battery, "test"), None
    rows: list[Row] = []
    for start in range(0, len(arrivals), 997):
        state, given = kernel.fold(state, SET, arrivals[start : start + 997])
        state = kernel.load(kernel.dump(state))
        rows += given
        assert len(kernel.dump(state)) <= 2048
    return [row for row in rows if isinstance(row, Signal) and row.kind is SignalKind.STUCK_SENSOR]


@pytest.mark.parametrize("digits", [1, 0])
def test_sensors_that_move_with_their_like_are_left_in_peace(digits: int) -> None:
    """Fine ones and ones that show whole degrees; cells that nothing moves for a day."""
    assert watched(3, lambda *_: None, digits=digits) == []


def test_a_temperature_sensor_that_stands_while_the_others_move_is_told() -> None:
    """Stuck from the evening on: told next morning at the latest, over when it moves again."""

    def stick(minute: int, _cells: Sequence[float], temperatures: list[float]) -> None:
        if 700 <= minute < 2 * DAY:
            temperatures[2] = 21.3

    raised, *_, over = watched(3, stick)
    assert raised.since_ts == pytest.approx(T0 + 700 * MINUTE_MS, abs=10 * MINUTE_MS)
    assert raised.ts - T0 <= 1.25 * DAY * MINUTE_MS
    assert orjson.loads(raised.evidence)["channels"] == "temperature_c 3"
    assert not over.active
    assert over.since_ts == pytest.approx(T0 + 2 * DAY * MINUTE_MS, abs=10 * MINUTE_MS)


def test_a_cell_that_stands_is_told_by_the_first_outage() -> None:
    """In float every cell stands nearly still, so only a discharge tells."""

    def stick(minute: int, cells: list[float], _temperatures: Sequence[float]) -> None:
        if minute >= 700:
            cells[6] = 3.391

    raised = watched(2, stick)[0]
    assert raised.ts - T0 == pytest.approx((DAY + 600) * MINUTE_MS, abs=30 * MINUTE_MS)
    assert orjson.loads(raised.evidence)["channels"] == "cell_voltage_v 7"


def test_a_state_from_before_sensors_were_watched_is_read() -> None:
    """An upgrade does not fold 7 000 sets again."""
    kernel = SetSafety(detection().battery, "test")
    reading = BatteryReading(ts=T0, current_a=0.1, cell_voltage_v=[3.39] * 16, temperature_c=[20.0] * 4)
    state, _ = kernel.fold(None, SET, [Arrival("b-1", 0, reading)])
    fields = orjson.loads(kernel.dump(state))
    at = [field.name for field in dataclasses.fields(state)].index("standings")
    without_sensors = [*fields[:at], fields[at][:-2]]  # neither stuck sensors nor sensor faults were judged then
    old = kernel.load(orjson.dumps(without_sensors).decode())
    later = reading.model_copy(update={"ts": T0 + HOUR_MS})
    assert kernel.fold(old, SET, [Arrival("b-1", 0, later)])[0].sensors.cells

"""Two meters that send under one id are one event, and nothing of them is called good (issue 16, item 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.arrival import Arrival
from schemas.metrics import MeterEvent, MeterMinute, Quality
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device
from schemas.time import MINUTE_MS
from streams.kernels.metering.register import RegisterMetering
from streams.kernels.metering.telling import IN_TURN

if TYPE_CHECKING:
    from collections.abc import Callable

KERNEL = RegisterMetering()
FEW = 10
T0 = 1_780_000_020_000


@pytest.mark.parametrize("rated", [None, 60.0])
@pytest.mark.parametrize(("first", "step"), [(52_000.0, 3.1), (1_100.0, 0.7), (900.0, 0.2), (1_003.0, 0.5), (0.0, 0.3)])
def test_two_meters_in_turn_from_the_first_reading_on_are_one_event(
    first: float, step: float, rated: float | None
) -> None:
    """Four hours of two registers in turn were 239 excursions, or 239 replacements."""
    meter = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=60, rated=rated)
    shown = [(at * MINUTE_MS, 1_000.0 + 0.5 * at) for at in range(240)]
    shown += [(at * MINUTE_MS + 30_000, first + step * at) for at in range(240)]
    arrivals = [
        Arrival("m", 0, ElectricityReading(ts=T0 + after, energy_import_kwh=round(value, 2)))
        for after, value in sorted(shown)
    ]
    _, rows = KERNEL.fold(None, meter, arrivals)
    events = {(row.ts, row.kind): row for row in rows if isinstance(row, MeterEvent)}
    [event] = events.values()
    assert event.readings > 200
    assert event.until_ts is not None
    assert event.rule == IN_TURN
    minutes = {row.ts: row for row in rows if isinstance(row, MeterMinute) and row.quantity == "energy_import_kwh"}
    assert Quality.GOOD not in {row.quality for row in minutes.values()}
    known = [row for row in minutes.values() if row.increment is not None]
    assert len(known) < FEW, "of which of the two a sum would be, nobody can tell"


def test_two_meters_in_turn_cost_no_more_the_longer_they_go_on() -> None:
    """Each return gave out every minute since they began: 4 hours were 28 000 rows, a day a million."""
    meter = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=60)
    state, given = None, []
    for at in range(480):
        ts, value = T0 + at * MINUTE_MS // 2, 55_000 + 0.35 * at if at % 2 else 10_000 + 0.5 * at
        state, rows = KERNEL.fold(state, meter, [Arrival("m", 0, ElectricityReading(ts=ts, energy_import_kwh=value))])
        given.append([row for row in rows if isinstance(row, MeterMinute)])
    assert max(map(len, given[60:])) <= FEW
    minutes = {row.ts: row.increment for rows in given for row in rows}
    assert len([value for value in minutes.values() if value is not None]) < FEW


def _with_history(other: Callable[[int], float | None], since: int = 100) -> tuple[list[MeterEvent], float]:
    """Events of a meter that another one's values come between from a minute on, and what it counted."""
    meter = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=60)
    shown = [(at * MINUTE_MS, 1_000.0 + 0.5 * at) for at in range(240)]
    between = [(at * MINUTE_MS + 30_000, other(at)) for at in range(since, 240)]
    shown += [(after, value) for after, value in between if value is not None]
    arrivals = [
        Arrival("m", 0, ElectricityReading(ts=T0 + after, energy_import_kwh=round(value, 2)))
        for after, value in sorted(shown)
    ]
    _, rows = KERNEL.fold(None, meter, arrivals)
    minutes = {row.ts: row for row in rows if isinstance(row, MeterMinute) and row.quantity == "energy_import_kwh"}
    counted = sum(row.increment or 0.0 for row in minutes.values())
    return [*{(row.ts, row.kind): row for row in rows if isinstance(row, MeterEvent)}.values()], counted


@pytest.mark.parametrize(("first", "step"), [(52_000.0, 3.1), (1_100.0, 0.7), (900.0, 0.2), (0.0, 0.3)])
def test_another_meter_between_a_known_ones_readings_is_named_and_costs_nothing(first: float, step: float) -> None:
    """The register that was known goes on; the event says that there are two."""
    [event], counted = _with_history(lambda at: first + step * at)
    assert event.rule == IN_TURN
    assert counted == pytest.approx(119.5, abs=2.0)  # the newest few readings wait


@pytest.mark.parametrize(
    "other", [lambda _: 0.0, lambda at: 5_000.0 + 997.0 * (at * 7919 % 13)], ids=["zeros", "noise"]
)
@pytest.mark.parametrize("since", [0, 100])
def test_zeros_and_noise_between_a_meters_readings_are_no_second_meter(
    other: Callable[[int], float], since: int
) -> None:
    """Only what counts on is a meter's."""
    events, _ = _with_history(other, since)
    assert IN_TURN not in {event.rule for event in events}

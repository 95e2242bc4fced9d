"""Two meters that send under one id are one event, and nothing of them is called good (issue 16, item 5)."""

from __future__ import annotations

import pytest

from schemas.arrival import Arrival
from schemas.metrics import MeterEvent, MeterMinute, Quality
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device
from schemas.time import MINUTE_MS
from streams.kernels.metering.register import RegisterMetering

KERNEL = RegisterMetering()
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
    assert event.until_ms is not None
    minutes = {row.ts: row for row in rows if isinstance(row, MeterMinute) and row.quantity == "energy_import_kwh"}
    assert Quality.GOOD not in {row.quality for row in minutes.values()}

"""Minutes between two readings: what was counted is spread over them in one go, however many they are."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import pytest

from schemas.metrics import MeterMinute, Quality
from schemas.readings import Kind
from schemas.registry import Device
from schemas.time import DAY_MS, MINUTE_MS
from streams.kernels.metering.minutes import Backing, Filling, Minutes, begin
from tests.unit.streams.kernels.calls import calls_of

if TYPE_CHECKING:
    from schemas.metrics import Row

DEVICE = Device(device_id="e", site_id="s", kind=Kind.ELECTRICITY)
T0 = 1_780_000_020_000
QUALITIES = {
    Backing.READINGS: (1.0, Quality.GOOD),
    Backing.BRIDGE: (0.0, Quality.ESTIMATED),
    Backing.NOTHING: (0.0, Quality.UNKNOWN),
}


def spread(start: int, stop: int, counted: float, backing: Backing) -> tuple[list[MeterMinute], Filling]:
    """Spread what was counted between two moments."""
    rows: list[Row] = []
    filling = Minutes(DEVICE, "energy_import_kwh", rows).spread(begin(start), start, stop, counted, backing)
    return [row for row in rows if isinstance(row, MeterMinute)], filling


@pytest.mark.parametrize("backing", Backing)
@pytest.mark.parametrize("seed", range(40))
def test_each_minute_has_what_the_line_counts_within_it(backing: Backing, seed: int) -> None:
    """To the last bit: the line's value at its end less the value at its beginning; the rest stays open."""
    rng = random.Random(seed)
    start = T0 + rng.choice([0, rng.randrange(DAY_MS)])
    edge = start - start % MINUTE_MS
    stop = rng.choice([edge + rng.randrange(1, 9) * MINUTE_MS, start + rng.randrange(1, DAY_MS)])
    counted = rng.choice([0.0, rng.uniform(0, 1e5), -3.5])
    rows, filling = spread(start, stop, counted, backing)

    def shows(ts: int) -> float:
        if ts <= start:
            return 0.0
        return counted if ts == stop else counted * ((ts - start) / (stop - start))

    begins = range(edge, stop - stop % MINUTE_MS, MINUTE_MS)
    assert [row.ts for row in rows] == [*begins]
    for row in rows[1:]:
        assert (row.coverage, row.quality) == QUALITIES[backing]
    known = backing is not Backing.NOTHING
    assert [row.increment for row in rows] == [shows(at + MINUTE_MS) - shows(at) if known else None for at in begins]
    assert filling.minute == stop - stop % MINUTE_MS
    assert filling.increment == (counted - shows(filling.minute) if known else 0.0)
    if known:
        assert math.isclose(math.fsum([filling.increment, *(row.increment or 0.0 for row in rows)]), counted)
        assert filling.covered_ms + filling.bridged_ms == min(stop - filling.minute, stop - start)


def test_a_silence_of_days_costs_no_more_calls_than_one_of_minutes() -> None:
    """Its 8 640 minutes are made together: one by one they were most of what a long silence cost."""
    few, many = (
        calls_of(lambda: spread(T0 + 7, T0 + length, 5e3, Backing.BRIDGE))  # noqa: B023 - called at once
        for length in (9 * MINUTE_MS, 6 * DAY_MS)
    )
    assert many <= few + 1

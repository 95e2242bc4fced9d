"""A register that begins anew each day is learnt as a counter of the day; nothing else is taken for one."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, NamedTuple

import pytest

from schemas.arrival import Arrival
from schemas.metrics import MeterEvent, MeterEventKind, MeterMinute, Quality
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device
from schemas.time import DAY_MS, HOUR_MS
from streams.kernels.metering.register import RegisterMetering

if TYPE_CHECKING:
    from collections.abc import Callable

KERNEL = RegisterMetering()
MIDNIGHT_TS = 1_780_000_020_000 // DAY_MS * DAY_MS - 8 * HOUR_MS
"""In China."""
K = MeterEventKind


class Metered(NamedTuple):
    """What metering made of a register."""

    doubted: list[int]
    """Minutes that are not `good`, ms."""
    total: float
    passed: float
    events: list[MeterEvent]

    def doubted_since(self, day: float) -> int:
        """How many minutes are not `good` from a day on."""
        return sum(ts >= MIDNIGHT_TS + day * DAY_MS for ts in self.doubted)

    def kinds(self) -> list[MeterEventKind]:
        """What befell it, in the order of time."""
        return [event.kind for event in self.events]


def load(shape: str, rng: random.Random, ts: int) -> float:
    """Draw a load in kW."""
    if shape == "day":
        return 50.0 * rng.uniform(0.9, 1.1) if 8 <= (ts - MIDNIGHT_TS) // HOUR_MS % 24 < 18 else 0.0
    if shape == "bursts":
        return 50.0 * (3.0 if rng.random() < 0.1 else rng.uniform(0.05, 0.2))
    return 50.0 * (rng.uniform(0.7, 1.3) if shape == "noisy" else 1.0)


def metered(
    shows: Callable[[float, int], float],
    *,
    days: int,
    shape: str = "noisy",
    period_s: int = 900,
    rollover: dict[str, float] | None = None,
    rests: frozenset[int] = frozenset(),
) -> Metered:
    """Meter what a register `shows` at a moment, when so much has passed in all; on days of rest nothing does."""
    rng, passed, arrivals = random.Random(period_s), 0.0, []
    period_ms = period_s * 1000
    for ts in range(MIDNIGHT_TS + period_ms // 3, MIDNIGHT_TS + days * DAY_MS, period_ms):
        power = 0.0 if (ts - MIDNIGHT_TS) // DAY_MS in rests else load(shape, rng, ts)
        passed += power * period_ms / HOUR_MS
        arrivals.append(Arrival("m", 0, ElectricityReading(ts=ts, energy_import_kwh=round(shows(passed, ts), 2))))
    device = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=period_s, rollover=rollover or {})
    rows = KERNEL.fold(None, device, arrivals)[1]
    minutes = {row.ts: row for row in rows if isinstance(row, MeterMinute)}
    events = {(row.ts, row.kind): row for row in rows if isinstance(row, MeterEvent)}
    return Metered(
        [ts for ts, row in minutes.items() if row.quality is not Quality.GOOD],
        math.fsum(row.increment or 0.0 for row in minutes.values()),
        passed,
        [events[key] for key in sorted(events)],
    )


class Counter:
    """A register that begins anew at the end of so many days, at a time of day, by a clock that is not quite right."""

    def __init__(self, every: int = 1, at_h: float = 0.0) -> None:
        self._every_ms, self._at_ms = every * DAY_MS, at_h * HOUR_MS
        self._number, self._from, self._before = -1, 0.0, 0.0

    def __call__(self, passed: float, ts: int) -> float:
        """What it shows: what passed since the reading before the one at which it had begun anew."""
        number = int((ts - MIDNIGHT_TS - self._at_ms) // self._every_ms)
        if number != self._number:
            self._number, self._from = number, (self._before + passed) / 2
        self._before = passed
        return passed - self._from


@pytest.mark.parametrize("at_h", [0.0, 8.0, 15.37])
@pytest.mark.parametrize("shape", ["steady", "noisy", "bursts", "day"])
@pytest.mark.parametrize("period_s", [300, 900, 3600])
def test_a_register_that_begins_anew_each_day_is_good_but_for_the_reading_in_which_it_does(
    period_s: int, shape: str, at_h: float
) -> None:
    """Of each day one interval is an estimate once three falls were seen, and no reset is told any more."""
    found = metered(Counter(at_h=at_h), days=9, shape=shape, period_s=period_s)
    assert found.doubted_since(4) <= 5 * (period_s // 60 + 1)
    assert found.kinds().count(K.RESTART) == 1
    assert all(event.ts < MIDNIGHT_TS + 4 * DAY_MS for event in found.events)
    assert found.total == pytest.approx(found.passed, abs=9 * 150.0 * period_s / 3600)


def test_so_is_one_that_begins_anew_each_week() -> None:
    """Three weeks are needed to know."""
    found = metered(Counter(every=7), days=36, shape="day")
    assert found.doubted_since(22.1) <= 2 * 16
    assert found.kinds().count(K.RESTART) == 1


def test_days_of_rest_do_not_take_that_away() -> None:
    """From 0 nothing falls to 0, within what teaches it and behind it."""
    found = metered(Counter(), days=14, shape="day", rests=frozenset({2, 3, 7, 8, 9}))
    assert found.doubted_since(7) <= 4 * 16
    assert found.kinds().count(K.RESTART) == 1


def test_silence_over_midnight_counts_both_of_its_sides() -> None:
    """Its value has risen all the same, and yet it began anew meanwhile."""
    counter = Counter()
    rng, passed, arrivals = random.Random(1), 0.0, []
    for ts in range(MIDNIGHT_TS, MIDNIGHT_TS + 8 * DAY_MS, 900_000):
        passed += 50.0 * rng.uniform(0.9, 1.1) / 4
        value, hour = counter(passed, ts), (ts - MIDNIGHT_TS) / HOUR_MS
        if not 5 * 24 + 3 < hour < 6 * 24 + 20:
            arrivals.append(Arrival("m", 0, ElectricityReading(ts=ts, energy_import_kwh=round(value, 2))))
    device = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=900)
    rows = KERNEL.fold(None, device, arrivals)[1]
    minutes = {row.ts: row for row in rows if isinstance(row, MeterMinute)}
    assert math.fsum(row.increment or 0.0 for row in minutes.values()) == pytest.approx(passed, rel=0.02)


def test_an_exchange_of_such_a_meter_is_one() -> None:
    """A fall at another time is told and doubted, also of a counter of the day."""
    counter = Counter()
    start = MIDNIGHT_TS + 5 * DAY_MS + 11 * HOUR_MS
    lost: list[float] = []

    def shows(passed: float, ts: int) -> float:
        value = counter(passed, ts)
        if ts < start or ts >= MIDNIGHT_TS + 6 * DAY_MS:
            return value
        lost.append(value)
        return value - lost[0]

    found = metered(shows, days=7)
    assert [event.kind for event in found.events if event.ts > start - HOUR_MS][:1] == [K.RESET]
    assert found.doubted_since(5.5) > 400


@pytest.mark.parametrize("hours", [(9.0, 14.0, 11.0, 16.5, 10.0), (9.0, 9.6, 14.0, 10.4, 16.0)])
def test_exchanges_at_working_hours_are_no_counter_of_the_day(hours: tuple[float, ...]) -> None:
    """Five new meters on five days, and each of them is told."""
    breaks = [MIDNIGHT_TS + (day + 1) * DAY_MS + hour * HOUR_MS for day, hour in enumerate(hours)]
    froms = [0.0]

    def shows(passed: float, ts: int) -> float:
        if len(froms) <= len(breaks) and ts >= breaks[len(froms) - 1]:
            froms.append(passed - 0.1)
        return passed - froms[-1]

    found = metered(shows, days=8)
    assert K.RESTART not in found.kinds()
    assert len(found.events) == 5


def test_a_gateway_that_shows_0_each_night_is_no_counter_of_the_day() -> None:
    """It comes back to where it would have been."""

    def shows(passed: float, ts: int) -> float:
        return 0.0 if 1 <= (ts - MIDNIGHT_TS) // HOUR_MS % 24 < 5 else 1_284_302.0 + passed

    found = metered(shows, days=9)
    assert K.RESTART not in found.kinds()
    assert found.kinds().count(K.EXCURSION) >= 8
    assert found.total == pytest.approx(found.passed, rel=0.01)


def test_another_meter_that_is_read_each_night_is_no_counter_of_the_day() -> None:
    """A level that is left for a low one and found again is no beginning."""

    def shows(passed: float, ts: int) -> float:
        hour = (ts - MIDNIGHT_TS) / HOUR_MS
        return 3.0 + hour % 24 if 1 <= hour % 24 < 4 else 90_000.0 + passed

    assert K.RESTART not in metered(shows, days=9).kinds()


def test_a_registered_rollover_at_the_same_time_each_day_stays_one() -> None:
    """What passed by it is exact, and good."""
    found = metered(lambda passed, _: (400.0 + passed) % 1200.0, days=9, shape="steady",
                    rollover={"energy_import_kwh": 1200.0})  # fmt: skip
    assert set(found.kinds()) == {K.ROLLOVER}
    assert found.total == pytest.approx(found.passed, abs=20.0)
    assert found.doubted_since(2) == 0

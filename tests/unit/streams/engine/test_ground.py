"""Readings that were taken away for their age: what was made of them stands, whatever is folded again behind them."""

from __future__ import annotations

import pytest

from schemas.arrival import Arrival
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device
from schemas.time import DAY_MS, HOUR_MS, QUARTER_DAY_MS
from storage.retention import BEHIND_MS
from streams.kernels.metering.register import RegisterMetering
from tests.support.folded_in_memory import InMemory

METER = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, rated=500, period_s=3600)
START_TS = 1_780_012_800_000 // DAY_MS * DAY_MS


def at(hour: float, energy_kwh: float | None = None, power_kw: float | None = None) -> Arrival:
    """A reading at an hour, of a register that counts 10 kWh in each unless told."""
    energy_kwh = 50_000 + 10.0 * hour if energy_kwh is None and power_kw is None else energy_kwh
    ts = int(START_TS + hour * HOUR_MS)
    return Arrival("m", 0, ElectricityReading(ts=ts, energy_import_kwh=energy_kwh, power_kw=power_kw))


def fed(*arrivals: Arrival, size: int = 1) -> InMemory:
    """A meter that was sent readings, so many at once."""
    meter = InMemory(RegisterMetering(), METER)
    for start in range(0, len(arrivals), size):
        meter.take(arrivals[start : start + size])
    return meter


def rows(meter: InMemory) -> dict[str, list[str]]:
    """All rows, without what is remembered."""
    return {name: own for name, own in meter.held().items() if name not in {"snapshots", "state"}}


@pytest.mark.parametrize("every_days", [8, 11])
def test_what_is_derived_again_begins_behind_the_ground(every_days: int) -> None:
    """A meter read every so many days; the state behind the ground could still revise what lies before it."""
    sent = [at(24.0 * day + 1) for day in range(0, 240, every_days)]
    meter = fed(*sent)
    before = rows(meter)
    for day in range(40, 130, 9):
        ground_ts = START_TS + day * DAY_MS
        meter.keep_from(ground_ts)
        meter.refold(ground_ts + BEHIND_MS)
        assert rows(meter) == before


@pytest.mark.parametrize("hours_behind", [0.5, 7, 100])
@pytest.mark.parametrize("snapshots", [False, True])
def test_a_late_reading_near_the_ground_takes_nothing_away(hours_behind: float, *, snapshots: bool) -> None:
    """Hourly readings; one that comes late changes nothing before it, and all behind it as if everything were there."""
    hours = range(24 * 12)
    late = at(24 * 6 + hours_behind, 50_000 + 10.0 * (24 * 6 + hours_behind) + 1)
    sent = [at(hour) for hour in hours if at(hour).reading.ts != late.reading.ts]
    meter, whole = fed(*sent, size=60), fed(*sent, size=60)
    before = rows(meter)
    meter.keep_from(START_TS + 6 * DAY_MS, snapshots=snapshots)
    meter.take([late])
    whole.take([late])
    if hours_behind > QUARTER_DAY_MS / HOUR_MS:
        assert rows(meter) == rows(whole)
    for name, own in rows(meter).items():
        ground_ts = START_TS + 6 * DAY_MS
        assert [row for row in own if _ts(row) < ground_ts] == [row for row in before[name] if _ts(row) < ground_ts]


@pytest.mark.parametrize("snapshots", [False, True])
@pytest.mark.parametrize("silent_days", [12, 60])
def test_a_late_reading_after_a_silence_longer_than_readings_are_kept(silent_days: int, *, snapshots: bool) -> None:
    """All readings before the silence are gone. What passed in it is still counted, and once only."""
    old, newest = [at(hour) for hour in range(48)], 48 + 24 * silent_days
    first, second, last = at(newest - 70), at(newest - 40), at(newest)
    cut, ordered = fed(*old), fed(*old)
    for meter in (cut, ordered):
        meter.keep_from(START_TS + 3 * DAY_MS, snapshots=snapshots)
    for arrival in (first, second, last):
        ordered.take([arrival])
    for arrival in (last, second, first):
        cut.take([arrival])
    assert cut.held() == ordered.held()


def test_a_reading_older_than_its_kind_is_kept_changes_nothing() -> None:
    """Replayed from the quarantine, say: its neighbours are gone."""
    meter = fed(*(at(hour) for hour in range(24 * 9)), size=60)
    before = meter.held()
    meter.keep_from(START_TS + 6 * DAY_MS)
    meter.take([at(24 * 3 + 0.5), at(24 * 5.9)])
    assert meter.held() == before


def test_old_readings_of_a_device_that_is_new_count() -> None:
    """Nothing of it was taken away."""
    sent = [at(hour) for hour in range(24 * 3)]
    meter, other = InMemory(RegisterMetering(), METER), fed()
    meter.keep_from(START_TS + 300 * DAY_MS)
    meter.take(sent)
    other.take(sent)
    assert meter.held() == other.held()


@pytest.mark.parametrize("every_days", [8, 20])
def test_a_new_form_of_the_state_leaves_what_passed_before_the_first_reading_kept(every_days: int) -> None:
    """No snapshot is of that form, and no reading is left from before a silence: minutes and their sums stand.

    Events of a device that sends so seldom are told by another reading: the new state first has to trust its register.
    """
    meter = fed(*(at(24.0 * day + 1) for day in range(0, 140, every_days)))
    before = rows(meter)["MeterMinute"]
    for day in range(10, 60, 7):
        meter.keep_from(START_TS + day * DAY_MS)
        meter.snapshots.clear()
        meter.known.clear()
        meter.refold(START_TS + day * DAY_MS + BEHIND_MS)
        assert rows(meter)["MeterMinute"] == before


def _ts(row: str) -> int:
    return int(row.partition("ts=")[2].partition(",")[0])

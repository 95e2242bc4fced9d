"""Registers become consumption: conserved, covered, and the same from wherever the fold begins."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.arrival import Arrival
from schemas.metrics import MeterEvent, MeterEventKind, MeterLatest, MeterMinute, Quality
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device
from schemas.time import DAY_MS, MINUTE_MS
from streams.kernels.metering.register import RegisterMetering
from streams.kernels.metering.settling import MAX_RUNS

if TYPE_CHECKING:
    from collections.abc import Sequence

KERNEL = RegisterMetering()
T0 = 1_780_000_020_000 - 1_780_000_020_000 % MINUTE_MS
METER = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=60, rollover={"energy_import_kwh": 10_000})


def arrivals(points: Sequence[tuple[int, float]]) -> list[Arrival]:
    """Readings of one register at seconds after T0."""
    return [
        Arrival("m", 0, ElectricityReading(ts=T0 + seconds * 1000, energy_import_kwh=value))
        for seconds, value in points
    ]


FAST_METER = METER.model_copy(update={"rated": 200_000.0})
"""Rated for anything that `points_of` draws: 50 kWh within a second is nothing strange to it."""


def minutes(points: Sequence[tuple[int, float]], meter: Device = METER) -> list[MeterMinute]:
    """Minute rows as they stand after one ordered pass: of one minute the last one given."""
    rows = KERNEL.fold(None, meter, arrivals(points))[1]
    return list({row.ts: row for row in rows if isinstance(row, MeterMinute)}.values())


def test_an_increment_is_split_at_the_minutes_edge_in_proportion_to_time() -> None:
    """Linear interpolation between readings (docs/plant-metrics.md, "Rules above every formula")."""
    rows = minutes([(0, 1.0), (90, 10.0), (120, 16.0)])
    assert [(row.ts - T0, row.increment) for row in rows] == [(0, 6.0), (60_000, 9.0)]
    assert all(row.quality is Quality.GOOD and row.coverage == 1 for row in rows)


def test_the_first_minute_is_covered_from_its_first_reading() -> None:
    """What came before the first reading is unknown, not zero."""
    first = minutes([(45, 100.0), (60, 101.0), (75, 102.0)])[0]
    assert (first.coverage, first.quality, first.increment) == (0.25, Quality.PARTIAL, 1.0)


def test_a_gap_is_known_in_sum_but_not_in_time() -> None:
    """More than three periods without a reading: interpolated, no coverage, and nothing lost of the total."""
    rows = minutes([(0, 1.0), (60, 2.0), (360, 12.0), (420, 13.0)])
    assert [row.quality for row in rows] == [Quality.GOOD, *[Quality.ESTIMATED] * 5, Quality.GOOD]
    assert [row.coverage for row in rows[1:6]] == [0.0] * 5
    assert math.isclose(math.fsum(row.increment or 0 for row in rows), 12.0)


def test_a_registered_rollover_counts_on_at_once() -> None:
    """9 990 to 10 of 10 000 is 20 kWh, and needs no further reading."""
    row = minutes([(0, 9_970.0), (60, 9_990.0), (120, 10.0)])[-1]
    assert (row.ts - T0, row.increment, row.quality) == (60_000, 20.0, Quality.GOOD)


def test_a_fall_is_unknown_until_the_next_readings_tell_what_it_was() -> None:
    """While it may still be a dip nothing is said; then it counts from zero, estimated until it proves itself."""
    steady = [(at * 60, 5_000.0 + at) for at in range(20)]
    held = minutes([*steady, (1_200, 0.5)])[-1]
    assert (held.ts - T0, held.increment, held.quality) == (1_140_000, None, Quality.UNKNOWN)
    later = {row.ts - T0: row for row in minutes([*steady, (1_200, 0.5), (1_260, 1.5)])}
    assert (later[1_140_000].increment, later[1_140_000].quality) == (0.5, Quality.ESTIMATED)
    assert (later[1_200_000].increment, later[1_200_000].quality) == (1.0, Quality.ESTIMATED)
    proved = minutes([*steady, *((1_200 + 60 * at, 0.5 + at) for at in range(1_450))])
    assert (proved[-1].increment, proved[-1].quality) == (1.0, Quality.GOOD)


SLOW_METER = METER.model_copy(update={"period_s": 900, "rated": 1_600.0, "rollover": {}})
QUARTERS = [(900 * at, 20_000.0 + 40 * at) for at in range(40)]
"""40 kWh a quarter of an hour, of a meter rated for 400."""


def befell(points: Sequence[tuple[int, float]]) -> list[tuple[MeterEventKind, float | None]]:
    """What befell a register, with what was counted."""
    rows = KERNEL.fold(None, SLOW_METER, arrivals(points))[1]
    return [(row.kind, row.increment) for row in rows if isinstance(row, MeterEvent)]


def test_a_small_replacement_is_not_two_readings_of_noise() -> None:
    """A jump that three periods might bring is none of skipping the last reading before it and the first behind it."""
    behind = [(900 * at, 21_100.0 + 40 * at) for at in range(40, 50)]
    ((kind, counted),) = befell([*QUARTERS, *behind])
    assert kind is MeterEventKind.REPLACEMENT
    assert counted == pytest.approx(40.0)


def test_a_reset_within_a_gap_may_have_counted_through_the_busiest_hours() -> None:
    """Quiet before and behind it, a gap hides a shift: what it shows is what it counted, if its rating allows that."""
    behind = [(900 * at, 4_000.0 + 40 * (at - 66)) for at in range(66, 76)]
    assert (MeterEventKind.RESET, 4_000.0) in befell([*QUARTERS, *behind])


def test_silence_of_more_than_a_week_stands_as_estimated_shares_of_its_days() -> None:
    """Nine days offline put no more into a day than its share; a year offline writes no half a million rows."""
    steady = [(60 * at, 5.0 + at) for at in range(10)]
    nine_days = minutes([*steady, (540 + 9 * 86_400, 9_014.0)])
    days: dict[int, float] = {}
    for row in nine_days[9:]:
        assert row.quality is Quality.ESTIMATED
        days[row.ts // DAY_MS] = days.get(row.ts // DAY_MS, 0.0) + (row.increment or 0.0)
    assert math.isclose(math.fsum(days.values()), 9_000.0)
    assert max(days.values()) == pytest.approx(1_000.0, rel=0.001)
    year = minutes([*steady, (540 + 365 * 86_400, 9_014.0)])
    assert len(year) < 10_000
    assert math.isclose(math.fsum(row.increment or 0.0 for row in year), 9_009.0)


def test_a_catch_up_among_the_first_readings_is_spread_over_the_time_it_stood() -> None:
    """It was spread once more from where the standing ended, and one minute took all of that back."""
    values = [100.0, 101.0, 102.0, *[103.0] * 30, 150.0, 150.0, 151.0, 152.0, 153.0]
    points = [(at * 900, value) for at, value in enumerate(values)]
    given = [row.increment or 0.0 for row in minutes(points, METER.model_copy(update={"period_s": 900.0}))]
    assert min(given) >= 0.0
    assert max(given) < 1.0
    assert math.fsum(given) == pytest.approx(53.0)


def test_a_stopped_meter_gives_no_rows_rather_than_zeros() -> None:
    """Offline is unknown: nothing is written until it speaks again."""
    assert [row.ts for row in minutes([(0, 0.0), (61, 1.0)])] == [T0]


points_of = st.lists(
    st.tuples(st.integers(1, 400), st.floats(0, 50, allow_nan=False, width=32)), min_size=2, max_size=60
)


@given(points_of)
def test_minutes_add_up_to_the_registers_difference(steps: list[tuple[int, float]]) -> None:
    """Conservation: of what its rating allows, nothing is created and nothing lost up to the last closed minute."""
    points, seconds, value = [(0, 100.0)], 0, 100.0
    for step, increment in steps:
        seconds, value = seconds + step, value + increment
        points.append((seconds, value))
    end = seconds - seconds % 60 + 60
    points.append((end, value))
    rows = minutes(points, FAST_METER)
    assert math.isclose(math.fsum(row.increment or 0 for row in rows), value - 100.0, rel_tol=1e-9, abs_tol=1e-6)
    assert [row.ts for row in rows] == list(range(T0, T0 + end * 1000, MINUTE_MS))


@given(points_of, st.integers(0, 10))
def test_a_fold_in_two_parts_is_the_fold_of_the_whole(steps: list[tuple[int, float]], cut: int) -> None:
    """State carries everything the next reading needs, through its saved form too."""
    seconds, value, points = 0, 0.0, []
    for step, increment in steps:
        seconds, value = seconds + step, value + increment
        points.append((seconds, value))
    whole_state, whole_rows = KERNEL.fold(None, METER, arrivals(points))
    state, rows = KERNEL.fold(None, METER, arrivals(points[:cut]))
    state, more = KERNEL.fold(KERNEL.load(KERNEL.dump(state)), METER, arrivals(points[cut:]))
    assert state == whole_state
    assert [row for row in [*rows, *more] if isinstance(row, MeterMinute)] == [
        row for row in whole_rows if isinstance(row, MeterMinute)
    ]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.floats(0, 1e6, width=32)), min_size=1, max_size=60))
def test_rubbish_keeps_the_window_small_and_leaves_no_minute_out(steps: list[tuple[int, float]]) -> None:
    """Whatever a register shows, memory is bounded, every minute has a row, and cutting the items changes nothing."""
    points, seconds = [(0, 100.0)], 0
    for step, value in steps:
        seconds += step * 60
        points.append((seconds, value))
    state, rows = KERNEL.fold(None, METER, arrivals(points))
    assert max(len(register.tail) for register in state.registers.values()) <= MAX_RUNS
    given_out = {row.ts for row in rows if isinstance(row, MeterMinute)}
    assert given_out == set(range(T0, T0 + seconds * 1000, MINUTE_MS))
    cut, pieces = None, []
    for arrival in arrivals(points):
        cut, more = KERNEL.fold(None if cut is None else KERNEL.load(KERNEL.dump(cut)), METER, [arrival])
        pieces += [row for row in more if not isinstance(row, MeterLatest)]
    assert cut == state
    assert pieces == [row for row in rows if not isinstance(row, MeterLatest)]


def test_the_state_it_is_given_stays_as_it_was() -> None:
    """The transaction may be rolled back."""
    state, _ = KERNEL.fold(None, METER, arrivals([(0, 1.0)]))
    before = KERNEL.dump(state)
    KERNEL.fold(state, METER, arrivals([(90, 2.0)]))
    assert KERNEL.dump(state) == before


@pytest.mark.parametrize("kind", sorted(RegisterMetering.source))
def test_every_meter_kind_has_registers(kind: Kind) -> None:
    """A kind without registers would be metered as silence."""
    assert KERNEL._registers[kind]


def test_what_a_late_reading_changes_is_forgotten_by_the_next_snapshot() -> None:
    """A late reading of a year costs the readings to the next snapshot, not all that follow it."""
    meter = METER.model_copy(update={"rollover": {}})
    points = [(60 * at, 1_000.0 + round(1.3 * at + (at * 7919 % 13) / 10, 1)) for at in range(3 * 1_440)]
    late = 1_500
    until = (T0 + 60_000 * late) // KERNEL.snapshot_ms * KERNEL.snapshot_ms + KERNEL.snapshot_ms
    upto = [point for point in points if T0 + point[0] * 1000 < until]
    whole = KERNEL.fold(None, meter, arrivals(upto))[0]
    without = KERNEL.fold(None, meter, arrivals([point for point in upto if point != points[late]]))[0]
    assert KERNEL.dump(whole) == KERNEL.dump(without)


@pytest.mark.parametrize("kwh", [(0.2, 1), (0.2, 5), (0.1, 2)])
def test_coarse_steps_within_the_rating_are_nothing_odd(kwh: tuple[float, int]) -> None:
    """A last digit that moves every few minutes is more than a minute's worth, and no freeze nor `over_rated`."""
    speed, step = kwh
    meter = METER.model_copy(update={"rated": 12.0, "rollover": {}})
    points = [(60 * at, 100.0 + speed * at // step * step) for at in range(900)]
    _, rows = KERNEL.fold(None, meter, arrivals(points))
    assert not [row for row in rows if isinstance(row, MeterEvent)]


@pytest.mark.parametrize("first", [0, 200])
def test_counting_on_beyond_the_rating_is_told_once_with_its_end(first: int) -> None:
    """12 kW registered, 30 kW counted from some reading on for three hours: one event, and all of it counted."""
    meter = METER.model_copy(update={"rated": 12.0, "rollover": {}})
    steps = [0.1] * first + [0.5] * 180 + [0.1] * 200
    shown = [100.0]
    for step in steps:
        shown.append(round(shown[-1] + step, 3))
    _, rows = KERNEL.fold(None, meter, arrivals([(60 * at, value) for at, value in enumerate(shown)]))
    over = [row for row in rows if isinstance(row, MeterEvent) and row.kind is MeterEventKind.OVER_RATED]
    assert {row.ts for row in over} == {over[0].ts}
    begins, ends = over[0], over[-1]
    assert (begins.until_ts, ends.until_ts) == (None, T0 + 60_000 * (first + 180))
    assert ends.increment is not None
    assert ends.plausible is not None
    assert ends.increment / ends.plausible == pytest.approx(0.5 / (1.2 * 0.2), rel=0.02)
    found = {row.ts: row for row in rows if isinstance(row, MeterMinute) and row.quantity == "energy_import_kwh"}
    assert math.fsum(row.increment or 0.0 for row in found.values()) == pytest.approx(sum(steps))
    assert found[T0 + 60_000 * (first + 300)].quality is Quality.GOOD


def test_one_reading_beyond_the_rating_is_not_told_as_going_on() -> None:
    """A single busy minute among hundreds is estimated, and no `over_rated`."""
    meter = METER.model_copy(update={"rated": 12.0, "rollover": {}})
    values = [100 + 0.2 * at + (0.25 if at > 300 else 0.0) for at in range(600)]
    _, rows = KERNEL.fold(None, meter, arrivals([(60 * at, round(value, 3)) for at, value in enumerate(values)]))
    assert not [row for row in rows if isinstance(row, MeterEvent)]

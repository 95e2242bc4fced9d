"""Hours of a meter's registers through their detectors: in quarters, and whatever the engine's cuts."""

from __future__ import annotations

import itertools
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.metrics import DetectorStatus, MeterLoad, Row
from schemas.metrics.signal import SignalKind
from schemas.readings import Kind
from schemas.registry import Device, Role
from schemas.time import HOUR_MS
from streams.kernels.detection.reference import detection
from streams.kernels.detection.series.meters import MeterDetectors, WatchedMeter
from tests.unit.streams.kernels.detection.hours import T0

KERNEL = MeterDetectors(detection())
METER = Device(device_id="w", site_id="s", kind=Kind.WATER, period_s=60)


def hour(at: int, *rates: float | None, made: float | None = None) -> MeterLoad:
    """One hour of the volume register: one rate, or four."""
    first, second, third, fourth = rates * 4 if len(rates) == 1 else rates
    ts, is_measured = T0 + at * HOUR_MS, made is not None
    return MeterLoad("w", "volume_m3", ts, "s", first, second, third, fourth, is_measured, made, is_idle=False)


def seen(hours: list[MeterLoad]) -> tuple[float, ...]:
    """Hourly means that the detectors saw, m³/h."""
    register = KERNEL.fold(None, METER, hours)[0]["volume_m3"]
    return register.series.hours if register.series else ()


def test_an_hour_is_the_mean_of_its_known_quarters() -> None:
    """Three of four are enough; with two the hour is unknown."""
    assert seen([hour(0, 30.0, 20.0, 40.0, 30.0), hour(1, 30.0, None, 40.0, 20.0)]) == (30.0, 30.0)
    assert math.isnan(seen([hour(0, 30.0, None, None, 30.0)])[0])


def test_an_hour_that_was_not_given_is_unknown() -> None:
    """A meter that was silent leaves a gap, not a shift."""
    found = seen([hour(0, 30.0), hour(2, 30.0)])
    assert (found[0], found[2]) == (30.0, 30.0)
    assert math.isnan(found[1])


def test_other_registers_are_left_alone() -> None:
    """A register without rules has no detectors and no state."""
    row = hour(0, 1.0)._replace(quantity="reactive_kvarh")
    assert KERNEL.fold(None, METER, [row]) == ({}, [])


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 10), st.none() | st.floats(0, 9)), min_size=20, max_size=100),
    st.lists(st.integers(0, 100), max_size=4),
)
def test_it_does_not_matter_how_hours_are_cut(drawn: list[tuple[bool, float, float | None]], cuts: list[int]) -> None:
    """Any cut, with dump and load at each, gives the rows and the state of one pass; the given state stays."""
    hours = [hour(at, value, made=made) for at, (is_there, value, made) in enumerate(drawn) if is_there]
    whole_state, whole = KERNEL.fold(None, METER, hours)
    state: WatchedMeter | None = None
    rows: list[Row] = []
    edges = [0, *sorted(cut % (len(hours) + 1) for cut in cuts), len(hours)]
    for start, stop in itertools.pairwise(edges):
        before = None if state is None else KERNEL.dump(state)
        after, given_out = KERNEL.fold(state, METER, hours[start:stop])
        assert before is None or KERNEL.dump(state or {}) == before
        state = KERNEL.load(KERNEL.dump(after))
        rows += given_out
    assert rows == whole
    assert KERNEL.dump(state or {}) == KERNEL.dump(whole_state)


def test_a_flow_that_somebody_operates_has_no_habits_to_be_held_to() -> None:
    """A pump into a tank stands still and starts as a level switch says; the registry can turn a detector on again."""
    hours = [hour(at, 30.0) for at in range(4)]

    def judged_by(device: Device) -> set[SignalKind]:
        return {row.kind for row in KERNEL.fold(None, device, hours)[1] if isinstance(row, DetectorStatus)}

    tank = METER.model_copy(update={"role": Role.STORED})
    assert {SignalKind.SEASONAL, SignalKind.DRIFT} <= judged_by(METER)
    assert judged_by(tank) == set()
    assert judged_by(tank.model_copy(update={"detection": {"drift": {"enabled": True}}})) == {SignalKind.DRIFT}

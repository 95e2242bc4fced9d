"""Minutes become quarters of an hour: measured, whole, and whatever the engine's cuts."""

from __future__ import annotations

import itertools
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.metrics import MINUTE_MS, DetectorStatus, MeterMinute, Quality, Row
from schemas.metrics.signal import SignalKind
from schemas.readings import Kind
from schemas.registry import Device, Role
from streams.anomaly.meters import MeterDetectors, MeterState
from streams.anomaly.reference import detection

KERNEL = MeterDetectors(detection())
METER = Device(device_id="w", site_id="s", kind=Kind.WATER, period_s=60)
T0 = 1_780_243_200_000


def minute(at: int, increment: float | None, quality: Quality = Quality.GOOD) -> MeterMinute:
    """One minute of the volume register."""
    coverage = 1.0 if quality is Quality.GOOD else 0.0
    return MeterMinute("w", "volume_m3", T0 + at * MINUTE_MS, "s", increment, coverage, quality)


def hours(minutes: list[MeterMinute]) -> tuple[float, ...]:
    """Hourly means that the detectors saw, m³/h."""
    register = KERNEL.fold(None, METER, minutes)[0]["volume_m3"]
    return register.series.hours if register.series else ()


def test_a_quarter_is_a_mean_rate_over_what_was_measured() -> None:
    """0.5 m³ a minute are 30 m³/h, with one minute in fifteen missing as well."""
    assert hours([minute(at, 0.5) for at in range(61)]) == (30.0,)
    assert hours([minute(at, 0.5) for at in range(61) if at % 15 != 3]) == (30.0,)


def test_interpolated_minutes_are_no_evidence() -> None:
    """A gap that was bridged is right in sum, and unknown to detectors."""
    seen = hours([minute(at, 0.5, Quality.ESTIMATED) for at in range(61)])
    assert len(seen) == 1
    assert math.isnan(seen[0])


def test_a_minute_that_grows_is_taken_once() -> None:
    """The newest row is given again and again; only its last version counts."""
    grown = [minute(at, 0.5) for at in range(61)]
    again = [version for row in grown for version in (row._replace(increment=0.1, coverage=0.2), row)]
    assert hours(again) == (30.0,)


def test_other_registers_are_left_alone() -> None:
    """A register without rules has no detectors and no state."""
    row = minute(0, 1.0)._replace(quantity="reactive_kvarh")
    assert KERNEL.fold(None, METER, [row]) == ({}, [])


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 10)), min_size=50, max_size=400),
    st.lists(st.integers(0, 400), max_size=4),
)
def test_it_does_not_matter_how_minutes_are_cut(drawn: list[tuple[bool, float]], cuts: list[int]) -> None:
    """Any cut, with dump and load at each, gives the rows and the state of one pass; the given state stays."""
    minutes = [minute(at, value) for at, (is_there, value) in enumerate(drawn) if is_there]
    whole_state, whole = KERNEL.fold(None, METER, minutes)
    state: MeterState | None = None
    rows: list[Row] = []
    edges = [0, *sorted(cut % (len(minutes) + 1) for cut in cuts), len(minutes)]
    for start, stop in itertools.pairwise(edges):
        before = None if state is None else KERNEL.dump(state)
        after, given_out = KERNEL.fold(state, METER, minutes[start:stop])
        assert before is None or KERNEL.dump(state or {}) == before
        state = KERNEL.load(KERNEL.dump(after))
        rows += given_out
    assert rows == whole
    assert KERNEL.dump(state or {}) == KERNEL.dump(whole_state)


def test_a_flow_that_somebody_operates_has_no_habits_to_be_held_to() -> None:
    """A pump into a tank stands still and starts as a level switch says; the registry can turn a detector on again."""
    minutes = [minute(at, 0.5) for at in range(200)]

    def judged_by(device: Device) -> set[SignalKind]:
        return {row.kind for row in KERNEL.fold(None, device, minutes)[1] if isinstance(row, DetectorStatus)}

    tank = METER.model_copy(update={"role": Role.STORED})
    assert {SignalKind.SEASONAL, SignalKind.DRIFT} <= judged_by(METER)
    assert judged_by(tank) == set()
    assert judged_by(tank.model_copy(update={"detection": {"drift": {"enabled": True}}})) == {SignalKind.DRIFT}

"""Smoke and water: said at once, given out while young, and taken back by the input itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from schemas.arrival import Arrival
from schemas.metrics import Signal
from schemas.metrics.signal import YOUNG_SAMPLES, Severity, SignalKind
from schemas.readings import Kind, SitePowerReading
from schemas.registry import Device
from streams.kernels.detection.batteries.site_safety import SiteSafety

if TYPE_CHECKING:
    from collections.abc import Sequence

KERNEL = SiteSafety()
SITE_POWER = Device(device_id="s-1", site_id="bs-1", kind=Kind.SITE_POWER, period_s=60)
T0 = 1_780_000_020_000
DAY_MINUTES = 24 * 60


def arrivals(smoke: Sequence[bool | None]) -> list[Arrival]:
    """One reading a minute."""
    return [Arrival("s-1", 0, SitePowerReading(ts=T0 + at * 60_000, smoke=value)) for at, value in enumerate(smoke)]


def signals(smoke: Sequence[bool | None]) -> list[Signal]:
    """What one ordered pass gives out."""
    return [row for row in KERNEL.fold(None, SITE_POWER, arrivals(smoke))[1] if isinstance(row, Signal)]


def test_smoke_is_said_with_its_first_reading() -> None:
    """Safety has no on-delay."""
    first = signals([False, True])[0]
    assert (first.kind, first.active, first.severity) == (SignalKind.SMOKE, True, Severity.CRITICAL)
    assert first.ts == first.since_ts == first.seen_ts == T0 + 60_000


def test_a_verdict_is_given_out_while_it_is_young_and_then_once_a_day() -> None:
    """Delays can be counted in samples, and smoke that lasts costs no row a minute."""
    given_out = signals([True] * (2 * DAY_MINUTES + 10))
    assert [row.samples for row in given_out[:YOUNG_SAMPLES]] == [1, 2, 3, 4]
    assert [(row.ts - T0) // 60_000 for row in given_out[YOUNG_SAMPLES:]] == [3 + DAY_MINUTES, 3 + 2 * DAY_MINUTES]


def test_the_end_of_smoke_is_said_as_often_as_an_off_delay_counts() -> None:
    """After it the input is normal, and nothing more is said."""
    ended = [row for row in signals([True, *[False] * 20]) if not row.active]
    assert [row.samples for row in ended] == [1, 2, 3, 4]
    assert {row.since_ts for row in ended} == {T0 + 60_000}


def test_a_reading_without_the_input_judges_nothing() -> None:
    """Unknown is neither smoke nor the end of it."""
    assert [row.samples for row in signals([True, None, None, True])] == [1, 2]
    assert signals([None] * 5) == []


@given(st.lists(st.sampled_from([True, False, None]), max_size=60), st.integers(0, 60))
def test_it_does_not_matter_how_readings_are_cut(smoke: list[bool | None], cut: int) -> None:
    """Two folds through dump and load give the rows and the state of one."""
    whole_state, whole = KERNEL.fold(None, SITE_POWER, arrivals(smoke))
    first_state, first = KERNEL.fold(None, SITE_POWER, arrivals(smoke)[:cut])
    last_state, last = KERNEL.fold(KERNEL.load(KERNEL.dump(first_state)), SITE_POWER, arrivals(smoke)[cut:])
    assert first + last == whole
    assert KERNEL.dump(last_state) == KERNEL.dump(whole_state)

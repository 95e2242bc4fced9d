"""Which clocks are wrong, by when readings arrive."""

from __future__ import annotations

import random

import pytest

from schemas.time import HOUR_MS, MINUTE_MS
from streams.kernels.alarms.device_clock import Clock, ClockFault, is_due, is_over, merged

PERIOD_MS = 60_000.0
T0 = 1_780_000_000_000


def behind(arrived_ts: int, offset_ms: int) -> Clock:
    """A reading that arrives so long after the time it bears."""
    return Clock("d", ClockFault.BEHIND, "s", arrived_ts, arrived_ts, 1, offset_ms, offset_ms)


def after(lateness_ms: list[int], step_ms: int = MINUTE_MS) -> Clock:
    """What is known after readings that arrive one each step, each so late."""
    known: Clock | None = None
    for at, late in enumerate(lateness_ms):
        known = merged(known, behind(T0 + at * step_ms, -late), PERIOD_MS)
    assert known is not None
    return known


def test_readings_that_are_always_as_late_are_a_slow_clocks() -> None:
    """Eight hours, give or take some seconds: due after half an hour, with the offset."""
    draw = random.Random(1)
    late = [8 * HOUR_MS + draw.randint(0, 50_000) for _ in range(32)]
    assert not is_due(after(late[:29]), PERIOD_MS)
    clock = after(late)
    assert is_due(clock, PERIOD_MS)
    assert clock.last_offset_ms == -late[-1]
    assert clock.first_offset_ms == -late[0]


@pytest.mark.parametrize("speed", [0.3, 1.0, 5.0, 60.0])
def test_what_waited_somewhere_is_no_slow_clock(speed: float) -> None:
    """A backlog of ten hours that is sent faster than it came into being comes ever less late."""
    late = [round(10 * HOUR_MS - speed * at * MINUTE_MS) for at in range(600) if speed * at * MINUTE_MS < 10 * HOUR_MS]
    assert not any(is_due(after(late[:stop]), PERIOD_MS) for stop in range(1, len(late), 7))


def test_a_clock_that_crawls_is_behind() -> None:
    """It loses three seconds a minute, and is told as long as it is behind."""
    assert is_due(after([2 * HOUR_MS + 3_000 * at for at in range(200)]), PERIOD_MS)


@pytest.mark.parametrize("lost_ms", [15_000, 30_000, 50_000])
def test_a_clock_that_crawls_is_behind_however_much_it_loses(lost_ms: int) -> None:
    """A quarter, half or five sixths of each minute, in readings that come a minute apart."""
    assert is_due(after([20 * MINUTE_MS + lost_ms * at for at in range(60)]), PERIOD_MS)


def test_a_backlog_that_grows_is_no_clock_that_crawls() -> None:
    """A line that passes every other minute's worth: what comes is ever later, and two minutes apart."""
    assert not is_due(after([20 * MINUTE_MS + MINUTE_MS * at for at in range(60)], step_ms=2 * MINUTE_MS), PERIOD_MS)


@pytest.mark.parametrize("fault", [ClockFault.AHEAD, ClockFault.LOST, ClockFault.STANDS])
def test_one_refused_array_is_no_wrong_clock(fault: ClockFault) -> None:
    """Many readings of one moment are not due; the third of as many minutes is."""
    known: Clock | None = None
    for _ in range(100):
        known = merged(known, Clock("d", fault, "s", T0, T0, 1, None, None), PERIOD_MS)
    assert known is not None
    assert not is_due(known, PERIOD_MS)
    for at in (1, 2):
        moment = T0 + at * MINUTE_MS
        known = merged(known, Clock("d", fault, "s", moment, moment, 1, None, None), PERIOD_MS)
    assert is_due(known, PERIOD_MS)
    assert not is_over(known, known.last_ts + 15 * MINUTE_MS, PERIOD_MS)
    assert is_over(known, known.last_ts + 16 * MINUTE_MS, PERIOD_MS)

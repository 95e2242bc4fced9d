"""Battery safety: a fire announces itself, a noisy sensor and an odd old cell do not."""

from __future__ import annotations

import functools
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.metrics import Signal
from schemas.metrics.signal import SAFETY_KINDS, Severity, SignalKind
from schemas.registry import BatterySet
from streams.kernels.battery.temperature_line import slope_of
from streams.kernels.detection.batteries.set_safety import SetSafety
from streams.kernels.detection.reference import detection
from tests.support.detected.sets import DAY, RUNAWAY, SET, T0, Change, floating, sick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
    from schemas.metrics import Row

KERNEL = SetSafety(detection().battery, "test")


def signals(arrivals: Sequence[Arrival]) -> list[Signal]:
    """What one ordered pass gives out."""
    return [row for row in KERNEL.fold(None, SET, arrivals)[1] if isinstance(row, Signal)]


@functools.cache
def precursor() -> list[Signal]:
    """Verdicts on a set that runs away."""
    return signals(floating(RUNAWAY, sick))


def test_a_runaway_is_announced_half_an_hour_before() -> None:
    """By the cell that sags, from an hour before on (first target of the issue)."""
    first = next(row for row in precursor() if row.active)
    assert first.kind is SignalKind.CELL_SAG
    assert first.severity is Severity.CRITICAL
    assert RUNAWAY - (first.ts - T0) // 60_000 >= 30
    assert {row.kind for row in precursor() if row.active} <= SAFETY_KINDS


def test_heat_is_told_by_its_rate_and_by_its_height() -> None:
    """dT/dt > 1 °C/min with next to no current; and above 55 °C in any case."""
    kinds = {row.kind for row in precursor() if row.active}
    assert {SignalKind.SELF_HEATING, SignalKind.OVER_TEMPERATURE} <= kinds


def test_a_set_in_float_is_left_in_peace() -> None:
    """Days of noise, of warm afternoons and of cells that were never equal."""
    assert signals(floating(4 * DAY)) == []


@pytest.mark.parametrize("dead", [0, 7, 14, 15])
def test_a_dead_cell_is_told_wherever_it_stands(dead: int) -> None:
    """A list read back ends with the last cell that shows a voltage: the last one of a set may die as well."""

    def shown(cells: list[float | None]) -> list[float | None]:
        left = [None if at == dead else volts for at, volts in enumerate(cells)]
        return left[:-1] if dead == 15 else left

    def die(minute: int) -> Change:
        return {"pack_voltage_v": 16 * 3.39} if minute < 30 else {"cell_voltage_v": shown, "pack_voltage_v": 15 * 3.39}

    raised = [row for row in signals(floating(40, die)) if row.active]
    assert {row.kind for row in raised} == {SignalKind.CELL_SAG}
    assert raised[0].ts == T0 + 30 * 60_000


def test_a_set_of_fewer_cells_misses_none() -> None:
    """What stood in the channels behind it before is none of its cells."""
    small = SET.model_copy(update={"battery": BatterySet(cell_count=15, nominal_ah=100)})
    state, _ = KERNEL.fold(None, SET, floating(10, lambda _: {"pack_voltage_v": 16 * 3.39}))
    after = floating(20, lambda _: {"cell_voltage_v": lambda cells: cells[:15], "pack_voltage_v": 15 * 3.39})[10:]
    assert KERNEL.fold(state, small, after)[1] == []


def test_one_wrong_voltage_is_no_sick_cell() -> None:
    """The same cell must be low in two readings in a row; another one is another matter."""
    wrong = {2 * DAY: 3, 2 * DAY + 1: 7, 2 * DAY + 30: 3}

    def glitch(minute: int) -> Change:
        at = wrong.get(minute)
        return {"cell_voltage_v": lambda cells: [v - 0.1 * (k == at) for k, v in enumerate(cells)]} if at else {}

    assert signals(floating(2 * DAY + 60, glitch)) == []


def test_over_temperature_has_a_deadband_and_no_delay() -> None:
    """Active with the first reading above 55 °C, until it is below 53 °C."""
    heats = [54.0, 55.1, 54.0, 53.5, 52.9]
    rows = signals(floating(5, lambda minute: {"temperature_c": [heats[minute]] * 4, "current_a": 20.0}))
    assert [(row.kind, row.active, row.value) for row in rows] == [
        (SignalKind.OVER_TEMPERATURE, True, 55.1),
        (SignalKind.OVER_TEMPERATURE, True, 54.0),
        (SignalKind.OVER_TEMPERATURE, True, 53.5),
        (SignalKind.OVER_TEMPERATURE, False, 52.9),
    ]


def test_a_fast_rise_under_load_is_no_self_heating() -> None:
    """A battery may warm while it works."""
    rows = signals(floating(30, lambda minute: {"temperature_c": [20.0 + 1.1 * minute] * 4, "current_a": -40.0}))
    assert SignalKind.SELF_HEATING not in {row.kind for row in rows}


def test_a_noisy_sensor_is_no_fire() -> None:
    """A slope counts only if it is steeper than six of its own errors."""
    rng = random.Random(5)
    noisy = {"temperature_c": lambda sensors: [each + rng.gauss(0, 1.5) for each in sensors]}
    assert signals(floating(2 * DAY, lambda _: noisy)) == []


def test_the_slope_of_a_straight_line_is_its_slope() -> None:
    """And nothing scatters around it; too few or too near samples have none."""
    line = slope_of([(60_000 * at, 20 + 1.5 * at) for at in range(6)])
    assert (line.slope, line.variance) == pytest.approx((1.5, 0.0), abs=1e-6)
    assert slope_of([(0, 20.0), (60_000, 30.0), (120_000, 40.0)]).squares == 0


def test_a_weak_cell_is_told_at_the_end_of_its_day() -> None:
    """With z < −6 in float without falling is weak, not dangerous; from the very first day on."""
    weak = {"cell_voltage_v": lambda cells: [*cells[:4], cells[4] - 0.06, *cells[5:]]}
    rows = signals(floating(3 * DAY, lambda _: weak, step=5))
    assert {(row.kind, row.severity) for row in rows} == {
        (SignalKind.WEAK_CELL, Severity.MEDIUM),
        (SignalKind.CELL_SPREAD, Severity.MEDIUM),
    }


def test_a_cell_that_falls_over_a_week_is_a_danger() -> None:
    """With z < −6 in float and 5 mV lower than seven days ago (docs/battery-health.md)."""

    def falling(minute: int) -> Change:
        return {"cell_voltage_v": lambda cells: [cells[0] - 0.03 - 0.002 * minute / DAY, *cells[1:]]}

    rows = [row for row in signals(floating(11 * DAY, falling, step=5)) if row.kind is SignalKind.CELL_SAG]
    assert rows
    assert rows[0].severity is Severity.CRITICAL


def test_a_float_current_that_rises_is_told() -> None:
    """0.6 A more than in the weeks before, at 100 Ah."""
    rows = signals(floating(20 * DAY, lambda minute: {"current_a": 0.1 + 0.7 * (minute > 17 * DAY)}, step=10))
    assert {row.kind for row in rows} == {SignalKind.FLOAT_CURRENT}


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 700), max_size=4), st.sets(st.integers(0, 600), max_size=50))
def test_it_does_not_matter_how_readings_are_cut(cuts: list[int], missing: set[int]) -> None:
    """Any cut, with dump and load at each, gives the rows and the state of one pass, within 2 kB."""
    arrivals = [item for at, item in enumerate(floating(3 * DAY, sick_soon, step=7)) if at not in missing]
    whole_state, whole = KERNEL.fold(None, SET, arrivals)
    state = None
    rows: list[Row] = []
    start = 0
    for stop in [*sorted(cut % len(arrivals) for cut in cuts), len(arrivals)]:
        if stop == start:
            continue
        after, given_out = KERNEL.fold(state, SET, arrivals[start:stop])
        state, start = KERNEL.load(KERNEL.dump(after)), stop
        rows += given_out
    assert rows == whole
    assert state is not None
    assert KERNEL.dump(state) == KERNEL.dump(whole_state)
    assert len(KERNEL.dump(state)) <= 2048


def sick_soon(minute: int) -> Change:
    """The same illness, on the last day."""
    return sick(minute + RUNAWAY - 3 * DAY + 60)

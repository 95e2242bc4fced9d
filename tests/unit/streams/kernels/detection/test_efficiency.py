"""Energy beyond what production explains: a step is found within a shift, a campaign is none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.metrics import PlantHour, Signal
from schemas.time import HOUR_MS
from streams.kernels.detection.efficiency import EfficiencyState, LineState, PlantEfficiency
from streams.kernels.detection.reference import detection
from tests.support.detected.plants import SITE, T0, hour, plant

KERNEL = PlantEfficiency(detection().efficiency, "test")


def onsets(rows: list[PlantHour]) -> list[Signal]:
    """First samples of active verdicts."""
    given_out = KERNEL.fold(None, SITE, rows)[1]
    return [row for row in given_out if isinstance(row, Signal) and row.active and row.samples == 1]


@pytest.mark.parametrize("seed", range(5))
def test_a_step_of_five_per_cent_is_found_within_eight_hours(seed: int) -> None:
    """Of operation, at 2 % of noise (first target of the issue)."""
    found = onsets(plant(600, 0.05, 500, seed))
    assert found
    assert 0 < (found[0].ts - T0) / HOUR_MS - 500 <= 8
    assert found[0].cost_unit == "kgce"


def test_campaigns_are_no_anomaly() -> None:
    """Half a year of changing load without a change of efficiency: two alarms at most."""
    assert len(onsets(plant(4_380))) <= 2


def test_hours_that_are_not_known_or_not_worked_are_no_evidence() -> None:
    """Neither a gap nor a standstill moves anything."""
    rows = plant(400)
    state, _ = KERNEL.fold(None, SITE, rows)
    idle = [hour(400 + at, 0.0, 500.0) for at in range(30)]
    blind = [hour(430 + at, 100.0, 90_000.0, 0.5) for at in range(30)]
    after, given_out = KERNEL.fold(state, SITE, [*idle, *blind])
    assert given_out[1:] == []
    assert after["plant"].state.regression.hours == 400


def test_what_is_in_alarm_is_not_learned() -> None:
    """The line stays where it was."""
    before, _ = KERNEL.fold(None, SITE, plant(500, 0.2, 500))
    after, _ = KERNEL.fold(None, SITE, plant(560, 0.2, 500))
    assert after["plant"].state.active
    assert after["plant"].state.regression.hours <= before["plant"].state.regression.hours + 6


def test_an_efficiency_that_stays_is_learned_anew() -> None:
    """After two weeks of operation the detector is learning again, and says so by its status."""
    state, _ = KERNEL.fold(None, SITE, plant(900, 0.1, 500))
    line: LineState = state["plant"]
    assert not line.state.active
    assert line.state.regression.hours < 100
    assert EfficiencyState().regression.hours == 0


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 260), st.floats(0, 0.3), st.integers(100, 260))
def test_it_does_not_matter_how_hours_are_cut(cut: int, step: float, from_hour: int) -> None:
    """Two folds through dump and load give the rows and the state of one, within 2 kB; growing rows count once."""
    rows = plant(260, step, from_hour)
    whole_state, whole = KERNEL.fold(None, SITE, rows)
    state, first = KERNEL.fold(None, SITE, rows[:cut])
    growing = [rows[cut]._replace(energy_kgce=1.0), rows[cut]] if cut < len(rows) else []
    state, last = KERNEL.fold(KERNEL.load(KERNEL.dump(state)), SITE, [*growing, *rows[cut + 1 :]])
    assert first + last == whole
    assert KERNEL.dump(state) == KERNEL.dump(whole_state)
    assert len(KERNEL.dump(state)) <= 2048

"""A current that stands for far longer than it ever did is no current; a sensor that always stood is left alone."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from schemas.arrival import Arrival
from schemas.metrics import BatteryQuarter, Quality
from schemas.metrics.battery_health import BatteryFlag, BatteryState
from schemas.readings import BatteryReading
from streams.kernels.battery.pack import PackMonitor
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.standing import (
    LEARNT_MOVES,
    NEW,
    CurrentShown,
    CurrentStanding,
    is_odd,
    is_standing,
    watched,
)
from streams.kernels.battery.tracking.health import SetHealth
from tests.support.worlds.sets import lfp_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from schemas.metrics import Row

T0 = 1_780_000_200_000
MINUTE = 60_000
SET = lfp_set("b")


def readings(currents: Iterable[float]) -> list[Arrival]:
    """A set on float, a reading a minute, of whose cells the last digit moves."""
    rng = random.Random(7)
    found = []
    for minute, amps in enumerate(currents):
        cells: list[float | None] = [round(3.395 + rng.gauss(0, 0.001), 3) for _ in range(16)]
        reading = BatteryReading(
            ts=T0 + minute * MINUTE, pack_voltage_v=54.3, current_a=amps, cell_voltage_v=cells, temperature_c=[25.0]
        )
        found.append(Arrival("b", 0, reading))
    return found


def told(currents: Sequence[float]) -> tuple[list[BatteryState], list[BatteryQuarter]]:
    """What a set does minute by minute, and its quarters of an hour."""
    sent = readings(currents)
    rows: list[Row] = [
        *SetHealth(health_reference()).fold(None, SET, sent)[1],
        *PackMonitor(health_reference()).fold(None, SET, sent)[1],
    ]
    return [row for row in rows if isinstance(row, BatteryState)], [
        row for row in rows if isinstance(row, BatteryQuarter)
    ]


def lively(minutes: int, *, seed: int = 1) -> list[float]:
    """A sensor with noise in its last digits."""
    rng = random.Random(seed)
    return [round(rng.gauss(0.0, 0.05), 2) for _ in range(minutes)]


def test_a_current_that_stands_though_it_never_did_makes_nothing_known() -> None:
    """Soon the SoC is unknown, and no quarter that it touches is good; then all is as before."""
    states, quarters = told([*lively(120), *[0.03] * 60, *lively(180, seed=2)])
    assert all(state.soc_pct is None and BatteryFlag.STUCK_CURRENT in state.flags for state in states[140:179])
    standing = [row for row in quarters if T0 + 125 * MINUTE <= row.ts < T0 + 175 * MINUTE]
    assert {(row.quality, row.flags) for row in standing} == {(Quality.ESTIMATED, BatteryFlag.STUCK_CURRENT.value)}
    assert states[-1].soc_pct == 100.0
    assert states[-1].flags == ""
    assert quarters[-1].quality is Quality.GOOD


@pytest.mark.parametrize("seed", range(5))
def test_a_coarse_sensor_may_stand(seed: int) -> None:
    """It shows 0.0 A for an hour, 0.1 A for some minutes, and 0.0 A again: that is how it is, and no fault."""
    rng = random.Random(seed)
    currents: list[float] = []
    while len(currents) < 1_500:
        currents += [rng.choice([0.0, 0.1])] * round(rng.expovariate(1 / 12))
    states, quarters = told(currents)
    assert not any(state.flags for state in states)
    assert sum(row.quality is Quality.ESTIMATED for row in quarters) <= 2


def shown(ts: int, amps: float) -> CurrentShown:
    """A reading of a set whose voltages stand."""
    return CurrentShown(ts, amps, 54.3, 3.39)


def test_what_is_learnt_is_learnt_apart_for_idle_and_flowing_currents() -> None:
    """A sensor that shows 0.00 A for days may still be fine under a load."""
    known = NEW
    for minute in range(LEARNT_MOVES):
        known = watched(known, shown(minute, minute), shown(minute + 1, minute + 1.0), is_idle=False)
    known = watched(known, shown(100, 0.0), shown(500_100, 0.0), is_idle=True)
    moved = CurrentShown(500_200, -20.0, 53.0, 3.31)
    known = watched(known, shown(500_100, 0.0), moved, is_idle=True)
    assert known == CurrentStanding(0, 500_000, 0.0, 1, LEARNT_MOVES, 0, 500_099.0)
    known = watched(known, moved, moved._replace(ts=2_700_200), is_idle=False)
    assert is_standing(known, moved._replace(ts=2_700_200), MINUTE, is_idle=False)
    assert not is_odd(known, moved._replace(ts=2_700_200), MINUTE, is_idle=True)


def test_a_sensor_that_is_told_and_was_well_is_told_less_and_less() -> None:
    """What was told as standing teaches a quarter of it, so that the same stretch is not told for ever."""
    known = CurrentStanding(1_000, 0.0, 0.0, LEARNT_MOVES, 0, 1_000, 0.0)
    stood = watched(known, shown(3_601_000, 0.0), CurrentShown(3_661_000, 0.1, 54.4, 3.4), is_idle=True)
    assert (stood.idle_ms, stood.volts_ms) == (900_000, 900_000)


def tapering(minutes: int) -> list[float]:
    """The end of a charge: less and less, with noise."""
    rng = random.Random(3)
    return [round(10.0 * (1 - minute / minutes) + rng.gauss(0.0, 0.05), 2) for minute in range(minutes)]


@pytest.mark.parametrize(
    "currents",
    [
        [*tapering(60), *[0.0] * 600],
        [*tapering(60), *[0.0] * 360, *tapering(60), *[0.0] * 720, *tapering(60), *[0.0] * 1_800],
    ],
    ids=["dead band on float", "floats of several lengths"],
)
def test_a_current_that_is_held_is_no_dead_sensor_while_the_cells_move(currents: Sequence[float]) -> None:
    """A dead band shows 0.0 A for hours: the cells' last digits say that it lives."""
    states, _ = told(currents)
    assert not [state for state in states if BatteryFlag.STUCK_CURRENT in state.flags]

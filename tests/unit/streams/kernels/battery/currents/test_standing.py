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
    NEW,
    SWINGS,
    CurrentShown,
    CurrentStanding,
    Idle,
    Swings,
    is_odd,
    is_standing,
    watched,
)
from streams.kernels.battery.tracking.health import SetHealth
from tests.support.worlds.sets import Rig, lfp_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from schemas.metrics import Row

T0 = 1_780_000_200_000
MINUTE = 60_000
SET = lfp_set("b")
FLOWS, NONE = Idle(before=False, now=False), Idle(before=True, now=True)


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


def given(currents: Sequence[float]) -> tuple[list[BatteryState], list[BatteryQuarter]]:
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
    states, quarters = given([*lively(120), *[0.03] * 60, *lively(180, seed=2)])
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
    states, quarters = given(currents)
    assert not any(state.flags for state in states)
    assert sum(row.quality is Quality.ESTIMATED for row in quarters) <= 2


def shown(ts: int, amps: float) -> CurrentShown:
    """A reading of a set whose voltages stand."""
    return CurrentShown(ts, amps, 3.394, 3.39)


def test_what_is_learnt_is_learnt_apart_for_idle_and_flowing_currents() -> None:
    """A sensor that shows 0.00 A for days may still be fine under a load."""
    known = watched(NEW, shown(100, 0.0), shown(500_100, 0.0), NONE, 1.0)
    loaded = shown(500_200, -20.0)
    known = watched(known, shown(500_100, 0.0), loaded, Idle(before=True, now=False), 1.0)
    assert (known.idle_ms, known.flow_ms, known.volts_ms) == (500_000, 0.0, 0.0)
    for minute in range(1, 20):
        now = shown(500_200 + minute * MINUTE, -20.0 + 0.1 * (-1) ** minute * (1 + minute % 3))
        known, loaded = watched(known, loaded, now, FLOWS, 1.0), now
    for _ in range(20):
        now = loaded._replace(ts=loaded.ts + MINUTE)
        known, loaded = watched(known, loaded, now, FLOWS, 1.0), now
    assert is_standing(known, loaded, MINUTE, is_idle=False)
    assert not is_odd(known._replace(flow_ms=600_000.0), loaded, MINUTE, is_idle=False)


def test_a_sensor_that_is_told_and_was_well_is_told_less_and_less() -> None:
    """What was told as standing teaches a quarter of it, so that the same stretch is not told for ever."""
    known = CurrentStanding(1_000, volts_since=1_000, volts=Swings(0.001, 0.002, SWINGS))
    stood = watched(known, shown(3_601_000, 0.0), CurrentShown(3_661_000, 0.1, 3.4, 3.4), NONE, 1.0)
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
    states, _ = given(currents)
    assert not [state for state in states if BatteryFlag.STUCK_CURRENT in state.flags]


def held(rig: Rig, shown_a: float) -> Rig:
    """A set whose sensor goes on showing the same under a load that has been on for a while."""
    rig.run(2)
    rig.run(0.5, -25.0)
    rig.shown_a = shown_a
    return rig


def both(rig: Rig) -> tuple[list[BatteryState], list[BatteryQuarter]]:
    """What is told of a rig's set."""
    rows: list[Row] = [
        *SetHealth(health_reference()).fold(None, rig.device, rig.readings)[1],
        *PackMonitor(health_reference()).fold(None, rig.device, rig.readings)[1],
    ]
    return [row for row in rows if isinstance(row, BatteryState)], [
        row for row in rows if isinstance(row, BatteryQuarter)
    ]


def test_cells_that_step_up_under_one_and_the_same_discharge_are_charged() -> None:
    """The charger is back, and the sensor still says −25 A: known ten minutes later, and no quarter of it is good."""
    rig = held(Rig(lfp_set()), -25.0)
    rig.run(1, 15.0)
    states, quarters = both(rig)
    assert "stuck_current" in states[-48].flags
    assert states[-1].soc_pct is None
    assert {row.flags for row in quarters[-3:]} == {"stuck_current"}


@pytest.mark.parametrize("lost_v", [0.3, 1.0])
def test_one_cell_s_own_step_is_no_dead_sensor(lost_v: float) -> None:
    """A cell that collapses while a rectifier holds the charge is that cell's matter."""
    rig = held(Rig(lfp_set()), -25.0)
    rig.shown_a = 15.0
    rig.run(0.3, 15.0)
    rig.cells_off_v[6] = -lost_v
    rig.run(0.3, 15.0)
    states, quarters = both(rig)
    flags = [row.flags for row in states[-35:]] + [row.flags for row in quarters[-2:]]
    assert not any("stuck_current" in each for each in flags)


def test_a_voltage_that_comes_back_at_once_was_none() -> None:
    """Two readings of another voltage under a load that a test holds: an outlier, not a charge."""
    rig = held(Rig(lfp_set()), -25.0)
    rig.run(0.4, -25.0)
    for at in (-8, -7):
        odd = rig.readings[at].reading
        assert isinstance(odd, BatteryReading)
        assert odd.cell_voltage_v is not None
        assert odd.pack_voltage_v is not None
        odd.pack_voltage_v += 0.8
        odd.cell_voltage_v = [None if volts is None else volts + 0.05 for volts in odd.cell_voltage_v]
    states, quarters = both(rig)
    flags = [row.flags for row in states] + [row.flags for row in quarters]
    assert not any("stuck_current" in each for each in flags)


@pytest.mark.parametrize(("stands_a", "is_stuck"), [(-25.02, True), (-24.0, False)], ids=["within", "at the end"])
def test_a_load_that_swung_and_stands_within_its_swings_is_a_dead_sensor(stands_a: float, *, is_stuck: bool) -> None:
    """Who holds a current holds it from its beginning, or at the end of its range."""
    rng, rig = random.Random(4), Rig(lfp_set())
    rig.run(2)
    for minute in range(60):
        rig.shown_a = round(-25.0 + rng.gauss(0.0, 0.1), 2) if minute < 30 else stands_a
        rig.run(1 / 60, -25.0)
    assert ("stuck_current" in both(rig)[0][-1].flags) is is_stuck


def test_a_doubt_ends_with_the_stand_though_a_reading_is_lost() -> None:
    """It is asked of the reading before, and not over the time in which nothing was heard."""
    sent = readings([*lively(120), *[0.03] * 13, *lively(180, seed=2)])
    del sent[133:135]
    rows = SetHealth(health_reference()).fold(None, SET, sent)[1]
    states = [row for row in rows if isinstance(row, BatteryState)]
    assert any(BatteryFlag.STUCK_CURRENT in state.flags for state in states)
    assert (states[-1].soc_pct, states[-1].flags) == (100.0, "")


def held_by_a_test(amps: float, minutes: int, step_v: float, noise_v: float, cell_step_v: float) -> list[Arrival]:
    """A constant current after an hour of float; `cell_step_v` 0: cells are not sent."""
    rng, found = random.Random(3), []
    for minute in range(60 + minutes):
        volts = 3.395 if minute < 60 else (3.29 if amps < 0.0 else 3.33) + amps * 2e-6 * minute
        pack_v = round(round((16 * volts + rng.gauss(0.0, noise_v)) / step_v) * step_v, 2)
        cells: list[float | None] = [round(round(volts / cell_step_v) * cell_step_v, 3)] * 16 if cell_step_v else []
        reading = BatteryReading(
            ts=T0 + minute * MINUTE,
            pack_voltage_v=pack_v,
            current_a=0.0 if minute < 60 else amps,
            cell_voltage_v=cells or None,
            temperature_c=[25.0],
        )
        found.append(Arrival("b", 0, reading))
    return found


def doubts(sent: list[Arrival]) -> list[str]:
    """Flags of what is told with a doubt of the current sensor."""
    rows = [each.fold(None, SET, sent)[1] for each in (SetHealth(health_reference()), PackMonitor(health_reference()))]
    given_ = [row.flags for own in rows for row in own if isinstance(row, BatteryState | BatteryQuarter)]
    return [flags for flags in given_ if "stuck_current" in flags]


@pytest.mark.parametrize("amps", [-10.0, 10.0])
@pytest.mark.parametrize("cell_step_v", [0.0, 0.01], ids=["cells not sent", "coarse cells"])
@pytest.mark.parametrize("step_v", [0.1, 0.5, 1.0])
def test_no_noise_of_the_pack_is_a_step_against_the_current(step_v: float, cell_step_v: float, amps: float) -> None:
    """A held current, and 0.1 V of noise in a coarse pack voltage."""
    assert doubts(held_by_a_test(amps, 240, step_v, 0.1, cell_step_v)) == []


@pytest.mark.parametrize("off_v", [-0.013, -0.05])
@pytest.mark.parametrize("count", [1, 2])
def test_no_outlier_that_goes_back_is_a_step_against_the_current(count: int, off_v: float) -> None:
    """One or two low voltages under a held load."""
    sent = held_by_a_test(-10.0, 240, 0.01, 0.0, 0.001)
    for arrival in sent[120 : 120 + count]:
        odd = arrival.reading
        assert isinstance(odd, BatteryReading)
        assert odd.cell_voltage_v is not None
        assert odd.pack_voltage_v is not None
        odd.pack_voltage_v = round(odd.pack_voltage_v + 16 * off_v, 2)
        odd.cell_voltage_v = [None if volts is None else volts + off_v for volts in odd.cell_voltage_v]
    assert doubts(sent) == []


@pytest.mark.parametrize("then", ["held", "charged"])
def test_a_load_that_swings_says_nothing_of_the_sensor(then: str) -> None:
    """5 to 11 A for two hours, and then even 8 A, or a rectifier's 20 A after an overshoot."""
    rng = random.Random(3)
    after = [-8.0] * 240 if then == "held" else [22.0, *[20.0] * 48]
    currents = [*[0.0] * 240, *[round(-8.0 + rng.uniform(-3.0, 3.0)) + 0.0 for _ in range(120)], *after]
    sent = readings(currents)
    for minute, arrival in enumerate(sent[240:]):
        shown_ = arrival.reading
        assert isinstance(shown_, BatteryReading)
        volts = (3.37 if currents[240 + minute] > 0.0 else 3.30) + rng.gauss(0.0, 0.0003) - 0.00005 * minute
        shown_.pack_voltage_v = round(16 * volts, 2)
        shown_.cell_voltage_v = [round(volts + rng.gauss(0.0, 0.0008), 3) for _ in range(16)]
    assert doubts(sent) == []

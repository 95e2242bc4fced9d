"""Neither an outlier of the voltage nor its steps are evidence against a current sensor; a real fault is still told."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from schemas.metrics import BatteryQuarter
from schemas.metrics.battery_health import BatteryState
from schemas.readings import BatteryReading
from streams.kernels.battery.pack import PackMonitor
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth
from tests.support.worlds.healthy_sets import harder, healthy
from tests.support.worlds.sets import Rig, lfp_set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.arrival import Arrival

PACK, HEALTH = PackMonitor(health_reference()), SetHealth(health_reference())
LOAD_ON, LOAD_OFF = 30, 60
NEAR = range(-3, 4)


def used_set() -> Rig:
    """A set that floats, carries a load, rests and is charged, each for half an hour."""
    rig = Rig(lfp_set())
    for amps in (0.0, -20.0, 0.0, 15.0):
        rig.run(0.5, amps)
    return rig


def readings(rig: Rig) -> Iterator[BatteryReading]:
    """What it said."""
    for arrival in rig.readings:
        assert isinstance(arrival.reading, BatteryReading)
        yield arrival.reading


def flagged(rig: Rig, arrivals: list[Arrival] | None = None) -> set[str]:
    """Flags of a current sensor, but for a sign that is turned back by the third reading."""
    rows = [row for each in (PACK, HEALTH) for row in each.fold(None, rig.device, arrivals or rig.readings)[1]]
    shown = [row.flags.split(",") for row in rows if isinstance(row, BatteryQuarter | BatteryState)]
    count = Counter(flag for flags in shown for flag in flags)
    return {flag for flag, most in (("stuck_current", 0), ("reversed_current", 2)) if count[flag] > most}


@pytest.mark.parametrize("off_v", [-0.2, -0.05, 0.05, 0.2])
@pytest.mark.parametrize("count", [1, 2])
def test_no_outlier_of_one_reading_or_two_is_evidence(off_v: float, count: int) -> None:
    """Of all cells, before, at and after the moment at which a load comes on or goes off, or in the midst of one."""
    for begins in [step + near for step in (LOAD_ON, LOAD_OFF) for near in NEAR] + [45]:
        rig = used_set()
        for reading in list(readings(rig))[begins : begins + count]:
            assert reading.pack_voltage_v is not None
            assert reading.cell_voltage_v is not None
            reading.pack_voltage_v = round(reading.pack_voltage_v + 16 * off_v, 2)
            reading.cell_voltage_v = [None if volts is None else volts + off_v for volts in reading.cell_voltage_v]
        assert flagged(rig) == set(), begins


def test_a_low_outlier_and_a_high_one_hours_apart_are_no_rise_of_the_cells() -> None:
    """The lowest and the highest that one reading has shown are not compared."""
    rig = used_set()
    shown = list(readings(rig))
    for at, off_v in ((40, -0.06), (50, 0.06)):
        shown[at].pack_voltage_v = (shown[at].pack_voltage_v or 0.0) + 16 * off_v
    assert flagged(rig) == set()


def coarse(rig: Rig, step_v: float) -> Rig:
    """The pack's voltage in steps."""
    for reading in readings(rig):
        reading.pack_voltage_v = round(round((reading.pack_voltage_v or 0.0) / step_v) * step_v, 2)
    return rig


def test_a_pack_in_steps_of_half_a_volt_answers_no_load() -> None:
    """A load that goes off is 0.4 V of sixteen cells: between two steps nothing need be seen of it."""
    assert flagged(coarse(used_set(), 0.5)) == set()


@pytest.mark.parametrize("step_v", [0.01, 0.1])
def test_a_dead_sensor_and_one_turned_round_are_told_by_the_voltage_s_own_steps(step_v: float) -> None:
    """25 A of 100 Ah are 0.45 V of sixteen cells: more than two and a half steps of 0.1 V."""
    dead = Rig(lfp_set())
    dead.run(0.5)
    dead.run(0.5, -25.0)
    dead.shown_a = 0.0
    dead.run(0.2, -25.0)
    assert flagged(coarse(dead, step_v)) == {"stuck_current"}
    turned = used_set()
    for reading in readings(turned):
        reading.current_a = -(reading.current_a or 0.0) + 0.0
    assert flagged(coarse(turned, step_v)) == {"reversed_current"}


@pytest.mark.parametrize("seed", [1_042, 2_050, 70_019])
def test_drawn_sets_with_steps_of_half_a_volt_keep_their_state_of_charge(seed: int) -> None:
    """Each was told to have a sensor whose load step the voltage had not answered."""
    world = healthy(seed)
    assert flagged(Rig(world.device), world.readings) == set()


@pytest.mark.parametrize(
    "seed",
    [
        1_105,  # full cells rose above float under a load, by one step of half a volt: its sensor was turned round
        2_025,  # an outlier of 50 mV a cell under a load that is held
        80_101,  # full cells rose above float under a load, with noise beyond 50 mV
    ],
)
def test_drawn_sets_with_outliers_and_coarse_packs_keep_their_state_of_charge(seed: int) -> None:
    """Nothing is wrong with them."""
    world = harder(seed)
    assert flagged(Rig(world.device), world.readings) == set()


QUARTER_S = 900


def slow_set() -> Rig:
    """A set whose BMS speaks every quarter of an hour."""
    return Rig(lfp_set().model_copy(update={"period_s": QUARTER_S}))


def outage(rig: Rig, hours: float, amps: float = -25.0) -> None:
    """A failure of mains, and what comes after it until the set floats."""
    rig.run(hours, amps, period_s=QUARTER_S)
    rig.run(1.6 * hours, 15.0, period_s=QUARTER_S)
    rig.soc = 1.0
    rig.run(6, period_s=QUARTER_S)


def test_a_dead_sensor_of_a_slow_bms_is_told_within_an_outage_of_an_hour() -> None:
    """Two readings a quarter of an hour apart that agree are as good as three of a minute."""
    rig = slow_set()
    rig.run(8, period_s=QUARTER_S)
    outage(rig, 1.0, -20.0)
    rig.shown_a = 0.0
    outage(rig, 1.0, -20.0)
    assert flagged(rig) == {"stuck_current"}


def test_a_load_that_a_slow_bms_shows_no_answer_to_is_told_by_the_second_reading() -> None:
    """Half an hour under a load that the cells do not know of: the sensor shows another set's current."""
    rig = slow_set()
    rig.run(8, period_s=QUARTER_S)
    rig.run(2, -20.0, period_s=QUARTER_S)
    rig.run(8, period_s=QUARTER_S)
    rig.shown_a = -25.0
    rig.run(0.5, 0.0, period_s=QUARTER_S)
    assert flagged(rig) == {"stuck_current"}


@pytest.mark.parametrize("hours", [0.25, 0.5, 1.0])
def test_a_reversed_sensor_of_a_slow_bms_is_learned(hours: float) -> None:
    """By the second of two readings under a load, or by the second of two outages that show one each."""
    rig = slow_set()
    rig.sign = -1
    for _ in range(4):
        rig.run(8, period_s=QUARTER_S)
        outage(rig, hours)
    last = [row for row in HEALTH.fold(None, rig.device, rig.readings)[1] if isinstance(row, BatteryState)][-1]
    assert "reversed_current" in last.flags


@pytest.mark.parametrize("off_v", [-0.2, -0.05, 0.05, 0.2])
def test_no_outlier_of_a_slow_bms_is_evidence(off_v: float) -> None:
    """The next reading, a quarter of an hour later, takes it back."""
    for begins in range(25, 50):
        rig = slow_set()
        rig.run(8, period_s=QUARTER_S)
        outage(rig, 1.0, -20.0)
        reading = list(readings(rig))[begins]
        reading.pack_voltage_v = round((reading.pack_voltage_v or 0.0) + 16 * off_v, 2)
        reading.cell_voltage_v = [None if volts is None else volts + off_v for volts in reading.cell_voltage_v or ()]
        assert flagged(rig) == set(), begins

"""A current sensor that stands still: told where the voltage rules its value out, and counted on no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.metrics import Signal
from schemas.metrics.battery_health import BatteryCapacity, BatteryHour, BatteryState, CapacityReason
from schemas.readings import BatteryReading
from schemas.time import HOUR_MS
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth
from streams.kernels.detection.batteries.stuck_currents import StuckCurrents
from tests.support.worlds.battery_worlds import World
from tests.support.worlds.sets import Rig, lfp_set

if TYPE_CHECKING:
    from schemas.metrics import Row

KERNEL = SetHealth(health_reference())


def on_float() -> Rig:
    """A set of 85 Ah, full and on float for three hours."""
    rig = Rig(lfp_set(), soh=0.85)
    rig.say(0.0)
    rig.run(3)
    return rig


def rows_of(rig: Rig) -> list[Row]:
    """Everything one ordered pass gives out."""
    return KERNEL.fold(None, rig.device, rig.readings)[1]


def capacities(rig: Rig) -> list[BatteryCapacity]:
    """The last word on each discharge."""
    return list({row.ts: row for row in rows_of(rig) if isinstance(row, BatteryCapacity)}.values())


def test_a_person_is_told_once_it_is_known_and_once_it_is_over() -> None:
    """The set's hours carry it: the first that shows it raises, the first without ends, and the rest says nothing."""
    rig = on_float()
    rig.shown_a = 0.0
    rig.run(4, -25.0, until_cell_v=2.8)
    rig.shown_a = None
    rig.run(3, 20.0)
    hours = [row for row in rows_of(rig) if isinstance(row, BatteryHour)]
    given = StuckCurrents("test").fold(None, rig.device, hours)[1]
    shown = [row.ts + HOUR_MS for row in hours if "stuck_current" in row.flags]
    assert [row.ts for row in given if isinstance(row, Signal) and row.active] == shown
    ended = [row.ts for row in given if isinstance(row, Signal) and not row.active]
    assert min(ended) == shown[-1] + HOUR_MS


def now_of(rig: Rig) -> BatteryState:
    """The newest state."""
    return [row for row in rows_of(rig) if isinstance(row, BatteryState)][-1]


@pytest.mark.parametrize("shown_a", [0.0, 0.4])
def test_a_full_set_that_empties_without_a_current_has_a_stuck_sensor(shown_a: float) -> None:
    """The SoC is unknown from then on; once the sensor moves and an hour of float has passed, it is known."""
    rig = on_float()
    rig.shown_a = shown_a
    rig.run(2)
    assert now_of(rig).soc_pct == 100.0
    rig.run(1.5, -25.0)
    assert now_of(rig).soc_pct is None
    assert "stuck_current" in now_of(rig).flags
    hours = [row for row in rows_of(rig) if isinstance(row, BatteryHour)]
    assert "stuck_current" in hours[-1].flags
    assert "stuck_current" not in hours[2].flags
    rig.run(4, -25.0, until_cell_v=2.8)
    rig.run(8, 15.0)
    assert capacities(rig) == []
    rig.shown_a = None
    rig.run(0.5, 12.0)
    rig.soc = 1.0
    rig.run(2)
    assert (now_of(rig).soc_pct, now_of(rig).flags) == (100.0, "")


def test_a_sensor_that_dies_under_load_publishes_no_small_capacity() -> None:
    """No answer of the voltage to a load that seems to go off: the drawn charge is not all that was drawn."""
    rig = on_float()
    rig.run(1.2, -25.0)
    rig.shown_a = 0.0
    rig.run(4, -25.0, until_cell_v=2.8)
    rig.run(0.5)
    (row,) = capacities(rig)
    assert (row.capacity_ah, row.reason) == (None, CapacityReason.SENSOR)
    assert "stuck_current" in row.flags


def test_a_sensor_that_comes_back_under_load_does_not_begin_from_full() -> None:
    """No answer to a load that seems to come on: it had been on before, for who knows how long."""
    rig = on_float()
    rig.shown_a = 0.0
    rig.run(0.4, -25.0)
    rig.shown_a = None
    rig.run(4, -25.0, until_cell_v=2.8)
    rig.run(0.5)
    (row,) = capacities(rig)
    assert (row.capacity_ah, row.reason) == (None, CapacityReason.SENSOR)


def test_cells_that_rise_under_one_and_the_same_discharge_are_being_charged() -> None:
    """A sensor stuck at −25 A while the mains is back."""
    rig = on_float()
    rig.run(2.9, -25.0)
    rig.shown_a = -25.0
    rig.run(4, 20.0)
    assert "stuck_current" in now_of(rig).flags
    rig.shown_a = None
    rig.run(0.5, 20.0)
    (row,) = capacities(rig)
    assert (row.capacity_ah, row.reason) == (None, CapacityReason.SENSOR)


def test_a_sampler_that_takes_the_voltage_one_reading_late_is_not_stuck() -> None:
    """Nor is a set that rests at exactly 0.00 A after its cut-off, and recovers."""
    rig = on_float()
    rig.run(6, -25.0, until_cell_v=2.8)
    rig.run(1)
    seen = [arrival.reading for arrival in rig.readings]
    for at in range(len(seen) - 1, 0, -1):
        earlier, later = seen[at - 1], seen[at]
        assert isinstance(earlier, BatteryReading)
        assert isinstance(later, BatteryReading)
        later.pack_voltage_v, later.cell_voltage_v = earlier.pack_voltage_v, earlier.cell_voltage_v
    (row,) = capacities(rig)
    assert not row.flags, row
    assert row.capacity_ah == pytest.approx(85.0, rel=0.01)


def test_a_pause_of_one_reading_is_not_a_stuck_sensor() -> None:
    """The voltage has answered, and with the load its answer is gone by the second reading."""
    rig = on_float()
    for _ in range(3):
        rig.run(0.5, -25.0)
        rig.run(1 / 60)
    rig.run(4, -25.0, until_cell_v=2.8)
    rig.run(0.5)
    (row,) = capacities(rig)
    assert not row.flags
    assert row.capacity_ah == pytest.approx(85.0, rel=0.01)


@pytest.mark.parametrize("seed", [1006, 3009])
def test_a_full_cell_whose_own_voltage_lies_above_the_float_s_answers_a_small_load_late(seed: int) -> None:
    """Held at 3.395 V, at rest 3.44 V: the first readings of a load hardly fall, or rise, and the sensor is right."""
    world = World(seed, "lfp_a", hysteresis_v=0.0, gain=0.0, offset_c=0.0)
    world.cycle(14.0)
    (row,) = world.estimates()[0]
    assert row.capacity_ah is not None
    assert row.flags == ""

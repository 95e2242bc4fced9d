"""Healthy sets of all kinds of sensors are not doubted: what a charger, a load or a coarse BMS holds is not dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.metrics import BatteryQuarter
from schemas.metrics.battery_health import BatteryState
from streams.kernels.battery.pack import PackMonitor
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth
from tests.support.worlds.healthy_sets import harder, healthy

if TYPE_CHECKING:
    from tests.support.worlds.healthy_sets import HealthySet

SETS = 20
PACK, HEALTH = PackMonitor(health_reference()), SetHealth(health_reference())


def doubts(world: HealthySet) -> list[BatteryQuarter | BatteryState]:
    """What is told of a set with a doubt of its current sensor."""
    rows = [each.fold(None, world.device, world.readings)[1] for each in (PACK, HEALTH)]
    given = [row for own in rows for row in own if isinstance(row, BatteryQuarter | BatteryState)]
    return [row for row in given if "stuck_current" in row.flags]


def test_no_healthy_set_is_told_to_have_a_dead_current_sensor() -> None:
    """Dead bands, coarse registers, held charges and loads, tapers, floats and rests of many hours, cold and warm."""
    assert [(seed, row) for seed in range(SETS) for row in doubts(healthy(seed))[:1]] == []


@pytest.mark.parametrize("seed", range(SETS))
def test_no_load_that_swings_and_is_held_and_no_worse_bms_is_a_dead_current_sensor(seed: int) -> None:
    """Noise, steps and outliers of the pack's voltage, cells not sent, lost readings, a charge right after a load."""
    assert doubts(harder(seed))[:1] == []


def test_a_taper_that_swung_and_ended_at_an_offset_is_no_record_that_is_sent_again() -> None:
    """Its sensor shows −0.01 A for hours of float, coarse voltages stand with it, and nothing swings there."""
    assert doubts(healthy(2_007)) == []

"""Healthy sets of all kinds of sensors are not doubted: what a charger, a load or a coarse BMS holds is not dead."""

from __future__ import annotations

from schemas.metrics import BatteryQuarter
from schemas.metrics.battery_health import BatteryState
from streams.kernels.battery.pack import PackMonitor
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth
from tests.support.worlds.healthy_sets import healthy

SETS = 20
PACK, HEALTH = PackMonitor(health_reference()), SetHealth(health_reference())


def test_no_healthy_set_is_told_to_have_a_dead_current_sensor() -> None:
    """Dead bands, coarse registers, held charges and loads, tapers, floats and rests of many hours, cold and warm."""
    doubted = []
    for seed in range(SETS):
        world = healthy(seed)
        rows = [each.fold(None, world.device, world.readings)[1] for each in (PACK, HEALTH)]
        given = [row for own in rows for row in own if isinstance(row, BatteryQuarter | BatteryState)]
        doubted += [(seed, row) for row in given if "stuck_current" in row.flags]
    assert doubted == []

"""Purchased heat is counted in GJ by a register of its own (issue 16, item 11)."""

from __future__ import annotations

import pytest

from schemas.metrics import Quality
from schemas.readings import Kind
from schemas.registry import Device, Registry, Role, Sector, Site
from tests.support.cases import Run, message

T0 = 1_780_002_000_000
MINUTE = 60_000


def test_a_heat_meters_gigajoules_are_the_plants_energy(own_url: str) -> None:
    """0.5 GJ a minute over three hours, and the volume of the hot water beside it, which is no energy."""
    meter = Device(device_id="x-h", site_id="x", kind=Kind.HEAT, role=Role.CONSUMED, period_s=60)
    site = Site(site_id="x", name="x", name_zh="x", sector=Sector.STEEL, city="太原")
    run = Run(own_url, Registry(sites=[site], devices=[meter]))
    readings = [
        {"ts": T0 + at * MINUTE, "heat_gj": round(90_000 + 0.5 * at, 1), "volume_m3": round(400.0 + 3.0 * at, 1)}
        for at in range(181)
    ]
    run.publish(message("x", "heat", "x-h", each) for each in readings)
    assert run.books().quarantined == 0
    assert run.total("x-h", "heat_gj", Quality.GOOD) == pytest.approx(90.0, abs=0.6)
    hours = run.rows("SELECT heat_kgce, energy_kgce FROM plant_hour WHERE site_id = 'x' AND heat_kgce > 0 ORDER BY ts")
    assert [hours[1]["heat_kgce"], hours[1]["energy_kgce"]] == pytest.approx([30 * 34.12] * 2)

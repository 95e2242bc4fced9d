"""Minutes that are taken away again leave no trace: every view comes to what it does where they never were."""

from __future__ import annotations

import random

import pytest

from schemas.metrics import MeterMinute
from schemas.readings import Kind
from schemas.registry import Device, ProductLine, Role, Sector, Site, VirtualMeter, VirtualPart
from schemas.time import DAY_MS, HOUR_MS, QUARTER_MS
from streams.installed import installed
from streams.kernels.contract import Fold
from tests.unit.streams.kernels.plant.support import DAY0, Tables, minutes, steady

DEVICES = [
    Device(device_id="e-1", site_id="s", kind=Kind.ELECTRICITY, role=Role.CONSUMED),
    Device(device_id="e-2", site_id="s", kind=Kind.ELECTRICITY, role=Role.INTERNAL),
    Device(device_id="w-1", site_id="s", kind=Kind.WATER, role=Role.CONSUMED),
    Device(device_id="p-1", site_id="s", kind=Kind.PRODUCTION, role=Role.PRODUCT),
]
UNIT = Device(
    device_id="u", site_id="s", kind=Kind.GANGUE_UNIT, role=Role.CONSUMED, rated=300, lhv_mj_kg={"gangue_t": 12.6}
)
SUM = VirtualMeter(
    meter_id="sum",
    kind=Kind.ELECTRICITY,
    quantity="energy_import_kwh",
    parts=[VirtualPart(meter_id=name, quantity="energy_import_kwh") for name in ("e-1", "e-2")],
)
SITE = Site(site_id="s", name="S", name_zh="厂", sector=Sector.COKING, city="太原", virtual_meters=[SUM])
POWER = Site(
    site_id="s",
    name="S",
    name_zh="厂",
    sector=Sector.GANGUE_POWER,
    city="朔州",
    product_lines=[ProductLine(product="power_subcritical_300")],
)
REGISTERS = {
    "e-1": ("energy_import_kwh", "energy_export_kwh"),
    "e-2": ("energy_import_kwh",),
    "w-1": ("volume_m3", "mass_t"),
    "p-1": ("mass_t",),
    "u": ("generated_mwh", "auxiliary_mwh", "gangue_t"),
}
VIEWS = [kernel for kernel in installed().rows if not isinstance(kernel, Fold)]
WITH_WINDOWS = 2
"""Seeds that have windows of minutes computed, too, which takes most of the time."""


def _stretch(rng: random.Random) -> range:
    """Some hours of two local days."""
    first = rng.randrange(40)
    return range(first, min(48, first + rng.choice((1, 2, 9, 30))))


def _world(rng: random.Random, devices: list[Device]) -> list[MeterMinute]:
    """Minutes of every register, with some missing."""
    rows: list[MeterMinute] = []
    for device in devices:
        for quantity in REGISTERS[device.device_id]:
            own = minutes(device, quantity, steady(rng.uniform(1, 90)), _stretch(rng))
            rows += [row for row in own if rng.random() > 0.02]
    return rows


def _some_of(rng: random.Random, rows: list[MeterMinute]) -> set[MeterMinute]:
    """Those of some registers, or of some time: a minute, a quarter, an hour, a day, all."""
    register = rng.choice([None, *sorted({row[:2] for row in rows})])
    length = rng.choice((60_000, QUARTER_MS, HOUR_MS, DAY_MS, 9 * DAY_MS))
    begin = DAY0 + rng.randrange(2 * DAY_MS) // length * length
    return {row for row in rows if register in {None, row[:2]} and begin <= row.ts < begin + length}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("devices", [DEVICES, [UNIT]], ids=["plant", "unit"])
def test_minutes_that_are_taken_away_leave_no_trace(devices: list[Device], seed: int) -> None:
    """Quarters, hours, days, windows and balances: whole ones go, and those that are left say what is left."""
    site = POWER if devices == [UNIT] else SITE
    rng = random.Random(seed)
    rows = _world(rng, devices)
    gone = set[MeterMinute]()
    for _ in range(rng.randint(1, 3)):
        gone |= _some_of(rng, rows)
    views = [view for view in VIEWS if seed < WITH_WINDOWS or view.name != "rolling_plant"]
    never, taken = Tables(site, devices, views), Tables(site, devices, views)
    never.put([row for row in rows if row not in gone])
    taken.put(rows)
    taken.take(gone)
    assert taken.everything() == never.everything()

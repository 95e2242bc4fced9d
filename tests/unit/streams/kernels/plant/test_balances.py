"""Balances of energy: electricity, steam and gas, by the roles and carriers of the registry."""

from __future__ import annotations

import math

import orjson
import pytest

from schemas.metrics import BalanceDay
from schemas.readings import Kind
from schemas.registry import Device, Role, Sector, Site
from streams.kernels.plant.balances import media
from tests.unit.streams.kernels.plant.support import Tables, minutes, steady

SITE = Site(site_id="s", name="S", name_zh="厂", sector=Sector.STEEL, city="太原")


def meter(name: str, role: Role = Role.INTERNAL, kind: Kind = Kind.ELECTRICITY, carrier: str = "") -> Device:
    """Register a meter of 1 % with a carrier of its own where it has one."""
    return Device(device_id=name, site_id="s", kind=kind, role=role, carrier=carrier, accuracy=0.01)


def test_a_balance_is_intake_less_exports_and_sub_meters() -> None:
    """Import less export of each; tolerance 2·√Σ(εᵢ·Vᵢ)²; every meter's amount stands in the row."""
    devices = [meter("in", Role.CONSUMED), meter("out", Role.EXPORTED), meter("hall"), meter("oven")]
    tables = Tables(SITE, devices)
    for device, rate in zip(devices, (100.0, 10.0, 50.0, 30.0), strict=True):
        tables.put(minutes(device, "energy_import_kwh", steady(rate), range(24)))
    tables.put(minutes(devices[0], "energy_export_kwh", steady(4.0), range(24)))
    (row,) = tables.all(BalanceDay)
    assert (row.medium, row.unit) == ("electricity", "kwh")
    assert row.residual == pytest.approx(24 * (96 - 10 - 80))
    assert row.tolerance == pytest.approx(24 * 2 * math.sqrt(sum((0.01 * each) ** 2 for each in (96, 10, 50, 30))))
    assert orjson.loads(row.meters)["out"] == [-1.0, pytest.approx(240)]


def test_a_day_that_a_meter_does_not_know_does_not_close() -> None:
    """Unknown is an answer."""
    devices = [meter("in", Role.CONSUMED), meter("hall")]
    tables = Tables(SITE, devices)
    tables.put(minutes(devices[0], "energy_import_kwh", steady(50.0), range(24)))
    tables.put(minutes(devices[1], "energy_import_kwh", lambda hour: None if hour == 3 else 50.0, range(24)))
    (row,) = tables.all(BalanceDay)
    assert (row.residual, row.tolerance) == (None, None)


def test_every_carrier_has_a_balance_of_its_own() -> None:
    """Two gases and steam; what has no sub-meter has none, and a plant's own generation leaves its electricity out."""
    steam = [meter("s0", Role.CONSUMED, Kind.STEAM), meter("s1", Role.INTERNAL, Kind.STEAM)]
    gases = [
        meter(f"{gas}-{role.value}", role, Kind.GAS, gas)
        for gas in ("coke_oven_gas", "natural_gas_low")
        for role in (Role.CONSUMED, Role.INTERNAL)
    ]
    power = [meter("e0", Role.CONSUMED), meter("e1")]
    alone = meter("lonely", Role.CONSUMED, Kind.GAS, "blast_furnace_gas")
    names = [medium.name for medium in media([*steam, *gases, *power, alone])]
    assert names == ["electricity", "coke_oven_gas", "natural_gas_low", "steam"]
    unit = Device(device_id="u", site_id="s", kind=Kind.GANGUE_UNIT, role=Role.CONSUMED)
    assert "electricity" not in [medium.name for medium in media([*power, *steam, unit])]

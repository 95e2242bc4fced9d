"""A registry that cannot be meant is refused at import, with the field and what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from fenhe.clear_errors import PlainError
from fenhe.registry_file import read_registry
from schemas.readings import Kind, LabReading
from schemas.reference import Limited
from schemas.registered.sense import NonsenseError, check, modulus_meant
from schemas.registry import Device, Registry, Role, Sector, Site
from streams.kernels.plant.boundary import wrong_carriers
from streams.kernels.plant.reference import energy_factors, reference

if TYPE_CHECKING:
    from pathlib import Path

SITE = Site(site_id="s", name="s", name_zh="s", sector=Sector.CEMENT, city="长治")


@pytest.mark.parametrize(
    ("value", "modulus"),
    [
        (99_999_999, 1e8), (9_999, 1e4), (99_999.99, 1e5), (999_999.9, 1e6), (1e8, None), (65_536, None),
        (16_777.216, None), (6_553.5, None), (99, None),
    ],
)  # fmt: skip
def test_a_rollover_is_the_modulus_not_the_highest_value(value: float, modulus: float | None) -> None:
    """99 999 999 is what eight digits show at most; they start again at 100 000 000."""
    assert modulus_meant(value) == modulus


def test_the_highest_value_as_rollover_is_refused_with_the_modulus() -> None:
    """The sentence says what to write."""
    device = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, rollover={"energy_import_kwh": 99_999_999})
    with pytest.raises(NonsenseError, match=r"m: rollover\.energy_import_kwh: .*Write 100000000"):
        check(Registry(sites=[SITE], devices=[device]))


@pytest.mark.parametrize(
    ("kind", "carrier"),
    [
        (Kind.ELECTRICITY, "coke"),
        (Kind.PRODUCTION, "natural_gas_low"),
        (Kind.STEAM, "heat"),
        (Kind.HEAT, "steam_saturated"),
        (Kind.HEAT, "fresh_water"),
        (Kind.GAS, "raw_coal"),
        (Kind.WATER, "natural_gas_low"),
        (Kind.GAS, "fresh_water"),
    ],
)
def test_a_carrier_that_its_meter_cannot_count_is_refused(kind: Kind, carrier: str) -> None:
    """Electricity as coke gave 971 kgce a kWh, steam as heat 34 kgce a cubic metre."""
    device = Device(device_id="m", site_id="s", kind=kind, role=Role.CONSUMED, carrier=carrier)
    (found,) = wrong_carriers(Registry(sites=[SITE], devices=[device]), energy_factors())
    assert (found.entry, found.field) == ("m", "carrier")
    assert carrier in found.sentence


@pytest.mark.parametrize(
    ("kind", "carrier"),
    [
        (Kind.ELECTRICITY, ""), (Kind.ELECTRICITY, "electricity"), (Kind.PRODUCTION, "raw_coal"),
        (Kind.STEAM, "steam_saturated"), (Kind.HEAT, ""), (Kind.HEAT, "heat"),
        (Kind.GAS, "coke_oven_gas"), (Kind.GAS, "compressed_air"),
        (Kind.WATER, "fresh_water_low"),
    ],
)  # fmt: skip
def test_a_carrier_that_fits_is_taken(kind: Kind, carrier: str) -> None:
    """Every kind of meter has carriers of its own."""
    device = Device(device_id="m", site_id="s", kind=kind, role=Role.CONSUMED, carrier=carrier)
    assert not wrong_carriers(Registry(sites=[SITE], devices=[device]), energy_factors())


@pytest.mark.parametrize(("begun", "ended", "released"), [(2_000, 1_000, 3_000), (1_000, 3_000, 2_000)])
def test_a_sample_that_ends_before_it_begins_or_after_its_release_is_refused(
    begun: int, ended: int, released: int
) -> None:
    """A laboratory cannot know what was not sampled yet."""
    with pytest.raises(ValidationError, match="a sample begins before it ends"):
        LabReading(ts=released, sample_from=begun, sample_to=ended, fuel="gangue", lhv_mj_kg=12.0)


@pytest.mark.parametrize(
    ("begun", "ended"),
    [(1_772_000, 1_772_323_200_000), (1_772_323_200, 1_772_323_200_000), (1_500_000_000_000, 1_772_323_200_000)],
)
def test_a_sample_of_years_or_in_seconds_is_refused(begun: int, ended: int) -> None:
    """It would stand for all that was burnt since 1970."""
    with pytest.raises(ValidationError, match=r"in seconds|more than a year"):
        LabReading(ts=ended, sample_from=begun, sample_to=ended, fuel="gangue", lhv_mj_kg=12.0)


def test_a_limit_of_coal_is_held_against_coal_alone() -> None:
    """105 kgce of coal and 55 kWh a tonne of clinker meet level 3 of coal, whatever all energy comes to."""
    assert reference().limits["clinker_coal"].of is Limited.FUEL
    assert reference().limits["clinker_electricity"].of is Limited.ELECTRICITY
    assert reference().limits["clinker"].of is Limited.ENERGY


def test_dates_and_times_may_stand_without_quotes(tmp_path: Path) -> None:
    """YAML makes moments of its own of them; they are read as they are written, with their time zone."""
    file = tmp_path / "registry.yaml"
    file.write_text(
        "sites: [{site_id: P1, name: P, name_zh: 厂, sector: base_station, city: 太原}]\n"
        "devices:\n"
        "  - {device_id: E1, site_id: P1, kind: electricity, first_day: 2024-01-01T00:00:00+08:00,\n"
        "     changes: [{valid_from: 2026-03-02T10:15:00+08:00, rated: 5},\n"
        "               {valid_from: 2026-03-03 00:00:00Z, rated: 6}]}\n"
        "  - {device_id: B1, site_id: P1, kind: battery, battery: {nominal_ah: 100, commissioned_on: 2024-05-01}}\n",
        encoding="utf-8",
    )
    meter, battery = read_registry(file).devices
    assert meter.first_day == 1_704_038_400_000
    assert [change.valid_from for change in meter.changes] == [1_772_417_700_000, 1_772_496_000_000]
    assert battery.battery is not None
    assert battery.battery.commissioned_on == "2024-05-01"


def test_a_time_without_its_zone_is_refused_by_name(tmp_path: Path) -> None:
    """Nobody guesses whether 08:00 is Beijing's."""
    file = tmp_path / "registry.yaml"
    file.write_text(
        "sites: [{site_id: P1, name: P, name_zh: 厂, sector: steel, city: 太原}]\n"
        "devices:\n"
        "  - {device_id: E1, site_id: P1, kind: electricity, changes: [{valid_from: 2026-03-02T10:15:00, rated: 5}]}\n",
        encoding="utf-8",
    )
    with pytest.raises(PlainError, match=r"line 3.*valid_from.*needs a time zone"):
        read_registry(file)

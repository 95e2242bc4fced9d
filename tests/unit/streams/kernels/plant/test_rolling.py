"""Rolling figures of a plant: ratios of sums, with what is unknown said."""

from __future__ import annotations

import math
import random

import pytest

from schemas.metrics import MeterMinute, PlantWindow, Quality
from schemas.readings import Kind
from schemas.registry import Device, Role, Sector, Site
from schemas.time import MINUTE_MS
from streams.kernels.plant.boundary import Total, contributions, unknown_carriers
from streams.kernels.plant.reference import energy_factors
from streams.kernels.plant.rolling import RollingPlant
from tests.unit.streams.kernels.calls import calls_of

T0 = 1_780_000_020_000 - 1_780_000_020_000 % MINUTE_MS
SITE = Site(site_id="s", name="S", name_zh="厂", sector=Sector.COKING, city="长治")
POWER = Device(device_id="e", site_id="s", kind=Kind.ELECTRICITY, role=Role.CONSUMED)
PRODUCT = Device(device_id="p", site_id="s", kind=Kind.PRODUCTION, role=Role.PRODUCT)
WATER = Device(device_id="w", site_id="s", kind=Kind.WATER, role=Role.CONSUMED)
VIEW = RollingPlant(energy_factors())


def minute(device: str, quantity: str, at: int, increment: float | None, coverage: float = 1.0) -> MeterMinute:
    """One minute row."""
    quality = Quality.GOOD if coverage == 1 else Quality.PARTIAL if coverage else Quality.UNKNOWN
    return MeterMinute(device, quantity, T0 + at * MINUTE_MS, "s", increment, coverage, quality)


def last_quarter(devices: list[Device], minutes: list[MeterMinute]) -> PlantWindow:
    """The 15-minute window that ends with the fifteenth minute."""
    end = T0 + 15 * MINUTE_MS
    rows = VIEW.windows(SITE, devices, minutes, end - 1, end)
    return next(row for row in rows if isinstance(row, PlantWindow) and row.window_min == 15)


def test_unit_energy_is_the_ratio_of_sums() -> None:
    """10 kWh a minute and two tonnes in all: 150 kWh / 2 t, not the mean of minutes' ratios."""
    minutes = [minute("e", "energy_import_kwh", at, 10.0) for at in range(15)]
    minutes += [minute("p", "mass_t", at, 2.0 if at == 7 else 0.0) for at in range(15)]
    row = last_quarter([POWER, PRODUCT], minutes)
    assert row.energy_kwh == 150.0
    assert row.power_kw == 600.0
    assert row.unit_energy_kgce is not None
    assert math.isclose(row.unit_energy_kgce, 150 * 0.1229 / 2)
    assert (row.coverage, row.quality) == (1.0, Quality.GOOD)
    assert row.reference_version == energy_factors().version


def test_a_silent_meter_makes_the_ratio_unknown_and_not_small() -> None:
    """Energy without its main meter would look like a saving."""
    minutes = [minute("p", "mass_t", at, 0.1) for at in range(15)]
    row = last_quarter([POWER, PRODUCT], minutes)
    assert (row.energy_kwh, row.power_kw, row.unit_energy_kgce) == (None, None, None)
    assert row.coverage == 0.5
    assert row.quality is Quality.PARTIAL


def test_partial_cover_scales_the_ratio_and_not_the_sum() -> None:
    """A meter known for two thirds of the window: its sum stays what is known, its rate is per time known."""
    minutes = [minute("e", "energy_import_kwh", at, 10.0) for at in range(10)]
    minutes += [minute("p", "mass_t", at, 0.2) for at in range(15)]
    row = last_quarter([POWER, PRODUCT], minutes)
    assert row.energy_kwh == 100.0
    assert row.power_kw is not None
    assert math.isclose(row.power_kw, 600.0)
    assert row.unit_energy_kgce is not None
    assert math.isclose(row.unit_energy_kgce, 150 * 0.1229 / 3)
    assert row.quality is Quality.PARTIAL


def test_no_production_means_no_ratio() -> None:
    """Null when the denominator is below its minimum (docs/plant-metrics.md, "Rules above every formula")."""
    minutes = [minute("e", "energy_import_kwh", at, 10.0) for at in range(15)]
    minutes += [minute("p", "mass_t", at, 0.0) for at in range(15)]
    row = last_quarter([POWER, PRODUCT], minutes)
    assert row.unit_energy_kgce is None
    assert row.energy_kgce is not None


def test_water_counts_as_water_and_as_its_energy() -> None:
    """Fresh water carries 0.2571 kgce/m³ (GB/T 2589-2020)."""
    row = last_quarter([WATER], [minute("w", "volume_m3", at, 1.0) for at in range(15)])
    assert row.water_m3 == 15.0
    assert row.energy_kgce is not None
    assert math.isclose(row.energy_kgce, 15 * 0.2571)


def test_sub_meters_are_left_out_of_totals() -> None:
    """A sub-meter's energy is in the main meter's already."""
    sub = Device(device_id="e2", site_id="s", kind=Kind.ELECTRICITY, role=Role.INTERNAL)
    (want,) = VIEW.wants(SITE, [POWER, sub, PRODUCT], {MeterMinute: [minute("e", "energy_import_kwh", 0, 1.0)]})
    assert want.entity_ids == ["e", "p"]


def test_gangue_burns_by_its_heat_value() -> None:
    """A tonne of gangue at 12.56 MJ/kg (3 000 kcal/kg) is 428.6 kgce."""
    unit = Device(device_id="u", site_id="s", kind=Kind.GANGUE_UNIT, role=Role.PRODUCT, lhv_mj_kg={"gangue_t": 12.56})
    parts = {(part.quantity, part.total): part.factor for part in contributions(unit, energy_factors())}
    assert parts["gangue_t", Total.COAL_EQUIVALENT] == pytest.approx(428.56, rel=1e-4)
    assert parts["auxiliary_mwh", Total.PRODUCTION] == -1.0
    assert parts["heat_export_gj", Total.COAL_EQUIVALENT] == pytest.approx(-34.12)


@pytest.mark.parametrize("carrier", ["", "heat"])
def test_purchased_heat_counts_in_gigajoules(carrier: str) -> None:
    """A heat meter's register of GJ is its energy, whatever brings the heat."""
    meter = Device(device_id="h", site_id="s", kind=Kind.HEAT, role=Role.CONSUMED, carrier=carrier)
    [part] = contributions(meter, energy_factors())
    assert (part.quantity, part.total) == ("heat_gj", Total.COAL_EQUIVALENT)
    assert part.factor == pytest.approx(34.12)


def test_a_carrier_nobody_knows_leaves_the_energy_unknown_and_the_rest_as_it_is() -> None:
    """A registry's mistake must not stop a plant's other figures, nor make its energy look small."""
    gas = Device(device_id="g", site_id="s", kind=Kind.GAS, role=Role.CONSUMED, carrier="phlogiston")
    minutes = [minute("e", "energy_import_kwh", at, 10.0) for at in range(15)]
    minutes += [minute("g", "volume_m3", at, 1.0) for at in range(15)]
    minutes += [minute("p", "mass_t", at, 1.0) for at in range(15)]
    row = last_quarter([POWER, gas, PRODUCT], minutes)
    assert (row.energy_kgce, row.unit_energy_kgce) == (None, None)
    assert (row.energy_kwh, row.production) == (150.0, 15.0)
    assert unknown_carriers([POWER, gas, PRODUCT], energy_factors()) == {"g": "phlogiston"}


def test_an_exporting_meter_is_subtracted() -> None:
    """What leaves the plant was not used by it."""
    line = Device(device_id="x", site_id="s", kind=Kind.ELECTRICITY, role=Role.EXPORTED)
    parts = {(part.quantity, part.total): part.factor for part in contributions(line, energy_factors())}
    assert parts["energy_import_kwh", Total.ELECTRICITY_KWH] == -1.0
    assert parts["energy_import_kwh", Total.COAL_EQUIVALENT] == pytest.approx(-0.1229)


def test_every_factor_names_its_standard() -> None:
    """Reference data has a source and a version, or it is not reference data."""
    factors = energy_factors()
    assert factors.version
    assert all(factor.standard and factor.year and factor.per for factor in factors.factors.values())


@pytest.mark.parametrize("seed", range(12))
def test_windows_computed_together_are_each_the_same_as_alone(seed: int) -> None:
    """To the last bit, whatever minutes are missing, estimated or unknown: figure by figure or window by window."""
    rng = random.Random(seed)
    meters = [POWER, PRODUCT, WATER][: rng.randrange(1, 4)]
    registers = {"e": ("energy_import_kwh", "energy_export_kwh"), "p": ("mass_t",), "w": ("volume_m3",)}
    kinds = [(1.0, Quality.GOOD), (0.0, Quality.ESTIMATED), (0.3, Quality.PARTIAL), (0.0, Quality.UNKNOWN)]
    minutes = []
    for meter in meters:
        for quantity in registers[meter.device_id]:
            mostly = rng.choice(kinds)
            for at in range(150):
                coverage, quality = rng.choice(kinds) if rng.random() < 0.1 else mostly
                counted = None if quality is Quality.UNKNOWN else rng.uniform(-1, 50)
                if rng.random() > 0.05 and (quantity != "energy_export_kwh" or at > 80):
                    minutes.append(
                        MeterMinute(meter.device_id, quantity, T0 + at * MINUTE_MS, "s", counted, coverage, quality)
                    )
    together = VIEW.windows(SITE, meters, minutes, T0, T0 + 150 * MINUTE_MS)
    alone = [
        row
        for end in range(T0 + MINUTE_MS, T0 + 151 * MINUTE_MS, MINUTE_MS)
        for row in VIEW.windows(SITE, meters, minutes, end - 1, end)
    ]
    assert len(together) > 200
    assert sorted(map(repr, together)) == sorted(map(repr, alone))


def test_windows_of_days_cost_a_few_calls_each() -> None:
    """A meter that comes back after days has two windows computed for each of thousands of minutes."""
    minutes = [minute("e", "energy_import_kwh", at, 0.1 * at, 0.5) for at in range(1_440)]
    work = calls_of(lambda: VIEW.windows(SITE, [POWER], minutes, T0, T0 + 1_440 * MINUTE_MS))
    assert work < 5 * 2 * 1_440, "it was 30 a window"


def test_a_single_minute_costs_few_calls_however_well_thousands_go_together() -> None:
    """Each live reading of a meter has its plant's two windows of one minute computed."""
    meters = [Device(device_id=f"e{at}", site_id="s", kind=Kind.ELECTRICITY, role=Role.CONSUMED) for at in range(15)]
    minutes = [minute(meter.device_id, "energy_import_kwh", at, 0.1 * at) for meter in meters for at in range(60)]
    end = T0 + 60 * MINUTE_MS
    work = calls_of(lambda: VIEW.windows(SITE, meters, minutes, end - MINUTE_MS, end))
    assert work < 120 * len(meters), "it was 155 a meter"

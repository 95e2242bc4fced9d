"""Hours, days and rolling windows of a plant: sums, ratios of sums, limits, and what is not known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.arrival import Arrival
from schemas.metrics import GangueWindow, MeterMinute, MeterQuarter, PlantDay, PlantHour, PlantRolling, Quality
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device, ProductLine, Role, Sector, Site
from schemas.time import HOUR_MS, MINUTE_MS
from streams.kernels.metering.register import RegisterMetering
from streams.kernels.plant.reference import reference
from tests.unit.streams.kernels.plant.support import DAY0, DAY_MS, Tables, minutes

POWER = Device(device_id="e", site_id="s", kind=Kind.ELECTRICITY, role=Role.CONSUMED)
GAS = Device(device_id="g", site_id="s", kind=Kind.GAS, role=Role.CONSUMED, carrier="natural_gas_low")
STEAM = Device(device_id="x", site_id="s", kind=Kind.STEAM, role=Role.EXPORTED, carrier="steam_saturated")
WATER = Device(device_id="w", site_id="s", kind=Kind.WATER, role=Role.CONSUMED)
REUSED = Device(device_id="r", site_id="s", kind=Kind.WATER, role=Role.REUSED)
STEEL = Device(device_id="p", site_id="s", kind=Kind.PRODUCTION, role=Role.PRODUCT)
MILL = Device(device_id="m", site_id="s", kind=Kind.PRODUCTION, role=Role.PRODUCT)
DEVICES = [POWER, GAS, STEAM, WATER, REUSED, STEEL]
SITE = Site(
    site_id="s",
    name="S",
    name_zh="厂",
    sector=Sector.STEEL,
    city="太原",
    product_lines=[ProductLine(product="eaf_70", water_quota="steel_eaf", parameters={"hot_metal_pct": 10})],
)
FACTORS = reference().factors


def day(tables: Tables, number: int, *, silent_hour: int | None = None) -> None:
    """One local day: 40 t/h at 20 000 kWh/h, 50 m³/h of gas, 2 t/h of steam sold, 40 m³/h of water, 760 used again."""
    hours, begin = range(24), DAY0 + number * DAY_MS
    rows = minutes(POWER, "energy_import_kwh", lambda hour: None if hour == silent_hour else 20_000.0, hours, begin)
    rows += minutes(GAS, "volume_m3", lambda _: 50.0, hours, begin)
    rows += minutes(STEAM, "mass_t", lambda _: 2.0, hours, begin)
    rows += minutes(WATER, "volume_m3", lambda _: 40.0, hours, begin)
    rows += minutes(REUSED, "volume_m3", lambda _: 760.0, hours, begin)
    rows += minutes(STEEL, "mass_t", lambda _: 40.0, hours, begin)
    tables.put(rows)


@pytest.fixture(scope="module")
def two_days() -> Tables:
    """A whole day, and one with an hour in which the electricity meter was silent."""
    tables = Tables(SITE, DEVICES)
    day(tables, 0)
    day(tables, 1, silent_hour=7)
    return tables


def kgce_per_h() -> float:
    """Comprehensive energy of an hour of `day`."""
    bought = (
        20_000 * FACTORS["electricity"].kgce + 50 * FACTORS["natural_gas_low"].kgce + 40 * FACTORS["fresh_water"].kgce
    )
    return bought - 2 * FACTORS["steam_saturated"].kgce


def test_an_hour_is_sums_by_carrier(two_days: Tables) -> None:
    """Σ Eᵢ·kᵢ − Σ exportedⱼ·kⱼ, each carrier in a column of its own; water used again is no intake."""
    row = two_days.all(PlantHour)[5]
    assert row.energy_kwh == pytest.approx(20_000)
    assert row.electricity_kgce == pytest.approx(2458)
    assert row.gas_kgce == pytest.approx(60.715)
    assert row.exported_kgce == pytest.approx(188.2)
    assert row.heat_kgce == pytest.approx(0.0)
    assert row.energy_kgce == pytest.approx(kgce_per_h())
    assert (row.water_in_m3, row.water_reused_m3, row.production) == pytest.approx((40, 760, 40))
    assert (row.energy_known, row.production_known, row.water_known) == (1.0, 1.0, 1.0)
    assert (row.coverage, row.quality, row.reference_version) == (1.0, Quality.GOOD, reference().version)


def test_a_local_day_is_the_sum_of_its_hours(two_days: Tables) -> None:
    """Days begin at midnight in Shanxi, and hold 24 hours."""
    whole, _ = two_days.all(PlantDay)
    assert whole.ts == DAY0
    assert whole.energy_kgce == pytest.approx(24 * kgce_per_h())
    assert (whole.energy_hours, whole.water_hours) == (24, 24)
    assert whole.reuse_rate_pct == pytest.approx(95.0)
    assert whole.unit_water_m3 == pytest.approx(1.0)


def test_a_silent_hour_is_left_out_of_both_sides_of_a_ratio(two_days: Tables) -> None:
    """Energy without its main meter must not look like a saving: the ratio is the same, the coverage is not."""
    whole, holed = two_days.all(PlantDay)
    assert holed.energy_hours == 23
    assert holed.unit_energy_kgce == pytest.approx(whole.unit_energy_kgce)
    assert holed.production == pytest.approx(whole.production)
    assert holed.energy_kgce is not None
    assert whole.energy_kgce is not None
    assert holed.energy_kgce < whole.energy_kgce - 2000
    assert holed.coverage == pytest.approx(1 - 1 / (24 * 6))


def test_a_window_is_held_against_corrected_limits_and_quotas(two_days: Tables) -> None:
    """Hot metal of 10 % moves the arc furnace's limits by −8 kgce/t; gaps to level 3, and to level 1 as leader."""
    row = next(row for row in two_days.all(PlantRolling) if row.window_h == 24 and row.ts == DAY0 + DAY_MS)
    unit_energy = kgce_per_h() / 40
    assert row.unit_energy_kgce == pytest.approx(unit_energy)
    assert row.unit_electricity_kwh == pytest.approx(500)
    assert (row.limit_level_1, row.limit_level_2, row.limit_level_3) == pytest.approx((53, 56, 64))
    assert row.gap_to_limit_pct == pytest.approx(100 * (unit_energy - 64) / 64)
    assert row.gap_to_leader_pct == pytest.approx(100 * (unit_energy - 53) / 53)
    assert (row.leader_is_level_1, row.grade) == (True, None)
    assert row.gap_to_quota_pct == pytest.approx(100 * (1.0 - 1.74) / 1.74)
    assert row.gap_to_advanced_quota_pct == pytest.approx(100 * (1.0 - 0.55) / 0.55)


def test_a_month_has_a_grade_once_half_of_it_is_there() -> None:
    """Thirty days of whole local days; null below the least coverage, then the level that is reached."""
    tables = Tables(SITE, [POWER, STEEL])
    for number in range(16):
        begin = DAY0 + number * DAY_MS
        tables.put(
            minutes(POWER, "energy_import_kwh", lambda _: 18_000.0, range(24), begin)
            + minutes(STEEL, "mass_t", lambda _: 40.0, range(24), begin)
        )
    months = {row.ts: row for row in tables.all(PlantRolling) if row.window_h == 720}
    assert months[DAY0 + 14 * DAY_MS].grade is None
    last = months[DAY0 + 16 * DAY_MS]
    assert last.unit_energy_kgce == pytest.approx(18_000 * 0.1229 / 40)
    assert (last.grade, last.quality) == (2, Quality.PARTIAL)
    assert last.coverage == pytest.approx(16 / 30)


def test_no_production_means_no_ratio() -> None:
    """Null when the denominator is below its minimum."""
    tables = Tables(SITE, [POWER, STEEL])
    tables.put(
        minutes(POWER, "energy_import_kwh", lambda _: 900.0, range(24))
        + minutes(STEEL, "mass_t", lambda _: 0.0, range(24))
    )
    assert {row.unit_energy_kgce for row in tables.all(PlantRolling)} == {None}
    assert all(row.energy_kgce for row in tables.all(PlantRolling))


def test_a_line_counts_its_own_meters_only() -> None:
    """Two lines beside the whole plant: each has its product, the plant has both."""
    site = SITE.model_copy(
        update={"product_lines": [ProductLine(line_id="mill", meters=["m", "w"], water_quota="steel_eaf")]}
    )
    tables = Tables(site, [POWER, WATER, STEEL, MILL])
    hours = range(2)
    tables.put(
        minutes(POWER, "energy_import_kwh", lambda _: 900.0, hours)
        + minutes(WATER, "volume_m3", lambda _: 30.0, hours)
        + minutes(STEEL, "mass_t", lambda _: 40.0, hours)
        + minutes(MILL, "mass_t", lambda _: 10.0, hours)
    )
    rows = {row.line_id: row for row in tables.all(PlantHour) if row.ts == DAY0}
    assert rows["plant"].production == pytest.approx(50)
    assert rows["mill"].production == pytest.approx(10)
    assert (rows["mill"].energy_kwh, rows["mill"].electricity_kgce) == (None, None)
    hourly = {row.line_id: row for row in tables.all(PlantRolling) if row.window_h == 1 and row.ts == DAY0 + HOUR_MS}
    assert hourly["mill"].unit_water_m3 == pytest.approx(3.0)


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(6)), repeated=st.integers(0, 5))
def test_rows_do_not_depend_on_the_order_in_which_minutes_come(order: list[int], repeated: int) -> None:
    """Late and repeated minutes end in the same hours, days and windows, to the last bit; sums are conserved."""
    parts = [
        minutes(POWER, "energy_import_kwh", lambda hour: 0.1 * (hour % 7) + 1 / 3, range(4 * at, 4 * at + 4))
        + minutes(STEEL, "mass_t", lambda hour: 0.7 + hour / 9, range(4 * at, 4 * at + 4))
        for at in range(6)
    ]
    tables = Tables(SITE, [POWER, STEEL])
    for at in [*order, repeated]:
        tables.put(parts[at])
    straight = Tables(SITE, [POWER, STEEL])
    for part in parts:
        straight.put(part)
    for row_type in (MeterQuarter, PlantHour, PlantDay, PlantRolling):
        assert tables.all(row_type) == straight.all(row_type)
    total = math.fsum(row.increment or 0.0 for part in parts for row in part if row.quantity == "energy_import_kwh")
    assert tables.all(PlantDay)[0].energy_kwh == pytest.approx(total, rel=1e-12)
    assert not tables.all(GangueWindow)


@pytest.mark.parametrize("silent_days", [3, 9, 30])
def test_a_plant_day_within_a_silence_is_its_share_and_estimated(silent_days: int) -> None:
    """Beside a water meter that is heard all the time, and with electricity that stands still behind the silence."""
    tables = Tables(SITE, [POWER, WATER])
    counting = [(at * 15, 5_000.0 * at) for at in range(4 * 24)]
    begun, shown = counting[-1]
    behind = begun + silent_days * 24 * 60
    shown_values = [*counting, *((behind + 15 * at, shown + 24_000.0 * silent_days) for at in range(8))]
    readings = [ElectricityReading(ts=DAY0 + at * MINUTE_MS, energy_import_kwh=value) for at, value in shown_values]
    metered = RegisterMetering().fold(None, POWER, [Arrival("e", 0, reading) for reading in readings])[1]
    tables.put(row for row in metered if isinstance(row, MeterMinute))
    for number in range(silent_days + 2):
        tables.put(minutes(WATER, "volume_m3", lambda _: 40.0, range(24), DAY0 + number * DAY_MS))
    days = [row for row in tables.all(PlantDay) if DAY0 < row.ts < DAY0 + silent_days * DAY_MS]
    assert [row.quality for row in days] == [Quality.ESTIMATED] * (silent_days - 1)
    assert [row.energy_kwh for row in days] == pytest.approx([24_000.0] * (silent_days - 1))

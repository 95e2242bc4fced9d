"""Water balance against its tolerance, and the minimum night flow of plants that sleep and of plants that don't."""

from __future__ import annotations

import math

import pytest

from schemas.metrics import NightFlow, WaterDay
from schemas.metrics.plant import NightMethod
from schemas.readings import Kind
from schemas.registry import Device, ProductLine, Role, Sector, Site
from tests.unit.streams.kernels.plant.support import DAY0, DAY_MS, Tables, minutes, steady

INLET = Device(device_id="in", site_id="s", kind=Kind.WATER, role=Role.CONSUMED, accuracy=0.01)
DRAIN = Device(device_id="out", site_id="s", kind=Kind.WATER, role=Role.EXPORTED, accuracy=0.03)
HALL = Device(device_id="hall", site_id="s", kind=Kind.WATER)
TANK = Device(device_id="tank", site_id="s", kind=Kind.WATER, role=Role.STORED)
PRODUCT = Device(device_id="p", site_id="s", kind=Kind.PRODUCTION, role=Role.PRODUCT)
SITE = Site(
    site_id="s",
    name="S",
    name_zh="厂",
    sector=Sector.STEEL,
    city="太原",
    product_lines=[ProductLine(idle_production_per_h=0.5)],
)


def balances(*leaks_m3_h: float) -> list[WaterDay]:
    """Days of a site that takes in 100 m³/h and a leak, of which 60 are sub-metered, 10 stored and 30 discharged."""
    tables = Tables(SITE, [INLET, DRAIN, HALL, TANK])
    for number, leak in enumerate(leaks_m3_h):
        begin = DAY0 + number * DAY_MS
        tables.put(
            minutes(INLET, "volume_m3", steady(100.0 + leak), range(24), begin)
            + minutes(HALL, "volume_m3", lambda _: 60.0, range(24), begin)
            + minutes(TANK, "volume_m3", lambda _: 10.0, range(24), begin)
            + minutes(DRAIN, "volume_m3", lambda _: 30.0, range(24), begin)
        )
    return tables.all(WaterDay)


def test_a_balance_closes_within_the_meters_errors() -> None:
    """Residual = V_in − ΣV_sub − ΔStorage − V_out; tolerance 2·√Σ(εᵢ·Vᵢ)², a meter without accuracy at the default."""
    (row,) = balances(1.0)
    assert row.residual_m3 == pytest.approx(24.0)
    errors = (0.01 * 101, 0.03 * 30, 0.02 * 60, 0.02 * 10)
    assert row.tolerance_m3 == pytest.approx(24 * 2 * math.sqrt(sum(error**2 for error in errors)))
    assert (row.exceeds, row.leak_suspected) == (False, None)


def test_a_leak_is_suspected_on_the_second_day_running() -> None:
    """One day may be chance."""
    found = [(row.exceeds, row.leak_suspected) for row in balances(0.0, 8.0, 9.0, 0.0, 8.0)]
    assert found == [(False, None), (True, False), (True, True), (False, False), (True, False)]


def test_a_meter_that_was_silent_leaves_the_balance_open() -> None:
    """Unknown is an answer."""
    tables = Tables(SITE, [INLET, HALL])
    tables.put(
        minutes(INLET, "volume_m3", lambda hour: None if hour == 3 else 50.0, range(24))
        + minutes(HALL, "volume_m3", lambda _: 50.0, range(24))
    )
    (row,) = tables.all(WaterDay)
    assert (row.residual_m3, row.tolerance_m3, row.exceeds) == (None, None, None)
    assert row.intake_m3 == pytest.approx(50.0 * 23)


def whole(tables: Tables) -> list[NightFlow]:
    """Night flows of the site's whole intake."""
    return [row for row in tables.all(NightFlow) if not row.meter_id]


def test_the_night_flow_is_the_lowest_hour_between_two_and_five() -> None:
    """Also of each meter; the site's is what it takes in less what leaves it and what its tanks take up."""
    tables = Tables(SITE, [INLET, TANK])
    tables.put(
        minutes(INLET, "volume_m3", lambda hour: {1: 3.0, 2: 25.0, 3: 22.0, 4: 24.0, 5: 4.0}.get(hour, 90.0), range(24))
        + minutes(TANK, "volume_m3", lambda hour: 5.0 if hour < 6 else 0.0, range(24))
    )
    found = {row.meter_id: row.night_flow_m3_h for row in tables.all(NightFlow)}
    assert found == {"": pytest.approx(17.0), "in": pytest.approx(22.0), "tank": pytest.approx(5.0)}
    (row,) = whole(tables)
    assert (row.method, row.points) == (NightMethod.PLAIN, 96)
    assert row.volume_m3 == pytest.approx(3 + 25 + 22 + 24 + 4 + 19 * 90 - 30)


def test_a_day_with_fewer_than_92_points_has_no_night_flow() -> None:
    """One silent hour leaves 92 of 96, two leave 88."""
    for silent, has_one in ((range(12, 13), True), (range(12, 14), False)):

        def flow(hour: int, silent: range = silent) -> float | None:
            return None if hour in silent else 9.0

        tables = Tables(SITE, [INLET])
        tables.put(minutes(INLET, "volume_m3", flow, range(24)))
        (row,) = whole(tables)
        assert (row.night_flow_m3_h is not None) is has_one
        assert row.volume_m3 is None


def test_a_plant_that_pauses_at_night_is_judged_by_its_pause() -> None:
    """Only quarters with production at or below the line's idle output count."""
    tables = Tables(SITE, [INLET, PRODUCT])
    tables.put(
        minutes(INLET, "volume_m3", lambda hour: 12.0 if hour == 3 else 5.0, range(24))
        + minutes(PRODUCT, "mass_t", lambda hour: 0.4 if hour == 3 else 50.0, range(24))
    )
    (row,) = whole(tables)
    assert row.method is NightMethod.IDLE
    assert row.night_flow_m3_h == pytest.approx(12.0)


def test_a_plant_that_never_stops_is_judged_by_its_regression_on_production() -> None:
    """Intake 20 + 2·P over the days before; six m³/h more than that in the night is what a leak would be."""
    tables = Tables(SITE, [INLET, PRODUCT])
    for number in range(6):
        leak = 6.0 if number == 5 else 0.0
        begin = DAY0 + number * DAY_MS

        def intake(hour: int, leak: float = leak) -> float | None:
            return 20 + 2 * (30 + hour) + leak

        tables.put(
            minutes(INLET, "volume_m3", intake, range(24), begin)
            + minutes(PRODUCT, "mass_t", lambda hour: 30.0 + hour, range(24), begin)
        )
    rows = whole(tables)
    assert [row.method for row in rows] == [NightMethod.REGRESSION] * 6
    assert [row.night_flow_m3_h for row in rows[:4]] == [None] * 4  # fewer hours than a fit needs
    assert rows[4].night_flow_m3_h == pytest.approx(0.0, abs=1e-6)
    assert rows[5].night_flow_m3_h == pytest.approx(6.0)

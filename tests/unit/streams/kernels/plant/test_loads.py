"""Hours of a meter beside what its plant made in them: complete, measured, and once each."""

from __future__ import annotations

import pytest

from schemas.metrics import MeterLoad, MeterMinute, Quality
from schemas.readings import Kind
from schemas.registry import Device, ProductLine, Role, Sector, Site
from schemas.time import MINUTE_MS
from tests.unit.streams.kernels.plant.support import DAY0, Tables, minutes, steady

INTAKE = Device(device_id="in", site_id="s", kind=Kind.WATER, role=Role.CONSUMED)
PRODUCT = Device(device_id="p", site_id="s", kind=Kind.PRODUCTION, role=Role.PRODUCT)
OTHER = Device(device_id="q", site_id="s", kind=Kind.PRODUCTION, role=Role.PRODUCT)
SITE = Site(site_id="s", name="S", name_zh="厂", sector=Sector.STEEL, city="太原")
HOUR_MS = 60 * MINUTE_MS


def loads(tables: Tables, meter: str = "in") -> list[MeterLoad]:
    """Hours of a meter."""
    return [row for row in tables.all(MeterLoad) if row.device_id == meter]


def water(hours: range, rate: float = 60.0) -> list[MeterMinute]:
    """Minutes of the intake."""
    return minutes(INTAKE, "volume_m3", steady(rate), hours)


def product(hours: range, rate: float = 50.0, meter: Device = PRODUCT) -> list[MeterMinute]:
    """Minutes of a product."""
    return minutes(meter, "mass_t", steady(rate), hours)


def test_an_hour_waits_for_its_product() -> None:
    """Its water is there first; it is given out with what was made, once that is known."""
    tables = Tables(SITE, [INTAKE, PRODUCT])
    tables.put(water(range(1)))
    assert loads(tables) == []
    tables.put(product(range(1)))
    (row,) = loads(tables)
    assert (row.is_measured, row.is_idle) == (True, False)
    assert row.production == pytest.approx(50)
    assert row.rate_4 == pytest.approx(60)


def test_it_does_not_wait_for_ever() -> None:
    """With the next hour over and nothing heard of the product it is given out without, and mended when that comes."""
    tables = Tables(SITE, [INTAKE, PRODUCT])
    tables.put(water(range(2)))
    (row,) = loads(tables)
    assert (row.ts, row.production, row.is_measured) == (DAY0, None, True)
    tables.put(product(range(2)))
    assert [each.production for each in loads(tables)] == [pytest.approx(50)] * 2


def test_any_order_of_arrival_gives_the_same_hours() -> None:
    """Product first, water first, hour by hour or all at once."""
    ordered = Tables(SITE, [INTAKE, PRODUCT])
    ordered.put([*water(range(4)), *product(range(3))])
    for parts in (
        [product(range(3)), water(range(4))],
        [water(range(4)), product(range(3))],
        [water(range(2, 4)), product(range(1, 3)), water(range(2)), product(range(1))],
    ):
        tables = Tables(SITE, [INTAKE, PRODUCT])
        for part in parts:
            tables.put(part)
        assert loads(tables) == loads(ordered)


def test_a_site_without_a_product_waits_for_nothing() -> None:
    """And says that it has none."""
    tables = Tables(SITE, [INTAKE])
    tables.put(water(range(1)))
    (row,) = loads(tables)
    assert (row.is_measured, row.production, row.is_idle) == (False, None, False)


def test_a_quarter_that_was_interpolated_is_no_measurement() -> None:
    """It is right in sum, and says nothing of its time."""
    tables = Tables(SITE, [INTAKE])
    bridged = [
        row._replace(coverage=0.0, quality=Quality.ESTIMATED) if 15 <= at < 30 else row
        for at, row in enumerate(water(range(1)))
    ]
    tables.put(bridged)
    (row,) = loads(tables)
    assert row.rate_1 == pytest.approx(60)
    assert row.rate_2 is None


def test_a_meter_works_for_the_line_that_names_it() -> None:
    """Another line's product says nothing of it; below its idle output the line stands still."""
    lines = [
        ProductLine(line_id="one", meters=["in", "p"], idle_production_per_h=0.5),
        ProductLine(line_id="two", meters=["q"]),
    ]
    tables = Tables(SITE.model_copy(update={"product_lines": lines}), [INTAKE, PRODUCT, OTHER])
    tables.put([*water(range(1)), *product(range(1), 0.4), *product(range(1), 70.0, OTHER)])
    (row,) = loads(tables)
    assert row.production == pytest.approx(0.4)
    assert row.is_idle


def test_only_a_register_that_is_watched_says_that_an_hour_has_waited() -> None:
    """Power that flows back is not watched: whether its next hour is there first, or comes later, is the same."""
    meter = Device(device_id="in", site_id="s", kind=Kind.ELECTRICITY, role=Role.CONSUMED)
    own = minutes(meter, "energy_import_kwh", steady(50.0), range(1))
    back = minutes(meter, "energy_export_kwh", steady(1.0), range(1, 2))
    at_once, one_by_one = Tables(SITE, [meter, PRODUCT]), Tables(SITE, [meter, PRODUCT])
    at_once.put([*own, *back])
    one_by_one.put(own)
    one_by_one.put(back)
    assert loads(at_once) == loads(one_by_one)

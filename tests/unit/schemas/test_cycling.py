"""A tariff has one price at most at every moment of the day."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import yaml
from pydantic import ValidationError

from schemas.readings import Kind
from schemas.registered.cycling import BatteryUse
from schemas.registry import BatterySet, Device, Registry, Sector, Site


def _period(begins: str, ends: str, name: str = "peak") -> dict[str, Any]:
    return {"name": name, "begins": begins, "ends": ends, "yuan_kwh": 0.9}


@pytest.mark.parametrize(
    "periods",
    [
        [_period("08:00", "11:00"), _period("10:45", "12:00")],
        [_period("18:00", "08:00")],
        [_period("08:00", "08:00")],
        [_period("08:10", "09:00")],
        [_period("24:00", "24:00")],
        [_period("08:00", "25:00")],
        [_period("8:00", "11:00")],
        [_period("08:00", "11:00") | {"yuan_kwh": float("nan")}],
        [_period("08:00", "11:00", name="")],
    ],
)
def test_a_tariff_that_says_two_prices_or_none_is_refused(periods: list[dict[str, Any]]) -> None:
    """Overlaps, spans over midnight or of nothing, times between quarters of an hour, and prices that are none."""
    with pytest.raises(ValidationError):
        BatterySet.model_validate({"nominal_ah": 100, "tariff": periods})


def test_a_tariff_survives_the_registry_file() -> None:
    """Periods in any order, one name twice; a set for which nothing is said is for backup."""
    periods = [_period("23:00", "24:00", "谷"), _period("00:00", "07:00", "谷"), _period("07:00", "23:00", "峰")]
    battery = BatterySet.model_validate({"nominal_ah": 100, "use": "storage", "tariff": periods})
    site = Site(site_id="S", name="", name_zh="", sector=Sector.BASE_STATION, city="太原")
    device = Device(device_id="B", site_id="S", kind=Kind.BATTERY, battery=battery)
    registry = Registry(sites=[site], devices=[device])
    assert Registry.model_validate(yaml.safe_load(registry.as_yaml())) == registry
    assert BatterySet(nominal_ah=100).use is BatteryUse.BACKUP


def test_a_set_without_a_tariff_is_read_back_from_the_registry() -> None:
    """The registry's table holds its tariff as an empty list."""
    stored = BatterySet.model_validate({"nominal_ah": 100}).model_dump(mode="json")
    assert BatterySet.model_validate_json(orjson.dumps(stored)).tariff == ()

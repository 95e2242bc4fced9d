"""What may stand on the wire."""

from __future__ import annotations

import orjson
import pytest
from pydantic import ValidationError

from schemas.export import json_schemas
from schemas.quantity import Range
from schemas.readings import ADAPTERS, MODELS, BatteryReading, Kind, ranges_of, registers_of


def parse(kind: Kind, **fields: object) -> object:
    """Validate a reading as it would come over MQTT."""
    return ADAPTERS[kind].validate_json(orjson.dumps({"ts": 1_780_000_000_000, **fields}))


def test_every_kind_has_a_model_and_a_schema() -> None:
    """A kind without a model could never be accepted."""
    assert set(MODELS) == set(Kind)
    assert {f"reading.{kind}.json" for kind in Kind} < set(json_schemas())


@pytest.mark.parametrize("text", ["2026-05-28T20:26:40Z", "2026-05-28T20:26:40+00:00", "2026-05-29T04:26:40+08:00"])
def test_rfc3339_and_milliseconds_mean_the_same_instant(text: str) -> None:
    """Device time is UTC whichever way it is written."""
    reading = ADAPTERS[Kind.WATER].validate_json(orjson.dumps({"ts": text}))
    assert reading.ts == 1_780_000_000_000


@pytest.mark.parametrize("ts", ["2026-05-28T20:26:40", "yesterday", True, 1.5, None])
def test_a_time_without_zone_or_of_another_type_is_refused(ts: object) -> None:
    """A guessed time zone would be off by eight hours and look right."""
    with pytest.raises(ValidationError):
        ADAPTERS[Kind.WATER].validate_json(orjson.dumps({"ts": ts}))


@pytest.mark.parametrize("fields", [{"power_w": 3.0}, {"power_kw": "3"}, {"power_kw": True}, {"voltage_v": [1.0, 2.0]}])
def test_an_unknown_field_or_a_wrong_type_is_refused(fields: dict[str, object]) -> None:
    """A field in another unit must not be dropped in silence."""
    with pytest.raises(ValidationError):
        parse(Kind.ELECTRICITY, **fields)


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_what_is_not_a_number_is_refused(literal: bytes) -> None:
    """NaN and infinities would poison every sum they meet."""
    with pytest.raises(ValidationError):
        ADAPTERS[Kind.ELECTRICITY].validate_json(b'{"ts": 1780000000000, "power_kw": %b}' % literal)


def test_a_cell_at_zero_volts_is_an_absent_channel() -> None:
    """0.000 V is what a BMS sends for a sixteenth cell that is not there."""
    reading = parse(Kind.BATTERY, cell_voltage_v=[3.3] * 15 + [0.0])
    assert isinstance(reading, BatteryReading)
    assert reading.cell_voltage_v == [3.3] * 15 + [None]


def test_registers_and_ranges_are_read_off_the_models() -> None:
    """Kernels and admission take them from here, so a new field needs no second list."""
    assert registers_of(Kind.ELECTRICITY) == ("energy_import_kwh", "energy_export_kwh", "reactive_kvarh")
    assert "generated_mwh" in registers_of(Kind.GANGUE_UNIT)
    assert ranges_of(Kind.BATTERY)["cell_voltage_v"] == Range(2.0, 3.9)
    assert ranges_of(Kind.WATER)["volume_m3"] == Range(0, None)


def test_ranges_stand_in_the_exported_schema() -> None:
    """Who builds a device must see what it may send."""
    reading = json_schemas()["reading.battery.json"]["$defs"]["reading"]["properties"]
    number = next(option for option in reading["pack_voltage_v"]["anyOf"] if option["type"] == "number")
    assert (number["minimum"], number["maximum"]) == (37, 60)

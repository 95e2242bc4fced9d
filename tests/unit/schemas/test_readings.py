"""What may stand on the wire."""

from __future__ import annotations

import orjson
import pytest
from pydantic import ValidationError

from schemas.export import json_schemas
from schemas.quantity import LARGEST, Range
from schemas.readings import ADAPTERS, MODELS, BatteryReading, DeviceQuality, Kind, ranges_of, registers_of


def parse(kind: Kind, **fields: object) -> object:
    """Validate a reading as it would come over MQTT."""
    return ADAPTERS[kind].validate_json(orjson.dumps({"ts": 1_780_000_000_000, **fields}))


def test_every_kind_has_a_model_and_a_schema() -> None:
    """A kind without a model could never be accepted."""
    assert set(MODELS) == set(Kind)
    assert {f"reading.{kind}.json" for kind in Kind} < set(json_schemas())


@pytest.mark.parametrize(
    "text",
    [
        '"2026-05-28T20:26:40Z"',
        '"2026-05-28T20:26:40+00:00"',
        '"2026-05-29T04:26:40+08:00"',
        '"2026-05-28t20:26:40z"',
        '"2026-05-28 20:26:40.0000000001Z"',
        "1780000000000.0",
        "1.78e12",
    ],
)
def test_rfc3339_and_milliseconds_mean_the_same_instant(text: str) -> None:
    """Device time is UTC whichever way it is written."""
    reading = ADAPTERS[Kind.WATER].validate_json(f'{{"ts": {text}}}')
    assert reading.ts == 1_780_000_000_000


@pytest.mark.parametrize("text", ["2016-12-31T23:59:60Z", "2017-01-01T07:59:60+08:00", "2017-01-01T00:00:00Z"])
def test_a_leap_second_is_the_first_second_of_the_next_day(text: str) -> None:
    """So have it clocks that know none."""
    assert ADAPTERS[Kind.WATER].validate_json(orjson.dumps({"ts": text})).ts == 1_483_228_800_000


@pytest.mark.parametrize(
    "ts",
    [
        "2026-05-28T20:26:40",
        "yesterday",
        True,
        1.5,
        None,
        "2026-W22-4T20:26:40Z",
        "20260528T202640Z",
        "2026-05-28T20:26Z",
        "2026-05-28T20:26:40+0800",
        "2026-05-28T20:58:60Z",
        "2026-05-28T24:00:00Z",
        "２026-05-28T20:26:40Z",
    ],
)
def test_a_time_without_zone_or_of_another_type_is_refused(ts: object) -> None:
    """A guessed time zone would be off by eight hours and look right."""
    with pytest.raises(ValidationError):
        ADAPTERS[Kind.WATER].validate_json(orjson.dumps({"ts": ts}))


@pytest.mark.parametrize("seq", ["17", "17.0", "1.7e1"])
def test_a_whole_number_may_be_written_as_json_schema_has_it(seq: str) -> None:
    """The exported schema says integer, and 17.0 is one."""
    reading = ADAPTERS[Kind.BATTERY].validate_json(
        f'{{"ts": 1, "seq": {seq}, "cycles": {seq}, "alarm_words": [{seq}]}}'
    )
    assert isinstance(reading, BatteryReading)
    assert (reading.seq, reading.cycles, reading.alarm_words) == (17, 17, [17])
    assert type(reading.seq) is int


@pytest.mark.parametrize("word", [2**31, 2**32 - 1, 2**64 - 1, -(2**31)])
def test_an_alarm_word_has_all_its_bits(word: int) -> None:
    """The highest alarm is often the highest bit."""
    reading = parse(Kind.BATTERY, alarm_words=[word])
    assert isinstance(reading, BatteryReading)
    assert reading.alarm_words == [word]


@pytest.mark.parametrize("word", ["Bad", "BAD_NO_COMMUNICATION", "bad"])
def test_a_device_may_write_its_quality_as_it_likes(word: str) -> None:
    """A reading that is called bad must not pass for a good one for a capital letter."""
    assert ADAPTERS[Kind.WATER].validate_json(orjson.dumps({"ts": 1, "quality": word})).quality is DeviceQuality.BAD


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
    assert ranges_of(Kind.BATTERY)["cell_voltage_v"] == Range(0, 5)
    assert ranges_of(Kind.WATER)["volume_m3"] == Range(0, LARGEST)


def test_ranges_stand_in_the_exported_schema() -> None:
    """Who builds a device must see what it may send."""
    reading = json_schemas()["reading.battery.json"]["$defs"]["reading"]["properties"]
    number = next(option for option in reading["pack_voltage_v"]["anyOf"] if option["type"] == "number")
    assert (number["minimum"], number["maximum"]) == (0, 75)

"""Records read by msgspec come to what their models come to, and nothing is read that a model refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.kafka.record import MicroBatch, encode_envelope, encode_micro_batch
from schemas.readings import MODELS, Kind
from schemas.structs import is_whole, values_of
from streams.intake import quick
from streams.intake.decode import of_model

if TYPE_CHECKING:
    from streams.intake.batch import Batch

NOW = 1_780_000_000_000

_KNOWN: dict[Kind, tuple[str, ...]] = {kind: tuple(model.model_fields) for kind, model in MODELS.items()}
_NUMBERS = [
    *("0", "1", "-1", "1.0", "-0.0", "0.1", "3.3449999999999998", "5e-324", "1e16", "1.7976931348623157e308", "1e999"),
    *("9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616"),
    *("123456789012345678901234567890", "9" * 400, "1e3", "1E+3", "01", "1.", ".5", "+1", "-", "NaN", "Infinity"),
    *("-Infinity", "1780000000000", "1780000000000.0", "1780000000000.5", "0x10", "1_000"),
]
_WORDS = [
    *("null", "true", "false", '""', '"good"', '"Good"', '"BAD_NoCommunication"', '"water"', '"battery"', '"a\\n"'),
    *('"1"', '"2026-03-01T08:00:00Z"', '"\\u0000"', '"\\ud800"', '"\\ud83d\\ude00"', '"汾河"', '"' + "x" * 65 + '"'),
    *(
        '"' + "x" * 64 + '"',
        '"' + "汾" * 64 + '"',
        '"a-b.c:d"',
        '"a b"',
        '"a\\u0062"',
        '"\x7f"',
        '"\x01"',
        '"\\/"',
        '"\\x"',
    ),
]
_ATOMS = st.sampled_from([*_NUMBERS, *_WORDS])
_LISTS = st.lists(_ATOMS, max_size=18).map(lambda items: f"[{','.join(items)}]")
_CELLS = st.lists(st.floats(0, 5).map(repr) | st.just("null") | st.just("0.0"), max_size=17).map(
    lambda items: f"[{', '.join(items)}]"
)
_DEEP = st.sampled_from(["[" * depth + "]" * depth for depth in (2, 90, 150, 195, 200, 1_100, 3_000)])
_VALUES = st.one_of(
    _ATOMS, _CELLS, _LISTS, _DEEP, st.floats().map(repr), st.integers().map(repr), st.text().map(json.dumps)
)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[Kind, str]:
    """A reading's JSON, mostly of fields of its kind; keys may stand twice, or be none of a reading."""
    kind = draw(st.sampled_from(Kind))
    names = st.sampled_from(_KNOWN[kind]) | st.sampled_from(["x", "ts", "received_ms", "a\\u0062", "ts\\u0000", ""])
    pairs = draw(st.lists(st.tuples(names, _VALUES), max_size=6))
    timed = draw(st.sampled_from(["", '"ts":1780000000000', '"ts":1780000000000', '"ts": 1780000000001.0']))
    space = draw(st.sampled_from(["", " ", "\t\r\n", "\f"]))
    parts = [*([timed] if timed else []), *(f'"{name}":{space}{value}' for name, value in pairs)]
    return kind, "{" + ",".join(parts) + "}"


def record_of(kind: Kind, body: str, *, set_aside: bytes = b"") -> bytes:
    """A record of one message of one reading."""
    readings = b"[%b]" % body.encode("utf-8", "surrogatepass")
    envelope = encode_envelope("plant-1", kind.value, "d-1", NOW, readings, set_aside=set_aside)
    return encode_micro_batch("c", {"d-1": 1}, [envelope], [])


def plain(batch: Batch) -> str:
    """All that is in a batch, with the type of every value."""
    return repr(
        [
            batch.collector,
            batch.received,
            [
                (*message[:4], [(type(one).__name__, values_of(one)) for one in message.readings], message.set_aside)
                for message in batch.messages
            ],
            batch.quarantined,
        ]
    )


def by_model(value: bytes) -> Batch | None:
    """What the models read, or None where they refuse."""
    try:
        return of_model(MicroBatch.model_validate_json(value))
    except ValidationError:
        return None


def by_structs(value: bytes) -> Batch | None:
    """What is read without them, or None where they are asked."""
    try:
        return quick.read(value)
    except ValidationError:
        return None


def held_equal(value: bytes) -> None:
    """What is read without the models is what they read."""
    found = by_structs(value)
    if found is not None:
        expected = by_model(value)
        assert expected is not None, "read, although its model refuses it"
        assert plain(found) == plain(expected)


@given(body=bodies())
def test_a_reading_comes_to_the_same_by_struct_and_by_model(body: tuple[Kind, str]) -> None:
    """Whatever is sent in a field: what msgspec takes, pydantic takes, and both come to the same values."""
    held_equal(record_of(*body))


@pytest.mark.parametrize("value", [*_NUMBERS, *_WORDS, "[1,2,3]", "[null]", "[]", "[1,true]", "[1.5,2,-0.0]", "{}"])
@pytest.mark.parametrize("kind", Kind)
def test_no_value_is_taken_that_a_field_does_not_have(kind: Kind, value: str) -> None:
    """Every odd value in every field of every kind: `1.0`, a bool, integers beyond 64 bits, NaN, text."""
    for name in _KNOWN[kind]:
        held_equal(record_of(kind, f'{{"ts":1780000000000,"{name}":{value}}}'))


@given(value=st.binary(max_size=40), at=st.integers(0, 400), cut=st.integers(0, 30))
def test_a_broken_record_comes_to_the_same(value: bytes, at: int, cut: int) -> None:
    """Any bytes anywhere in a record: it is read as its model reads it, or left to it."""
    whole = record_of(Kind.BATTERY, '{"ts":1780000000000,"cell_voltage_v":[3.3,0.0,null],"mode":"float"}')
    held_equal(whole[:at] + value + whole[at + cut :])


@given(
    field=st.sampled_from(["version", "collector", "received", "messages", "quarantined", "x"]),
    within=st.sampled_from(["site_id", "kind", "device_id", "received_ms", "readings", "set_aside", "x"]),
    value=_VALUES
    | st.sampled_from(['{"d-1":1}', '{"d-1":-1}', '{"d-1":true}', '{"0":{"x":["out_of_range",1]}}', "{}"]),
    deeper=st.booleans(),
)
def test_odd_parts_of_a_record_come_to_the_same(field: str, within: str, value: str, *, deeper: bool) -> None:
    """A foreign writer's record: nothing in it is taken that its model refuses."""
    parts = {"version": "1", "collector": '"c"', "received": '{"d-1":1}', "quarantined": "[]"}
    own = {"site_id": '"s"', "kind": '"water"', "device_id": '"d-1"', "received_ms": str(NOW), "readings": "[]"}
    (own if deeper else parts)[within if deeper else field] = value
    text = ",".join(f'"{name}":{one}' for name, one in own.items())
    parts.setdefault("messages", f"[{{{text}}}]")
    record = "{" + ",".join(f'"{name}":{one}' for name, one in parts.items()) + "}"
    held_equal(record.encode("utf-8", "surrogatepass"))


ORDINARY: dict[Kind, dict[str, Any]] = {
    Kind.ELECTRICITY: {"energy_import_kwh": 12, "voltage_v": [229.9, 230.1, 231], "power_kw": -3.5, "quality": "good"},
    Kind.WATER: {"volume_m3": 12.25, "status": 4294967295, "pressure_mpa": 0.4},
    Kind.STEAM: {"mass_t": 4.5, "temperature_c": 180},
    Kind.GAS: {"volume_m3": 1, "seq": 4},
    Kind.PRODUCTION: {"mass_t": 3.5, "state": "运行", "grade": "A"},
    Kind.GANGUE_UNIT: {"power_mw": 300.5, "generated_mwh": 1e6},
    Kind.BATTERY: {"pack_voltage_v": 53.5, "cell_voltage_v": [3.3, None, 0.0], "cycles": 3, "alarm_words": [1, 0]},
    Kind.SITE_POWER: {"mains_voltage_v": [220.0], "smoke": False, "dc_load_current_a": 3},
}


@pytest.mark.parametrize("kind", Kind)
def test_ordinary_readings_need_no_model(kind: Kind) -> None:
    """What devices usually send is read without the models, which cost five times as much."""
    aside = b'{"0":{"soc_pct":["out_of_range",65535]}}'
    for apart in (b"", aside):
        value = record_of(kind, json.dumps({"ts": NOW, **ORDINARY.get(kind, {})}), set_aside=apart)
        found = quick.read(value)
        assert (found is None) == is_whole(MODELS[kind])
        held_equal(value)

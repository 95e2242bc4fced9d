"""What a message is worth by itself."""

from __future__ import annotations

import gc
import time
import tracemalloc

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from ingest import judgement
from ingest.batches import MicroBatchBuilder, Token
from ingest.judgement import HEAD_BYTES, JudgedMessage, judge
from schemas.kafka.quarantine import Reason
from schemas.readings import MODELS, FlowReading, Kind
from streams.intake.decode import Record, decode

NOW = 1_780_000_000_000
TOPIC = "fenhe/v1/plant-1/water/w-1"
GOOD = {"ts": NOW, "volume_m3": 5.0}


def judged(payload: object, topic: str = TOPIC, max_bytes: int = 100_000) -> JudgedMessage:
    """Judge a payload, given as bytes or as what JSON is made of."""
    raw = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    return judge(topic, raw, NOW, max_bytes=max_bytes)


def reasons(judgement: JudgedMessage) -> list[Reason]:
    """Reasons of what was quarantined."""
    return [item.reason for item in judgement.quarantined]


def test_a_good_reading_keeps_its_own_bytes() -> None:
    """Nothing is lost by encoding a reading a second time."""
    raw = b' {"ts": 1780000000000, "volume_m3": 5.10} '
    assert judged(raw).readings == b"[%b]" % raw
    assert judged(raw).accepted == 1


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.MALFORMED),
        (b"{", Reason.MALFORMED),
        (b"\xff\xfe\x00", Reason.MALFORMED),
        (b'{"ts": 1780000000000, "volume_m3": 5.0} trailing', Reason.MALFORMED),
        (b"[" * 50_000, Reason.MALFORMED),
        (b'{"ts":' + b'{"a":' * 10_000, Reason.MALFORMED),
        (b'"text"', Reason.SCHEMA),
        (b"null", Reason.SCHEMA),
        (b"[]", Reason.SCHEMA),
        (b"{}", Reason.SCHEMA),
        ({**GOOD, "volume_m3": "5"}, Reason.SCHEMA),
        ({"ts": NOW, "flow_gpm": 1.0}, Reason.SCHEMA),
        (b'{"ts": 1780000000000, "volume_m3": NaN}', Reason.SCHEMA),
        ({"ts": "2026-05-28T20:26:40", "volume_m3": 5.0}, Reason.SCHEMA),
        ({"volume_m3": 5.0}, Reason.SCHEMA),
        ({**GOOD, "site_id": "plant-2"}, Reason.IDENTITY_MISMATCH),
        ({**GOOD, "device_id": "w-2"}, Reason.IDENTITY_MISMATCH),
        ({**GOOD, "kind": "gas"}, Reason.IDENTITY_MISMATCH),
        ({**GOOD, "ts": NOW + 300_001}, Reason.CLOCK_AHEAD),
        (b'{"ts": 1000000000000000000000000000000, "volume_m3": 5.0}', Reason.CLOCK_AHEAD),
    ],
)
def test_an_unusable_message_has_one_reason_and_keeps_its_bytes(payload: object, reason: Reason) -> None:
    """Nothing is dropped in silence."""
    judgement = judged(payload)
    raw = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    assert reasons(judgement) == [reason]
    assert judgement.quarantined[0].payload == raw
    assert (judgement.taken, judgement.accepted) == (1, 0)


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("fenhe/v2/plant-1/water/w-1", Reason.UNSUPPORTED_VERSION),
        ("fenhe/v1/plant-1/water", Reason.MALFORMED),
        ("fenhe/v1/plant-1/water/w-1/more", Reason.MALFORMED),
        ("fenhe/v1/plant 1/water/w-1", Reason.MALFORMED),
        ('fenhe/v1/pl"nt/water/w-1', Reason.MALFORMED),
        ("fenhe/v1/plant-1/beer/b-1", Reason.SCHEMA),
        ("fenhe", Reason.MALFORMED),
        ("", Reason.MALFORMED),
    ],
)
def test_a_foreign_topic_is_quarantined(topic: str, reason: Reason) -> None:
    """A topic we do not speak is kept as such."""
    assert reasons(judged(GOOD, topic)) == [reason]


def test_a_payload_that_is_too_large_keeps_its_head_size_and_digest() -> None:
    """Ten megabytes must not travel through Kafka, nor vanish."""
    judgement = judged(b"x" * 200_000)
    assert reasons(judgement) == [Reason.TOO_LARGE]
    item = judgement.quarantined[0]
    assert len(item.payload) == HEAD_BYTES
    assert item.size == 200_000
    assert "sha256" in item.detail


def test_one_bad_reading_in_an_array_costs_one_reading() -> None:
    """The others of its message are accepted as they are."""
    judgement = judged([GOOD, {**GOOD, "ts": "x"}, {**GOOD, "ts": NOW + 1}, 7, {**GOOD, "ts": NOW + 10**7}])
    assert (judgement.taken, judgement.accepted) == (5, 2)
    assert reasons(judgement) == [Reason.SCHEMA, Reason.SCHEMA, Reason.CLOCK_AHEAD]
    assert [reading["ts"] for reading in orjson.loads(judgement.readings)] == [NOW, NOW + 1]


def aside(judgement: JudgedMessage) -> dict[str, dict[str, list[object]]]:
    """What was set aside, by place and field."""
    return orjson.loads(judgement.set_aside or b"{}")  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("odd", "kept"),
    [
        ({"flow_m3_h": "7"}, {"flow_m3_h": ["wrong_type", "7"]}),
        ({"status": 1.5, "mass_t": True}, {"status": ["wrong_type", 1.5], "mass_t": ["wrong_type", True]}),
        ({"flow_gpm": 1.0, "unit": "gal"}, {"(unknown)": ["unknown_field", {"flow_gpm": 1.0, "unit": "gal"}]}),
        ({"quality": "192"}, {"quality": ["wrong_type", "192"]}),
        ({"temperature_c": None}, {}),
        ({"temperature_c": [1.0] * 999}, {"temperature_c": ["wrong_type", ("[" + "1.0," * 999)[:400]]}),
    ],
)
def test_an_odd_field_costs_itself(odd: dict[str, object], kept: dict[str, object]) -> None:
    """The rest of its reading is used, alone and in an array; what was sent is kept, and is bounded."""
    for payload in ({**GOOD, **odd}, [{**GOOD, **odd}]):
        judgement = judged(payload)
        assert (judgement.accepted, list(judgement.quarantined)) == (1, [])
        assert aside(judgement).get("0", {}) == kept
        reading = MODELS[Kind.WATER].model_validate_json(orjson.dumps(orjson.loads(judgement.readings)[0]))
        assert isinstance(reading, FlowReading)
        assert (reading.ts, reading.volume_m3) == (NOW, 5.0)


@pytest.mark.parametrize("literal", [b"NaN", b"-Infinity", b"1e999"])
def test_what_is_no_number_costs_its_field(literal: bytes) -> None:
    """It would poison every sum it meets; the register beside it does not."""
    judgement = judged(b'{"ts": 1780000000000, "volume_m3": 5.0, "flow_m3_h": %b}' % literal)
    assert judgement.accepted == 1
    assert aside(judgement)["0"]["flow_m3_h"][0] == "wrong_type"


def test_an_empty_list_is_nothing_known() -> None:
    """It costs neither the voltages beside it nor a word."""
    payload = {"ts": NOW, "cell_voltage_v": [3.3] * 16, "temperature_c": []}
    judgement = judged(payload, "fenhe/v1/s/battery/b")
    assert (judgement.accepted, judgement.set_aside) == (1, b"")


def test_one_odd_element_of_a_list_costs_itself() -> None:
    """Fifteen cells are still measured."""
    judgement = judged({"ts": NOW, "cell_voltage_v": [3.3, "x", 3.4]}, "fenhe/v1/s/battery/b")
    assert orjson.loads(judgement.readings)[0]["cell_voltage_v"] == [3.3, None, 3.4]
    assert aside(judgement)["0"] == {"cell_voltage_v": ["wrong_type", [3.3, "x", 3.4]]}


_ATOMS = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        17.0,
        1.5,
        2**31,
        2**64,
        10**30,
        1e300,
        float("nan"),
        float("inf"),
        "",
        "a",
        "\x00",
        "雪",
        "x" * 900,
    ]
)
_JSON = _ATOMS | st.lists(_ATOMS, max_size=4) | st.dictionaries(st.sampled_from("abc"), _ATOMS, max_size=3)


@given(kind=st.sampled_from(sorted(Kind)), data=st.data())
def test_whatever_stands_in_a_field_the_record_can_be_read(kind: Kind, data: st.DataObject) -> None:
    """What a collector accepts, a worker decodes: a reading that did not cost itself must not cost its batch."""
    names = st.sampled_from([*MODELS[kind].model_fields, "x", "y"])
    readings = data.draw(st.lists(st.dictionaries(names, _JSON, max_size=6), min_size=1, max_size=3))
    payload = to_json([{"ts": NOW, **reading} for reading in readings], inf_nan_mode="constants")
    topic = f"fenhe/v1/s/{kind}/d"
    judgement = judge(topic, payload, NOW, max_bytes=100_000)
    builder = MicroBatchBuilder(NOW)
    builder.add(judgement, Token(1, 1), NOW)
    batch = decode(Record(0, NOW, builder.encode("c")), "t[0]")
    assert batch.collector == "c"
    assert sum(len(message.readings) for message in batch.one_by_one().messages) == judgement.accepted
    assert judgement.taken == judgement.accepted + len(judgement.quarantined)


@pytest.mark.parametrize(("factor", "unit"), [(1e-3, "seconds"), (1e3, "microseconds"), (1e6, "nanoseconds")])
def test_a_time_in_another_unit_is_told_by_its_unit(factor: float, unit: str) -> None:
    """Whoever sends it learns what to send; it is no clock that is ahead, and is never replayed as one."""
    judgement = judged({"ts": round(1_780_000_000_000 * factor), "volume_m3": 5.0})
    assert reasons(judgement) == [Reason.SCHEMA]
    assert f"{unit}, not in milliseconds" in judgement.quarantined[0].detail


@given(payload=st.binary(max_size=300), topic=st.text(max_size=60))
def test_nothing_a_device_can_send_raises_or_goes_uncounted(payload: bytes, topic: str) -> None:
    """Taken = accepted + quarantined, for any bytes under any topic."""
    judgement = judge(topic, payload, NOW, max_bytes=200)
    assert judgement.taken == judgement.accepted + len(judgement.quarantined)


TWICE = b'{"ts": [[1]], "ts": 1780000000000, "volume_m3": 5.0}'


@pytest.mark.parametrize(
    "payload",
    [
        TWICE,
        b'{"ts":1780000000000,"ts":1780000000000}',
        b'{"ts" : 1780000000000, "\\u0074s":1780000000000}',
        b'{"volume_m3":1.0,"ts":"2026-05-28T20:26:40Z","volume_m3":1.0}',
        b'{"ts":' + 150 * b"[" + 150 * b"]" + b',"ts":1780000000000}',
        b'{"ts":' + b"9" * 4000 + b',"ts":1780000000000}',
        b'{"ts":1780000000000,"invented":{"a":1,"a":2}}',
        b'{"ts":1780000000000,"volume_m3":"x","volume_m3":1.0}',
    ],
)
def test_a_key_that_stands_twice_is_malformed(payload: bytes) -> None:
    """Which of two answers is meant, nobody can know; what one parser takes, another one does not."""
    judgement = judged(payload)
    assert reasons(judgement) == [Reason.MALFORMED]
    assert (judgement.taken, judgement.quarantined[0].payload) == (1, payload)


@pytest.mark.parametrize("time", [b'"2026-05-28T20:26:40Z"', b"1780000000000"])
@pytest.mark.parametrize("gap", [b"", b" ", b"\n\t"])
def test_colons_in_texts_are_no_keys(time: bytes, gap: bytes) -> None:
    """A time has colons, and so may a name; space before a colon changes nothing."""
    payload = b'{"ts"%b:%b,"device_id"%b:"w:1"}' % (gap, time, gap)
    judgement = judged(payload, "fenhe/v1/plant-1/water/w:1")
    assert (judgement.accepted, judgement.quarantined) == (1, ())


def test_a_key_twice_in_an_element_costs_that_element() -> None:
    """It is kept with its own bytes; the others of the array are taken."""
    good = orjson.dumps(GOOD)
    judgement = judged(b"[%b, %b ,%b,7]" % (good, TWICE, good.replace(b"000,", b"001,")))
    assert (judgement.taken, judgement.accepted) == (4, 2)
    assert reasons(judgement) == [Reason.MALFORMED, Reason.SCHEMA]
    assert judgement.quarantined[0].payload == TWICE


SIZE = 250_000
RUBBISH = {
    "numbers": b"[" + b"1," * (SIZE // 2) + b"1]",
    "texts": b"[" + b'"",' * (SIZE // 3) + b'""]',
    "empty objects": b"[" + b"{}," * (SIZE // 3) + b"{}]",
    "empty arrays": b"[" + b"[]," * (SIZE // 3) + b"[]]",
    "objects of one unknown field": b"[" + b'{"a":1},' * (SIZE // 8) + b"{}]",
    "no times": b"[" + b'{"ts":"x"},' * (SIZE // 11) + b"{}]",
    "senseless readings": b"[" + b'{"ts":1,"x":1},' * (SIZE // 15) + b"{}]",
    "keys twice": b"[" + b'{"ts":1,"ts":1},' * (SIZE // 16) + b"{}]",
    "unknown fields": b'{"ts":1780000000000,' + b",".join(b'"k%d":1' % n for n in range(SIZE // 11)) + b"}",
    "unknown fields in an array": b'[{"ts":1,' + b",".join(b'"k%d":1' % n for n in range(SIZE // 11)) + b"}]",
    "one good reading behind": b"[" + b"0," * (SIZE // 2) + b'{"ts":1780000000000}]',
    "a list of lists": b'{"ts":1780000000000,"volume_m3":[' + b"[]," * (SIZE // 3) + b"[]]}",
}
DEAR = 12
"""Times the cost of readings. Measured 0.3 to 5 (November 2026); before the bound stood, up to 83."""


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_costs_about_what_readings_of_its_size_cost(name: str) -> None:
    """Work is bounded for each byte, so whoever sends rubbish keeps nobody else waiting for longer."""
    good = b"[" + b",".join(b'{"ts":%d,"volume_m3":5.25}' % (NOW - n) for n in range(SIZE // 38)) + b"]"

    def cost(payload: bytes) -> float:
        began = time.process_time()
        judged(payload, max_bytes=2 * SIZE)
        return (time.process_time() - began) / len(payload)

    gc.freeze()  # what other tests have left in memory would be gone through again and again
    try:
        assert min(cost(RUBBISH[name]) for _ in range(3)) < DEAR * max(cost(good) for _ in range(3))
    finally:
        gc.unfreeze()


def test_a_message_that_is_refused_is_not_held_in_memory() -> None:
    """An error that holds its callers, who hold it, is a circle that Python's collector does not see in pydantic's."""
    odd = b'{"ts":"x","status":"%b"}' % (b"y" * 20_000)
    lab = b'{"ts":1780000000000,"sample_from":9,"sample_to":1,"fuel":"%b"}' % (b"y" * 20_000)
    tracemalloc.start()
    try:
        for _ in range(100):
            judged(odd)
            judged(lab, "fenhe/v1/plant-1/lab/w-1")
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1_000_000


def test_a_retained_message_is_refused() -> None:
    """The broker would hand it out again and again, as if it were new."""
    judgement = judge(TOPIC, orjson.dumps(GOOD), NOW, max_bytes=1000, retained=True)
    assert reasons(judgement) == [Reason.RETAINED]
    assert judgement.quarantined[0].payload == orjson.dumps(GOOD)


def test_topics_too_long_to_be_anyones_are_not_remembered() -> None:
    """A topic may have 65 535 bytes, and nobody is kept from making up new ones: none stays in memory."""
    before = judgement._identity.cache_info().currsize
    for number in range(20):
        refused = judge(f"fenhe/v1/{'x' * 60_000}/water/w-{number}", b"{}", 1, max_bytes=1000)
        assert refused.quarantined[0].reason is Reason.MALFORMED
    assert judgement._identity.cache_info().currsize == before

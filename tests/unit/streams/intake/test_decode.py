"""Kafka records back into readings: nothing that is in one costs its neighbours or the books."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.batches import MicroBatchBuilder, Token
from ingest.judgement import judge
from schemas.kafka.quarantine import Reason
from schemas.kafka.record import LARGEST_PAYLOAD_BYTES, LARGEST_RECORD_BYTES, encode_envelope, encode_micro_batch
from schemas.time import HOUR_MS
from streams.intake.decode import Record, decode

if TYPE_CHECKING:
    from streams.intake.batch import Batch

NOW = 1_780_000_000_000
TOPIC = "fenhe/v1/plant-1/water/w-1"
NEIGHBOUR = "fenhe/v1/plant-1/water/w-2"
MESSAGE_MAX_BYTES = 1_000_000
"""librdkafka's default."""


def put_together(*messages: tuple[str, bytes]) -> tuple[bytes, int]:
    """One record of some messages, as a collector makes it, and how many readings it took."""
    builder = MicroBatchBuilder(NOW)
    for number, (topic, payload) in enumerate(messages):
        builder.add(judge(topic, payload, NOW, max_bytes=LARGEST_PAYLOAD_BYTES), Token(number, 1), NOW)
    return builder.encode("c"), builder.readings


def balance(batch: Batch) -> dict[str, int]:
    """Readings counted that are neither there nor in quarantine, by device: none, or the books do not close."""
    batch = batch.one_by_one()
    left = Counter(batch.received)
    for message in batch.messages:
        left[message.device_id] -= len(message.readings)
    left.subtract(item.device_id for item in batch.quarantined)
    return {device: count for device, count in left.items() if count}


def stamps(batch: Batch, device_id: str) -> list[int]:
    """Times of a device's readings."""
    messages = batch.one_by_one().messages
    return [reading.ts for message in messages if message.device_id == device_id for reading in message.readings]


GOOD = [b'{"ts":%d,"volume_m3":%d.5}' % (NOW + number, number) for number in range(3)]

_KEYS = st.sampled_from(["ts", "volume_m3", "flow_m3_h", "status", "device_id", "quality", "x", '"', "\u0000"])
_NUMBERS = [b"1", b"1780000000000", b"-1", b"1e999", b"NaN", b"1.7e12", b"9" * 4_400]
_TEXTS = [b"null", b"true", b'"x"', b'"\\ud800"', b'"\xff"', b'"a:b"', b'":"', b'"2026-05-28T20:26:40Z"']
_DEEP = [b"[" * 120 + b"]" * 120, b"[" * 197 + b"]" * 197, b'{"a":' * 90 + b"1" + b"}" * 90]
_ATOMS = st.sampled_from([*_NUMBERS, *_TEXTS, *_DEEP])
_VALUES = st.recursive(
    _ATOMS, lambda inner: st.lists(inner, max_size=3).map(lambda items: b"[%b]" % b",".join(items)), max_leaves=4
)
_OBJECTS = st.lists(st.tuples(_KEYS, _VALUES), max_size=5).map(
    lambda pairs: b"{%b}" % b",".join(b"%b:%b" % (orjson.dumps(key), value) for key, value in pairs)
)
_TIMED = _OBJECTS.map(lambda text: b'{"ts":1780000000000' + (b"," if text != b"{}" else b"") + text[1:])
_ITEMS = st.one_of(_OBJECTS, _TIMED, _VALUES)
ANYTHING = st.one_of(
    st.binary(max_size=60), _ITEMS, st.lists(_ITEMS, max_size=5).map(lambda items: b"[%b]" % b",".join(items))
)


@given(payloads=st.lists(ANYTHING, min_size=1, max_size=4))
def test_nothing_that_a_device_can_send_costs_its_neighbours_or_the_books(payloads: list[bytes]) -> None:
    """Any bytes among good readings in one record: these come out, and everything counted is accounted for."""
    mixed = [(NEIGHBOUR, GOOD[0]), *((TOPIC, payload) for payload in payloads), (NEIGHBOUR, GOOD[1])]
    record, readings = put_together(*mixed)
    batch = decode(Record(0, NOW, record), "t[0]")
    assert batch.collector == "c", "the record as a whole could not be read"
    assert stamps(batch, "w-2") == [NOW, NOW + 1]
    assert sum(batch.counted().values()) == readings
    assert balance(batch) == {}


DEEP = 199 * b"[" + 199 * b"]"


@pytest.mark.parametrize(
    "payload",
    [
        b'{"ts":%b,"ts":1780000000000}' % DEEP[1:-1],
        b'{"ts":1780000000000,"volume_m3":1.0,"flow_m3_h":%b}' % DEEP[1:-1],
        b'{"ts":1780000000000,"volume_m3":1.0,"x":%b}' % DEEP[1:-1],
        b'{"ts":1780000000000,"volume_m3":1.0,"x":%b}' % (b'{"a":' * 60 + b"1" + b"}" * 60),
    ],
)
def test_what_is_nested_as_deep_as_can_be_costs_itself(payload: bytes) -> None:
    """It lies deeper in the record than it did in the message, and the limit is the same."""
    record, _ = put_together((NEIGHBOUR, GOOD[0]), (TOPIC, payload), (NEIGHBOUR, GOOD[1]))
    batch = decode(Record(0, NOW, record), "t[0]")
    assert stamps(batch, "w-2") == [NOW, NOW + 1]
    assert balance(batch) == {}


def foreign(*readings: bytes) -> bytes:
    """A record that no collector of ours would write: one of its messages cannot be read."""
    envelopes = [
        encode_envelope("plant-1", "water", "w-2", NOW, b"[%b,%b]" % (GOOD[0], GOOD[1])),
        encode_envelope("plant-1", "water", "w-1", NOW, b"[%b]" % b",".join(readings)),
    ]
    return encode_micro_batch("c", {"w-2": 2, "w-1": len(readings)}, envelopes, [])


@pytest.mark.parametrize("readings", [(DEEP, GOOD[0]), (b'{"ts":"x"}', b"1", b"{}"), (b'{"ts":1,"new":1}',)])
def test_a_message_that_cannot_be_read_costs_itself(readings: tuple[bytes, ...]) -> None:
    """The other messages of its record are used; its readings are in quarantine, each; the body is kept whole."""
    body = foreign(*readings)
    batch = decode(Record(7, NOW, body), "t[0]")
    assert stamps(batch, "w-2") == [NOW, NOW + 1]
    assert batch.received == {"w-2": 2, "w-1": len(readings)}
    assert balance(batch) == {}
    assert {item.reason for item in batch.quarantined} == {Reason.MALFORMED}
    assert batch.quarantined[0].payload == body


HUGE = 10**30


@pytest.mark.parametrize(
    ("received", "envelope", "item"),
    [
        ({"w-1": 3}, {"received_ms": HUGE}, {}),
        ({"w-1": 3}, {"received_ms": -1}, {}),
        ({"w-1": 3, "d" * 5_000: 1}, {}, {"device_id": "d" * 5_000}),
        ({"w-1": 3, "nobody": 1}, {}, {"device_id": "nobody", "size": HUGE}),
        ({"w-1": 3, "nobody": 1}, {}, {"device_id": "nobody", "received_ms": HUGE}),
        ({"w-1": HUGE}, {}, {}),
        ({"w-1": 3}, {"site_id": "s" * 5_000}, {}),
    ],
)
def test_whoever_writes_into_the_log_no_record_stops_its_partition(
    received: dict[str, int], envelope: dict[str, object], item: dict[str, object]
) -> None:
    """Numbers and names that the database cannot hold cost what they stand at, and the books close."""
    message = {"site_id": "plant-1", "kind": "water", "device_id": "w-1", "received_ms": NOW}
    message |= {"readings": [json.loads(reading) for reading in GOOD]} | envelope
    refused = {"reason": "schema", "topic": "t", "received_ms": NOW, "payload": "", "size": 1} | item
    record = {"version": 1, "collector": "c", "received": received, "messages": [message]}
    record["quarantined"] = [refused] if item else []
    batch = decode(Record(0, -1, json.dumps(record).encode()), "t")
    assert sum(balance(batch).values()) == 0
    held = [*(one.received_ts for one in batch.messages), *(one.received_ts for one in batch.quarantined)]
    assert all(0 <= ms < 2**53 for ms in held)
    assert all(one.size < 2**31 and len(one.device_id + one.site_id) < 500 for one in batch.quarantined)


@pytest.mark.parametrize(
    ("body", "received"),
    [
        (b"\x00rubbish", {"": 1}),
        (b'{"version":3,"what":"ever"}', {"": 1}),
        (b'{"version":3,"received":{"w-1":3,"w-2":1},"readings":"in another form altogether"}', {"w-1": 3, "w-2": 1}),
        (b'{"version":1,"received":{"w-1":1000000000},"messages":1}', {"": 1}),
        (foreign(GOOD[0])[:-40], {"": 1}),
    ],
)
def test_an_unreadable_record_counts_what_it_says_it_holds(body: bytes, received: dict[str, int]) -> None:
    """`received` is never made smaller: what is not there is in quarantine, and the body is kept whole, once."""
    batch = decode(Record(7, NOW, body), "t[0]")
    assert (batch.messages, batch.received) == ([], received)
    assert balance(batch) == {}
    assert [item.payload for item in batch.quarantined if item.payload] == [body]


@pytest.mark.parametrize("kind", ["battery", "water"])
@pytest.mark.parametrize(
    "element",
    [b'{"ts":1780000000000,"cell_voltage_v":[%b]}' % b",".join([b"1e15"] * 16), b'{"ts":1}', b'{"ts":2,"x":"\\u0001"}'],
)
@pytest.mark.parametrize("rubbish", [b"0", b'{"\\u0001":"\\u0001"}', b'{"ts":1e15}', b""])
def test_the_largest_message_fits_into_a_record(kind: str, element: bytes, rubbish: bytes) -> None:
    """A record that Kafka refuses would be made again for ever: no message is that large, written out in any way."""
    bad = (rubbish + b",") * 250 if rubbish else b""
    payload = b"[%b%b]" % (bad, b",".join([element] * ((LARGEST_PAYLOAD_BYTES - len(bad) - 2) // (len(element) + 1))))
    record, readings = put_together((f"fenhe/v1/plant-1/{kind}/w-1", payload))
    assert len(record) < LARGEST_RECORD_BYTES + 1_000 < MESSAGE_MAX_BYTES
    assert sum(decode(Record(0, NOW, record), "t[0]").received.values()) == readings


def test_a_topic_of_any_length_fits_into_a_record() -> None:
    """MQTT allows 65 535 bytes of it."""
    record, _ = put_together(("\x01" * 65_535, b"x" * LARGEST_PAYLOAD_BYTES))
    assert len(record) < MESSAGE_MAX_BYTES


@pytest.mark.parametrize("written_ts", [-1, NOW, NOW + HOUR_MS])
@pytest.mark.parametrize("forged_ts", [0, NOW + 1, NOW + 2 * HOUR_MS])
def test_what_can_be_read_of_a_record_and_what_cannot_are_booked_in_one_hour(written_ts: int, forged_ts: int) -> None:
    """Kafka may have taken the record in the next hour; what was received is counted once, for one hour."""
    envelopes = [
        encode_envelope("plant-1", "water", "w-1", NOW, b"[%b]" % GOOD[0]),
        encode_envelope("plant-1", "water", "w-1", forged_ts, b"[%b]" % GOOD[1]),
        encode_envelope("plant-1", "water", "w-2", NOW, b'[{"ts":"never"}]'),
    ]
    body = encode_micro_batch("c", {"w-1": 2, "w-2": 1, "w-3": 1}, envelopes, [])
    batch = decode(Record(0, written_ts, body), "t")
    times = [message.received_ts for message in batch.messages] + [item.received_ts for item in batch.quarantined]
    assert len(times) == 4
    assert len({ms // HOUR_MS for ms in times}) == 1
    assert balance(batch) == {}

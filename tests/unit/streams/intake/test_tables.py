"""Records of version 2: readings travel as columns, and come to what their own bytes come to in version 1."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast, get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from ingest.batches import MicroBatchBuilder, Token
from ingest.judgement import judge
from schemas.columns.layout import fields_of
from schemas.columns.table import COLUMNAR, Table, TableBuilder, TablesRecord, block_of, encode_tables, plain_row
from schemas.kafka.quarantine import Quarantined, Reason
from schemas.kafka.record import Envelope, MicroBatch
from schemas.kafka.safety import SafetyRecord
from schemas.readings import DeviceQuality, Kind
from schemas.structs import values_of
from schemas.time import HOUR_MS
from schemas.topics import Topic
from storage.encoding.arrays import PgType
from storage.tables import READING_TABLES
from streams.intake.batch import MessageTable
from streams.intake.decode import Record, decode
from tests.support.any_readings import TS, kind_and_readings

if TYPE_CHECKING:
    from pydantic import BaseModel

    from schemas.readings import Reading
    from streams.intake.batch import Batch

NOW = TS + 10_000
LISTS = {name for kind in Kind for name in fields_of(kind).widths}
KINDS = [Kind.BATTERY, Kind.ELECTRICITY, Kind.LAB, Kind.PRODUCTION, Kind.SITE_POWER, Kind.WATER]


def said(reading: Reading) -> str:
    """All that is in a reading, but for absences at the end of a list: its table does not hold them either."""
    values = values_of(reading)
    for name, value in values.items():
        while name in LISTS and isinstance(value, list) and value and value[-1] is None:
            value.pop()
    return repr(values)


def as_sent(reading: Reading) -> Reading:
    """A reading without the values that no device can send."""
    document = {name: value for name, value in values_of(reading).items() if value is not None}
    for name in list(document):
        try:
            msgspec.convert({"ts": TS, name: document[name]}, type(reading))
        except msgspec.ValidationError:
            del document[name]
    return msgspec.convert(document, type(reading))


@pytest.mark.parametrize("kind", Kind)
def test_columns_of_a_record_are_those_of_the_table(kind: Kind) -> None:
    """What travels as numbers is what float64 holds of a reading's table, and lists are as wide."""
    table, fields = READING_TABLES[kind], fields_of(kind)
    numbers = {PgType.FLOAT8, PgType.FLOAT4, PgType.INT4}
    assert fields.widths == table.lists
    assert fields.numbers == {each.attribute for each in table.fields if each.index is None and each.type in numbers}
    assert fields.whole == {each.attribute for each in table.fields if each.type is PgType.INT4}


@given(given_=kind_and_readings())
def test_plain_readings_come_out_of_their_columns_as_they_went_in(given_: tuple[Kind, list[Reading]]) -> None:
    """To the last bit, with their types; what is not plain is told apart before."""
    kind, readings = given_
    if kind not in COLUMNAR or not (
        plain := [one for one in map(as_sent, readings) if plain_row(kind, one) is not None]
    ):
        return
    builder = TableBuilder(kind)
    for reading in plain:
        builder.add("s", "d", NOW, [astuple(cast("Any", reading))])
    found = msgspec.msgpack.decode(encode_tables("c", [builder.table()], b""), type=TablesRecord)
    block = block_of(found.tables[0])
    assert list(map(said, block.readings(range(len(block))))) == list(map(said, plain))


_ODD = [
    b'{"ts":%d,"pack_voltage_v":53.5,"cell_voltage_v":[3.3,0.0,3.4]}',
    b'{"ts":%d,"cell_voltage_v":[3.3,null]}',
    b'{"ts":%d,"current_a":null}',
    b'{"ts":%d,"current_a":1,"current_a":2}',
    b'{"ts":%d,"device_id":"d-1"}',
    b'{"ts":%d,"site_id":"elsewhere"}',
    b'{"ts":%d,"mode":"a:b"}',
    b'{"ts":%d,"quality":"Bad_NoCommunication","pack_voltage_v":1}',
    b'{"ts":%d,"pack_voltage_v":"nan"}',
    b'{"ts":%d.0,"pack_voltage_v":5}',
    b' {"ts":%d,"pack_voltage_v":53}',
    b'[{"ts":%d,"pack_voltage_v":53.25},{"ts":1780000000009,"energy_import_kwh":-0.0}]',
    b'[{"ts":%d,"volume_m3":1e300,"status":4294967295},{"ts":1780000000009,"seq":9007199254740993}]',
    b'{"ts":%d,"alarm_words":[18446744073709551615,-1],"cycles":20001}',
    b'{"ts":%d,"smoke":true,"mains_voltage_v":[220.0,221.5]}',
    b'{"ts":%d,"mass_t":4,"state":"run","grade":"\xe7\x85\xa4"}',
    b'{"ts":%d,"fuel":"coal","sample_from":1,"sample_to":2}',
    b'{"ts":99999999999999,"pack_voltage_v":53}%.0d',
    b"[]%.0d",
    b"%d",
    b'{"ts":%d,"mode":"\xff"}',
]


def taken(messages: list[tuple[Kind, str, bytes]], *, plainly: bool) -> Batch:
    """Messages through the collector and back; not `plainly`: none of them in a table."""
    batch = MicroBatchBuilder(NOW)
    for kind, device_id, payload in messages:
        judgement = judge(str(Topic("s-1", kind, device_id)), payload, NOW, max_bytes=256_000)
        batch.add(judgement if plainly else judgement._replace(plain=None), Token(1, 1), NOW)
    return decode(Record(0, NOW, batch.encode("c")), "test")


def of_device(batch: Batch, device_id: str) -> list[Any]:
    """What a record holds of one device, in order."""
    found: list[Any] = [
        (message.site_id, message.kind, message.received_ts, said(reading), (message.set_aside or {}).get(at))
        for message in batch.messages
        if message.device_id == device_id
        for at, reading in enumerate(message.readings)
    ]
    return [*found, *(item for item in batch.quarantined if item.device_id == device_id)]


@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.sampled_from("abc"), st.sampled_from(_ODD), st.integers(TS, TS + 9)),
        max_size=12,
    )
)
def test_a_record_with_tables_holds_what_one_without_them_holds(sent: list[tuple[Kind, str, bytes, int]]) -> None:
    """Of each device the same readings in the same order, what is refused of it, and the collector's count."""
    messages = [(kind, f"{kind}-{name}", body % ts) for kind, name, body, ts in sent]
    one, other = taken(messages, plainly=True), taken(messages, plainly=False)
    assert one.first_ts == other.first_ts
    one = one.one_by_one()
    assert one.received == other.received
    assert other.tables == ()
    for device_id in {device_id for _, device_id, _ in messages}:
        assert of_device(one, device_id) == of_device(other, device_id)


def _tables() -> TablesRecord:
    builder = TableBuilder(Kind.PRODUCTION)
    judgement = judge("fenhe/v1/s/production/p", b'{"ts":%d,"mass_t":1.5,"state":"run"}' % TS, NOW, max_bytes=9_999)
    builder.add("s", "p", NOW, judgement.plain or ())
    return TablesRecord(2, "c", [builder.table()], b"")


def test_a_whole_table_is_read_without_an_object_a_reading() -> None:
    """A message of plain readings stands in its record as columns, and comes out of it as columns."""
    batch = decode(Record(0, NOW, msgspec.msgpack.encode(_tables())), "test")
    (table,) = batch.tables
    assert isinstance(table, MessageTable)
    assert (table.site_ids, table.device_ids, table.received_ts, table.counts) == (["s"], ["p"], [NOW], [1])
    assert (table.block.ts, table.block.others) == ([TS], {"state": ["run"]})
    assert table.block.figures["mass_t"].tolist() == [1.5]


def test_the_bytes_of_a_record_are_what_they_were() -> None:
    """Records wait in Kafka across an upgrade, and others may write them: a key that is renamed cannot be read."""
    assert msgspec.msgpack.encode(_tables()) == (
        b"\x84\xa7version\x02\xa9collector\xa1c\xa6tables\x91\x88"
        b"\xa4kind\xaaproduction\xa8site_ids\x91\xa1s\xaadevice_ids\x91\xa1p"
        b"\xabreceived_ms\x91\xcf" + NOW.to_bytes(8, "big") + b"\xa6counts\x91\x01"
        b"\xa2ts\xc4\x08" + TS.to_bytes(8, "little") + b"\xa7figures\x81\xa6mass_t\xc4\x08\x00\x00\x00\x00\x00\x00\xf8?"
        b"\xa6others\x81\xa5state\x91\xa3run\xa4rest\xc4\x00"
    )  # fmt: skip


@pytest.mark.parametrize(
    "type_", [Table, TablesRecord, MicroBatch, Quarantined, SafetyRecord, *get_args(get_args(Envelope)[0])]
)
def test_no_key_on_kafka_is_a_name_of_ours(type_: type[msgspec.Struct | BaseModel]) -> None:
    """A moment's key ends in `_ms` in all that stands on Kafka, whatever its field is called."""
    keys = (
        type_.__struct_encode_fields__
        if issubclass(type_, msgspec.Struct)
        else [field.serialization_alias or name for name, field in type_.model_fields.items()]
    )
    assert not [key for key in keys if key.endswith("_ts")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ts", b"1234567"),
        ("counts", [2]),
        ("counts", []),
        ("counts", [0]),
        ("device_ids", ["p", "q"]),
        ("device_ids", ["p" * 201]),
        ("received_ms", [-1]),
        ("kind", "lab"),
        ("kind", "cheese"),
        ("figures", {"mass_t": b"1234567"}),
        ("figures", {"cheese": b"12345678"}),
        ("figures", {"state": b"12345678"}),
        ("others", {"state": [5]}),
        ("others", {"state": ["run", "run"]}),
        ("others", {"mass_t": [1.5]}),
        ("others", {"ts": [1]}),
        ("figures", {"mass_t": np.array([np.inf]).tobytes()}),
    ],
)
def test_a_table_that_cannot_be_one_goes_whole_to_the_quarantine(name: str, value: object) -> None:
    """Nobody guesses what a broken record meant; its body is kept."""
    document = msgspec.to_builtins(_tables(), builtin_types=(bytes,))
    document["tables"][0][name] = value
    body = msgspec.msgpack.encode(document)
    batch = decode(Record(0, NOW, body), "test")
    assert (batch.messages, batch.tables) == ([], ())
    item, *others = batch.quarantined
    assert (item.reason, item.payload) == (Reason.MALFORMED, body)
    assert len(others) == (1 if value == [2] else 0), "as many as its counts say"


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1.5, -1.0, 2.0**31, 1e300])
def test_no_number_is_read_that_its_column_cannot_hold(value: float) -> None:
    """A whole number that is none would end whoever makes a reading of it, again and again, or become another one."""
    judgement = judge("fenhe/v1/s/battery/b", b'{"ts":%d,"cycles":7}' % TS, NOW, max_bytes=9_999)
    builder = TableBuilder(Kind.BATTERY)
    for _ in range(2):
        builder.add("s", "b", NOW, judgement.plain or ())
    table = builder.table()
    table.figures["cycles"] = np.array([np.nan, 2.0**31 - 1]).tobytes()
    assert [getattr(reading, "cycles", 0) for reading in block_of(table).readings(range(2))] == [None, 2**31 - 1]
    table.figures["cycles"] = np.array([7.0, value]).tobytes()
    batch = decode(Record(0, NOW, encode_tables("c", [table], b"")), "test")
    assert [(item.reason, item.device_id) for item in batch.quarantined] == [(Reason.MALFORMED, "b")] * 2
    assert batch.one_by_one().received == {"b": 2}


def test_a_table_without_messages_says_nothing() -> None:
    """It is gone past: nobody behind looks for the first of its readings."""
    empty = TableBuilder(Kind.WATER).table()
    batch = decode(Record(0, NOW, encode_tables("c", [empty, *_tables().tables], b"")), "test")
    assert [table.kind for table in batch.tables] == [Kind.PRODUCTION]
    assert batch.quarantined == []


def test_of_a_record_with_a_broken_table_all_else_is_read() -> None:
    """The books get what the broken table says that it holds; its neighbours and the rest are read as ever."""
    broken, good = _tables().tables[0], _tables().tables[0]
    broken.site_ids, broken.device_ids, broken.received_ts = ["s"] * 3, ["p", "q", "p"], [NOW] * 3
    broken.counts = [2, 1, 1]
    broken.ts = b"1234567" * 7
    rest = MicroBatchBuilder(NOW)
    rest.add(judge("fenhe/v1/s/water/w", b'{"ts":%d,"flow_m3_h":null}' % TS, NOW, max_bytes=9_999), Token(1, 1), NOW)
    rest.add(judge("fenhe/v1/s/water/w", b"rubbish", NOW, max_bytes=9_999), Token(1, 1), NOW)
    body = encode_tables("c", [broken, good], rest.encode("c"))
    batch = decode(Record(0, NOW + HOUR_MS, body), "test")
    assert [table.counts for table in batch.tables] == [[1]]
    whole = batch.one_by_one()
    assert whole.received == {"p": 4, "q": 1, "w": 2}
    found = Counter(item.device_id for item in whole.quarantined)
    for message in whole.messages:
        found[message.device_id] += len(message.readings)
    assert found == whole.received
    assert [item.payload for item in whole.quarantined if item.topic == "kafka:test@0"] == [body, b"", b"", b""]
    assert {item.received_ts // HOUR_MS for item in whole.quarantined} == {NOW // HOUR_MS}, "counted in one hour"


@pytest.mark.parametrize("counts", [[10**6], [2**64 - 1], ["2"], [-1], [1, 1], 7])
def test_a_count_that_a_table_cannot_hold_is_none(counts: object) -> None:
    """A record of a few bytes brings no million items into the quarantine."""
    document = msgspec.to_builtins(_tables(), builtin_types=(bytes,))
    document["tables"][0] |= {"counts": counts}
    batch = decode(Record(0, NOW, msgspec.msgpack.encode(document)), "test")
    assert len(batch.quarantined) == 1
    assert batch.one_by_one().received == {"": 1}


@pytest.mark.parametrize("rest", [None, 7, "text", b"rubbish"])
def test_a_rest_that_is_no_record_costs_itself(rest: object) -> None:
    """What stands beside it in tables is read."""
    document = msgspec.to_builtins(_tables(), builtin_types=(bytes,)) | {"rest": rest}
    batch = decode(Record(0, NOW, msgspec.msgpack.encode(document)), "test")
    assert len(batch.tables) == 1
    assert [item.reason for item in batch.quarantined] == [Reason.MALFORMED]
    assert batch.one_by_one().received == {"": 1, "p": 1}


def test_a_record_of_a_version_to_come_says_so() -> None:
    """A worker that was not upgraded keeps what it cannot read, under the reason by which it is replayed."""
    document = msgspec.to_builtins(_tables(), builtin_types=(bytes,)) | {"version": 3}
    batch = decode(Record(0, NOW, msgspec.msgpack.encode(document)), "test")
    (item,) = batch.quarantined
    assert item.reason is Reason.UNSUPPORTED_VERSION


def test_what_its_device_calls_bad_is_not_sound() -> None:
    """A quality travels as its word, and comes back as what it means."""
    judgement = judge("fenhe/v1/s/water/w", b'{"ts":%d,"quality":"BAD","flow_m3_h":1}' % TS, NOW, max_bytes=9_999)
    assert judgement.plain is not None
    batch = MicroBatchBuilder(NOW)
    batch.add(judgement, Token(1, 1), NOW)
    (table,) = decode(Record(0, NOW, batch.encode("c")), "test").tables
    assert table.block.others["quality"] == [DeviceQuality.BAD]
    assert table.arrivals().are_sound.tolist() == [False]

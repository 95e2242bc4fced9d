"""Records of version 2: readings travel as columns, and come to what their own bytes come to in version 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, get_args

import msgspec
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
from schemas.topics import Topic
from storage.encoding.arrays import PgType
from storage.tables import READING_TABLES
from streams.intake.batch import MessageTable
from streams.intake.decode import Record, decode
from tests.support.any_readings import TS, kind_and_readings

if TYPE_CHECKING:
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
def test_no_key_on_kafka_is_a_name_of_ours(type_: type) -> None:
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
    ],
)
def test_a_table_that_cannot_be_one_goes_whole_to_the_quarantine(name: str, value: object) -> None:
    """Nobody guesses what a broken record meant; its body is kept."""
    document = msgspec.to_builtins(_tables(), builtin_types=(bytes,))
    document["tables"][0][name] = value
    body = msgspec.msgpack.encode(document)
    batch = decode(Record(0, NOW, body), "test")
    assert (batch.messages, batch.tables) == ([], ())
    (item,) = batch.quarantined
    assert (item.reason, item.payload) == (Reason.MALFORMED, body)


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

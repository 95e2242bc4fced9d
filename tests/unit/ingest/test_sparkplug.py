"""Sparkplug B: birth, data by alias, death, gaps; nothing is guessed, and a node is asked for what is missing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sparkplug import Decoded, SparkplugDecoder, SparkplugError, SparkplugReading, rebirth_request
from schemas.frames.sparkplug import REBIRTH, DataType, Payload, SparkplugTopic, get_value, set_value
from schemas.readings import BatteryReading
from simulators.wire.sparkplug import EdgeNode, SparkplugMessage

TS = 1_767_225_600_000
FIRST: dict[str, Any] = {
    "ts": TS,
    "pack_voltage_v": 53.51,
    "current_a": -12.5,
    "cell_voltage_v": [3.301, None, 3.304],
    "cycles": 7,
    "mode": "float",
    "alarm_words": [0, 3],
}


def decode(decoder: SparkplugDecoder, message: SparkplugMessage) -> tuple[list[SparkplugReading], str | None]:
    """Take a message as it comes over MQTT."""
    found = decoder.decode(str(message.topic), message.payload)
    return found.readings, found.rebirth


def born() -> tuple[EdgeNode, SparkplugDecoder]:
    """A node with one device, known to a decoder."""
    node, decoder = EdgeNode("shanxi", "BS0001"), SparkplugDecoder()
    for message in (node.node_birth(TS), node.device_birth("B0001", FIRST)):
        assert decode(decoder, message)[1] is None
    return node, decoder


def values(readings: list[SparkplugReading]) -> list[dict[str, Any]]:
    """Readings as a device would send them in JSON."""
    return [{"ts": each.ts, **each.values} for each in readings]


def test_a_birth_is_a_reading_and_data_by_alias_are_readings_of_their_own_time() -> None:
    """Names, types and list elements come back; several moments in one message stay apart."""
    node, decoder = EdgeNode("shanxi", "BS0001"), SparkplugDecoder()
    decode(decoder, node.node_birth(TS))
    readings, _ = decode(decoder, node.device_birth("B0001", FIRST))
    assert values(readings) == [FIRST]
    later = [{**FIRST, "ts": TS + 60_000, "current_a": 1.0}, {"ts": TS + 120_000, "mode": "charge"}]
    readings, rebirth = decode(decoder, node.device_data("B0001", *later))
    assert rebirth is None
    assert values(readings) == later
    assert readings[0][:3] == ("shanxi", "BS0001", "B0001")
    BatteryReading.model_validate(values(readings)[0])


def test_data_carry_neither_names_nor_types() -> None:
    """That is what aliases are for."""
    node, _ = born()
    payload = Payload.FromString(node.device_data("B0001", FIRST).payload)
    assert all(not metric.name and not metric.HasField("datatype") for metric in payload.metrics)


def test_data_keep_the_type_of_their_birth() -> None:
    """A whole number where the birth said a double is sent as a double."""
    node, decoder = born()
    readings, _ = decode(decoder, node.device_data("B0001", {"ts": TS, "current_a": 1}))
    assert values(readings) == [{"ts": TS, "current_a": 1.0}]
    assert type(readings[0].values["current_a"]) is float


def test_a_lost_message_asks_for_a_rebirth_and_readings_go_on_after_it() -> None:
    """A gap in seq gives no readings until the node was born again."""
    node, decoder = born()
    node.device_data("B0001", FIRST)  # lost
    readings, rebirth = decode(decoder, node.device_data("B0001", FIRST))
    assert not readings
    assert rebirth == "seq 3, expected 2"
    assert decode(decoder, node.device_data("B0001", FIRST)) == ([], "no birth certificate")
    decode(decoder, node.node_birth(TS))
    decode(decoder, node.device_birth("B0001", FIRST))
    assert values(decode(decoder, node.device_data("B0001", FIRST))[0]) == [FIRST]


def test_the_sequence_goes_round_after_255() -> None:
    """Three hundred messages without a gap."""
    node, decoder = born()
    assert all(
        decode(decoder, node.device_data("B0001", {"ts": TS + at, "cycles": at}))[1] is None for at in range(300)
    )


def test_an_alias_that_no_birth_named_asks_for_a_rebirth() -> None:
    """Unknown alias, unknown device, and an alias of another device."""
    node, decoder = born()
    stranger = Payload(timestamp=TS, seq=2)
    set_value(stranger.metrics.add(alias=99), DataType.DOUBLE, 1.0)
    topic = "spBv1.0/shanxi/DDATA/BS0001/B0001"
    assert decoder.decode(topic, stranger.SerializeToString()).rebirth == "unknown alias 99 of B0001"
    node, decoder = born()
    assert decoder.decode(topic[:-1] + "2", node.device_data("B0001", FIRST).payload).rebirth is not None


def test_a_dead_device_or_node_sends_nothing_until_it_is_born_again() -> None:
    """DDEATH ends a device, NDEATH all of the node; the will of an earlier session ends nothing."""
    node, decoder = born()
    decode(decoder, node.device_death("B0001", TS))
    assert decode(decoder, node.device_data("B0001", FIRST))[1] == "no birth certificate of B0001"
    node, decoder = born()
    will = node.node_death()
    decode(decoder, node.node_birth(TS))
    decode(decoder, node.device_birth("B0001", FIRST))
    decode(decoder, will)
    assert values(decode(decoder, node.device_data("B0001", FIRST))[0]) == [FIRST]
    decode(decoder, node.node_death())
    assert decode(decoder, node.device_data("B0001", FIRST))[1] == "no birth certificate"


def test_a_rebirth_request_is_a_command_to_the_node() -> None:
    """NCMD with Node Control/Rebirth true."""
    topic, payload = rebirth_request("spBv1.0/shanxi/DDATA/BS0001/B0001", TS)
    assert topic == "spBv1.0/shanxi/NCMD/BS0001"
    (metric,) = Payload.FromString(payload).metrics
    assert (metric.name, metric.boolean_value) == (REBIRTH, True)


@pytest.mark.parametrize(
    "topic",
    [
        "fenhe/v1/a/b/c",
        "spBv1.0/g/NDATA",
        "spBv1.0/g/DDATA/n",
        "spBv1.0/g/NBIRTH/n/d",
        "spBv1.0/g/XDATA/n",
        "spBv1.0//NDATA/n",
    ],
)
def test_what_is_no_topic_of_sparkplug_is_refused(topic: str) -> None:
    """Another namespace, levels missing or too many, an unknown type."""
    with pytest.raises(SparkplugError):
        SparkplugDecoder().decode(topic, b"")


@given(st.binary(max_size=120))
def test_rubbish_is_refused_or_asks_for_a_rebirth_and_never_crashes(raw: bytes) -> None:
    """Any bytes as data of a known device."""
    _, decoder = born()
    try:
        found = decoder.decode("spBv1.0/shanxi/DDATA/BS0001/B0001", raw)
    except SparkplugError:
        return
    assert found.rebirth is not None or not found.readings


VALUES: dict[DataType, st.SearchStrategy[Any]] = {
    DataType.INT8: st.integers(-128, 127),
    DataType.INT16: st.integers(-(2**15), 2**15 - 1),
    DataType.INT32: st.integers(-(2**31), 2**31 - 1),
    DataType.INT64: st.integers(-(2**63), 2**63 - 1),
    DataType.UINT8: st.integers(0, 255),
    DataType.UINT32: st.integers(0, 2**32 - 1),
    DataType.UINT64: st.integers(0, 2**64 - 1),
    DataType.DATETIME: st.integers(0, 2**63),
    DataType.FLOAT: st.floats(width=32, allow_nan=False),
    DataType.DOUBLE: st.floats(allow_nan=False),
    DataType.BOOLEAN: st.booleans(),
    DataType.STRING: st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    DataType.INT32_ARRAY: st.lists(st.integers(-(2**31), 2**31 - 1)),
    DataType.UINT64_ARRAY: st.lists(st.integers(0, 2**64 - 1)),
    DataType.DOUBLE_ARRAY: st.lists(st.floats(allow_nan=False)),
}


@given(st.data())
def test_a_value_of_any_type_survives_the_wire(data: st.DataObject) -> None:
    """Negative integers, both ends of each range, empty lists, null."""
    datatype = data.draw(st.sampled_from(sorted(VALUES)))
    value = data.draw(st.none() | VALUES[datatype])
    payload = Payload()
    set_value(payload.metrics.add(name="x"), datatype, value)
    (metric,) = Payload.FromString(payload.SerializeToString()).metrics
    assert get_value(metric, DataType(metric.datatype)) == value


def test_a_value_in_the_field_of_another_type_is_refused() -> None:
    """A text where the birth said a number."""
    payload = Payload()
    set_value(payload.metrics.add(), DataType.STRING, "1.0")
    with pytest.raises(ValueError, match="DOUBLE in string_value"):
        get_value(payload.metrics[0], DataType.DOUBLE)


def test_a_topic_is_read_as_it_was_written() -> None:
    """Both of nodes and of devices."""
    for text in ("spBv1.0/g/NBIRTH/n", "spBv1.0/g/DDATA/n/d"):
        assert str(SparkplugTopic.parse(text)) == text


def _decoded(*messages: tuple[str, str]) -> list[Decoded]:
    decoder = SparkplugDecoder()
    return [decoder.decode(topic, bytes.fromhex(payload)) for topic, payload in messages]


NODE_BORN = ("spBv1.0/g/NBIRTH/n", "08a0ac9382e733120b0a056264536571200858001800")


def test_a_whole_number_is_taken_from_either_field() -> None:
    """Tahu's Java and C libraries and Ignition write a UInt32 into `long_value`; bytes as they write them."""
    birth = ("spBv1.0/g/DBIRTH/n/d", "08a0ac9382e73312120a06656e65726779100120075880bcc1960b1801")
    [_, born] = _decoded(NODE_BORN, birth)
    assert [reading.values for reading in born.readings] == [{"energy": 3_000_000_000}]


def test_a_metric_of_a_type_without_a_reading_is_known_and_passed_over() -> None:
    """A UUID beside a Double, by alias: the data is read, and no rebirth is asked for that would change nothing."""
    [_, born, first, second] = _decoded(
        NODE_BORN,
        (
            "spBv1.0/g/DBIRTH/n/d",
            "08a0ac9382e73312150a06656e657267791001200a69000000000000084012110a0673657269616c1002200f7a03612d311801",
        ),
        ("spBv1.0/g/DDATA/n/d", "0888b49382e733120b1001690000000000001040120710027a03612d311802"),
        ("spBv1.0/g/DDATA/n/d", "08f0bb9382e733120b1001690000000000001440120710027a03612d311803"),
    )
    assert [each.rebirth for each in (born, first, second)] == [None, None, None]
    assert [reading.values for each in (first, second) for reading in each.readings] == [
        {"energy": 4.0},
        {"energy": 5.0},
    ]


def test_a_command_to_a_device_ends_no_session() -> None:
    """A host's DCMD carries no sequence number; nor is its STATE a message of a node."""
    node, decoder = born()
    for topic in ("spBv1.0/shanxi/DCMD/BS0001/B0001", "spBv1.0/STATE/ignition", "STATE/ignition"):
        assert decoder.decode(topic, b"") == Decoded([], None)
    assert decode(decoder, node.device_data("B0001", {"ts": TS, "current_a": 2.0}))[1] is None


def test_a_new_birth_of_a_device_replaces_its_last_one() -> None:
    """What only the last one named is not known any more; neither are metrics of a device that died."""
    node, decoder = born()
    decode(decoder, node.device_birth("B0001", {"ts": TS, "cycles": 7}))
    [held] = decoder._nodes.values()
    assert {name for device, name in held.types if device} == {"cycles"}
    decode(decoder, node.device_death("B0001", TS))
    assert not any(device for device, _ in held.types)


def test_only_so_many_sessions_are_held() -> None:
    """Of one more, the node that has been silent for longest is asked for its births again."""
    decoder = SparkplugDecoder(most_nodes=2)
    nodes = [EdgeNode("shanxi", f"BS{number}") for number in range(3)]
    for node in nodes[:2]:
        decode(decoder, node.node_birth(TS))
        decode(decoder, node.device_birth("B", FIRST))
    assert decode(decoder, nodes[0].device_data("B", {"ts": TS, "current_a": 2.0}))[1] is None
    decode(decoder, nodes[2].node_birth(TS))
    assert decode(decoder, nodes[1].device_data("B", {"ts": TS, "current_a": 2.0}))[1] == "no birth certificate"
    assert decode(decoder, nodes[0].device_data("B", {"ts": TS, "current_a": 3.0}))[1] is None


def _born_with(*metrics: tuple[str, int, DataType, Any], device: str = "d", seq: int = 1) -> tuple[str, bytes]:
    payload = Payload(timestamp=TS, seq=seq)
    for name, alias, datatype, value in metrics:
        set_value(payload.metrics.add(name=name, alias=alias), datatype, value)
    return f"spBv1.0/g/DBIRTH/n/{device}", payload.SerializeToString()


def test_devices_of_one_node_may_count_their_aliases_alike() -> None:
    """Each device's data are read by its own birth, and none of them asks for births that would change nothing."""
    decoder = SparkplugDecoder()
    decoder.decode(NODE_BORN[0], bytes.fromhex(NODE_BORN[1]))
    for seq, device in enumerate("ab", 1):
        decoder.decode(*_born_with((f"of {device}", 1, DataType.DOUBLE, 0.0), device=device, seq=seq))
    for seq, device in enumerate("ab", 3):
        data = Payload(timestamp=TS + 1, seq=seq)
        set_value(data.metrics.add(alias=1), DataType.DOUBLE, 7.0)
        found = decoder.decode(f"spBv1.0/g/DDATA/n/{device}", data.SerializeToString())
        assert found.rebirth is None
        assert [reading.values for reading in found.readings] == [{f"of {device}": 7.0}]


@pytest.mark.parametrize("held", ["int_value", "long_value"])
def test_the_will_of_an_earlier_session_ends_nothing_however_its_number_is_written(held: str) -> None:
    """A bdSeq in `int_value` was read as 0, and any late will ended the session."""
    decoder = SparkplugDecoder()
    for number, kind in ((1, "NBIRTH"), (0, "NDEATH")):
        payload = Payload(timestamp=TS, seq=0) if kind == "NBIRTH" else Payload(timestamp=TS)
        setattr(payload.metrics.add(name="bdSeq", datatype=4), held, number)
        decoder.decode(f"spBv1.0/g/{kind}/n", payload.SerializeToString())
    assert decoder.decode(*_born_with(("x", 1, DataType.DOUBLE, 1.0))).rebirth is None


def test_one_odd_metric_costs_itself_and_not_its_message() -> None:
    """A text where the birth said a number; a Double in `float_value` is a number all the same."""
    decoder = SparkplugDecoder()
    decoder.decode(NODE_BORN[0], bytes.fromhex(NODE_BORN[1]))
    decoder.decode(*_born_with(*((name, at, DataType.DOUBLE, 0.0) for at, name in enumerate("xyz"))))
    data = Payload(timestamp=TS + 1, seq=2)
    data.metrics.add(alias=0).string_value = "n/a"
    data.metrics.add(alias=1).float_value = 2.5
    data.metrics.add(alias=2).double_value = 3.5
    [reading] = decoder.decode("spBv1.0/g/DDATA/n/d", data.SerializeToString()).readings
    assert reading.values == {"x": None, "y": 2.5, "z": 3.5}


@pytest.mark.parametrize(
    ("quality", "value"), [("4a0f0a075175616c697479120408031800", None), ("4a100a075175616c6974791205080318f403", None),
                           ("4a100a075175616c6974791205080318c001", 4.0), ("", 4.0)]
)  # fmt: skip
def test_a_value_that_its_node_calls_bad_or_stale_is_none(quality: str, value: float | None) -> None:
    """Property `Quality` of 0 and 500, as bytes of the wire; 192 is good, and so is a metric that says nothing."""
    decoder = SparkplugDecoder()
    decoder.decode(NODE_BORN[0], bytes.fromhex(NODE_BORN[1]))
    decoder.decode(*_born_with(("x", 1, DataType.DOUBLE, 0.0)))
    metric = bytes.fromhex("1001690000000000001040" + quality)
    found = decoder.decode(
        "spBv1.0/g/DDATA/n/d", bytes.fromhex("08a1ac9382e73312") + bytes([len(metric)]) + metric + b"\x18\x02"
    )
    assert [reading.values for reading in found.readings] == [{"x": value}]

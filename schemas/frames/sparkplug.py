"""Sparkplug B 3.0 payloads: the protobuf schema, as far as fenhe speaks it, and how values of each type are written.

Source: Eclipse Sparkplug 3.0, sparkplug_b.proto; field numbers are its own. The descriptor is built here because no
maintained package carries it beside paho 2 (decision 0017). Fields that are left out (metadata, data sets, templates,
properties that are no whole number) are skipped by the runtime.
"""

from __future__ import annotations

import struct
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple, Self

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

NAMESPACE = "spBv1.0"
REBIRTH = "Node Control/Rebirth"
DEATH_SEQUENCE = "bdSeq"
SEQUENCE = 256
"""`seq` counts a node's messages modulo this."""


class MessageType(StrEnum):
    """Kinds of message of an edge node."""

    NBIRTH = "NBIRTH"
    NDATA = "NDATA"
    NDEATH = "NDEATH"
    DBIRTH = "DBIRTH"
    DDATA = "DDATA"
    DDEATH = "DDEATH"
    NCMD = "NCMD"
    DCMD = "DCMD"


def is_of_a_host(topic: str) -> bool:
    """Whether a host application says of itself that it is there: `spBv1.0/STATE/<host>`, before 3.0 `STATE/<host>`."""
    levels = topic.split("/")
    return levels[:-1] in ([NAMESPACE, "STATE"], ["STATE"])


class SparkplugTopic(NamedTuple):
    """`spBv1.0/<group>/<type>/<node>[/<device>]`; `device` is empty for messages of the node itself."""

    group: str
    type: MessageType
    node: str
    device: str = ""

    def __str__(self) -> str:
        """Write the topic."""
        return "/".join(part for part in (NAMESPACE, self.group, self.type.value, self.node, self.device) if part)

    @classmethod
    def parse(cls, topic: str) -> Self:
        """Read a topic. Raises ValueError for anything else."""
        levels = topic.split("/")
        if not 4 <= len(levels) <= 5 or levels[0] != NAMESPACE or not all(levels):  # noqa: PLR2004 - its levels
            msg = f"{topic!r} is not {NAMESPACE}/<group>/<type>/<node>[/<device>]"
            raise ValueError(msg)
        found = cls(levels[1], MessageType(levels[2]), levels[3], *levels[4:])
        if (found.type.value[0] == "D") != bool(found.device):
            msg = f"{topic!r}: {found.type} {'needs' if not found.device else 'has no'} device"
            raise ValueError(msg)
        return found


class DataType(IntEnum):
    """Types of metric that carry a reading."""

    INT8, INT16, INT32, INT64 = 1, 2, 3, 4
    UINT8, UINT16, UINT32, UINT64 = 5, 6, 7, 8
    FLOAT, DOUBLE, BOOLEAN, STRING, DATETIME, TEXT = 9, 10, 11, 12, 13, 14
    INT32_ARRAY, INT64_ARRAY, UINT32_ARRAY, UINT64_ARRAY, FLOAT_ARRAY, DOUBLE_ARRAY = 24, 25, 28, 29, 30, 31


Scalar = bool | int | float | str
Value = Scalar | list[Scalar] | None

_SIGNED = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}
_IN_INT = {DataType.INT8, DataType.INT16, DataType.INT32, DataType.UINT8, DataType.UINT16, DataType.UINT32}
_IN_LONG = {DataType.INT64, DataType.UINT64, DataType.DATETIME}
_IN_STRING = {DataType.STRING, DataType.TEXT}
_ITEM = {
    DataType.INT32_ARRAY: "i",
    DataType.INT64_ARRAY: "q",
    DataType.UINT32_ARRAY: "I",
    DataType.UINT64_ARRAY: "Q",
    DataType.FLOAT_ARRAY: "f",
    DataType.DOUBLE_ARRAY: "d",
}
"""Arrays are packed, little-endian, into bytes."""


def _payload_class() -> Any:  # noqa: ANN401 - a class made at run time
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="fenhe/sparkplug_b.proto", package="fenhe.sparkplug", syntax="proto2"
    )
    payload = file.message_type.add(name="Payload")
    metric = payload.nested_type.add(name="Metric")
    metric.oneof_decl.add(name="value")
    plain = (
        ("name", 1, field.TYPE_STRING),
        ("alias", 2, field.TYPE_UINT64),
        ("timestamp", 3, field.TYPE_UINT64),
        ("datatype", 4, field.TYPE_UINT32),
        ("is_historical", 5, field.TYPE_BOOL),
        ("is_null", 7, field.TYPE_BOOL),
    )
    values = (
        ("int_value", 10, field.TYPE_UINT32),
        ("long_value", 11, field.TYPE_UINT64),
        ("float_value", 12, field.TYPE_FLOAT),
        ("double_value", 13, field.TYPE_DOUBLE),
        ("boolean_value", 14, field.TYPE_BOOL),
        ("string_value", 15, field.TYPE_STRING),
        ("bytes_value", 16, field.TYPE_BYTES),
    )
    for name, number, kind in plain:
        metric.field.add(name=name, number=number, type=kind, label=field.LABEL_OPTIONAL)
    for name, number, kind in values:
        metric.field.add(name=name, number=number, type=kind, label=field.LABEL_OPTIONAL, oneof_index=0)
    metric.field.add(
        name="properties",
        number=9,
        type=field.TYPE_MESSAGE,
        type_name=".fenhe.sparkplug.Payload.PropertySet",
        label=field.LABEL_OPTIONAL,
    )
    properties = payload.nested_type.add(name="PropertySet")
    properties.field.add(name="keys", number=1, type=field.TYPE_STRING, label=field.LABEL_REPEATED)
    properties.field.add(
        name="values",
        number=2,
        type=field.TYPE_MESSAGE,
        type_name=".fenhe.sparkplug.Payload.PropertyValue",
        label=field.LABEL_REPEATED,
    )
    of_one = payload.nested_type.add(name="PropertyValue")
    of_one.field.add(name="int_value", number=3, type=field.TYPE_UINT32, label=field.LABEL_OPTIONAL)
    of_one.field.add(name="long_value", number=4, type=field.TYPE_UINT64, label=field.LABEL_OPTIONAL)
    payload.field.add(name="timestamp", number=1, type=field.TYPE_UINT64, label=field.LABEL_OPTIONAL)
    payload.field.add(
        name="metrics",
        number=2,
        type=field.TYPE_MESSAGE,
        type_name=".fenhe.sparkplug.Payload.Metric",
        label=field.LABEL_REPEATED,
    )
    payload.field.add(name="seq", number=3, type=field.TYPE_UINT64, label=field.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("fenhe.sparkplug.Payload"))


Payload: Any = _payload_class()
"""The protobuf message: timestamp, metrics, seq."""


def set_value(metric: Any, datatype: DataType, value: Value) -> None:  # noqa: ANN401 - a message made at run time
    """Write a value, and its type, into a metric. None is written as null. Raises ValueError for what does not fit."""
    metric.datatype = int(datatype)
    if value is None:
        metric.is_null = True
    elif datatype in _ITEM:
        items = value if isinstance(value, list) else [value]
        try:
            metric.bytes_value = struct.pack(f"<{len(items)}{_ITEM[datatype]}", *items)
        except struct.error as error:
            msg = f"{items} is no {datatype.name}: {error}"
            raise ValueError(msg) from error
    elif datatype in _IN_INT | _IN_LONG:
        bits = _SIGNED.get(datatype)
        number = int(value) % (1 << max(bits, 32)) if bits and not isinstance(value, list) else value
        setattr(metric, "int_value" if datatype in _IN_INT else "long_value", number)
    elif datatype in _IN_STRING:
        metric.string_value = value
    elif datatype is DataType.BOOLEAN:
        metric.boolean_value = value
    else:
        setattr(metric, "float_value" if datatype is DataType.FLOAT else "double_value", value)


GOOD_QUALITY = range(192, 256)
"""OPC's codes of a good value. Sparkplug 3.0 knows 0 (bad), 192 (good) and 500 (stale); Ignition has more of each."""


def is_bad(metric: Any) -> bool:  # noqa: ANN401 - a message made at run time
    """Whether a metric's property `Quality` says that its value is bad, uncertain or stale; most have none."""
    properties = metric.properties
    for key, value in zip(properties.keys, properties.values, strict=False):
        if key == "Quality" and (value.HasField("int_value") or value.HasField("long_value")):
            return (value.int_value if value.HasField("int_value") else value.long_value) not in GOOD_QUALITY
    return False


def get_value(metric: Any, datatype: DataType) -> Value:  # noqa: ANN401 - a message made at run time
    """Read a metric's value as its type says. Raises ValueError where the value's field is not that type's."""
    held = metric.WhichOneof("value")
    if metric.is_null or held is None:
        return None
    is_whole = datatype in _IN_INT | _IN_LONG and held in {"int_value", "long_value"}  # Tahu, Ignition: in either
    is_real = datatype in {DataType.FLOAT, DataType.DOUBLE} and held in {"float_value", "double_value"}
    if held != _field_of(datatype) and not is_whole and not is_real:
        msg = f"a {datatype.name} in {held}"
        raise ValueError(msg)
    value = getattr(metric, held)
    if datatype in _ITEM:
        size = struct.calcsize(f"<{_ITEM[datatype]}")
        if len(value) % size:
            msg = f"{len(value)} bytes are no {datatype.name}"
            raise ValueError(msg)
        return list(struct.unpack(f"<{len(value) // size}{_ITEM[datatype]}", value))
    bits = _SIGNED.get(datatype)
    if bits:
        wrapped = value % (1 << bits)
        return int(wrapped - (1 << bits) if wrapped >> (bits - 1) else wrapped)
    plain: Scalar = value
    return plain


def _field_of(datatype: DataType) -> str:
    if datatype in _ITEM:
        return "bytes_value"
    if datatype in _IN_INT:
        return "int_value"
    if datatype in _IN_LONG:
        return "long_value"
    if datatype in _IN_STRING:
        return "string_value"
    return {DataType.FLOAT: "float_value", DataType.DOUBLE: "double_value"}.get(datatype, "boolean_value")

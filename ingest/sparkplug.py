"""Decodes Sparkplug B: sessions of edge nodes, aliases out of birth certificates, readings out of data.

A decoder never guesses. What it cannot place (a gap in `seq`, an alias that no birth named, data before a birth) gives
no readings and asks the node for its birth certificates again, until they come.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf.message import DecodeError

from schemas.frames.sparkplug import (
    DEATH_SEQUENCE,
    REBIRTH,
    SEQUENCE,
    DataType,
    MessageType,
    Payload,
    SparkplugTopic,
    get_value,
    is_bad,
    is_of_a_host,
    set_value,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

SEQUENCE_NUMBERS = range(SEQUENCE)
MOST_NODES = 10_000
"""Sessions that are held; of more, the one silent for longest is asked for its births again. (unsourced)"""
MOST_METRICS = 100_000
"""A node that names more, of all its devices, is broken or means harm. (unsourced)"""


class SparkplugReading(NamedTuple):
    """Values of one device (or of the node itself: device is empty) at one moment, by metric name."""

    group: str
    node: str
    device: str
    ts: int
    values: dict[str, Any]
    """None where the metric is null."""


class Decoded(NamedTuple):
    """What one message came to."""

    readings: list[SparkplugReading]
    rebirth: str | None
    """Why the node must send its births again; None if all is well."""


class SparkplugError(ValueError):
    """A message that is no Sparkplug B: for the quarantine."""


class _Metric(NamedTuple):
    name: str
    datatype: DataType | None


@dataclass(slots=True)
class _Node:
    """One session of an edge node."""

    expected: int
    death: int | None
    metrics: dict[tuple[str, int], _Metric] = field(default_factory=dict)
    """Metric by device and alias: aliases are a node's own, but some nodes count them anew for each device."""
    types: dict[tuple[str, str], DataType | None] = field(default_factory=dict)
    """By device and name; None for a metric of a type that carries no reading: it is known, and passed over."""
    devices: set[str] = field(default_factory=set)

    def forget(self, device: str) -> None:
        """A device is dead, or is born again: what its last birth certificate named holds no longer."""
        if device in self.devices:
            self.devices.discard(device)
            self.types = {at: datatype for at, datatype in self.types.items() if at[0] != device}
            self.metrics = {at: metric for at, metric in self.metrics.items() if at[0] != device}


class SparkplugDecoder:
    """Holds the sessions of all nodes. Deterministic: the same messages in the same order give the same readings.

    What it holds is bounded: `most_nodes` sessions, and of a node what its latest birth certificates name.
    """

    def __init__(self, most_nodes: int = MOST_NODES) -> None:
        self._most_nodes = most_nodes
        self._nodes: dict[tuple[str, str], _Node] = {}
        """The one that has been silent for longest first."""

    def decode(self, topic: str, payload: bytes) -> Decoded:
        """Take one message. Raises SparkplugError where topic, protobuf or a value's type is broken.

        What hosts say of themselves (STATE) and commands carry no readings, and belong to no session.
        """
        if is_of_a_host(topic):
            return Decoded([], None)
        try:
            at = SparkplugTopic.parse(topic)
            message = Payload.FromString(payload)
        except (ValueError, DecodeError) as error:
            raise SparkplugError(str(error)) from error
        match at.type:
            case MessageType.NBIRTH:
                return self._node_birth(at, message)
            case MessageType.NDEATH:
                return self._node_death(at, message)
            case MessageType.NCMD | MessageType.DCMD:
                return Decoded([], None)
            case _:
                return self._of_a_session(at, message)

    def _node_birth(self, at: SparkplugTopic, message: Any) -> Decoded:  # noqa: ANN401 - a message made at run time
        if message.seq not in SEQUENCE_NUMBERS:
            msg = f"seq {message.seq} of an NBIRTH"
            raise SparkplugError(msg)
        death = next((metric for metric in message.metrics if metric.name == DEATH_SEQUENCE), None)
        node = _Node((message.seq + 1) % SEQUENCE, None if death is None else _whole(death))
        readings = _born(node, at, message)
        self._nodes.pop((at.group, at.node), None)
        self._nodes[at.group, at.node] = node
        if len(self._nodes) > self._most_nodes:
            del self._nodes[next(iter(self._nodes))]
        return Decoded(readings, None)

    def _node_death(self, at: SparkplugTopic, message: Any) -> Decoded:  # noqa: ANN401
        node = self._nodes.get((at.group, at.node))
        dead = next((_whole(metric) for metric in message.metrics if metric.name == DEATH_SEQUENCE), None)
        # The will of an earlier connection may arrive after the birth of the next one: it ends nothing.
        if node is not None and dead == node.death:
            del self._nodes[at.group, at.node]
        return Decoded([], None)

    def _of_a_session(self, at: SparkplugTopic, message: Any) -> Decoded:  # noqa: ANN401
        node = self._nodes.get((at.group, at.node))
        if node is None:
            return Decoded([], "no birth certificate")
        if not message.HasField("seq") or message.seq != node.expected:
            found = message.seq if message.HasField("seq") else "none"
            del self._nodes[at.group, at.node]
            return Decoded([], f"seq {found}, expected {node.expected}")
        node.expected = (node.expected + 1) % SEQUENCE
        self._nodes[at.group, at.node] = self._nodes.pop((at.group, at.node))
        match at.type:
            case MessageType.DBIRTH:
                return Decoded(_born(node, at, message), None)
            case MessageType.DDEATH:
                node.forget(at.device)
                return Decoded([], None)
            case _ if at.device and at.device not in node.devices:
                return Decoded([], f"no birth certificate of {at.device}")
            case _:
                return _data(node, at, message)


def _born(node: _Node, at: SparkplugTopic, message: Any) -> list[SparkplugReading]:  # noqa: ANN401
    """Learn names, types and aliases; a birth is also a reading."""
    found: list[tuple[int, str, Any]] = []
    node.forget(at.device)
    if len(node.types) + len(message.metrics) > MOST_METRICS:
        msg = f"{at.node} names more than {MOST_METRICS} metrics in its birth certificates"
        raise SparkplugError(msg)
    for metric in message.metrics:
        if not metric.name:
            msg = f"a birth certificate of {at.device or at.node} with a metric without name"
            raise SparkplugError(msg)
        datatype = _type(metric.datatype)
        node.types[at.device, metric.name] = datatype
        if metric.HasField("alias"):
            node.metrics[at.device, metric.alias] = _Metric(metric.name, datatype)
        if at.device and datatype is not None:  # data sets, templates and files carry no reading
            found.append((_ts(metric, message), metric.name, _value(metric, datatype)))
    node.devices.add(at.device)
    return _grouped(at, found)


def _data(node: _Node, at: SparkplugTopic, message: Any) -> Decoded:  # noqa: ANN401
    found: list[tuple[int, str, Any]] = []
    for metric in message.metrics:
        if metric.HasField("alias") and not metric.name:
            known = node.metrics.get((at.device, metric.alias))
            if known is None:
                return Decoded([], f"unknown alias {metric.alias} of {at.device or at.node}")
        else:
            if (at.device, metric.name) not in node.types:
                return Decoded([], f"unknown metric {metric.name!r} of {at.device or at.node}")
            known = _Metric(metric.name, node.types[at.device, metric.name])
        if known.datatype is None:
            continue
        found.append((_ts(metric, message), known.name, _value(metric, known.datatype)))
    return Decoded(_grouped(at, found), None)


def _whole(metric: Any) -> int:  # noqa: ANN401
    """A session's number, in whichever of the two fields of whole numbers it is written."""
    return int(metric.int_value if metric.WhichOneof("value") == "int_value" else metric.long_value)


def _type(number: int) -> DataType | None:
    return DataType(number) if number in DataType._value2member_map_ else None


def _ts(metric: Any, message: Any) -> int:  # noqa: ANN401
    """Time of a metric: its own, else its message's. Raises SparkplugError without either."""
    for held in (metric, message):
        if held.HasField("timestamp"):
            return int(held.timestamp)
    msg = f"metric {metric.name or metric.alias} has no time"
    raise SparkplugError(msg)


def _value(metric: Any, datatype: DataType) -> Any:  # noqa: ANN401
    """Read a metric's value; None of one that its node itself calls bad or stale, and of one of another type.

    One odd metric costs itself, not the message that it came in.
    """
    try:
        value = None if is_bad(metric) else get_value(metric, datatype)
    except ValueError:
        return None
    if isinstance(value, list):
        return [None if isinstance(item, float) and math.isnan(item) else item for item in value]
    return value


def _grouped(at: SparkplugTopic, found: Iterable[tuple[int, str, Any]]) -> list[SparkplugReading]:
    by_time: dict[int, dict[str, Any]] = {}
    for ts, name, value in found:
        by_time.setdefault(ts, {})[name] = value
    return [SparkplugReading(at.group, at.node, at.device, ts, values) for ts, values in by_time.items()]


def rebirth_request(topic: str, now_ts: int) -> tuple[str, bytes]:
    """Topic and payload of the NCMD that asks the node of `topic` for its birth certificates."""
    at = SparkplugTopic.parse(topic)
    payload = Payload(timestamp=now_ts)
    set_value(payload.metrics.add(name=REBIRTH, timestamp=now_ts), DataType.BOOLEAN, value=True)
    return str(SparkplugTopic(at.group, MessageType.NCMD, at.node)), payload.SerializeToString()

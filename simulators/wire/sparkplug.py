"""An edge node that speaks Sparkplug B: birth certificates with names, types and aliases, then data by alias alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.frames.sparkplug import (
    DEATH_SEQUENCE,
    REBIRTH,
    SEQUENCE,
    DataType,
    MessageType,
    Payload,
    SparkplugTopic,
    set_value,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class SparkplugMessage(NamedTuple):
    """What is published."""

    topic: SparkplugTopic
    payload: bytes


def datatype_of(value: object) -> DataType:
    """Sparkplug type of a reading's field. Raises TypeError for what no reading holds."""
    match value:
        case bool():
            return DataType.BOOLEAN
        case int():
            return DataType.INT64
        case float():
            return DataType.DOUBLE
        case str():
            return DataType.STRING
        case [*items] if items and all(type(item) is int for item in items):
            return DataType.INT64_ARRAY
        case [*_]:
            return DataType.DOUBLE_ARRAY
        case _:
            msg = f"no Sparkplug type for {value!r}"
            raise TypeError(msg)


class EdgeNode:
    """One site's gateway; its devices' metrics are named as the fields of their readings."""

    def __init__(self, group: str, node: str) -> None:
        self._group, self._node = group, node
        self._seq = self._death = -1
        self._aliases: dict[tuple[str, str], int] = {}
        self._types: dict[tuple[str, str], DataType] = {}

    def node_birth(self, at_ts: int) -> SparkplugMessage:
        """NBIRTH: a new session, in which aliases and sequence begin anew."""
        self._seq = -1
        self._death += 1
        self._aliases.clear()
        payload = self._payload(at_ts)
        self._metric(payload, "", DEATH_SEQUENCE, DataType.INT64, self._death).ClearField("alias")
        self._metric(payload, "", REBIRTH, DataType.BOOLEAN, value=False).ClearField("alias")
        return self._message(MessageType.NBIRTH, "", payload)

    def node_death(self) -> SparkplugMessage:
        """NDEATH, as left with the broker at connection: it has no sequence number."""
        payload = Payload()
        metric = payload.metrics.add(name=DEATH_SEQUENCE)
        set_value(metric, DataType.INT64, self._death)
        return self._message(MessageType.NDEATH, "", payload)

    def device_birth(self, device: str, reading: Mapping[str, Any]) -> SparkplugMessage:
        """DBIRTH with the device's metrics, their types, aliases and values."""
        payload = self._payload(reading["ts"])
        for name, value in reading.items():
            if name != "ts":
                self._metric(payload, device, name, datatype_of(value), value)
        return self._message(MessageType.DBIRTH, device, payload)

    def device_data(self, device: str, *readings: Mapping[str, Any]) -> SparkplugMessage:
        """DDATA: metrics by alias, each with its time. Raises KeyError for a metric that no birth has named."""
        payload = self._payload(readings[0]["ts"])
        for reading in readings:
            for name, value in reading.items():
                if name != "ts":
                    metric = payload.metrics.add(alias=self._aliases[device, name], timestamp=reading["ts"])
                    set_value(metric, self._types[device, name], _packed(value))
                    metric.ClearField("datatype")
        return self._message(MessageType.DDATA, device, payload)

    def device_death(self, device: str, at_ts: int) -> SparkplugMessage:
        """DDEATH."""
        return self._message(MessageType.DDEATH, device, self._payload(at_ts))

    def _payload(self, at_ts: int) -> Any:  # noqa: ANN401 - a message made at run time
        self._seq = (self._seq + 1) % SEQUENCE
        return Payload(timestamp=at_ts, seq=self._seq)

    def _metric(self, payload: Any, device: str, name: str, datatype: DataType, value: object) -> Any:  # noqa: ANN401
        self._types[device, name] = datatype
        alias = self._aliases.setdefault((device, name), len(self._aliases) + 1)
        metric = payload.metrics.add(name=name, alias=alias, timestamp=payload.timestamp)
        set_value(metric, datatype, _packed(value))
        return metric

    def _message(self, kind: MessageType, device: str, payload: Any) -> SparkplugMessage:  # noqa: ANN401
        return SparkplugMessage(SparkplugTopic(self._group, kind, self._node, device), payload.SerializeToString())


def _packed(value: Any) -> Any:  # noqa: ANN401 - any field's value
    """A list with an unknown element as numbers: NaN stands for it."""
    return [math.nan if item is None else item for item in value] if isinstance(value, list) else value

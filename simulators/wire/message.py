"""A message on its way to the broker, and the gateway's habit of sending several readings in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GATEWAY_SPAN_MS = 15 * 60_000
"""Longest event time a gateway holds a reading back while it fills an array. (unsourced)"""


class DeviceMessage(NamedTuple):
    """Readings of one device, in the order in which it sends them."""

    topic: str
    device_id: str
    readings: list[dict[str, Any]]
    sent_ts: int | None = None
    """When it leaves the gateway; None: at the device time of its first reading."""
    raw: bytes | None = None
    """Sent in place of the readings, which then only tell its time: what no encoder of ours would write."""

    @property
    def ts(self) -> int:
        """Device time of the first reading, ms."""
        ts: int = self.readings[0]["ts"]
        return ts

    @property
    def at_ts(self) -> int:
        """When it leaves the gateway, ms."""
        return self.ts if self.sent_ts is None else self.sent_ts


def encode(message: DeviceMessage) -> bytes:
    """JSON payload: one object for one reading, an array for several."""
    if message.raw is not None:
        return message.raw
    return orjson.dumps(message.readings[0] if len(message.readings) == 1 else message.readings)


def batch(messages: Iterable[DeviceMessage], size: int, span_ms: int = GATEWAY_SPAN_MS) -> Iterator[DeviceMessage]:
    """Group each device's consecutive readings into arrays of at most `size`.

    An array leaves when it is full or when its first reading was sent `span_ms` ago; what is left leaves at the end.
    Each device's own order is kept; between devices it loosens by at most `span_ms`.
    """
    if size <= 1:
        yield from messages
        return
    open_arrays: dict[str, DeviceMessage] = {}
    for message in messages:
        at = message.at_ts
        while open_arrays:
            device_id, oldest = next(iter(open_arrays.items()))
            if at - oldest.at_ts < span_ms:
                break
            yield open_arrays.pop(device_id)
        if message.raw is not None:
            if message.device_id in open_arrays:
                yield open_arrays.pop(message.device_id)
            yield message
            continue
        array = open_arrays.get(message.device_id)
        if array is None:
            array = open_arrays[message.device_id] = DeviceMessage(
                message.topic, message.device_id, [], message.sent_ts
            )
        array.readings.extend(message.readings)
        if len(array.readings) >= size:
            yield open_arrays.pop(message.device_id)
    yield from open_arrays.values()

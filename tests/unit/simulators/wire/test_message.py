"""Gateways batch: arrays of one device, in order, none lost, none held back too long."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from simulators.wire.message import DeviceMessage, batch, encode


def single(device: int, ts: int) -> DeviceMessage:
    """One reading."""
    return DeviceMessage(f"fenhe/v1/S/water/D{device}", f"D{device}", [{"ts": ts}])


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30)), max_size=80), st.integers(1, 7), st.integers(1, 60))
def test_batching_loses_and_reorders_nothing_of_a_device(steps: list[tuple[int, int]], size: int, span_ms: int) -> None:
    """Each device's readings come out as they went in, in arrays within size and span."""
    ts, messages = 0, []
    for device, later in steps:
        ts += later
        messages.append(single(device, ts))
    before: dict[str, list[dict[str, Any]]] = defaultdict(list)
    after: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for message in messages:
        before[message.device_id] += message.readings
    for array in batch(messages, size, span_ms):
        assert 1 <= len(array.readings) <= size
        assert array.readings[-1]["ts"] - array.ts <= span_ms or len(array.readings) == 1
        after[array.device_id] += array.readings
    assert after == before


def test_one_reading_is_an_object_and_several_are_an_array() -> None:
    """Both payload forms of the message model."""
    message = single(1, 5)
    assert orjson.loads(encode(message)) == {"ts": 5}
    assert orjson.loads(encode(message._replace(readings=[{"ts": 5}, {"ts": 6}]))) == [{"ts": 5}, {"ts": 6}]


def test_a_raw_payload_travels_alone_and_in_its_place() -> None:
    """It is never put in an array, and what the device sent before it leaves before it."""
    raw = single(1, 6)._replace(raw=b"{")
    assert encode(raw) == b"{"
    sent = list(batch([single(1, 5), raw, single(1, 7), single(1, 8)], 10))
    assert [(message.raw, [reading["ts"] for reading in message.readings]) for message in sent] == [
        (None, [5]),
        (b"{", [6]),
        (None, [7, 8]),
    ]

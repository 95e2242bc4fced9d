"""What was made quick in paho must stay what it was."""

from __future__ import annotations

from typing import Any

import pytest
from paho.mqtt import MQTTException, _packet
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.lean_paho import BlockReadingClient, SharedTableProperties


def packed() -> Properties:
    """Properties a publisher may send."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.UserProperty = ("gateway", "g-1")
    properties.ContentType = "application/json"
    return properties


def test_properties_are_read_as_paho_reads_them() -> None:
    """Shared tables, same answers."""
    raw = packed().pack()  # type: ignore[no-untyped-call]
    ours, used = SharedTableProperties(PacketTypes.PUBLISH).unpack(raw)
    theirs, expected = Properties(PacketTypes.PUBLISH).unpack(raw)  # type: ignore[no-untyped-call]
    assert (str(ours), used) == (str(theirs), expected)
    assert SharedTableProperties(PacketTypes.PUBLISH).unpack(b"\x00rest")[1] == 1


def test_a_property_of_another_packet_is_still_refused() -> None:
    """Paho's own checks stand."""
    with pytest.raises(MQTTException):
        SharedTableProperties(PacketTypes.PUBLISH).ReceiveMaximum = 5


def test_paho_decodes_publish_with_ours() -> None:
    """The seam is where paho looks: a new paho that moves it fails here, not in production."""
    body = b"\x00\x01t" + b"\x00\x07" + packed().pack() + b"payload"  # type: ignore[no-untyped-call]
    packet = _packet.decode_publish(0x32, body, MQTTProtocolVersion.MQTTv5)
    assert isinstance(packet.properties, SharedTableProperties)
    assert (packet.topic, packet.mid, packet.payload) == (b"t", 7, b"payload")


class FakeSocket:
    """A socket that gives what it was told to, block by block."""

    def __init__(self, *blocks: bytes) -> None:
        self._blocks = list(blocks)

    def recv(self, _size: int) -> bytes:
        """Give the next block, or say that there is none yet."""
        if not self._blocks:
            raise BlockingIOError
        return self._blocks.pop(0)


def test_bytes_come_in_order_and_an_old_connections_bytes_never_reach_a_new_one() -> None:
    """A reconnection in the middle of a packet starts with a clean buffer."""
    client: Any = BlockReadingClient(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client._sock = FakeSocket(b"abcdef", b"gh")
    assert [client._sock_recv(1), client._sock_recv(4), client._sock_recv(9)] == [b"a", b"bcde", b"f"]
    assert not client.buffered
    assert client._sock_recv(1) == b"g"
    assert client.buffered
    client._sock = FakeSocket(b"new")
    assert not client.buffered
    assert client._sock_recv(2) == b"ne"
    assert client._sock_recv(2) == b"w"
    with pytest.raises(BlockingIOError):
        client._sock_recv(1)
    client._sock = None

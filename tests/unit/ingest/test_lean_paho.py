"""What was made quick in paho must stay what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import paho.mqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt import MQTTException, _packet
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest import lean_paho
from ingest.lean_paho import BlockReadingClient, SharedTableProperties

if TYPE_CHECKING:
    from collections.abc import Sequence


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

    sent = b""

    def send(self, packet: bytes) -> int:
        """Take all of it."""
        self.sent += packet
        return len(packet)

    def close(self) -> None:
        """Be closed."""

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


def test_paho_is_one_whose_inside_is_known() -> None:
    """Another version goes paho's own way until somebody has held `lean_paho` against it and added it there."""
    assert paho.mqtt.__version__ in lean_paho.HELD_AGAINST


def length(count: int) -> bytes:
    """A packet's length as it travels."""
    found = bytearray()
    while True:
        count, low = divmod(count, 128)
        found.append(low | (0x80 if count else 0))
        if not count:
            return bytes(found)


@st.composite
def packets(draw: st.DrawFn, *, five: bool) -> bytes:
    """What a broker may send: messages of any kind, and what is none."""
    if draw(st.integers(0, 9)) == 0:
        return b"\xd0\x00"  # PINGRESP
    qos, retained = draw(st.sampled_from([0, 1, 1, 1])), draw(st.booleans())
    topic = draw(st.sampled_from([b"fenhe/v1/s/water/w-1", "汾河".encode(), b"\xff\xfe", b"t"]))
    body = len(topic).to_bytes(2) + topic
    if qos:
        body += draw(st.integers(1, 65_535)).to_bytes(2)
    if five:
        body += packed().pack() if draw(st.integers(0, 4)) == 0 else b"\x00"  # type: ignore[no-untyped-call]
    body += draw(st.binary(max_size=20)) * draw(st.sampled_from([0, 1, 1, 1, 40, 1_000]))
    return bytes([0x30 | qos << 1 | retained]) + length(len(body)) + body


def heard(blocks: Sequence[bytes], protocol: MQTTProtocolVersion) -> list[tuple[bytes, bytes, int, bool]]:
    """What comes out of a client whose socket gives these blocks, read as the collector reads it."""
    client: Any = BlockReadingClient(CallbackAPIVersion.VERSION2, protocol=protocol, manual_ack=True)
    client._sock = FakeSocket(*blocks)
    found: list[tuple[bytes, bytes, int, bool]] = []
    client.on_message = lambda _client, _data, message: found.append(
        (message._topic, bytes(message.payload), message.mid, message.retain)
    )
    while client.buffered or client._sock._blocks:
        if not client.read_publishes(lambda *message: found.append(message), 3):
            client.loop_read()
    client._sock = None
    return found


@pytest.mark.parametrize("protocol", [MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5])
@given(data=st.data())
def test_messages_taken_out_of_the_block_are_those_paho_would_give(
    protocol: MQTTProtocolVersion, data: st.DataObject
) -> None:
    """Whatever comes, and wherever it is cut: the same messages in the same order, none lost or doubled."""
    stream = b"".join(
        data.draw(st.lists(packets(five=protocol is MQTTProtocolVersion.MQTTv5), min_size=1, max_size=12))
    )
    cuts = sorted(data.draw(st.sets(st.integers(1, len(stream)), max_size=8)))
    blocks = [
        block for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True) if (block := stream[start:end])
    ]
    ours = heard(blocks, protocol)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lean_paho, "IS_KNOWN", False)
        assert heard(blocks, protocol) == ours


def test_a_large_message_is_left_to_paho(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put together by paho, which does not copy what there is of it with every block; what follows is taken as ever."""
    monkeypatch.setattr(lean_paho, "LARGEST_BYTES", 100)
    by_itself = b"\x00\x01t\x00\x07\x00" + bytes(300), b"\x00\x01t\x00\x08\x00small"
    stream = b"".join(b"\x32" + length(len(body)) + body for body in by_itself)
    expected = [(b"t", bytes(300), 7, False), (b"t", b"small", 8, False)]
    for cut in (50, 306, 309, len(stream) - 1):
        assert heard([stream[:cut], stream[cut:]], MQTTProtocolVersion.MQTTv5) == expected


@pytest.mark.parametrize("known", [True, False])
def test_pubacks_sent_together_are_those_paho_would_send(known: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - both ways
    """One for each message, in order."""
    monkeypatch.setattr(lean_paho, "IS_KNOWN", known)
    client: Any = BlockReadingClient(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True)
    client._sock = socket = FakeSocket()
    client.acknowledge([])
    client.acknowledge([1, 258, 65_535])
    assert socket.sent == b"\x40\x02\x00\x01\x40\x02\x01\x02\x40\x02\xff\xff"
    client._sock = None

"""paho's client with the way of a message made short; nothing about the protocol changes.

Measured on MQTT 5 at one reading per message: paho 2.x spends a third of a collector's time on
`Properties.__init__`, which builds the same two tables each time, reads every packet with three system calls, makes an
object of each, and writes every PUBACK by itself. Here the socket is read in blocks, plain PUBLISH packets are taken
out of the block as they lie, and the PUBACKs of a record go out together. Whatever else comes is left to paho.

All that leans on paho's inside is in this file. With a version of paho that it was not held against, messages go
paho's own way (`tests/unit/ingest/test_lean_paho.py` fails then, so that somebody looks).
"""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, Any

import paho.mqtt
import paho.mqtt.client as mqtt
from paho.mqtt import _packet
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Take = Callable[[bytes, bytes, int, bool], None]
    """Given topic, payload, packet identifier (0 at QoS 0), and whether it was published to be retained."""

HELD_AGAINST = frozenset({"2.2.0"})
"""Versions of paho whose inside is known to be as it is taken to be here."""
IS_KNOWN = paho.mqtt.__version__ in HELD_AGAINST
BLOCK_BYTES = 65_536
LARGEST_BYTES = 1_048_576
"""A larger message is left to paho: it would be put together here by copying what there is of it again and again."""
_PUBLISH, _RETAINED, _QOS_1, _QOS_2 = 0x30, 0x01, 0x02, 0x04
_MORE = 0x80
"""Of a byte of a packet's length: another follows."""
_PUBACK = struct.Struct(">BBH").pack

_TABLES = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]


class SharedTableProperties(Properties):
    """MQTT 5 properties whose tables are the class's instead of every object's."""

    types: Any = _TABLES.types
    names: Any = _TABLES.names
    properties: Any = _TABLES.properties

    def __init__(self, packetType: int) -> None:  # noqa: N803 - paho's name
        object.__setattr__(self, "packetType", packetType)

    def unpack(self, buffer: bytes) -> tuple[Properties, int]:
        """Read the properties of a packet; the usual packet has none."""
        if buffer[0] == 0:
            return self, 1
        found: tuple[Properties, int] = super().unpack(buffer)  # type: ignore[no-untyped-call]
        return found


_packet.Properties = SharedTableProperties  # type: ignore[attr-defined]


class BlockReadingClient(mqtt.Client):
    """A client that asks the socket for blocks and hands paho the few bytes it asks for."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - paho's own
        super().__init__(*arguments, **options)
        self._block = b""
        self._at = 0
        self._block_of: object = None

    @property
    def buffered(self) -> bool:
        """Whether bytes wait that `select` cannot see."""
        return self._at < len(self._block) and self._block_of is self._sock

    def read_publishes(self, take: Take, most: int) -> int:
        """Hand over the plain PUBLISH packets that come next, past paho; returns how many.

        At most `most`, and none where paho is in the middle of a packet. What is not whole yet is left to paho, and so
        is one with properties, of QoS 2, or broken.
        """
        if not IS_KNOWN or self._in_packet["command"] or self._sock is None:
            return 0
        if not self.buffered:
            block = self._received()
            if not block:
                return 0
            self._block_of, self._block, self._at = self._sock, block, 0
        self._last_bytes_received = time.monotonic()  # by which paho judges whether the broker is still there
        count = 0
        while count < most and self.buffered:
            found = _publish(self._block, self._at, five=self._protocol == mqtt.MQTTv5)
            if found is None:
                break
            if isinstance(found, int):
                # The rest of it is fetched at once, so that paho need not put it together.
                more = self._received()
                if not more:
                    break
                self._block, self._at = self._block[self._at :] + more, 0
                continue
            topic, payload, packet_id, retained, self._at = found
            count += 1
            take(topic, payload, packet_id, retained)
        return count

    def _received(self) -> bytes:
        """What the socket holds; nothing where there is nothing or it is broken: paho meets that again, and knows."""
        try:
            return super()._sock_recv(BLOCK_BYTES)
        except OSError:
            return b""

    def acknowledge(self, packet_ids: Sequence[int]) -> None:
        """Send PUBACK for many messages, with one system call."""
        if not packet_ids:
            return
        if not IS_KNOWN:
            for packet_id in packet_ids:
                self.ack(packet_id, 1)
            return
        packets = b"".join([_PUBACK(mqtt.PUBACK, 2, packet_id) for packet_id in packet_ids])
        self._packet_queue(mqtt.PUBACK, packets, packet_ids[-1], 1)

    def _sock_recv(self, bufsize: int) -> bytes:
        """Give at most `bufsize` bytes; raises BlockingIOError where there are none yet."""
        if not self.buffered:
            self._block_of = self._sock
            self._block = super()._sock_recv(BLOCK_BYTES)
            self._at = 0
        piece = self._block[self._at : self._at + bufsize]
        self._at += len(piece)
        return piece


def _publish(block: bytes, at: int, *, five: bool) -> tuple[bytes, bytes, int, bool, int] | int | None:
    """Take a packet apart: topic, payload, packet identifier, retained, and where the next begins.

    None where it is no plain PUBLISH; an integer where the block ends within it.
    """
    command, end = block[at], len(block)
    if command & 0xF0 != _PUBLISH or command & _QOS_2:
        return None
    length, shift, start = 0, 0, at + 1
    while True:
        if start == end:
            return end
        byte = block[start]
        start += 1
        length |= (byte & ~_MORE) << shift
        if byte < _MORE:
            break
        shift += 7
        if shift > 21:  # noqa: PLR2004 - a length has four bytes at most
            return None
    stop = start + length
    if stop > end:
        return end if length <= LARGEST_BYTES else None
    topic_at = start + 2
    topic_end = body = topic_at + int.from_bytes(block[start:topic_at])
    packet_id = 0
    if command & _QOS_1:
        body += 2
        packet_id = int.from_bytes(block[topic_end:body])
    if five:
        body += 1
    if body > stop or (five and block[body - 1]):
        return None
    return block[topic_at:topic_end], block[body:stop], packet_id, bool(command & _RETAINED), stop

"""A publish-only MQTT 5 connection for load tests: CONNECT, PUBLISH QoS 1, PUBACK, many packets to a write.

Measured here: paho spends 226 µs of CPU on a QoS 1 publish, too much for 20 000 readings/s on one core.
MQTT 5, because a broker without a subscriber tells 3.1.1 devices "received" for what it throws away.
It does not reconnect: a load test whose broker goes away, or does not take a message, has failed, and says so.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import numpy as np
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONNACK = 0x20
PUBACK = 0x4002
"""Packet type and the length 2: taken. A longer one gives a reason why not."""
PUBACK_TYPE = 0x40
PUBACK_LENGTH = 4
NO_PROPERTIES = b"\0"
READ_BYTES = 1 << 18
MAX_PACKET_ID = 65_535


def remaining_length(length: int) -> bytes:
    """MQTT's variable-length integer."""
    encoded = bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(encoded)


def string(text: str) -> bytes:
    """UTF-8 string with its length before it."""
    raw = text.encode()
    return len(raw).to_bytes(2, "big") + raw


def connect_packet(client_id: str, username: str | None, password: str | None) -> bytes:
    """CONNECT of MQTT 5 with a clean start, no keep-alive and no properties."""
    flags = 0x02 | (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
    body = string("MQTT") + bytes([5, flags, 0, 0]) + NO_PROPERTIES + string(client_id)
    for credential in (username, password):
        if credential is not None:
            body += string(credential)
    return b"\x10" + remaining_length(len(body)) + body


class PublishConnection:
    """A non-blocking connection with at most `window` messages in flight; `owner` names who sent each."""

    def __init__(
        self,
        host: str,
        port: int,
        client_id: str,
        *,
        window: int,
        username: str | None = None,
        password: str | None = None,
    ) -> None:
        self.in_flight = 0
        self._next_id = 1
        self._owner: list[int] = [-1] * (MAX_PACKET_ID + 1)
        self._unread = b""
        self._unsent = b""
        self.socket = socket.create_connection((host, port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(connect_packet(client_id, username, password))
        self.window = min(window, self._receive_maximum(), MAX_PACKET_ID - 1)
        self.socket.settimeout(0)

    def _receive_maximum(self) -> int:
        """Read CONNACK; how many unacknowledged messages the broker takes. Raises ConnectionError where it refuses."""
        answer = self.socket.recv(2, socket.MSG_WAITALL)
        answer += self.socket.recv(answer[1], socket.MSG_WAITALL) if len(answer) == 2 else b""  # noqa: PLR2004
        if len(answer) < 5 or answer[0] != CONNACK or answer[3] != 0:  # noqa: PLR2004 - header, flags, reason, length
            msg = f"the broker refuses the connection: CONNACK {answer.hex() or 'missing'}"
            raise ConnectionError(msg)
        properties = Properties(PacketTypes.CONNACK)  # type: ignore[no-untyped-call]
        properties.unpack(answer[4:])  # type: ignore[no-untyped-call]
        return int(getattr(properties, "ReceiveMaximum", MAX_PACKET_ID))

    @property
    def room(self) -> int:
        """How many messages may be sent now."""
        return 0 if self._unsent else self.window - self.in_flight

    @property
    def wants_write(self) -> bool:
        """Whether bytes wait for the socket."""
        return bool(self._unsent)

    def packet_id(self, owner: int) -> bytes | None:
        """Take the next packet identifier for `owner`; None while an old message still holds it."""
        number = self._next_id
        if self._owner[number] >= 0:
            return None
        self._owner[number] = owner
        self._next_id = number + 1 if number < MAX_PACKET_ID else 1
        self.in_flight += 1
        return number.to_bytes(2, "big")

    def send(self, packets: bytes) -> None:
        """Send as much as the socket takes; the rest goes with the next call."""
        data = self._unsent + packets if self._unsent else packets
        try:
            sent = self.socket.send(data) if data else 0
        except BlockingIOError:
            sent = 0
        self._unsent = data[sent:]

    def acknowledged(self) -> list[int]:
        """Owners of the messages acknowledged since the last call. Raises ConnectionError when the broker hung up."""
        owners: list[int] = []
        while True:
            try:
                received = self.socket.recv(READ_BYTES)
            except BlockingIOError:
                return owners
            if not received:
                msg = "the broker closed the connection"
                raise ConnectionError(msg)
            data = self._unread + received
            whole = len(data) - len(data) % PUBACK_LENGTH
            self._unread = data[whole:]
            for number in self._packet_ids(data[:whole]).tolist():
                owners.append(self._owner[number])
                self._owner[number] = -1
            self.in_flight = self.in_flight - whole // PUBACK_LENGTH

    @staticmethod
    def _packet_ids(pubacks: bytes) -> NDArray[np.uint16]:
        packets = np.frombuffer(pubacks, dtype=">u2").reshape(-1, 2)
        if (strange := packets[packets[:, 0] != PUBACK]).size:
            refused = int(strange[0, 0]) >> 8 == PUBACK_TYPE
            msg = "the broker does not take a message" if refused else "the broker sent something else than PUBACK"
            raise ConnectionError(msg)
        return packets[:, 1]

    def close(self) -> None:
        """Say goodbye."""
        with contextlib.suppress(OSError):
            self.socket.send(b"\xe0\x00")
        self.socket.close()

"""Publishes messages over MQTT, QoS 1, and forgets none: what a broken connection left unacknowledged is sent again.

Speaks MQTT 5 where the broker does, 3.1.1 otherwise. Threads, no asyncio: paho's network thread beside the caller's.
"""

from __future__ import annotations

import secrets
import threading
import time
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from simulators.wire.message import encode

if TYPE_CHECKING:
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from schemas.settings import MqttSettings
    from simulators.wire.message import DeviceMessage

KEEPALIVE_S = 30
RECONNECT_S = (1, 4)
POLL_S = 0.1
"""How often a blocked publisher looks whether it was told to stop."""
PORTS = {"mqtt": 1883, "mqtts": 8883}
SUCCESS = 0
UNSUPPORTED_VERSION = "Unsupported protocol version"


class BrokerRefusedError(ConnectionError):
    """The broker answered, and will not have us."""


class Dialect(NamedTuple):
    """What the broker speaks, and how many messages in flight it takes."""

    protocol: MQTTProtocolVersion
    receive_maximum: int


class MqttPublisher:
    """One or more connections to one broker, with at most `in_flight` unacknowledged messages on each.

    `publish` blocks while a connection's window is full, so a dead broker stops the caller and costs no memory.
    A device always uses the same connection: its messages arrive in order.
    """

    def __init__(
        self, settings: MqttSettings, *, client_id: str = "", in_flight: int = 500, connections: int = 1
    ) -> None:
        self._settings = settings
        self._client_id = client_id or f"fenhe-simulator-{secrets.token_hex(4)}"
        self._in_flight = in_flight
        self._count = connections
        self._connections: list[_Connection] = []

    def __enter__(self) -> Self:
        """Connect."""
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for what is in flight, then disconnect."""
        self.close()

    def connect(self, timeout_s: float = 30.0) -> Dialect:
        """Find out what the broker speaks, and connect. Raises ConnectionError when it does not answer in time."""
        dialect = probe(self._settings, timeout_s)
        window = min(self._in_flight, dialect.receive_maximum)
        for number in range(self._count):
            client = _client(self._settings, dialect.protocol, f"{self._client_id}-{number}")
            client.max_inflight_messages_set(window)
            self._connections.append(_Connection(client, self._in_flight, self._settings))
        return dialect

    def publish(self, message: DeviceMessage, stop: threading.Event | None = None) -> bool:
        """Hand a message over; False if `stop` was set before there was room for it."""
        return self._of(message.device_id).publish(message, stop)

    def flush(self, timeout_s: float = 30.0) -> bool:
        """Wait until everything is acknowledged; False if it was not within `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        return all(connection.wait_acknowledged(deadline) for connection in self._connections)

    def close(self, timeout_s: float = 10.0) -> None:
        """Flush, disconnect and end the network threads."""
        self.flush(timeout_s)
        for connection in self._connections:
            connection.close()

    def report(self) -> dict[str, Any]:
        """Readings acknowledged by the broker, in all and per device; readings still unacknowledged or refused."""
        per_device: Counter[str] = Counter()
        unacknowledged = refused = 0
        for connection in self._connections:
            counts, waiting, rejected = connection.counts()
            per_device += counts
            unacknowledged += waiting
            refused += rejected
        return {
            "published_total": per_device.total(),
            "per_device": dict(sorted(per_device.items())),
            "unacknowledged": unacknowledged,
            "refused": refused,
        }

    def _of(self, device_id: str) -> _Connection:
        if not self._connections:
            msg = "connect() the publisher before publishing"
            raise RuntimeError(msg)
        return self._connections[zlib.crc32(device_id.encode()) % len(self._connections)]


class _Connection:
    """One paho client, its window and its books."""

    def __init__(self, client: paho.Client, in_flight: int, settings: MqttSettings) -> None:
        self._client = client
        self._window = threading.Semaphore(in_flight)
        self._changed = threading.Condition()
        self._waiting: dict[int, tuple[str, int]] = {}
        self._early: dict[int, bool] = {}
        """Acknowledged before `publish` returned to say which message it was: mid → accepted."""
        self._acknowledged: Counter[str] = Counter()
        self._refused = 0
        client.on_publish = self._on_publish
        client.reconnect_delay_set(*RECONNECT_S)
        host, port = _address(settings)
        client.connect_async(host, port, KEEPALIVE_S)
        client.loop_start()

    def publish(self, message: DeviceMessage, stop: threading.Event | None) -> bool:
        while not self._window.acquire(timeout=POLL_S):
            if stop is not None and stop.is_set():
                return False
        # Without a connection paho keeps the message and sends it after the next CONNACK.
        mid = self._client.publish(message.topic, encode(message), qos=1).mid
        entry = (message.device_id, len(message.readings))
        with self._changed:
            accepted = self._early.pop(mid, None)
            if accepted is None:
                self._waiting[mid] = entry
            else:
                self._settle(entry, accepted=accepted)
        return True

    def _on_publish(
        self, _client: paho.Client, _userdata: object, mid: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        # Not `is_failure`: "No matching subscribers" (16) counts as none there, and yet nobody has got the message.
        accepted = reason.value == SUCCESS
        with self._changed:
            entry = self._waiting.pop(mid, None)
            if entry is None:
                self._early[mid] = accepted
            else:
                self._settle(entry, accepted=accepted)

    def _settle(self, entry: tuple[str, int], *, accepted: bool) -> None:
        device_id, readings = entry
        if accepted:
            self._acknowledged[device_id] += readings
        else:
            self._refused += readings
        self._window.release()
        if not self._waiting:
            self._changed.notify_all()

    def wait_acknowledged(self, deadline: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, timeout=max(0.0, deadline - time.monotonic()))

    def counts(self) -> tuple[Counter[str], int, int]:
        """Acknowledged readings per device, unacknowledged readings, refused readings."""
        with self._changed:
            return self._acknowledged.copy(), sum(count for _, count in self._waiting.values()), self._refused

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def probe(settings: MqttSettings, timeout_s: float = 30.0) -> Dialect:
    """Ask the broker for MQTT 5, then for 3.1.1; wait for it to come up.

    Raises BrokerRefusedError when it turns our credentials down, ConnectionError when nobody answers in time.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return _ask(settings, MQTTProtocolVersion.MQTTv5) or _expect(settings)
        except BrokerRefusedError:
            raise
        except OSError as error:
            if time.monotonic() > deadline:
                msg = f"no MQTT broker at {settings.mqtt_url} within {timeout_s:g} s: {error}"
                raise ConnectionError(msg) from error
            time.sleep(POLL_S)


def _expect(settings: MqttSettings) -> Dialect:
    dialect = _ask(settings, MQTTProtocolVersion.MQTTv311)
    if dialect is None:
        msg = f"the broker at {settings.mqtt_url} speaks neither MQTT 5 nor 3.1.1"
        raise ConnectionError(msg)
    return dialect


def _ask(settings: MqttSettings, protocol: MQTTProtocolVersion) -> Dialect | None:
    """Connect once; None if the broker does not speak this version."""
    answer: list[tuple[ReasonCode, Properties | None]] = []
    client = _client(settings, protocol, f"fenhe-probe-{secrets.token_hex(4)}")
    client.on_connect = lambda _client, _userdata, _flags, reason, properties: answer.append((reason, properties))
    host, port = _address(settings)
    client.connect(host, port, KEEPALIVE_S)
    deadline = time.monotonic() + KEEPALIVE_S
    while not answer and time.monotonic() < deadline:
        if client.loop(timeout=POLL_S) != paho.MQTT_ERR_SUCCESS and not answer:
            return None  # hung up on, or answered in another version's format
    if not answer:
        msg = "the broker accepted the connection and then said nothing"
        raise ConnectionError(msg)
    reason, properties = answer[0]
    client.disconnect()
    if str(reason) == UNSUPPORTED_VERSION:
        return None
    if reason.is_failure:
        msg = f"the broker at {settings.mqtt_url} refuses: {reason}; check FENHE_MQTT_USERNAME and FENHE_MQTT_PASSWORD"
        raise BrokerRefusedError(msg)
    return Dialect(protocol, int(getattr(properties, "ReceiveMaximum", 65_535)))


def _client(settings: MqttSettings, protocol: MQTTProtocolVersion, client_id: str) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=protocol)
    client.max_queued_messages_set(0)
    if settings.mqtt_username is not None:
        password = settings.mqtt_password
        client.username_pw_set(settings.mqtt_username, None if password is None else password.get_secret_value())
    if urlsplit(settings.mqtt_url).scheme == "mqtts":
        client.tls_set(ca_certs=settings.mqtt_ca_file)
    return client


def _address(settings: MqttSettings) -> tuple[str, int]:
    parts = urlsplit(settings.mqtt_url)
    return parts.hostname or "", parts.port or PORTS[parts.scheme]

"""A plain MQTT client, for tests that hold a broker to its word."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fenhe.local import (
        Broker,
    )


@contextmanager
def connected(
    broker: Broker, client_id: str, *, keep: bool = False, received: list[bytes] | None = None
) -> Iterator[paho.Client]:
    """A paho client with its loop running, on the newest protocol the broker speaks.

    A kept session's messages come right behind the connection, so `received` is listening before it.
    """
    up = threading.Event()
    version = paho.MQTTv5 if broker.speaks_mqtt5 else paho.MQTTv311
    clean = None if broker.speaks_mqtt5 else not keep
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=version, clean_session=clean)
    client.on_connect = lambda *_: up.set()
    if received is not None:
        client.on_message = lambda _client, _data, message: received.append(bytes(message.payload))
    properties = Properties(PacketTypes.CONNECT) if broker.speaks_mqtt5 else None  # type: ignore[no-untyped-call]
    if properties is not None and keep:
        properties.SessionExpiryInterval = 3600
    fresh: bool | Literal[3] = not keep if broker.speaks_mqtt5 else paho.MQTT_CLEAN_START_FIRST_ONLY
    client.connect(broker.host, broker.port, clean_start=fresh, properties=properties)
    client.loop_start()
    assert up.wait(10.0)
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def subscribe(client: paho.Client, topic: str) -> None:
    """Subscribe at QoS 1 and wait for the broker's word."""
    granted = threading.Event()
    client.on_subscribe = lambda *_: granted.set()
    client.subscribe(topic, qos=1)
    assert granted.wait(10.0)


def publish(client: paho.Client, topic: str, payloads: list[bytes]) -> None:
    """Publish at QoS 1 and wait until the broker acknowledged all."""
    for sent in [client.publish(topic, payload, qos=1) for payload in payloads]:
        sent.wait_for_publish(20.0)
        assert sent.is_published()

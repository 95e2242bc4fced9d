"""The brokers of the local stack: Mosquitto, and the one from the wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fenhe.local import (
    Amqtt,
    Broker,
    Mosquitto,
    wait_until,
)
from tests.fixtures.services import real_or_skip
from tests.support.mqtt import connected, publish, subscribe

if TYPE_CHECKING:
    from pathlib import Path


def mosquitto(folder: Path) -> Broker:
    """Mosquitto, or no test."""
    return real_or_skip(lambda: Mosquitto(folder))


def amqtt(folder: Path) -> Broker:
    """The wheel's broker."""
    return Amqtt(folder)


class TestMqtt:
    """The brokers."""

    @pytest.mark.parametrize("make", [mosquitto, amqtt])
    def test_messages_pass_at_qos_1(self, make: type[Broker], tmp_path: Path) -> None:
        """What is published is received, and its publication acknowledged."""
        received: list[bytes] = []
        payloads = [b"%d" % n for n in range(200)]
        with (
            make(tmp_path) as broker,
            connected(broker, "reader", received=received) as reader,
            connected(broker, "device") as device,
        ):
            subscribe(reader, "fenhe/#")
            publish(device, "fenhe/v1/site/device", payloads)
            wait_until(lambda: len(received) >= len(payloads), what="all messages")
        assert received == payloads

    @pytest.mark.parametrize("make", [mosquitto, amqtt])
    def test_it_restarts_on_the_same_port(self, make: type[Broker], tmp_path: Path) -> None:
        """Clients that reconnect find it, after a clean stop and after a kill."""
        with make(tmp_path) as broker:
            port = broker.port
            broker.restart()
            broker.kill()
            broker.start()
            assert broker.port == port
            with connected(broker, "device") as device:
                publish(device, "fenhe/v1/site/device", [b"1"])

    def test_mosquitto_keeps_a_session_and_its_whole_queue_through_a_restart(self, tmp_path: Path) -> None:
        """Messages for a collector that is away are neither dropped at the usual 1000 nor lost with the broker."""
        received: list[bytes] = []
        payloads = [b"%d" % n for n in range(3_000)]
        with mosquitto(tmp_path) as broker:
            with connected(broker, "collector", keep=True) as collector:
                subscribe(collector, "$share/fenhe/fenhe/#")
            with connected(broker, "device") as device:
                publish(device, "fenhe/v1/site/device", payloads)
            broker.restart()
            with connected(broker, "collector", keep=True, received=received):
                wait_until(lambda: len(received) >= len(payloads), what="the queued messages")
        assert sorted(received) == sorted(payloads)

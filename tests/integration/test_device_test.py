"""`fenhe device test` against a real Mosquitto."""

from __future__ import annotations

import queue
from functools import partial
from typing import TYPE_CHECKING

import paho.mqtt.publish as paho_publish
import pytest

from fenhe.clear_errors import PlainError
from fenhe.device_test import listen
from fenhe.local import Mosquitto
from schemas.settings import MqttSettings
from tests.fixtures.services import real_or_skip
from tests.support.brokers import ClosedMosquitto

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real
ROUNDS = 5


def _put(heard: queue.SimpleQueue[tuple[str, bytes]], topic: str, payload: bytes) -> None:
    heard.put((topic, payload))


def test_what_is_sent_after_listen_has_returned_is_heard(scratch: Path) -> None:
    """Whoever is told "listening" may send at once: a message that was missed would be waited for without an end."""
    with real_or_skip(lambda: Mosquitto(scratch)) as broker:
        for round_ in range(ROUNDS):
            heard: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
            client = listen(MqttSettings(mqtt_url=broker.url), ["a/b"], partial(_put, heard))
            paho_publish.single("a/b", str(round_), qos=1, hostname=broker.host, port=broker.port)
            assert heard.get(timeout=10) == ("a/b", str(round_).encode())
            client.disconnect()
            client.loop_stop()


def test_a_broker_that_lets_nobody_in_is_an_error_with_its_reason(scratch: Path) -> None:
    """No wait for messages that can never come."""
    with (
        real_or_skip(lambda: ClosedMosquitto(scratch)) as broker,
        pytest.raises(PlainError, match="does not let us listen"),
    ):
        listen(MqttSettings(mqtt_url=broker.url), ["a/b"], lambda *_: None)

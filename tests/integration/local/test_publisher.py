"""The publishers against a real Mosquitto, restarted in mid-run."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

import orjson
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from fenhe.local import Mosquitto
from schemas.settings import MqttSettings
from schemas.topics import SUBSCRIPTION
from simulators.wire.load import LoadPlan, registry, run_load
from simulators.wire.message import DeviceMessage
from simulators.wire.publisher import BrokerRefusedError, MqttPublisher, probe
from tests.fixtures.services import real_or_skip
from tests.support.brokers import ClosedMosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.real
READINGS = 6_000


class Listener:
    """A subscriber with a session that survives restarts; counts (device, ts) as they arrive."""

    def __init__(self, broker: Mosquitto) -> None:
        self.seen: Counter[tuple[str, int]] = Counter()
        self._changed = threading.Condition()
        self._subscribed = threading.Event()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, "listener", clean_session=False, protocol=MQTTProtocolVersion.MQTTv311
        )
        self._client.on_connect = lambda client, *_: client.subscribe(SUBSCRIPTION, qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 1)
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        assert self._subscribed.wait(10)

    def _on_message(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        payload = orjson.loads(message.payload)
        device_id = message.topic.rsplit("/", 1)[-1]
        with self._changed:
            for reading in payload if isinstance(payload, list) else [payload]:
                self.seen[device_id, reading["ts"]] += 1
            self._changed.notify_all()

    def wait_for(self, count: int, timeout_s: float = 60) -> bool:
        """Wait until `count` different readings have arrived."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.seen) >= count, timeout_s)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def broker(scratch: Path) -> Iterator[Mosquitto]:
    """A Mosquitto of this test's own."""
    with real_or_skip(lambda: Mosquitto(scratch)) as running:
        yield running


@pytest.fixture
def listener(broker: Mosquitto) -> Iterator[Listener]:
    """A subscriber to everything."""
    listening = Listener(broker)
    yield listening
    listening.close()


def reading(ts: int) -> DeviceMessage:
    """One of seven devices' readings."""
    device_id = f"D{ts % 7}"
    return DeviceMessage(f"fenhe/v1/S/water/{device_id}", device_id, [{"ts": ts}])


@pytest.mark.slow
@pytest.mark.parametrize("connections", [1, 3])
def test_a_broker_restart_loses_nothing(broker: Mosquitto, listener: Listener, connections: int) -> None:
    """Restarted twice while readings are in flight: each arrives at least once, and the books say so."""
    publisher = MqttPublisher(MqttSettings(mqtt_url=broker.url), in_flight=100, connections=connections)
    publisher.connect()
    halfway = threading.Event()

    def publish() -> None:
        for ts in range(READINGS):
            publisher.publish(reading(ts))
            if ts == READINGS // 3:
                halfway.set()

    thread = threading.Thread(target=publish, name="publish")
    thread.start()
    assert halfway.wait(60)
    broker.restart()
    broker.restart()
    thread.join()
    assert publisher.flush(60)
    publisher.close()

    assert listener.wait_for(READINGS), READINGS - len(listener.seen)
    report = publisher.report()
    expected = Counter(f"D{ts % 7}" for ts in range(READINGS))
    assert report == {
        "published_total": READINGS,
        "per_device": dict(sorted(expected.items())),
        "unacknowledged": 0,
        "refused": 0,
    }


@pytest.mark.usefixtures("listener")
def test_a_full_window_blocks_until_told_to_stop(broker: Mosquitto) -> None:
    """A dead broker stops the caller instead of filling memory; what was taken is reported as unacknowledged."""
    publisher = MqttPublisher(MqttSettings(mqtt_url=broker.url), in_flight=5)
    publisher.connect()
    broker.stop()
    stop = threading.Event()
    taken: list[bool] = []
    thread = threading.Thread(target=lambda: taken.extend(publisher.publish(reading(ts), stop) for ts in range(6)))
    thread.start()
    thread.join(1)
    assert thread.is_alive()
    stop.set()
    thread.join(10)
    assert taken == [True] * 5 + [False]
    assert publisher.report()["unacknowledged"] == 5
    broker.start()
    assert publisher.flush(30)
    assert publisher.report()["published_total"] == 5
    publisher.close()


def test_the_publisher_speaks_mqtt_5_and_keeps_to_the_receive_maximum(broker: Mosquitto) -> None:
    """Mosquitto speaks 5 and says how much it takes."""
    dialect = probe(MqttSettings(mqtt_url=broker.url))
    assert dialect.protocol is MQTTProtocolVersion.MQTTv5
    assert 1 <= dialect.receive_maximum <= 65_535


def test_wrong_credentials_are_named_not_retried(scratch: Path) -> None:
    """A refusal is an answer: no use in asking again."""
    with (
        real_or_skip(lambda: ClosedMosquitto(scratch)) as broker,
        pytest.raises(BrokerRefusedError, match="FENHE_MQTT"),
    ):
        probe(MqttSettings(mqtt_url=broker.url))


@pytest.mark.parametrize("array", [1, 50])
def test_the_load_arrives_as_it_reports(broker: Mosquitto, listener: Listener, array: int) -> None:
    """Paced, acknowledged, counted per device, every (device, ts) once."""
    report = run_load(LoadPlan(broker.url, rate=2_000, seconds=1.5, array=array, sets=70, plants=3))
    assert not report.error
    assert report.sent == report.acknowledged == sum(report.per_device.values())
    assert report.sent == pytest.approx(3_000, rel=0.1)
    assert set(report.per_device) <= {device.device_id for device in registry(70, 3).devices}
    assert listener.wait_for(report.sent)
    assert set(listener.seen.values()) == {1}
    arrived = Counter(device_id for device_id, _ in listener.seen)
    assert dict(arrived) == report.per_device


def test_what_reaches_nobody_is_refused(broker: Mosquitto) -> None:
    """The broker acknowledges without a subscriber, with reason 16: for the publisher that is a failure."""
    publisher = MqttPublisher(MqttSettings(mqtt_url=broker.url))
    publisher.connect()
    for ts in range(5):
        publisher.publish(reading(ts))
    assert publisher.flush(30)
    publisher.close()
    report = publisher.report()
    assert (report["published_total"], report["refused"]) == (0, 5)


def test_a_load_that_reaches_nobody_says_so(broker: Mosquitto) -> None:
    """A benchmark without a collector counts nothing as acknowledged."""
    report = run_load(LoadPlan(broker.url, rate=2_000, seconds=5, sets=7, plants=1))
    assert "does not take" in report.error
    assert report.acknowledged == 0


def test_a_load_whose_broker_goes_away_says_so(broker: Mosquitto) -> None:
    """It ends early, with the reason and with what was acknowledged until then."""
    report = run_load(
        LoadPlan(broker.url, rate=2_000, seconds=30, sets=7, plants=1), lambda _seconds, _sent: broker.kill()
    )
    assert "broker" in report.error
    assert report.seconds < 20
    assert report.acknowledged <= report.sent

"""The broker alone with the devices: restarted while no collector is there, or left by the one that was.

What it acknowledges in such an hour must be stored later like anything else, whatever the device speaks.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from schemas.readings import Kind
from schemas.topics import Topic
from tests.support.pipeline import REGISTRY
from tests.support.running import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from paho.mqtt.reasoncodes import ReasonCode

    from fenhe.local import Stack

pytestmark = [pytest.mark.real, pytest.mark.chaos, pytest.mark.slow]

READINGS = 400
PROTOCOLS = pytest.mark.parametrize("protocol", [MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311])
MOST_CONNECTIONS = 6
"""Of two collectors that disagree for a moment. For ever would be some hundred."""
METER = str(Topic("plant-1", Kind.ELECTRICITY, "e-2"))


@pytest.fixture
def pipeline(real_stack: Stack, tmp_path: Path) -> Iterator[Pipeline]:
    """Topic, database, groups of the test's own; nothing runs yet."""
    with Pipeline(real_stack, tmp_path, REGISTRY) as made:
        yield made


def publish(pipeline: Pipeline, protocol: MQTTProtocolVersion, *, begin: int = 0, pause_s: float = 0.0) -> None:
    """Publish `READINGS` readings one by one; each must be acknowledged as taken."""
    broker = pipeline.stack.mqtt
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"device-{begin}", protocol=protocol)
    answers: list[ReasonCode] = []
    done = threading.Event()

    def published(_client: object, _data: object, _mid: int, reason: ReasonCode, _more: object) -> None:
        answers.append(reason)
        if len(answers) == READINGS:
            done.set()

    client.on_publish = published
    client.connect(broker.host, broker.port)
    client.loop_start()
    now_ts = time.time_ns() // 1_000_000
    for number in range(begin, begin + READINGS):
        body = json.dumps({"ts": now_ts - 1_000_000 + number, "energy_import_kwh": 1.0 + number})
        client.publish(METER, body, qos=1)
        time.sleep(pause_s)
    assert done.wait(60), len(answers)
    client.disconnect()
    client.loop_stop()
    assert {answer.value for answer in answers} == {0}


def start_collectors(pipeline: Pipeline, count: int) -> None:
    """Start so many collectors of one group, each with a name of its own."""
    for process in [pipeline.collector(f"collector-{number}", wait=False) for number in range(count)]:
        pipeline.wait_ready(process)


def assert_all_stored(pipeline: Pipeline, count: int) -> None:
    """Every reading is in its table, and the books close."""
    pipeline.wait_stored(count)
    pipeline.settle()
    assert pipeline.rows_per_device() == {"e-2": count}
    books = pipeline.books()
    assert books.closed
    assert (books.stored, books.quarantined) == (count, 0)


@PROTOCOLS
@pytest.mark.parametrize("collectors", [1, 2])
def test_what_a_restarted_broker_takes_before_the_collectors_are_back_is_stored(
    pipeline: Pipeline, protocol: MQTTProtocolVersion, collectors: int
) -> None:
    """Between "broker up" and "collector back" nothing is acknowledged and thrown away."""
    start_collectors(pipeline, collectors)
    for process in list(pipeline.processes):
        assert process.kill() == -signal.SIGKILL
    pipeline.stack.mqtt.restart()
    publish(pipeline, protocol)
    start_collectors(pipeline, collectors)
    pipeline.worker()
    assert_all_stored(pipeline, READINGS)


@PROTOCOLS
def test_a_second_collector_takes_over_with_the_queue_of_the_first(
    pipeline: Pipeline, protocol: MQTTProtocolVersion
) -> None:
    """The holder freezes with messages in hand and is killed: the one that stood by finds what has waited."""
    first = pipeline.collector("collector-1")
    second = pipeline.collector("collector-2")
    pipeline.worker()
    publish(pipeline, protocol)
    pipeline.wait_stored(READINGS)
    first.pause()
    publish(pipeline, protocol, begin=READINGS)
    assert first.kill() == -signal.SIGKILL
    publish(pipeline, protocol, begin=2 * READINGS)
    assert_all_stored(pipeline, 3 * READINGS)
    assert second.returncode == 0


def test_a_collector_that_was_replaced_and_does_not_know_it_does_no_harm(pipeline: Pipeline) -> None:
    """Frozen past its turn and thawed: the two agree in a few connections whose the session is, and lose nothing."""
    first = pipeline.collector("collector-1")
    heir = pipeline.collector("collector-2")
    pipeline.worker()
    first.pause()
    publish(pipeline, MQTTProtocolVersion.MQTTv5)
    pipeline.wait_stored(READINGS)
    first.resume()
    publish(pipeline, MQTTProtocolVersion.MQTTv5, begin=READINGS)
    assert_all_stored(pipeline, 2 * READINGS)
    assert (first.returncode, heir.returncode) == (0, 0)
    connections = sum(process.log.read_text().count('"connected"') for process in (first, heir))
    assert 2 <= connections <= MOST_CONNECTIONS

"""Clocks that are ahead: Kafka takes no record of their time, and nothing may stand still because of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from fenhe.local import wait_until
from schemas.kafka.safety import SafetyRecord
from schemas.readings import Kind
from tests.chaos.hunter.rig import shifting_library
from tests.support.pipeline import REGISTRY, START_TS, Sent, readings, record
from tests.support.running import Pipeline
from tests.support.worlds.small import World

if TYPE_CHECKING:
    from pathlib import Path

    from fenhe.local import Process, Stack

pytestmark = [pytest.mark.real, pytest.mark.chaos]

AHEAD_S, FAR_AHEAD_S = 7_200, 3 * 86_400
TURNS = 2
"""Of the one that is refused, at most; without giving way it has one after the other."""
STORED_S = 60.0
"""For ever, were the session with the one that is refused."""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """What sets a process's clock wrong."""
    built = shifting_library(tmp_path)
    if built is None:
        pytest.skip("no C compiler: no clock can be set wrong")
    return built


def test_a_guard_whose_clock_is_ahead_publishes_its_alarms(real_stack: Stack, tmp_path: Path, library: Path) -> None:
    """They bear the time at which Kafka took the reading."""
    clock = tmp_path / "guard.clock"
    clock.write_text(f"{AHEAD_S}\n")
    smoke = [Sent("bs-1", Kind.SITE_POWER, "s-1", {"ts": START_TS + at * 60_000, "smoke": at >= 2}) for at in range(5)]
    with Pipeline(real_stack, tmp_path, REGISTRY) as pipeline:
        pipeline.guard(more={"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(clock)})
        producer = Producer({"bootstrap.servers": real_stack.kafka.bootstrap})
        producer.produce(pipeline.topic, value=record(0, smoke).value)
        assert producer.flush(30) == 0
        alarms = Consumer({"bootstrap.servers": real_stack.kafka.bootstrap, "group.id": pipeline.topic})
        alarms.assign([TopicPartition(pipeline.guard_topics["FENHE_KAFKA_ALARM_TOPIC"], 0, OFFSET_BEGINNING)])
        try:
            found = alarms.poll(STORED_S)
        finally:
            alarms.close()
    assert found is not None
    assert SafetyRecord.model_validate_json(found.value() or b"").device_id == "s-1"


def test_a_collector_with_a_clock_that_is_ahead_leaves_the_session_to_the_other(
    real_stack: Stack, tmp_path: Path, library: Path
) -> None:
    """Also where it is started again at once, and by the other's name it came first."""

    def shifted(pipeline: Pipeline, name: str, seconds: int) -> tuple[Process, Path]:
        clock = tmp_path / f"{name}.clock"
        clock.write_text(f"{seconds}\n")
        return pipeline.collector(name, more={"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(clock)}), clock

    sent = readings(20)
    with Pipeline(real_stack, tmp_path, REGISTRY) as pipeline:
        wrong, _ = shifted(pipeline, "collector-1", AHEAD_S)
        right, clock = shifted(pipeline, "collector-2", FAR_AHEAD_S)  # its name says that it came much later
        clock.write_text("0\n")
        pipeline.worker()

        def is_stored() -> bool:
            if not wrong.running:
                wrong.start()
            return pipeline.stored() >= len(sent)

        pipeline.publish(World(REGISTRY, sent).messages())
        wait_until(is_stored, what="the readings", timeout=STORED_S)
        assert "set the clock" in " ".join(wrong.log.read_text().replace("\n", " ").split())
        assert right.running
        assert wrong.log.read_text().count('"connected"') <= TURNS

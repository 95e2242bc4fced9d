"""Broker, Kafka and PostgreSQL together: what our own processes and the demo stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from confluent_kafka import Producer

from fenhe.local import (
    MissingServiceError,
    Services,
    Stack,
)
from schemas.settings import GuardSettings, KafkaSettings
from storage.topics import LogError, ensure_named_topic, ensure_session, ensure_topic
from tests.fixtures.services import wanted_services
from tests.support.mqtt import connected, publish
from tests.support.processes import alive

if TYPE_CHECKING:
    from pathlib import Path


class TestStack:
    """All three together."""

    def test_its_environment_points_at_what_runs(self, stack: Stack) -> None:
        """Every address in it answers, and the topic has its partitions."""
        environment = stack.environment()
        with psycopg.connect(environment["FENHE_DB_OWNER_URL"]) as owner:
            assert owner.execute("SELECT current_user, current_database()").fetchone() == ("fenhe_owner", "fenhe")
        with connected(stack.mqtt, "device") as device:
            publish(device, "fenhe/v1/site/device", [b"1"])
        assert environment["FENHE_MQTT_URL"] == f"mqtt://127.0.0.1:{stack.mqtt.port}"
        partitions = int(environment["FENHE_KAFKA_PARTITIONS"])
        topic = environment["FENHE_KAFKA_TOPIC"]
        seen = Producer({"bootstrap.servers": environment["FENHE_KAFKA_BOOTSTRAP"]}).list_topics(topic, timeout=10.0)
        assert len(seen.topics[topic].partitions) == partitions

    def test_the_embedded_kafka_has_every_topic_with_its_partitions(
        self, scratch: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Collector and guard ask for theirs when they start, and refuse one of another number."""
        with Stack(scratch, services=Services.EMBEDDED, partitions=2) as stack:
            for name, value in stack.environment().items():
                monkeypatch.setenv(name, value)
            settings = GuardSettings()
            ensure_topic(settings)
            for topic in (settings.kafka_alarm_topic, settings.kafka_guard_topic):
                ensure_named_topic(settings, topic, 1)

    def test_it_says_what_it_runs_on(self, stack: Stack) -> None:
        """Every kind and version is named, for logs and reports."""
        said = stack.describe()
        for part in (stack.mqtt, stack.kafka, stack.postgres):
            assert f"{part.kind} {part.version}" in said
        assert ("timescaledb" in said) == stack.postgres.has_timescaledb

    def test_the_topic_is_never_one_of_another_log(self, services: Services, scratch: Path) -> None:
        """Kept records keep their topic; forgotten ones get a new one, so stored offsets always fit."""
        topics = []
        for stack in [Stack(scratch, services=services, partitions=2) for _ in range(2)]:
            with stack:
                topics.append(stack.topic)
        assert (topics[0] == topics[1]) == stack.kafka.durable

    def test_nothing_runs_when_it_is_stopped(self, scratch: Path) -> None:
        """Stopping ends every process, and can be repeated."""
        with Stack(scratch, services=Services.EMBEDDED, partitions=2) as stack:
            children = [stack.mqtt.process.pid, stack.kafka.process.pid, stack.postgres.process.pid]
            assert all(alive(child) for child in children)
        stack.stop()
        assert not any(alive(child) for child in children)

    def test_one_failing_service_stops_the_others(self, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A start that fails leaves nothing behind, and the directory free for the next try."""
        stack = Stack(scratch, services=Services.EMBEDDED, partitions=2)

        def fail(_topic: str, _partitions: int) -> None:
            message = "no topic today"
            raise ValueError(message)

        monkeypatch.setattr(stack.kafka, "create_topic", fail)
        with pytest.raises(ValueError, match="no topic today"):
            stack.start()
        assert not any(part.process.running for part in (stack.mqtt, stack.kafka, stack.postgres))
        monkeypatch.undo()
        with stack:
            assert stack.mqtt.process.running

    def test_a_directory_has_one_stack(self, scratch: Path) -> None:
        """A second demo is told so instead of tearing the first one's data."""
        first, second = (Stack(scratch, services=Services.EMBEDDED, partitions=2) for _ in range(2))
        with first:
            with pytest.raises(RuntimeError, match="another local stack runs"):
                second.start()
            assert first.mqtt.process.running

    def test_real_means_real(self, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A missing real service is an error that says how to get it, never a silent stand-in."""
        if wanted_services() is not Services.REAL:
            monkeypatch.setattr("fenhe.local.mqtt._mosquitto_binary", lambda: "/bin/true")
        monkeypatch.setenv("FENHE_KAFKA_LIBS", str(scratch))
        with pytest.raises(MissingServiceError, match="make kafka"):
            Stack(scratch, services=Services.REAL)


def test_a_session_that_kafka_refuses_is_refused_with_what_it_takes(real_stack: Stack) -> None:
    """Before it joins: a worker whose session is refused would wait for its partitions for ever."""
    settings = KafkaSettings(kafka_bootstrap=real_stack.kafka.bootstrap)
    ensure_session(settings, 240)
    with pytest.raises(LogError, match=r"FENHE_SESSION_TIMEOUT_S=0.5 is refused by Kafka, which takes 1 to 1800"):
        ensure_session(settings, 0.5)


def test_a_kafka_that_does_not_tell_what_it_takes_is_not_asked_further() -> None:
    """A worker starts all the same: what is wrong with Kafka is told by others."""
    ensure_session(KafkaSettings(kafka_bootstrap="127.0.0.1:1"), 0.5, timeout_s=0.2)

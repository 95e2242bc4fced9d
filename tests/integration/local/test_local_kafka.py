"""What both Kafkas of the local stack do, and what each keeps."""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer
from confluent_kafka import Producer

from fenhe.local import (
    ApacheKafka,
    Kafka,
    MockKafka,
    Process,
)
from fenhe.local.services import project_root
from tests.fixtures.services import real_or_skip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def apache(folder: Path) -> Kafka:
    """Apache Kafka, or no test."""
    return real_or_skip(lambda: ApacheKafka(folder))


def produce(kafka: Kafka, topic: str, values: list[bytes], *, partitions: int) -> None:
    """Write values as the collector does: idempotent, acknowledged by all."""
    failures: list[object] = []
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "acks": "all", "enable.idempotence": True})
    for number, value in enumerate(values):
        producer.produce(
            topic,
            value,
            partition=number % partitions,
            on_delivery=lambda error, _message: failures.append(error) if error else None,
        )
    assert producer.flush(30.0) == 0
    assert failures == []


async def consume(kafka: Kafka, topic: str, group: str, count: int) -> list[bytes]:
    """Read `count` values as a member of a group, and commit."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka.bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        # The mock cluster makes whoever joins after the first wait for nearly a session timeout.
        session_timeout_ms=3_000,
        heartbeat_interval_ms=1_000,
    )
    await consumer.start()
    try:
        values = [(await consumer.getone()).value for _ in range(count)]
        await consumer.commit()
    finally:
        await consumer.stop()
    return values


@pytest.fixture(scope="class", params=[MockKafka, ApacheKafka])
def each_kafka(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """Both kinds of Kafka, running."""
    folder = tmp_path_factory.mktemp("kafka")
    with apache(folder) if request.param is ApacheKafka else MockKafka(folder) as running:
        yield running


class TestEachKafka:
    """What both Kafkas must do."""

    async def test_an_idempotent_producer_and_a_consumer_group_work(self, each_kafka: Kafka) -> None:
        """Everything written is read once by a group; its next member goes on where the last committed."""
        topic = f"t.{secrets.token_hex(4)}"
        each_kafka.create_topic(topic, 3)
        produce(each_kafka, topic, [b"%d" % n for n in range(300)], partitions=3)
        first = await consume(each_kafka, topic, f"g.{topic}", 300)
        assert sorted(first) == sorted(b"%d" % n for n in range(300))
        produce(each_kafka, topic, [b"later"], partitions=3)
        assert await consume(each_kafka, topic, f"g.{topic}", 1) == [b"later"]

    def test_a_faust_worker_reads_what_the_producer_wrote(self, each_kafka: Kafka, tmp_path: Path) -> None:
        """The very libraries of the pipeline meet on it."""
        topic = f"t.{secrets.token_hex(4)}"
        each_kafka.create_topic(topic, 3)
        produce(each_kafka, topic, [b"%d" % n for n in range(300)], partitions=3)
        arguments = [each_kafka.bootstrap, topic, f"g.{topic}", str(tmp_path / "faust")]
        log = tmp_path / "faust.log"
        worker = Process(
            "faust",
            [sys.executable, "-m", "tests.integration.faust_probe", *arguments],
            log=log,
            directory=project_root(),
        )

        def values() -> list[str]:
            return [line.removeprefix("value=") for line in log.read_text().splitlines() if line.startswith("value=")]

        with worker:
            worker.wait_until(lambda: len(values()) >= 300, what="the worker to read 300 records", timeout=60.0)
        assert sorted(values()) == sorted(str(n) for n in range(300))

    def test_a_topic_is_created_once_and_never_resized(self, each_kafka: Kafka) -> None:
        """Creating it again is harmless; another number of partitions would move devices between them."""
        topic = f"t.{secrets.token_hex(4)}"
        each_kafka.create_topic(topic, 3)
        each_kafka.create_topic(topic, 3)
        with pytest.raises(ValueError, match="has 3 partitions, not 5"):
            each_kafka.create_topic(topic, 5)


class TestKafkaRestarts:
    """What each Kafka keeps."""

    async def test_apache_kafka_keeps_acknowledged_records_through_a_kill(self, tmp_path: Path) -> None:
        """Same port, same records, same log, after `kill -9` and after a new runner on the same folder."""
        with apache(tmp_path) as kafka:
            kafka.create_topic("kept", 2)
            produce(kafka, "kept", [b"%d" % n for n in range(200)], partitions=2)
            address, log_id = kafka.bootstrap, kafka.log_id
            kafka.kill()
            kafka.start()
            assert kafka.bootstrap == address
            assert sorted(await consume(kafka, "kept", "g", 200)) == sorted(b"%d" % n for n in range(200))
        with apache(tmp_path) as another:
            another.create_topic("kept", 2)
            produce(another, "kept", [b"after"], partitions=2)
            assert await consume(another, "kept", "g", 1) == [b"after"]
            assert another.log_id == log_id

    def test_the_mock_cluster_is_another_log_each_time(self, tmp_path: Path) -> None:
        """Its offsets start anew, so its log's name does too."""
        kafka = MockKafka(tmp_path)
        names = set()
        for _ in range(2):
            with kafka:
                names.add(kafka.log_id)
                kafka.create_topic("same", 2)
        assert len(names) == 2

"""The durable log: an idempotent Kafka producer whose delivery is what a device's acknowledgement waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import KafkaError, Message

    from schemas.settings import KafkaSettings


class LogError(Exception):
    """The log cannot be used as it is set up; the message says what to do."""


def ensure_topic(settings: KafkaSettings, *, timeout_s: float = 30.0) -> None:
    """Create the readings' topic where it is missing; refuse one with another number of partitions.

    Raises LogError on a mismatch: a site's partition follows from the number, and must never change under way.
    """
    ensure_named_topic(settings.kafka_bootstrap, settings.kafka_topic, settings.kafka_partitions, timeout_s=timeout_s)


def ensure_named_topic(bootstrap: str, name: str, partitions: int, *, timeout_s: float = 30.0) -> None:
    """Create any topic where it is missing; raises LogError where it has another number of partitions."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    found = admin.list_topics(topic=name, timeout=timeout_s).topics.get(name)
    if found is None or found.error is not None:
        topic = NewTopic(name, num_partitions=partitions, replication_factor=-1)
        for future in admin.create_topics([topic], request_timeout=timeout_s).values():
            try:
                future.result()
            except KafkaException as error:
                if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
                    raise
        return
    if len(found.partitions) != partitions:
        msg = (
            f"topic {name} has {len(found.partitions)} partitions, settings say {partitions}:"
            " set FENHE_KAFKA_PARTITIONS to the readings' topic's number; the alarms' topic has one"
        )
        raise LogError(msg)


class Log:
    """Writes records to the topic; keeps trying for as long as it takes."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._topic = settings.kafka_topic
        self._producer = Producer(
            {
                "bootstrap.servers": settings.kafka_bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                "compression.type": "lz4",
                "linger.ms": 0,
                "message.timeout.ms": 0,  # no limit: the broker keeps what we have not acknowledged
                "reconnect.backoff.max.ms": 1000,
                "queue.buffering.max.kbytes": 262_144,
            }
        )

    def append(self, partition: int, record: bytes, delivered: Callable[[KafkaError | None, Message], None]) -> None:
        """Hand over one record; `delivered` is called from `poll` once it is durable, or has failed for good.

        Raises BufferError where the producer's queue is full: poll and try again.
        """
        self._producer.produce(self._topic, value=record, partition=partition, on_delivery=delivered)

    def poll(self) -> None:
        """Run the callbacks of deliveries that have come in; does not wait."""
        self._producer.poll(0)

    def flush(self, timeout_s: float) -> int:
        """Wait for what is under way; returns how many records are still not delivered."""
        return int(self._producer.flush(timeout_s))

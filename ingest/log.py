"""The durable log: an idempotent Kafka producer whose delivery is what a device's acknowledgement waits for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import structlog
from confluent_kafka import Producer

from storage.topics import have_leaders

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import KafkaError, Message

    from schemas.settings import KafkaSettings

log = structlog.get_logger()


STANDS_S = 15.0
"""So long nothing is delivered, though Kafka answers, before a new producer is made."""


class _Waiting(NamedTuple):
    """A record that is not yet durable."""

    partition: int
    record: bytes
    delivered: Callable[[KafkaError | None, Message], None]


class Log:
    """Writes records to the topic; keeps trying for as long as it takes.

    A producer that hears at the wrong moment that a partition has no leader stands for ever after a restart of Kafka
    (librdkafka, issue 5430, seen with 2.16.0). So records are kept until they are durable, and given to a new producer
    where nothing moves though Kafka answers. What the old one wrote after all is a duplicate, and is counted as one.
    """

    def __init__(self, settings: KafkaSettings, *, stands_s: float = STANDS_S) -> None:
        self._client, self._topic = settings.kafka_client(), settings.kafka_topic
        self._producer = self._new_producer()
        self._given_up = 0
        """Producers before it."""
        self._waiting: dict[int, _Waiting] = {}
        """By number, in the order in which they were handed over."""
        self._appended = 0
        self._stands_s = self._patience_s = stands_s
        self._moved_at = 0.0
        """When a record was last delivered, or the first of those that wait was handed over."""

    def append(self, partition: int, record: bytes, delivered: Callable[[KafkaError | None, Message], None]) -> None:
        """Hand over one record; `delivered` is called from `poll` once it is durable, or has failed for good.

        Raises BufferError where the producer's queue is full: poll and try again.
        """
        waiting = _Waiting(partition, record, delivered)
        self._produce(self._appended, waiting)
        if not self._waiting:
            self._moved_at = time.monotonic()
        self._waiting[self._appended] = waiting
        self._appended += 1

    def poll(self) -> None:
        """Run the callbacks of deliveries that have come in; waits only where nothing has moved for long."""
        self._producer.poll(0)
        if self._waiting and time.monotonic() - self._moved_at > self._patience_s:
            self._begin_anew_if_it_stands()

    def flush(self, timeout_s: float) -> int:
        """Wait for what is under way; returns how many records are still not delivered."""
        return int(self._producer.flush(timeout_s))

    def _new_producer(self) -> Producer:
        return Producer(
            {
                **self._client,
                "enable.idempotence": True,
                "acks": "all",
                "compression.type": "lz4",
                "linger.ms": 0,
                "message.timeout.ms": 0,  # no limit: the broker keeps what we have not acknowledged
                "queue.buffering.max.kbytes": 262_144,
            }
        )

    def _produce(self, number: int, waiting: _Waiting) -> None:
        given_up = self._given_up

        def settled(error: KafkaError | None, message: Message) -> None:
            if given_up != self._given_up or self._waiting.pop(number, None) is None:
                return  # a producer that was given up says so
            self._moved_at, self._patience_s = time.monotonic(), self._stands_s
            waiting.delivered(error, message)

        self._producer.produce(self._topic, value=waiting.record, partition=waiting.partition, on_delivery=settled)

    def _begin_anew_if_it_stands(self) -> None:
        self._moved_at = time.monotonic()
        if not have_leaders(self._client, self._topic, {each.partition for each in self._waiting.values()}):
            return  # Kafka is away: that is no fault of the producer's
        self._patience_s *= 2  # where Kafka is only slow, being asked twice makes it no quicker
        log.warning("nothing was delivered though Kafka answers: a new producer", records=len(self._waiting))
        self._given_up += 1
        self._producer.purge()
        self._producer.poll(0)
        self._producer = self._new_producer()
        for number, waiting in self._waiting.items():
            self._produce(number, waiting)

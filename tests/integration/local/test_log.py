"""The collector's producer, against Kafka."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer

from fenhe.local import wait_until
from ingest.collector import refusal
from ingest.log import Log
from schemas.settings import KafkaSettings

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

    from fenhe.local import Kafka

NOWHERE = "127.0.0.1:1"


def _note(found: list[tuple[KafkaError | None, bytes | None]], error: KafkaError | None, message: Message) -> None:
    found.append((error, message.value()))


def test_a_producer_that_stands_is_replaced_and_nothing_is_lost(kafka: Kafka, topic: str) -> None:
    """Kafka answers and nothing is delivered: what waits is given to a new producer, in its order."""
    log = Log(KafkaSettings(kafka_bootstrap=kafka.bootstrap, kafka_topic=topic), stands_s=0.5)
    log._producer = Producer({"bootstrap.servers": NOWHERE})
    found: list[tuple[KafkaError | None, bytes | None]] = []
    for record in (b"1", b"2", b"3"):
        log.append(0, record, partial(_note, found))

    def all_are_there() -> bool:
        log.poll()
        return len(found) >= 3

    wait_until(all_are_there, what="the records", timeout=30)
    assert found == [(None, b"1"), (None, b"2"), (None, b"3")]
    assert log.flush(5) == 0
    log.poll()
    assert len(found) == 3, "told once"


def test_while_kafka_is_away_the_producer_stays() -> None:
    """It finds Kafka again by itself."""
    log = Log(KafkaSettings(kafka_bootstrap=NOWHERE), stands_s=0.0)
    before = log._producer
    log.append(0, b"1", partial(_note, []))
    for _ in range(3):
        log.poll()
    assert log._producer is before
    before.purge()


def test_a_clock_that_is_ahead_is_named_as_what_hinders(kafka: Kafka, topic: str) -> None:
    """Kafka says that a record is not valid; whoever reads the collector's last line is told of the clock."""
    ahead_ms = time.time_ns() // 1_000_000 + 3 * 3_600_000
    found: list[KafkaError | None] = []
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    producer.produce(topic, b"1", timestamp=ahead_ms, on_delivery=lambda error, _message: found.append(error))
    assert producer.flush(30) == 0
    (error,) = found
    if error is None:
        pytest.skip("the embedded Kafka takes any time")
    assert "set the clock" in refusal(error, ahead_ms)

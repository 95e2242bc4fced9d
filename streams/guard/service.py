"""The guard's process: a consumer of its own of the readings' log.

A worker that waits for the database holds nothing up here. What it publishes is confirmed by Kafka before its offset
moves, so a crash skips nothing.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from pydantic import ValidationError

from schemas.safety import SafetyRecord
from storage.pool import connect
from storage.registry import load_registry, registry_version
from streams.intake.admission import Directory
from streams.intake.decode import Record, decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Message

    from schemas.settings import GuardSettings
    from streams.guard.watch import SafetyWatch

log = structlog.get_logger(__name__)

REGISTRY_S = 5.0
"""How often the registry is asked whether it has changed: until then a new device is not guarded."""
FLUSH_S = 30.0
_MARKS = (b'"kind":"battery"', b'"kind":"site_power"')


class Guard:
    """Reads readings, publishes safety alarms, until told to stop."""

    def __init__(
        self, settings: GuardSettings, watch: SafetyWatch, *, on_ready: Callable[[], None] = lambda: None
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._on_ready = on_ready
        self._producer = Producer(
            {"bootstrap.servers": settings.kafka_bootstrap, "enable.idempotence": True, "acks": "all", "linger.ms": 0}
        )
        self.stopping = threading.Event()
        self.published = 0

    def figures(self) -> dict[str, float]:
        """Counts since the start."""
        return {"published_total": self.published}

    def run(self) -> None:
        """Guard until stopped."""
        registry = threading.Thread(target=self._keep_registry, daemon=True)
        registry.start()
        self._watch.remember(self._published_before())
        consumer = Consumer(
            {
                "bootstrap.servers": self._settings.kafka_bootstrap,
                "group.id": self._settings.guard_group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )
        # After a rebalance another guard may have published of our partitions: what is active is read again.
        consumer.subscribe(
            [self._settings.kafka_topic],
            on_assign=lambda *_: self._watch.remember(self._published_before()),
        )
        self._on_ready()
        try:
            while not self.stopping.is_set():
                messages = [message for message in consumer.consume(200, timeout=0.2) if message.error() is None]
                if messages:
                    self._guard(messages)
                    consumer.commit(asynchronous=False)
        finally:
            consumer.close()

    def _guard(self, messages: list[Message]) -> None:
        """Publish what some records show, and return once Kafka has it."""
        for message in messages:
            value = message.value() or b""
            if not any(mark in value for mark in _MARKS):
                continue
            offset = message.offset()
            batch = decode(Record(-1 if offset is None else offset, 0, value), self._settings.kafka_topic)
            for record in self._watch.take(batch, time.time_ns() // 1_000_000):
                self._producer.produce(
                    self._settings.kafka_alarm_topic, key=record.alarm_id, value=record.model_dump_json()
                )
                self.published += 1
                log.warning("safety", alarm=record.alarm_id, what=record.kind, event_=record.event, of=record.device_id)
        while self._producer.flush(FLUSH_S):
            log.warning("Kafka has not taken safety alarms yet, waiting")

    def _published_before(self) -> list[SafetyRecord]:
        """Everything on the alarms' topic, in order."""
        topic = self._settings.kafka_alarm_topic
        consumer = Consumer({"bootstrap.servers": self._settings.kafka_bootstrap, "group.id": f"{topic}-guard-reads"})
        found: list[SafetyRecord] = []
        try:
            numbers = consumer.list_topics(topic, timeout=FLUSH_S).topics[topic].partitions
            left: dict[int, int] = {}
            for number in numbers:
                low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=FLUSH_S)
                if high > low:
                    left[number] = high
            consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in left])
            while left:
                for message in consumer.consume(500, timeout=1.0):
                    number, offset = message.partition(), message.offset()
                    if message.error() is not None or number is None or offset is None:
                        continue
                    try:
                        found.append(SafetyRecord.model_validate_json(message.value() or b""))
                    except ValidationError as error:
                        log.warning("not a safety record", offset=offset, error=str(error))
                    if offset + 1 >= left.get(number, 0):
                        left.pop(number, None)
        finally:
            consumer.close()
        return found

    def _keep_registry(self) -> None:
        """Load the registry whenever it has changed; the one loaded last serves while the database is away."""
        url = self._settings.db_reader_url
        known: int | None = None
        while url is not None and not self.stopping.is_set():
            try:
                with connect(str(url), name="guard") as connection:
                    if registry_version(connection) != known:
                        known, registry = load_registry(connection)
                        self._watch.directory = Directory(known, registry)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it, safety goes on without
                log.warning("no registry, going on with what is known", error=repr(error))
            self.stopping.wait(REGISTRY_S)

"""The guard's process: a consumer of its own of the readings' log.

A worker that waits for the database holds nothing up here. What it publishes is confirmed by Kafka before its offset
moves, so a crash skips nothing.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from pydantic import ValidationError

from schemas.kafka.safety import SafetyRecord
from schemas.time import HOUR_MS
from storage.pool import connect
from storage.registry import load_registry, registry_version
from storage.topics import have_leaders
from streams.guard.watch import GUARDED
from streams.intake.admission import Directory
from streams.intake.decode import Record, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from confluent_kafka import KafkaError, Message

    from schemas.settings import GuardSettings
    from streams.guard.watch import SafetyWatch
    from streams.intake.batch import Batch

log = structlog.get_logger(__name__)

REGISTRY_S = 5.0
"""How often the registry is asked whether it has changed: until then a new device is not guarded."""
ANSWER_S = 30.0
"""How long Kafka may take to answer before it is asked again."""
RETRY_S = 1.0
POLL_S = 0.2
STANDS_S = 15.0
"""So long an alarm may wait, though Kafka answers, before it is given to a new producer."""
DEAD_AFTER_S = 6.0
"""A guard that Kafka has not heard of for so long is dead, and the next one begins: until then nobody guards. Kafka's
own least, as it comes; a thread of its own says that it lives."""
LEARN_MS = 2 * HOUR_MS
"""A guard that starts, or is given a partition, first reads so much of what was guarded already: detectors learn from
it what they need, and nothing of it is published. (unsourced)"""
_MARKS = tuple(kind.value.encode() for kind in GUARDED)
"""One of these stands in every record with a reading that is guarded, of whichever version; others are not read."""


class Guard:
    """Reads readings, publishes safety alarms, until told to stop."""

    def __init__(
        self, settings: GuardSettings, watch: SafetyWatch, *, on_ready: Callable[[], None] = lambda: None
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._on_ready = on_ready
        self._producer = self._new_producer()
        self._begins: dict[int, int] = {}
        """By partition, the first offset whose alarms are to be published; what is before it is only learnt from."""
        self._taken_ts = 0
        """Kafka's time of the record read last. What is published bears it, too: Kafka has taken that time before, and
        would refuse the one of a clock that is ahead."""
        self.stopping = threading.Event()
        self.stands_s = STANDS_S
        self.published = 0
        self.unreadable = 0
        """Records that could not be read at all: gone past, each with its error in the log."""

    def figures(self) -> dict[str, float]:
        """Counts since the start."""
        return {"published_total": self.published, "unreadable_total": self.unreadable}

    def run(self) -> None:
        """Guard until stopped."""
        self._load_registry(None)
        registry = threading.Thread(target=self._keep_registry, daemon=True)
        registry.start()
        self._remember()
        consumer = Consumer(
            {
                **self._settings.kafka_client(),
                "group.id": self._settings.guard_group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": round(1000 * DEAD_AFTER_S),
                "heartbeat.interval.ms": round(1000 * DEAD_AFTER_S / 4),
            }
        )
        consumer.subscribe([self._settings.kafka_topic], on_assign=self._assigned)
        self._on_ready()
        try:
            while not self.stopping.is_set():
                self._turn(consumer)
            self._save(everything=True)
            self._producer.flush(ANSWER_S)
        finally:
            consumer.close()

    def _turn(self, consumer: Consumer) -> None:
        """Guard some records; no passing trouble of Kafka's ends it."""
        try:
            messages = [message for message in consumer.consume(200, timeout=0.2) if message.error() is None]
        except KafkaException as error:
            log.warning("Kafka cannot be read, trying on", error=str(error))
            self.stopping.wait(RETRY_S)
            return
        if messages and self._guard(messages):
            self._confirm(consumer, messages)
        self._save()

    def _guard(self, messages: Sequence[Message]) -> bool:
        """Publish what some records show; False where the end came before Kafka had taken all of it."""
        for message in messages:
            value, offset = message.value() or b"", message.offset() or 0
            self._taken_ts = max(0, message.timestamp()[1])
            if not any(mark in value for mark in _MARKS):
                continue
            if (batch := self._read(Record(offset, 0, value))) is None:
                continue
            if offset < self._begins.get(message.partition() or 0, 0):
                self._watch.learn(batch)
                continue
            for record in self._watch.take(batch, time.time_ns() // 1_000_000):
                if not self._publish(record):
                    return False
        return True

    def _read(self, record: Record) -> Batch | None:
        """Read a record; None where it cannot be, which must not end the guarding of all others."""
        try:
            return decode(record, self._settings.kafka_topic).one_by_one()
        except Exception:
            self.unreadable += 1
            log.exception("a record cannot be read, going on without", offset=record.offset)
            return None

    def _publish(self, record: SafetyRecord) -> bool:
        """Publish an alarm, and return once Kafka says that it has it; False where the end came first.

        One by one: they are few, and what comes and goes must stand in this order.
        """
        while not self.stopping.is_set():
            if self._deliver(record):
                self.published += 1
                log.warning("safety", alarm=record.alarm_id, what=record.kind, event_=record.event, of=record.device_id)
                return True
            log.error("Kafka did not take a safety alarm, trying again", alarm=record.alarm_id)
            self.stopping.wait(RETRY_S)
        return False

    def _deliver(self, record: SafetyRecord) -> bool:
        """Try once, and wait for the answer for as long as Kafka is away; of a producer that stands, no longer."""
        answers: list[KafkaError | None] = []
        try:
            self._producer.produce(
                self._settings.kafka_alarm_topic,
                key=record.alarm_id,
                value=record.model_dump_json(),
                timestamp=self._taken_ts,
                on_delivery=lambda error, _message: answers.append(error),
            )
        except BufferError:
            self._producer.poll(RETRY_S)
            return False
        except KafkaException:
            self._producer = self._new_producer()  # an idempotent producer that has failed for good takes nothing more
            return False
        patience_ends = time.monotonic() + self.stands_s
        while not answers and not self.stopping.is_set():
            self._producer.poll(POLL_S)
            if time.monotonic() > patience_ends:
                patience_ends = time.monotonic() + self.stands_s
                if have_leaders(self._settings.kafka_client(), self._settings.kafka_alarm_topic, {0}):
                    self._producer.purge()  # what it wrote after all is the same alarm by the same name
                    self._producer = self._new_producer()
                    return False
        if answers and (error := answers[0]) is not None and error.fatal():
            self._producer = self._new_producer()
        return bool(answers) and answers[0] is None

    def _save(self, *, everything: bool = False) -> None:
        """Write down what is learnt of devices; what Kafka does not take now is written when it is their turn again."""
        try:
            for device_id, text in self._watch.to_save(everything=everything):
                self._producer.produce(
                    self._settings.kafka_guard_topic, key=device_id, value=text, timestamp=self._taken_ts
                )
                self._producer.poll(0)
        except (BufferError, KafkaException) as error:
            log.warning("what the guard has learnt is not saved, going on", error=str(error))

    def _new_producer(self) -> Producer:
        return Producer(
            {
                **self._settings.kafka_client(),
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 0,
                "message.timeout.ms": 0,  # for ever
            }
        )

    def _confirm(self, consumer: Consumer, messages: Sequence[Message]) -> None:
        """Move the offsets behind what was guarded, and note of when it was; the next time will do as well."""
        behind: dict[int, TopicPartition] = {}
        for message in messages:
            number, offset = message.partition() or 0, message.offset() or 0
            if offset >= self._begins.get(number, 0):
                stamp = str(message.timestamp()[1])
                behind[number] = TopicPartition(self._settings.kafka_topic, number, offset + 1, stamp)
        if not behind:
            return
        try:
            consumer.commit(offsets=list(behind.values()), asynchronous=False)
        except KafkaException as error:
            log.warning("Kafka cannot note how far the guard is, going on", error=str(error))

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Before the first reading of a partition: what was published of it, and what its last hours teach."""
        self._remember()
        while not self.stopping.is_set():
            try:
                consumer.assign(self._places(consumer, partitions))
            except KafkaException as error:
                log.warning("Kafka does not say where to begin, asking again", error=str(error))
                self.stopping.wait(RETRY_S)
            else:
                return

    def _places(self, consumer: Consumer, partitions: list[TopicPartition]) -> list[TopicPartition]:
        """Where to read from: some time before the first record that is still to be guarded."""
        places: list[TopicPartition] = []
        for place in consumer.committed(partitions, timeout=ANSWER_S):
            if place.error is not None:
                raise KafkaException(place.error)
            if place.offset < 0:
                self._begins[place.partition] = 0
                places.append(TopicPartition(place.topic, place.partition, OFFSET_BEGINNING))
                continue
            self._begins[place.partition] = place.offset
            noted = place.metadata or ""
            stamp = int(noted) if noted.isdigit() else time.time_ns() // 1_000_000
            wanted = TopicPartition(place.topic, place.partition, max(0, stamp - LEARN_MS))
            (found,) = consumer.offsets_for_times([wanted], timeout=ANSWER_S)
            begin = place.offset if found.offset < 0 else min(found.offset, place.offset)
            places.append(TopicPartition(place.topic, place.partition, begin))
        return places

    def _remember(self) -> None:
        """Read back what was published and what was learnt, here or by another guard; as long as it takes."""
        while not self.stopping.is_set():
            try:
                self._watch.remember(self._published_before())
                self._restore()
            except KafkaException as error:
                log.warning("the guard's topics cannot be read, trying again", error=str(error))
                self.stopping.wait(RETRY_S)
            else:
                return

    def _published_before(self) -> list[SafetyRecord]:
        """Everything on the alarms' topic, in order."""
        found: list[SafetyRecord] = []
        for message in self._everything_on(self._settings.kafka_alarm_topic):
            try:
                found.append(SafetyRecord.model_validate_json(message.value() or b""))
            except ValidationError as error:
                log.warning("not a safety record", offset=message.offset(), error=str(error))
        return found

    def _restore(self) -> None:
        """Take over what was learnt of devices: of each what was saved last."""
        newest: dict[str, bytes] = {}
        for message in self._everything_on(self._settings.kafka_guard_topic):
            newest[(message.key() or b"").decode()] = message.value() or b""
        for device_id, text in newest.items():
            try:
                self._watch.restore(device_id, text)
            except (ValueError, KeyError, TypeError) as error:
                log.warning("what was learnt of a device cannot be read, learning anew", of=device_id, error=str(error))

    def _everything_on(self, topic: str) -> Iterator[Message]:
        """All records of a topic, up to its present end."""
        consumer = Consumer({**self._settings.kafka_client(), "group.id": f"{topic}-guard-reads"})
        try:
            left: dict[int, int] = {}
            for number in consumer.list_topics(topic, timeout=ANSWER_S).topics[topic].partitions:
                low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=ANSWER_S)
                if high > low:
                    left[number] = high
            consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in left])
            while left and not self.stopping.is_set():
                for message in consumer.consume(500, timeout=1.0):
                    number, offset = message.partition(), message.offset()
                    if message.error() is not None or number is None or offset is None:
                        continue
                    yield message
                    if offset + 1 >= left.get(number, 0):  # the newest record is never compacted away
                        left.pop(number, None)
        finally:
            consumer.close()

    def _keep_registry(self) -> None:
        """Load the registry whenever it has changed; the one loaded last serves while the database is away."""
        known = None if self._watch.directory is None else self._watch.directory.version
        while self._settings.db_reader_url is not None and not self.stopping.wait(REGISTRY_S):
            known = self._load_registry(known)

    def _load_registry(self, known: int | None) -> int | None:
        """Load the registry unless it is the known version; returns the version that is known now."""
        url = self._settings.db_reader_url
        if url is None:
            return known
        try:
            with connect(str(url), name="guard") as connection:
                if registry_version(connection) != known:
                    known, registry = load_registry(connection)
                    self._watch.directory = Directory(known, registry)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, safety goes on without
            log.warning("no registry, going on with what is known", error=repr(error))
        return known

"""The collector: MQTT in, Kafka out, acknowledged only once durable.

One thread, one loop. What is in flight is bounded by the receive maximum that the broker honours; so is memory.
"""

from __future__ import annotations

import datetime as dt
import time
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

import structlog
from confluent_kafka import KafkaError

from ingest.batches import MicroBatchBuilder, Token
from ingest.broker import BrokerSession
from ingest.judgement import judge
from ingest.lease import Lease
from ingest.log import Log
from schemas.topics import partition_of
from storage.topics import LogError

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Message

    from schemas.settings import CollectorSettings

log = structlog.get_logger(__name__)

DRAIN_S = 20.0
"""How long a stopping collector waits for Kafka before it leaves the rest to the broker's session."""


GIVE_WAY_S = 10.0
"""A collector that Kafka refuses ends so much later: whatever starts it again, another one has the session by then."""
BEAT_MS = 10_000
"""How often a collector says of a partition that it hears nothing: by this, silence is told from a standstill."""
STEADY_MS = 60_000
"""It says so only once it has been connected, and Kafka quick, for so long: what had piled up has then come in."""
SLOW_MS = 5_000
"""A delivery that takes longer is not quick."""


class CollectorError(LogError):
    """Kafka refused a record for good; nothing of it was acknowledged, so the broker delivers it again."""


def refusal(error: KafkaError, now_ts: int) -> str:
    """Why Kafka refuses a record stamped with this time, and what to do about it."""
    if error.code() not in {KafkaError.INVALID_RECORD, KafkaError.INVALID_TIMESTAMP}:
        return f"Kafka did not take a record: {error.str()}"
    stamp = dt.datetime.fromtimestamp(now_ts / 1000, dt.UTC).isoformat(" ", "seconds")
    kept = "Nothing is lost: the broker keeps what was not acknowledged"
    if error.code() == KafkaError.INVALID_TIMESTAMP or "timestamp" in error.str().lower():
        return (
            f"Kafka takes no record of the time that this machine's clock shows, {stamp} ({error.str()}): set the"
            f" clock, it is ahead by more than Kafka allows. {kept}"
        )
    return (
        f"Kafka calls a record not valid ({error.str()}). Either this machine's clock, which shows {stamp}, is ahead by"
        " more than Kafka allows: then set the clock. Or the topic is not as fenhe makes it: a compacted one"
        f" (cleanup.policy) takes no record without a key. {kept}"
    )


class Collector:
    """Takes readings in until told to stop."""

    def __init__(
        self,
        settings: CollectorSettings,
        *,
        on_ready: Callable[[], None] = lambda: None,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._log = Log(settings)
        self._lease = Lease(settings, on_standby=on_ready)
        self._on_lost = on_lost
        self._session = BrokerSession(
            settings, self._take, may_connect=lambda: self._lease.held, on_ready=on_ready, on_lost=self._lost
        )
        self._open: dict[int, MicroBatchBuilder] = {}
        self._failure: str | None = None
        self._stopping = False
        self._unsteady_ms = self._beaten_ms = time.time_ns() // 1_000_000
        self._oldest_undelivered: dict[int, int] = {}
        """By partition, when the oldest record that Kafka has not confirmed was begun."""
        self.readings = 0
        self.quarantined = 0
        self.acknowledged = 0

    def _lost(self) -> None:
        """The connection is gone. Whoever stands by needs none: it is as ready as before."""
        if self._lease.held:
            self._on_lost()

    def figures(self) -> dict[str, float]:
        """Counts since the start, and what is under way."""
        return {
            "readings_total": self.readings,
            "quarantined_total": self.quarantined,
            "acknowledged_messages_total": self.acknowledged,
            "connected": float(self._session.connected),
            "holds_session": float(self._lease.held),
        }

    def stop(self) -> None:
        """Ask the loop to drain and end; safe from a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Collect until stopped. Raises CollectorError where Kafka refuses for good."""
        wait_s = min(self._settings.flush_ms / 1000, 0.005)
        while not self._stopping:
            self._lease.refresh()
            self._session.turn(wait_s)
            now_ts = time.time_ns() // 1_000_000
            self._flush_due(now_ts)
            self._beat_due(now_ts)
            self._log.poll()
            if self._failure is not None:
                self._give_way(self._failure)
                raise CollectorError(self._failure)
        self._drain()

    def _take(self, topic: str, payload: bytes, packet_id: int, retained: bool) -> None:  # noqa: FBT001 - as MQTT has it
        now_ts = time.time_ns() // 1_000_000
        judgement = judge(topic, payload, now_ts, max_bytes=self._settings.max_payload_bytes, retained=retained)
        self.readings += judgement.taken
        self.quarantined += judgement.taken - judgement.accepted
        partition = partition_of(judgement.site_id, self._settings.kafka_partitions)
        batch = self._open.get(partition)
        if batch is not None and not (batch.is_of_hour(now_ts) and batch.has_room_for(judgement)):
            self._flush(partition, batch)
            batch = None
        if batch is None:
            batch = self._open[partition] = MicroBatchBuilder(now_ts)
        batch.add(judgement, Token(packet_id, self._session.generation), now_ts)
        if batch.is_full(self._settings.flush_readings):
            self._flush(partition, batch)

    def _flush_due(self, now_ts: int) -> None:
        for partition, batch in list(self._open.items()):
            if now_ts - batch.opened_ts >= self._settings.flush_ms:
                self._flush(partition, batch)

    def _beat_due(self, now_ts: int) -> None:
        """Write an empty record into every partition that has no other, while the way in is known to be open."""
        slow = any(now_ts - since_ts > SLOW_MS for since_ts in self._oldest_undelivered.values())
        if slow or not self._session.connected:
            self._unsteady_ms = now_ts
        if now_ts - self._beaten_ms < BEAT_MS:
            return
        self._beaten_ms = now_ts
        if now_ts - self._unsteady_ms >= STEADY_MS:
            for partition in range(self._settings.kafka_partitions):
                if partition not in self._open and partition not in self._oldest_undelivered:
                    self._open[partition] = MicroBatchBuilder(now_ts)
                    self._flush(partition, self._open[partition])

    def _flush(self, partition: int, batch: MicroBatchBuilder) -> None:
        """Hand a record to Kafka; its messages are acknowledged when Kafka says it is durable."""
        del self._open[partition]
        tokens = batch.tokens
        self._oldest_undelivered.setdefault(partition, batch.opened_ts)

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                self._failure = refusal(error, time.time_ns() // 1_000_000)
                return
            if self._oldest_undelivered.get(partition) == batch.opened_ts:
                del self._oldest_undelivered[partition]
            for generation, own in groupby(tokens, key=attrgetter("generation")):
                self._session.acknowledge([token.packet_id for token in own], generation)
            self.acknowledged += len(tokens)

        record = batch.encode(self._settings.collector_id)
        while True:
            try:
                self._log.append(partition, record, delivered)
            except BufferError:
                time.sleep(0.01)
                self._log.poll()
            else:
                return

    def _give_way(self, why: str) -> None:
        """Leave the session to another collector, with all that is not acknowledged, and let it take it."""
        log.error("gives the session away", why=why)
        self._session.close()
        self._lease.close()
        ends = time.monotonic() + GIVE_WAY_S
        while not self._stopping and time.monotonic() < ends:
            time.sleep(0.1)

    def _drain(self) -> None:
        for partition, batch in list(self._open.items()):
            self._flush(partition, batch)
        left = self._log.flush(DRAIN_S)
        self._session.close()
        self._lease.close()
        log.info("drained", readings=self.readings, quarantined=self.quarantined, records_left=left)

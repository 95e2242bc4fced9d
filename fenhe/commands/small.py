"""What the smaller commands do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ingest.batches import MicroBatchBuilder, Token
from ingest.judgement import judge
from ingest.log import Log
from schemas.kafka.quarantine import Reason
from schemas.settings import CollectorSettings, MigrateSettings
from schemas.topics import partition_of
from storage.books import quarantine
from storage.pool import connect

if TYPE_CHECKING:
    from psycopg import Connection

DELIVERY_S = 60.0
REPLAYER = "replay"


class ReplayError(Exception):
    """Kafka did not take what was to be replayed; it still waits in the quarantine."""


def owner_connection() -> Connection:
    """Connect as the owner, by FENHE_DB_OWNER_URL."""
    return connect(str(MigrateSettings().db_owner_url), name="command")


def replay_quarantine(*, reason: str | None, device_id: str | None) -> tuple[int, int]:
    """Send waiting items through the pipeline again; returns how many were sent and how many could not be.

    Each is held against the time it first arrived: what was refused because its time is not its time does not become
    true by waiting. So what was ahead of its arrival stays, and what was behind is sent only where it is asked for.

    Sent as new arrivals, so the books count them again. A crash between sending and noting it sends an item
    twice, which the pipeline recognises as a duplicate. Raises ReplayError where Kafka does not take them.
    """
    settings = CollectorSettings(mqtt_url="mqtt://unused")
    log = Log(settings)
    sent = skipped = after = 0
    with owner_connection() as connection:
        while items := quarantine.waiting(connection, reason=reason, device_id=device_id, after=after):
            after = items[-1].id
            whole = [item for item in items if can_be_sent(item, reason)]
            skipped += len(items) - len(whole)
            _send(log, settings, whole)
            quarantine.mark_replayed(connection, [item.id for item in whole])
            connection.commit()
            sent += len(whole)
    return sent, skipped


def can_be_sent(item: quarantine.WaitingItem, asked_for: str | None) -> bool:
    """Whether an item goes through the pipeline again: not one whose time was wrong, unless that is asked for."""
    if item.reason == Reason.CLOCK_AHEAD or (item.reason == Reason.CLOCK_BEHIND and item.reason != asked_for):
        return False
    return len(item.payload) == item.size and not item.topic.startswith("kafka:")


def _send(log: Log, settings: CollectorSettings, items: list[quarantine.WaitingItem]) -> None:
    now_ts = time.time_ns() // 1_000_000
    batches: dict[int, MicroBatchBuilder] = {}
    for item in items:
        judgement = judge(item.topic, item.payload, item.received_ts, max_bytes=settings.max_payload_bytes)
        restamped = [each.model_copy(update={"received_ts": now_ts}) for each in judgement.quarantined]
        judgement = judgement._replace(quarantined=restamped)
        number = partition_of(judgement.site_id, settings.kafka_partitions)
        batch = batches.setdefault(number, MicroBatchBuilder(now_ts))
        batch.add(judgement, Token(0, 0), now_ts)
        if batch.is_full(settings.flush_readings):
            log.append(number, batches.pop(number).encode(REPLAYER), _refuse)
    for number, batch in batches.items():
        log.append(number, batch.encode(REPLAYER), _refuse)
    if left := log.flush(DELIVERY_S):
        msg = f"{left} records were not delivered to Kafka within {DELIVERY_S:g} s; nothing was marked as replayed"
        raise ReplayError(msg)


def _refuse(error: object, _message: object) -> None:
    if error is not None:
        msg = f"Kafka did not take a record: {error}"
        raise ReplayError(msg)

"""Who of several collectors holds the broker's session: one at a time, and the next one when it dies.

Mosquitto forgets shared subscriptions when it restarts and keeps plain ones, so the collectors of a broker have one
session with one plain subscription between them. Kafka's group membership decides whose turn it is: of the readings'
topic's partitions the first goes to the collector that has been in the group for longest.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog
from confluent_kafka import Consumer

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import TopicPartition

    from schemas.settings import CollectorSettings

log = structlog.get_logger(__name__)

DEAD_AFTER_S = 6.0
"""A holder that Kafka has not heard of for so long has lost its turn. Kafka's own least, as it comes."""
LOOK_S = 0.05
"""How often the group is asked for news."""


class Lease:
    """One collector's place in the queue for the broker's session.

    It says when to connect, never when to hang up: the broker itself closes the connection of whoever is replaced.
    So a holder goes on while Kafka's coordinator is away, and nobody else can begin.
    """

    def __init__(self, settings: CollectorSettings, *, on_standby: Callable[[], None] = lambda: None) -> None:
        self.held = False
        """Whether it is this collector's turn to be connected."""
        self._on_standby = on_standby
        self._looked_at = 0.0
        self._consumer = Consumer(
            {
                **settings.kafka_client(),
                "group.id": f"{settings.kafka_topic}.collectors.{settings.mqtt_group}",
                # Members are dealt partitions in the order of their names: who came first keeps the first partition.
                "client.id": f"{time.time_ns() // 1_000_000:014d}-{settings.collector_id}",
                "partition.assignment.strategy": "range",
                "session.timeout.ms": round(1000 * DEAD_AFTER_S),
                "heartbeat.interval.ms": round(1000 * DEAD_AFTER_S / 4),
                "enable.auto.commit": False,
            },
        )
        self._consumer.subscribe(
            [settings.kafka_topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )

    def refresh(self) -> None:
        """Hear what Kafka has decided; does not wait, and asks only now and then."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_S:
            return
        self._looked_at = now
        message = self._consumer.poll(0)
        if message is not None and (error := message.error()) is not None:
            log.warning("the collectors' group cannot be asked", error=error.str())

    def close(self) -> None:
        """Leave the group, so that the next one's turn comes at once."""
        self.held = False
        self._consumer.close()

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        held = any(partition.partition == 0 for partition in partitions)
        consumer.assign([])  # the place in the group is all that is wanted: nothing is read
        if held and not self.held:
            log.info("holds the broker's session")
        if not held:
            log.info("stands by: another collector holds the broker's session")
            self._on_standby()
        self.held = held

    def _revoked(self, consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        """Members come or go: until the new deal is known things stay as they are."""
        consumer.unassign()

    def _lost(self, consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        """Kafka has not heard of us for too long, and may have given our turn to another one."""
        consumer.unassign()
        self.held = False
        log.warning("out of touch with the collectors' group: stays connected, but does not connect anew")

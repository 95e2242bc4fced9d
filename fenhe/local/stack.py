"""Broker, Kafka and PostgreSQL together, with the environment that points our own processes at them."""

from __future__ import annotations

import fcntl
from typing import IO, TYPE_CHECKING

from fenhe.local.kafka import find_kafka
from fenhe.local.mqtt import find_mqtt
from fenhe.local.postgres import OWNER, Postgres, find_postgres_binaries
from fenhe.local.processes import Runner, together
from fenhe.local.services import Services, make_directory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEFAULT_PARTITIONS = 12
TOPIC_PREFIX = "fenhe.readings"
ALARM_TOPIC = "fenhe.alarms"
GUARD_TOPIC = "fenhe.guard"


class Stack(Runner):
    """One broker, one Kafka and one PostgreSQL on 127.0.0.1, started and stopped together.

    Data lives in the directory and is found again by the next stack on it. The topic's name ends in the identity of
    Kafka's log, so offsets kept in the database are never taken for offsets of another log: the mock cluster forgets
    its records when it stops, the database does not.
    """

    def __init__(
        self,
        directory: Path,
        *,
        partitions: int = DEFAULT_PARTITIONS,
        services: Services | str = Services.AUTO,
        postgres_settings: Mapping[str, str] | None = None,
        mqtt_port: int | None = None,
        database_port: int | None = None,
    ) -> None:
        """Choose the services; `start` starts them.

        Args:
            directory: where everything is kept; `default_directory()` is a good one.
            partitions: of the topic of readings.
            services: auto, real or embedded; see `Services`.
            postgres_settings: server settings on top of the runner's.
            mqtt_port: of the broker; None for a free one.
            database_port: of PostgreSQL; None for a free one.

        Raises:
            MissingServiceError: a service that was asked for is not on this machine.
            PermissionError: PostgreSQL's user can't reach the directory.
        """
        self.directory = make_directory(directory)
        self.partitions = partitions
        self.services = Services(services)
        self.mqtt = find_mqtt(self.directory / "mqtt", self.services, port=mqtt_port)
        self.kafka = find_kafka(self.directory / "kafka", self.services)
        self.postgres = self._find_postgres(postgres_settings, database_port)
        self._lock: IO[str] | None = None

    @property
    def topic(self) -> str:
        """The topic of readings; known once Kafka is started."""
        return f"{TOPIC_PREFIX}.{self.kafka.log_id}"

    def start(self) -> None:
        """Start all three at once and create the topic; on any failure stop what was started and raise it."""
        self._take_directory()
        try:
            together(self.mqtt.start, self._start_kafka, self.postgres.start)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all three; harmless when they are stopped."""
        try:
            together(self.mqtt.stop, self.kafka.stop, self.postgres.stop)
        finally:
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def environment(self) -> dict[str, str]:
        """Variables that point collector, worker, migrations and dashboards at this stack."""
        return {
            "FENHE_MQTT_URL": self.mqtt.url,
            "FENHE_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "FENHE_KAFKA_TOPIC": self.topic,
            "FENHE_KAFKA_PARTITIONS": str(self.partitions),
            "FENHE_KAFKA_ALARM_TOPIC": ALARM_TOPIC,
            "FENHE_KAFKA_GUARD_TOPIC": GUARD_TOPIC,
            "FENHE_DB_OWNER_URL": self.postgres.url(OWNER),
            "FENHE_DB_WRITER_URL": self.postgres.url("fenhe_writer"),
            "FENHE_DB_NOTIFIER_URL": self.postgres.url("fenhe_notifier"),
            "FENHE_DB_READER_URL": self.postgres.url("fenhe_reader"),
            "FENHE_DB_OPERATOR_URL": self.postgres.url("fenhe_operator"),
        }

    def describe(self) -> str:
        """What runs, in one line: "mosquitto 2.0.11 · apache-kafka 4.1.1 · postgresql 15.20 + timescaledb 2.28.3"."""
        database = f"{self.postgres.kind} {self.postgres.version}"
        if (timescaledb := self.postgres.timescaledb_version()) is not None:
            database += f" + timescaledb {timescaledb}"
        return f"{self.mqtt.kind} {self.mqtt.version} · {self.kafka.kind} {self.kafka.version} · {database}"

    def _find_postgres(self, settings: Mapping[str, str] | None, port: int | None) -> Postgres:
        directory = self.directory / "postgresql"
        if self.services is Services.AUTO:
            return Postgres(directory, settings=settings, port=port)
        return Postgres(directory, binaries=find_postgres_binaries(self.services), settings=settings, port=port)

    def _start_kafka(self) -> None:
        self.kafka.start()
        self.kafka.create_topic(self.topic, self.partitions)
        for topic in (ALARM_TOPIC, GUARD_TOPIC):
            self.kafka.create_topic(topic, 1)  # the embedded Kafka makes one that is asked for with four partitions

    def _take_directory(self) -> None:
        lock = (self.directory / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            msg = f"another local stack runs on {self.directory}: stop it, or name another directory"
            raise RuntimeError(msg) from None
        self._lock = lock

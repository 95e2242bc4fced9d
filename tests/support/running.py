"""A collector and workers as processes of their own, on a stack, with topic, database and groups of their own."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, LiteralString, Self

import paho.mqtt.client as paho
import psycopg
from confluent_kafka import Consumer, TopicPartition
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from fenhe.local import Process, wait_until
from fenhe.local.postgres import OWNER
from fenhe.local.services import project_root
from schemas.settings import MqttSettings
from schemas.topics import session_name
from simulators.wire.publisher import MqttPublisher
from storage.books.balance import BooksBalance, balance
from storage.pool import connect
from storage.statements import trusted
from streams.intake.decode import Record, decode
from tests.support.databases import new_database
from tests.support.pipeline import RAW, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from psycopg import Connection

    from fenhe.local import Stack
    from schemas.registry import Registry
    from simulators.wire.message import DeviceMessage

READY_S = 60.0
DRAIN_S = 90.0
TRICKLE_S = 0.05
"""Between two messages that trickle: a thousand of them last longer than any restart."""
SMALL_BATCHES = {
    "FENHE_FLUSH_READINGS": "100",
    "FENHE_BATCH_RECORDS": "6",
    "FENHE_BATCH_WITHIN_S": "0.05",
    "FENHE_SESSION_TIMEOUT_S": "3",
}
"""Hundreds of transactions where the defaults would need a handful: something is always in the middle."""


def _one(connection: Connection, query: LiteralString, values: Sequence[object]) -> int:
    row = connection.execute(query, values).fetchone()
    assert row is not None
    return int(row[0])


class Pipeline:
    """One collector and any number of workers on a stack that others use too."""

    def __init__(
        self, stack: Stack, folder: Path, registry: Registry, *, environment: Mapping[str, str] = SMALL_BATCHES
    ) -> None:
        """Make the database and the topic; nothing runs yet."""
        self.stack = stack
        self.folder = folder
        name = self._database = new_database(stack.postgres)
        self.topic = f"{name}.readings"
        self.owner_url = stack.postgres.url(OWNER, name)
        self._session = session_name(name)
        prepare(self.owner_url, registry)
        stack.kafka.create_topic(self.topic, stack.partitions)
        self.environment = {
            **stack.environment(),
            "FENHE_KAFKA_TOPIC": self.topic,
            "FENHE_DB_OWNER_URL": self.owner_url,
            "FENHE_DB_WRITER_URL": stack.postgres.url("fenhe_writer", name),
            "FENHE_DB_NOTIFIER_URL": stack.postgres.url("fenhe_notifier", name),
            "FENHE_DB_READER_URL": stack.postgres.url("fenhe_reader", name),
            "FENHE_MQTT_GROUP": name,
            "FENHE_WORKER_GROUP": name,
            **environment,
        }
        self.guard_topics = {
            "FENHE_KAFKA_ALARM_TOPIC": f"{name}.alarms",
            "FENHE_KAFKA_GUARD_TOPIC": f"{name}.guard",
            "FENHE_GUARD_GROUP": f"{name}.guard",
        }
        self.processes: list[Process] = []
        self._asking: Connection | None = None

    def __enter__(self) -> Self:
        """Nothing more to do; processes are started by name."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill what still runs and leave nothing behind on the shared services."""
        for process in self.processes:
            process.kill()
        self._forget_session()
        if self._asking is not None:
            self._asking.close()
        self.stack.postgres.drop_database(self._database)

    def collector(
        self,
        name: str = "collector",
        *,
        module: str = "fenhe",
        more: Mapping[str, str] | None = None,
        wait: bool = True,
    ) -> Process:
        """Start a collector and wait until it is subscribed, or stands by."""
        return self._start(name, module, "collect", {"FENHE_COLLECTOR_ID": name, **(more or {})}, wait=wait)

    def worker(
        self,
        name: str = "worker",
        *,
        module: str = "fenhe",
        more: Mapping[str, str] | None = None,
        wait: bool = True,
    ) -> Process:
        """Start a worker and wait until its partitions are loaded."""
        folder = {"FENHE_WORKER_DATA_DIR": str(self.folder / f"faust-{name}")}
        return self._start(name, module, "work", {**folder, **(more or {})}, wait=wait)

    def guard(self, name: str = "guard", *, more: Mapping[str, str] | None = None, wait: bool = True) -> Process:
        """Start a guard with topics of its own, and wait until it guards."""
        return self._start(name, "fenhe", "guard", {**self.guard_topics, **(more or {})}, wait=wait)

    def notifier(self, routing: Path, *, more: Mapping[str, str] | None = None, wait: bool = True) -> Process:
        """Start a notifier that reads its channels from a file."""
        return self._start(
            "notifier", "fenhe", "notify run", {"FENHE_NOTIFY_FILE": str(routing), **(more or {})}, wait=wait
        )

    def start(self) -> tuple[Process, Process]:
        """Start a collector and a worker together, and wait until both are ready."""
        collector = self.collector(wait=False)
        worker = self.worker()
        self.wait_ready(collector)
        return collector, worker

    def restart(self, process: Process) -> None:
        """Start a dead process again and wait until it is ready."""
        self.ready_file(process.name).unlink(missing_ok=True)
        process.start()
        self.wait_ready(process)

    def wait_ready(self, process: Process) -> None:
        """Wait for a process's ready file."""
        process.wait_until(self.ready_file(process.name).exists, what=f"the {process.name}", timeout=READY_S)

    def ready_file(self, name: str) -> Path:
        """The file that is there while the process of this name says that it is ready."""
        return self.folder / f"{name}.ready"

    def is_ready(self, process: Process) -> bool:
        """Whether a process says that it is ready."""
        return self.ready_file(process.name).exists()

    @contextmanager
    def publishing(
        self, messages: Sequence[DeviceMessage], *, in_flight: int = 50, hurry_until: float = 1.0
    ) -> Iterator[Publishing]:
        """Publish in the background; at the end wait until the broker has acknowledged everything.

        The share `hurry_until` goes out as fast as the broker takes it. What is left trickles, so that on any machine
        something is on its way whenever the test does its worst, and goes out in a hurry at the end.
        """
        settings = MqttSettings(mqtt_url=self.stack.mqtt.url)
        with MqttPublisher(settings, in_flight=in_flight) as publisher:
            running = Publishing(publisher, messages, round(hurry_until * len(messages)))
            try:
                yield running
                running.finish()
            finally:
                running.stop()

    def publish(self, messages: Sequence[DeviceMessage]) -> None:
        """Publish, and return when the broker has acknowledged everything."""
        with self.publishing(messages):
            pass

    def stored(self) -> int:
        """Readings stored so far, by the ledger."""
        return self._number("SELECT coalesce(sum(stored), 0)::bigint FROM ledger")

    def wait_stored(self, count: int, timeout: float = DRAIN_S) -> None:
        """Wait until at least so many readings are stored."""
        wait_until(
            lambda: self.stored() >= count, what=f"{count} stored readings ({self.stored()} so far)", timeout=timeout
        )

    def wait_received(self, count: int, timeout: float = DRAIN_S) -> None:
        """Wait until the books hold so many arrivals."""
        wait_until(lambda: self.books().received >= count, what=f"{count} readings in the books", timeout=timeout)

    def settle(self) -> None:
        """End the collectors, let workers store all that Kafka holds, end them: now nothing moves any more."""
        for process in self.processes:
            if process.name.startswith("collector") and process.running:
                assert process.terminate() == 0, process.log_tail()
        end = self._log_end()
        wait_until(lambda: self._stored_offset() == end, what="the log's end", timeout=DRAIN_S)
        for process in self.processes:
            process.terminate()

    def received_in_log(self) -> int:
        """Readings the collectors counted, summed over the records that Kafka holds: what the books must hold."""
        consumer = Consumer({"bootstrap.servers": self.stack.kafka.bootstrap, "group.id": f"{self.topic}-count"})
        try:
            left = {number: end for number, end in self._log_ends(consumer).items() if end}
            consumer.assign([TopicPartition(self.topic, number, 0) for number in left])
            received = 0
            while left:
                message = consumer.poll(10.0)
                assert message is not None, f"Kafka does not give records up to {left}"
                assert message.error() is None, message.error()
                value, number, offset = message.value(), message.partition(), message.offset()
                if number not in left:
                    continue  # written since the ends were asked for
                assert value is not None
                assert offset is not None
                received += sum(decode(Record(offset, 0, value), self.topic).one_by_one().received.values())
                if offset + 1 >= left[number]:
                    del left[number]
            return received
        finally:
            consumer.close()

    def left_in_log(self, number: int) -> int:
        """Records of a partition that Kafka holds and the database does not."""
        consumer = Consumer({"bootstrap.servers": self.stack.kafka.bootstrap, "group.id": f"{self.topic}-end"})
        try:
            end = self._log_ends(consumer)[number]
        finally:
            consumer.close()
        query = "SELECT coalesce(max(next_offset), 0)::bigint FROM checkpoint WHERE topic = %s AND partition = %s"
        return end - self._number(query, self.topic, number)

    def books(self) -> BooksBalance:
        """The books."""
        with connect(self.owner_url, name="test") as connection:
            return balance(connection)

    def rows_per_device(self) -> dict[str, int]:
        """Rows in the raw tables, per device."""
        union = " UNION ALL ".join(f"SELECT device_id FROM {table}" for table in RAW)  # noqa: S608 - our own names
        with connect(self.owner_url, name="test") as connection:
            rows = connection.execute(trusted(f"SELECT device_id, count(*) FROM ({union}) r GROUP BY 1"))  # noqa: S608
            return dict(rows.fetchall())

    def _start(self, name: str, module: str, command: str, more: Mapping[str, str], *, wait: bool) -> Process:
        ready = self.ready_file(name)
        ready.unlink(missing_ok=True)
        process = Process(
            name,
            [sys.executable, "-m", module, *command.split(), "--ready-file", ready],
            log=self.folder / f"{name}.log",
            environment={**self.environment, **more},
            directory=project_root(),
        )
        self.processes.append(process)
        process.start()
        if wait:
            self.wait_ready(process)
        return process

    def _stored_offset(self) -> int:
        return self._number("SELECT coalesce(sum(next_offset), 0)::bigint FROM checkpoint WHERE topic = %s", self.topic)

    def _number(self, query: LiteralString, *values: object) -> int:
        """Ask the database; whoever waits asks ten times a second, and not over a new connection each time."""
        if self._asking is not None:
            try:
                return _one(self._asking, query, values)
            except psycopg.OperationalError:  # the server went away since; it may be back
                self._asking.close()
        self._asking = connect(self.owner_url, name="test", autocommit=True)
        return _one(self._asking, query, values)

    def _log_end(self) -> int:
        consumer = Consumer({"bootstrap.servers": self.stack.kafka.bootstrap, "group.id": f"{self.topic}-end"})
        try:
            return sum(self._log_ends(consumer).values())
        finally:
            consumer.close()

    def _log_ends(self, consumer: Consumer) -> dict[int, int]:
        """Offset behind the last record, by partition."""
        return {
            number: consumer.get_watermark_offsets(TopicPartition(self.topic, number), timeout=10.0)[1]
            for number in range(self.stack.partitions)
        }

    def commit_group_at_end(self) -> None:
        """Tell Kafka that the workers' group has read all there is; none of it runs yet."""
        group = self.environment["FENHE_WORKER_GROUP"]
        consumer = Consumer({"bootstrap.servers": self.stack.kafka.bootstrap, "group.id": group})
        try:
            ends = [TopicPartition(self.topic, number, end) for number, end in self._log_ends(consumer).items()]
            consumer.commit(offsets=ends, asynchronous=False)
        finally:
            consumer.close()

    def _forget_session(self) -> None:
        """Make the broker forget the collectors' session, or it would queue all later tests' messages for it."""
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=self._session, protocol=MQTTProtocolVersion.MQTTv311
        )
        connected = threading.Event()
        client.on_connect = lambda *_: connected.set()
        client.connect(self.stack.mqtt.host, self.stack.mqtt.port)
        client.loop_start()
        connected.wait(5)
        client.disconnect()
        client.loop_stop()


class Publishing:
    """Messages on their way in a thread of their own."""

    def __init__(self, publisher: MqttPublisher, messages: Sequence[DeviceMessage], hurried: int) -> None:
        self._publisher = publisher
        self._messages = messages
        self._hurried = hurried
        self._stop = threading.Event()
        self._hurry = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def acknowledged(self) -> int:
        """Readings that the broker has acknowledged."""
        return int(self._publisher.report()["published_total"])

    @property
    def done(self) -> bool:
        """Whether every message was handed over."""
        return not self._thread.is_alive()

    def finish(self, timeout: float = DRAIN_S) -> None:
        """Let what is left go out, and wait until the broker has acknowledged everything."""
        self._hurry.set()
        self._thread.join(timeout)
        assert self.done, "publishing did not end"
        assert self._publisher.flush(timeout), "not everything was acknowledged"
        report = self._publisher.report()
        assert (report["unacknowledged"], report["refused"]) == (0, 0)

    def stop(self) -> None:
        """Give up."""
        self._stop.set()
        self._hurry.set()
        self._thread.join()

    def _run(self) -> None:
        for number, message in enumerate(self._messages):
            if number >= self._hurried:
                self._hurry.wait(TRICKLE_S)
            if not self._publisher.publish(message, self._stop):
                return

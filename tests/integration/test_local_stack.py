"""The embedded local stack: what our own processes and the demo stand on."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import paho.mqtt.client as paho
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer
from confluent_kafka import Producer
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fenhe.local import (
    Amqtt,
    ApacheKafka,
    Broker,
    Kafka,
    MissingServiceError,
    MockKafka,
    Mosquitto,
    Postgres,
    PostgresBinaries,
    Process,
    ProcessDiedError,
    Services,
    Stack,
    find_postgres_binaries,
    free_port,
    wait_until,
)
from fenhe.local.postgres import SUPERUSER
from fenhe.local.services import project_root
from tests.fixtures.services import real_or_skip, wanted_services

if TYPE_CHECKING:
    from collections.abc import Iterator

EPHEMERAL_PORTS_START = 32_768
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")


def python(name: str, code: str, folder: Path, *arguments: str) -> Process:
    """A child of ours that runs some lines of Python."""
    return Process(name, [sys.executable, "-c", code, *arguments], log=folder / f"{name}.log", directory=project_root())


def alive(pid: int) -> bool:
    """Whether the process is there and not merely waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def state(pid: int) -> str:
    """The process's state letter: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


class TestProcesses:
    """Children: their death, their logs, waiting for them."""

    def test_a_child_dies_with_a_killed_parent(self, tmp_path: Path) -> None:
        """`kill -9` of whoever started a service leaves nothing running."""
        code = (
            "import sys, time; from pathlib import Path; from fenhe.local import Process\n"
            "child = Process('child', ['sleep', '60'], log=Path(sys.argv[1]) / 'child.log')\n"
            "child.start(); Path(sys.argv[1], 'pid.new').write_text(str(child.pid))\n"
            "Path(sys.argv[1], 'pid.new').rename(Path(sys.argv[1], 'pid')); time.sleep(60)"
        )
        parent = python("parent", code, tmp_path, str(tmp_path))
        parent.start()
        parent.wait_until((tmp_path / "pid").exists, what="the child's pid")
        child = int((tmp_path / "pid").read_text())
        assert alive(child)
        parent.kill()
        wait_until(lambda: not alive(child), what="the child to die with its parent")

    def test_a_child_outlives_the_thread_that_started_it(self, tmp_path: Path) -> None:
        """Only the process's end is a child's end, not that of a pool's thread."""
        child = Process("child", ["sleep", "60"], log=tmp_path / "child.log")
        starter = threading.Thread(target=child.start)
        starter.start()
        starter.join()
        with pytest.raises(TimeoutError):
            child.wait(timeout=0.3)
        assert child.kill() == -signal.SIGKILL

    def test_waiting_ends_at_once_when_the_child_died(self, tmp_path: Path) -> None:
        """A service that could not start is reported with its own last words, not after a timeout."""
        child = python("child", "raise SystemExit('no such port')", tmp_path)
        child.start()
        with pytest.raises(ProcessDiedError, match=r"child ended with code 1[\s\S]*no such port"):
            child.wait_until(lambda: False, what="the impossible", timeout=20.0)

    def test_a_child_that_ignores_sigterm_is_killed(self, tmp_path: Path) -> None:
        """Terminating always ends."""
        ready = tmp_path / "ready"
        code = (
            "import signal, sys, time; from pathlib import Path; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "Path(sys.argv[1]).touch(); time.sleep(60)"
        )
        child = python("stubborn", code, tmp_path, str(ready))
        child.start()
        child.wait_until(ready.exists, what="the signal to be ignored")
        assert child.terminate(timeout=0.2) == -signal.SIGKILL

    def test_a_paused_child_stands_still_until_resumed(self, tmp_path: Path) -> None:
        """Pausing makes a zombie worker, resuming wakes it, and a paused child can be terminated."""
        child = Process("child", ["sleep", "60"], log=tmp_path / "child.log")
        child.start()
        child.pause()
        wait_until(lambda: state(child.pid) == "T", what="the child to stand still")
        assert child.running
        child.resume()
        wait_until(lambda: state(child.pid) != "T", what="the child to go on")
        child.pause()
        assert child.terminate() == -signal.SIGTERM

    def test_free_ports_differ_and_are_not_ephemeral(self) -> None:
        """A restarted service finds its port free, and its clients can't connect to themselves meanwhile."""
        ports = [free_port() for _ in range(50)]
        assert len(set(ports)) == len(ports)
        assert max(ports) < EPHEMERAL_PORTS_START


class TestPostgres:
    """The runner for PostgreSQL."""

    def test_the_owner_can_do_what_migrations_do(self, postgres: Postgres, empty_database: str) -> None:
        """It creates tables, roles and, where it is there, the TimescaleDB extension."""
        role = f"role_{secrets.token_hex(4)}"
        with psycopg.connect(empty_database, autocommit=True) as owner:
            owner.execute(f"CREATE ROLE {role} LOGIN")
            owner.execute("CREATE TABLE reading (ts timestamptz NOT NULL)")
            owner.execute(f"GRANT SELECT ON reading TO {role}")
            if postgres.has_timescaledb:
                owner.execute("CREATE EXTENSION timescaledb")
                owner.execute("SELECT create_hypertable('reading', by_range('ts'))")
            owner.execute("DROP TABLE reading")
            owner.execute(f"DROP ROLE {role}")

    def test_it_is_durable_and_knows_when_it_committed(self, postgres: Postgres) -> None:
        """Guarantees and latency are measured on settings that production could have."""
        with psycopg.connect(postgres.url(SUPERUSER)) as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes", "track_commit_timestamp"):
                row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
                assert row == ("on",), setting
            assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)

    def test_committed_rows_survive_an_immediate_stop_and_a_new_runner(self, services: Services, scratch: Path) -> None:
        """A crash loses nothing that was committed, and the next run finds the data, on another port."""
        binaries = find_postgres_binaries(services)
        server = Postgres(scratch, binaries=binaries)
        with server:
            with psycopg.connect(server.url("fenhe_owner"), autocommit=True) as owner:
                owner.execute("CREATE TABLE kept (n int)")
                owner.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
            server.restart("immediate")
            with psycopg.connect(server.url("fenhe_owner")) as owner:
                assert owner.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
        with Postgres(scratch, binaries=binaries) as another:
            with psycopg.connect(another.url("fenhe_owner")) as owner:
                assert owner.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
            assert another.port != server.port

    def test_data_of_another_major_version_is_refused(self, services: Services, scratch: Path) -> None:
        """The error names both versions, before the server would fail with its own."""
        (scratch / "data").mkdir()
        (scratch / "data" / "PG_VERSION").write_text("9\n")
        with pytest.raises(MissingServiceError, match="made by PostgreSQL 9, not"):
            Postgres(scratch, binaries=find_postgres_binaries(services))

    def test_pg_bin_comes_first(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Who names a PostgreSQL gets it."""
        (tmp_path / "initdb").touch()
        monkeypatch.setenv("PG_BIN", str(tmp_path))
        assert find_postgres_binaries().directory == tmp_path

    def test_timescaledb_can_be_left_out(
        self, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, scratch: Path
    ) -> None:
        """FENHE_TIMESCALEDB=off runs the same installation as plain PostgreSQL."""
        monkeypatch.setenv("FENHE_TIMESCALEDB", "off")
        plain = Postgres(scratch, binaries=postgres.binaries)
        assert not plain.has_timescaledb
        assert "shared_preload_libraries" not in plain.settings

    @root_only
    def test_a_folder_its_user_cannot_reach_is_refused_at_once(self, tmp_path: Path) -> None:
        """The error names the folder and says where to go."""
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(PermissionError, match=r"can't reach .*closed"):
            Postgres(closed / "postgresql")

    @root_only
    def test_a_wheel_in_a_closed_folder_still_runs(self, tmp_path: Path, scratch: Path) -> None:
        """A virtual environment under /root is closed to PostgreSQL's user: its binaries are copied out."""
        try:
            wheel = find_postgres_binaries(Services.EMBEDDED)
        except MissingServiceError as missing:
            pytest.skip(str(missing))
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        package = wheel.directory.parents[1]
        for folder in (package, package.with_name(f"{package.name}.libs")):
            (closed / folder.name).symlink_to(folder)
        inside = PostgresBinaries(closed / package.name / "pginstall" / "bin", from_wheel=True)
        server = Postgres(scratch, binaries=inside)
        assert not server.binaries.directory.is_relative_to(closed)
        with server, psycopg.connect(server.url("fenhe_owner")) as owner:
            assert owner.execute("SELECT 1").fetchone() == (1,)


def mosquitto(folder: Path) -> Broker:
    """Mosquitto, or no test."""
    return real_or_skip(lambda: Mosquitto(folder))


def amqtt(folder: Path) -> Broker:
    """The wheel's broker."""
    return Amqtt(folder)


@contextmanager
def connected(
    broker: Broker, client_id: str, *, keep: bool = False, received: list[bytes] | None = None
) -> Iterator[paho.Client]:
    """A paho client with its loop running, on the newest protocol the broker speaks.

    A kept session's messages come right behind the connection, so `received` is listening before it.
    """
    up = threading.Event()
    version = paho.MQTTv5 if broker.speaks_mqtt5 else paho.MQTTv311
    clean = None if broker.speaks_mqtt5 else not keep
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=version, clean_session=clean)
    client.on_connect = lambda *_: up.set()
    if received is not None:
        client.on_message = lambda _client, _data, message: received.append(bytes(message.payload))
    properties = Properties(PacketTypes.CONNECT) if broker.speaks_mqtt5 else None  # type: ignore[no-untyped-call]
    if properties is not None and keep:
        properties.SessionExpiryInterval = 3600
    fresh: bool | Literal[3] = not keep if broker.speaks_mqtt5 else paho.MQTT_CLEAN_START_FIRST_ONLY
    client.connect(broker.host, broker.port, clean_start=fresh, properties=properties)
    client.loop_start()
    assert up.wait(10.0)
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def subscribe(client: paho.Client, topic: str) -> None:
    """Subscribe at QoS 1 and wait for the broker's word."""
    granted = threading.Event()
    client.on_subscribe = lambda *_: granted.set()
    client.subscribe(topic, qos=1)
    assert granted.wait(10.0)


def publish(client: paho.Client, topic: str, payloads: list[bytes]) -> None:
    """Publish at QoS 1 and wait until the broker acknowledged all."""
    for sent in [client.publish(topic, payload, qos=1) for payload in payloads]:
        sent.wait_for_publish(20.0)
        assert sent.is_published()


class TestMqtt:
    """The brokers."""

    @pytest.mark.parametrize("make", [mosquitto, amqtt])
    def test_messages_pass_at_qos_1(self, make: type[Broker], tmp_path: Path) -> None:
        """What is published is received, and its publication acknowledged."""
        received: list[bytes] = []
        payloads = [b"%d" % n for n in range(200)]
        with (
            make(tmp_path) as broker,
            connected(broker, "reader", received=received) as reader,
            connected(broker, "device") as device,
        ):
            subscribe(reader, "fenhe/#")
            publish(device, "fenhe/v1/site/device", payloads)
            wait_until(lambda: len(received) >= len(payloads), what="all messages")
        assert received == payloads

    @pytest.mark.parametrize("make", [mosquitto, amqtt])
    def test_it_restarts_on_the_same_port(self, make: type[Broker], tmp_path: Path) -> None:
        """Clients that reconnect find it, after a clean stop and after a kill."""
        with make(tmp_path) as broker:
            port = broker.port
            broker.restart()
            broker.kill()
            broker.start()
            assert broker.port == port
            with connected(broker, "device") as device:
                publish(device, "fenhe/v1/site/device", [b"1"])

    def test_mosquitto_keeps_a_session_and_its_whole_queue_through_a_restart(self, tmp_path: Path) -> None:
        """Messages for a collector that is away are neither dropped at the usual 1000 nor lost with the broker."""
        received: list[bytes] = []
        payloads = [b"%d" % n for n in range(3_000)]
        with mosquitto(tmp_path) as broker:
            with connected(broker, "collector", keep=True) as collector:
                subscribe(collector, "$share/fenhe/fenhe/#")
            with connected(broker, "device") as device:
                publish(device, "fenhe/v1/site/device", payloads)
            broker.restart()
            with connected(broker, "collector", keep=True, received=received):
                wait_until(lambda: len(received) >= len(payloads), what="the queued messages")
        assert sorted(received) == sorted(payloads)


def apache(folder: Path) -> Kafka:
    """Apache Kafka, or no test."""
    return real_or_skip(lambda: ApacheKafka(folder))


def produce(kafka: Kafka, topic: str, values: list[bytes], *, partitions: int) -> None:
    """Write values as the collector does: idempotent, acknowledged by all."""
    failures: list[object] = []
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "acks": "all", "enable.idempotence": True})
    for number, value in enumerate(values):
        producer.produce(
            topic,
            value,
            partition=number % partitions,
            on_delivery=lambda error, _message: failures.append(error) if error else None,
        )
    assert producer.flush(30.0) == 0
    assert failures == []


async def consume(kafka: Kafka, topic: str, group: str, count: int) -> list[bytes]:
    """Read `count` values as a member of a group, and commit."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka.bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        # The mock cluster makes whoever joins after the first wait for nearly a session timeout.
        session_timeout_ms=3_000,
        heartbeat_interval_ms=1_000,
    )
    await consumer.start()
    try:
        values = [(await consumer.getone()).value for _ in range(count)]
        await consumer.commit()
    finally:
        await consumer.stop()
    return values


@pytest.fixture(scope="class", params=[MockKafka, ApacheKafka])
def each_kafka(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """Both kinds of Kafka, running."""
    folder = tmp_path_factory.mktemp("kafka")
    with apache(folder) if request.param is ApacheKafka else MockKafka(folder) as running:
        yield running


class TestEachKafka:
    """What both Kafkas must do."""

    async def test_an_idempotent_producer_and_a_consumer_group_work(self, each_kafka: Kafka) -> None:
        """Everything written is read once by a group; its next member goes on where the last committed."""
        topic = f"t.{secrets.token_hex(4)}"
        each_kafka.create_topic(topic, 3)
        produce(each_kafka, topic, [b"%d" % n for n in range(300)], partitions=3)
        first = await consume(each_kafka, topic, f"g.{topic}", 300)
        assert sorted(first) == sorted(b"%d" % n for n in range(300))
        produce(each_kafka, topic, [b"later"], partitions=3)
        assert await consume(each_kafka, topic, f"g.{topic}", 1) == [b"later"]

    def test_a_faust_worker_reads_what_the_producer_wrote(self, each_kafka: Kafka, tmp_path: Path) -> None:
        """The very libraries of the pipeline meet on it."""
        topic = f"t.{secrets.token_hex(4)}"
        each_kafka.create_topic(topic, 3)
        produce(each_kafka, topic, [b"%d" % n for n in range(300)], partitions=3)
        arguments = [each_kafka.bootstrap, topic, f"g.{topic}", str(tmp_path / "faust")]
        log = tmp_path / "faust.log"
        worker = Process(
            "faust",
            [sys.executable, "-m", "tests.integration.faust_probe", *arguments],
            log=log,
            directory=project_root(),
        )

        def values() -> list[str]:
            return [line.removeprefix("value=") for line in log.read_text().splitlines() if line.startswith("value=")]

        with worker:
            worker.wait_until(lambda: len(values()) >= 300, what="the worker to read 300 records", timeout=60.0)
        assert sorted(values()) == sorted(str(n) for n in range(300))

    def test_a_topic_is_created_once_and_never_resized(self, each_kafka: Kafka) -> None:
        """Creating it again is harmless; another number of partitions would move devices between them."""
        topic = f"t.{secrets.token_hex(4)}"
        each_kafka.create_topic(topic, 3)
        each_kafka.create_topic(topic, 3)
        with pytest.raises(ValueError, match="has 3 partitions, not 5"):
            each_kafka.create_topic(topic, 5)


class TestKafkaRestarts:
    """What each Kafka keeps."""

    async def test_apache_kafka_keeps_acknowledged_records_through_a_kill(self, tmp_path: Path) -> None:
        """Same port, same records, same log, after `kill -9` and after a new runner on the same folder."""
        with apache(tmp_path) as kafka:
            kafka.create_topic("kept", 2)
            produce(kafka, "kept", [b"%d" % n for n in range(200)], partitions=2)
            address, log_id = kafka.bootstrap, kafka.log_id
            kafka.kill()
            kafka.start()
            assert kafka.bootstrap == address
            assert sorted(await consume(kafka, "kept", "g", 200)) == sorted(b"%d" % n for n in range(200))
        with apache(tmp_path) as another:
            another.create_topic("kept", 2)
            produce(another, "kept", [b"after"], partitions=2)
            assert await consume(another, "kept", "g", 1) == [b"after"]
            assert another.log_id == log_id

    def test_the_mock_cluster_is_another_log_each_time(self, tmp_path: Path) -> None:
        """Its offsets start anew, so its log's name does too."""
        kafka = MockKafka(tmp_path)
        names = set()
        for _ in range(2):
            with kafka:
                names.add(kafka.log_id)
                kafka.create_topic("same", 2)
        assert len(names) == 2


class TestStack:
    """All three together."""

    def test_its_environment_points_at_what_runs(self, stack: Stack) -> None:
        """Every address in it answers, and the topic has its partitions."""
        environment = stack.environment()
        with psycopg.connect(environment["FENHE_DB_OWNER_URL"]) as owner:
            assert owner.execute("SELECT current_user, current_database()").fetchone() == ("fenhe_owner", "fenhe")
        with connected(stack.mqtt, "device") as device:
            publish(device, "fenhe/v1/site/device", [b"1"])
        assert environment["FENHE_MQTT_URL"] == f"mqtt://127.0.0.1:{stack.mqtt.port}"
        partitions = int(environment["FENHE_KAFKA_PARTITIONS"])
        topic = environment["FENHE_KAFKA_TOPIC"]
        seen = Producer({"bootstrap.servers": environment["FENHE_KAFKA_BOOTSTRAP"]}).list_topics(topic, timeout=10.0)
        assert len(seen.topics[topic].partitions) == partitions

    def test_every_topic_is_there_with_its_partitions(self, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        """The guard and the collector ask for theirs when they start, and refuse one of another number."""
        for name, value in stack.environment().items():
            monkeypatch.setenv(name, value)
        settings = GuardSettings()
        ensure_topic(settings)
        for topic in (settings.kafka_alarm_topic, settings.kafka_guard_topic):
            ensure_named_topic(settings.kafka_bootstrap, topic, 1)

    def test_it_says_what_it_runs_on(self, stack: Stack) -> None:
        """Every kind and version is named, for logs and reports."""
        said = stack.describe()
        for part in (stack.mqtt, stack.kafka, stack.postgres):
            assert f"{part.kind} {part.version}" in said
        assert ("timescaledb" in said) == stack.postgres.has_timescaledb

    def test_the_topic_is_never_one_of_another_log(self, services: Services, scratch: Path) -> None:
        """Kept records keep their topic; forgotten ones get a new one, so stored offsets always fit."""
        topics = []
        for stack in [Stack(scratch, services=services, partitions=2) for _ in range(2)]:
            with stack:
                topics.append(stack.topic)
        assert (topics[0] == topics[1]) == stack.kafka.durable

    def test_nothing_runs_when_it_is_stopped(self, scratch: Path) -> None:
        """Stopping ends every process, and can be repeated."""
        with Stack(scratch, services=Services.EMBEDDED, partitions=2) as stack:
            children = [stack.mqtt.process.pid, stack.kafka.process.pid, stack.postgres.process.pid]
            assert all(alive(child) for child in children)
        stack.stop()
        assert not any(alive(child) for child in children)

    def test_one_failing_service_stops_the_others(self, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A start that fails leaves nothing behind, and the directory free for the next try."""
        stack = Stack(scratch, services=Services.EMBEDDED, partitions=2)

        def fail(_topic: str, _partitions: int) -> None:
            message = "no topic today"
            raise ValueError(message)

        monkeypatch.setattr(stack.kafka, "create_topic", fail)
        with pytest.raises(ValueError, match="no topic today"):
            stack.start()
        assert not any(part.process.running for part in (stack.mqtt, stack.kafka, stack.postgres))
        monkeypatch.undo()
        with stack:
            assert stack.mqtt.process.running

    def test_a_directory_has_one_stack(self, scratch: Path) -> None:
        """A second demo is told so instead of tearing the first one's data."""
        first, second = (Stack(scratch, services=Services.EMBEDDED, partitions=2) for _ in range(2))
        with first:
            with pytest.raises(RuntimeError, match="another local stack runs"):
                second.start()
            assert first.mqtt.process.running

    def test_real_means_real(self, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A missing real service is an error that says how to get it, never a silent stand-in."""
        if wanted_services() is not Services.REAL:
            monkeypatch.setattr("fenhe.local.mqtt._mosquitto_binary", lambda: "/bin/true")
        monkeypatch.setenv("FENHE_KAFKA_LIBS", str(scratch))
        with pytest.raises(MissingServiceError, match="make kafka"):
            Stack(scratch, services=Services.REAL)

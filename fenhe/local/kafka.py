"""A Kafka on 127.0.0.1: Apache Kafka where its jars are, librdkafka's mock cluster elsewhere."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
import uuid
from abc import abstractmethod
from base64 import urlsafe_b64encode
from pathlib import Path

import confluent_kafka
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from fenhe.local.processes import Process, Runner, accepts_connections, free_port, wait_until
from fenhe.local.services import MissingServiceError, Services, project_root

_START_TIMEOUT_S = 90.0
_LOG_ID_CHARACTERS = 8


class Kafka(Runner):
    """A Kafka cluster of one broker on 127.0.0.1."""

    kind: str
    """What it is, for logs and reports."""
    durable: bool
    """Whether records survive `restart` and `kill`."""
    process: Process

    @property
    @abstractmethod
    def version(self) -> str:
        """The version of what runs."""

    @property
    @abstractmethod
    def bootstrap(self) -> str:
        """The broker's address, host:port."""

    @property
    @abstractmethod
    def log_id(self) -> str:
        """Names the log that offsets count in: another value means that all earlier offsets are void."""

    @abstractmethod
    def create_topic(self, name: str, partitions: int) -> None:
        """Create a topic and return when clients can use it; harmless when it is there with as many partitions.

        Raises:
            ValueError: it is there with another number of partitions.
        """

    def kill(self) -> None:
        """`kill -9`, and wait for the end."""
        self.process.kill()


class MockKafka(Kafka):
    """librdkafka's mock cluster in a process of its own. It forgets everything when it ends, so it can't be restarted.

    It keeps about 5 MB per partition and silently drops the oldest: choose enough partitions, watch the lag, and use
    one worker. It has no admin API, and invents a topic with four partitions for whoever asks for one that is not
    there: create topics before clients start.
    """

    kind = "librdkafka-mock"
    durable = False

    def __init__(self, directory: Path) -> None:
        """Describe the cluster; `start` starts it. The directory holds its log file."""
        self.process = Process(
            self.kind,
            [sys.executable, "-m", "fenhe.local.mock_kafka"],
            log=directory / "mock-kafka.log",
            directory=project_root(),
            pipes=True,
        )
        self._bootstrap: str | None = None
        self._log_id = ""
        self._topics: dict[str, int] = {}

    @property
    def version(self) -> str:
        """The version of librdkafka."""
        return confluent_kafka.libversion()[0]

    @property
    def bootstrap(self) -> str:
        """The broker's address, host:port; known once it is started."""
        if self._bootstrap is None:
            msg = "the mock cluster chooses its port when it starts: start it first"
            raise RuntimeError(msg)
        return self._bootstrap

    @property
    def log_id(self) -> str:
        """Another one for every start."""
        return self._log_id

    def start(self) -> None:
        """Start an empty cluster on a port of its own choice."""
        self._topics.clear()
        self._log_id = secrets.token_hex(_LOG_ID_CHARACTERS // 2)
        self.process.start()
        self._bootstrap = self.process.greeting().removeprefix("ready ")

    def stop(self) -> None:
        """End it; all records are gone."""
        self.process.terminate()
        self._bootstrap = None

    def create_topic(self, name: str, partitions: int) -> None:
        """Create a topic; see `Kafka.create_topic`."""
        if (present := self._topics.get(name)) is not None:
            _require_partitions(name, present=present, wanted=partitions)
            return
        answer = self.process.ask(f"create {name} {partitions}")
        if answer != "ok":
            msg = f"the mock cluster did not create the topic {name}: {answer}"
            raise ValueError(msg)
        self._topics[name] = partitions


class ApacheKafka(Kafka):
    """Apache Kafka as a single KRaft node, run from a folder of jars.

    Acknowledged records survive `restart` and `kill`, on the same port. Topics are never created by asking for them.
    """

    kind = "apache-kafka"
    durable = True

    def __init__(
        self, directory: Path, *, libraries: Path | None = None, port: int | None = None, heap_mb: int = 512
    ) -> None:
        """Describe the broker; `start` starts it, and formats its storage the first time.

        Args:
            directory: holds records, configuration and log; kept between runs.
            libraries: the folder of jars; None for the one `find_kafka_libraries` finds.
            port: None for a free one.
            heap_mb: the Java heap.

        Raises:
            MissingServiceError: no jars, or no Java.
        """
        self.directory = directory
        self.libraries = libraries or find_kafka_libraries()
        self.port = port or free_port()
        self.controller_port = free_port()
        self.settings: dict[str, str] = {}
        """What differs from the configuration that it is given otherwise, by the names of server.properties."""
        self._java = _java()
        self._heap_mb = heap_mb
        self.process = self._make_process(
            "kafka.Kafka", self._configuration, name=self.kind, death_signal=signal.SIGTERM
        )

    @property
    def version(self) -> str:
        """Such as "4.1.1", from the name of the server's jar."""
        return next(self.libraries.glob("kafka_2.*-*.jar")).stem.split("-", 1)[1]

    @property
    def bootstrap(self) -> str:
        """The broker's address, host:port."""
        return f"127.0.0.1:{self.port}"

    @property
    def log_id(self) -> str:
        """Given to the storage when it is formatted; another one only when the directory was removed."""
        return (self.directory / "log-id").read_text().strip()

    def start(self) -> None:
        """Start the broker and return when clients are served."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._configuration.write_text(self._configuration_text())
        if not (self.directory / "log-id").exists():
            self._format_storage()
        self.process.start()
        self.process.wait_until(
            lambda: accepts_connections(self.port), what="Apache Kafka to listen", timeout=_START_TIMEOUT_S
        )
        admin = self._admin()
        self.process.wait_until(lambda: _serves(admin), what="Apache Kafka to serve clients", timeout=_START_TIMEOUT_S)

    def stop(self) -> None:
        """Ask the broker to end, and wait."""
        self.process.terminate(timeout=30.0)

    def restart(self) -> None:
        """Stop and start again on the same port, with all records."""
        self.stop()
        self.start()

    def create_topic(self, name: str, partitions: int) -> None:
        """Create a topic; see `Kafka.create_topic`."""
        admin = self._admin()
        if (present := _partitions_with_leader(admin, name)) is not None:
            _require_partitions(name, present=present, wanted=partitions)
            return
        created = admin.create_topics([NewTopic(name, num_partitions=partitions, replication_factor=1)])
        created[name].result(timeout=30.0)
        wait_until(
            lambda: _partitions_with_leader(admin, name) == partitions,
            what=f"the topic {name} to have its {partitions} leaders",
            process=self.process,
        )

    @property
    def _configuration(self) -> Path:
        return self.directory / "server.properties"

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    def _configuration_text(self) -> str:
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self.directory / "records",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,  # tests want a dead or paused worker noticed soon
            # After a kill the controller waits this long for the broker's former self before it admits the new one.
            "broker.session.timeout.ms": 3000,
            "broker.heartbeat.interval.ms": 500,
        }
        return "".join(f"{name}={value}\n" for name, value in {**settings, **self.settings}.items())

    def _format_storage(self) -> None:
        shutil.rmtree(self.directory / "records", ignore_errors=True)
        cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "x")
        tool = self._make_process(
            "kafka.tools.StorageTool", "format", "--cluster-id", cluster_id, "--config", self._configuration,
            name="kafka-storage",
        )  # fmt: skip
        tool.start()
        if code := tool.wait(_START_TIMEOUT_S):
            msg = f"formatting Kafka's storage ended with code {code}{tool.log_tail()}"
            raise RuntimeError(msg)
        (self.directory / "log-id").write_text(secrets.token_hex(_LOG_ID_CHARACTERS // 2) + "\n")

    def _make_process(
        self, main: str, *arguments: str | Path, name: str, death_signal: signal.Signals = signal.SIGKILL
    ) -> Process:
        return Process(
            name,
            [
                self._java,
                f"-Xmx{self._heap_mb}m",
                "-XX:+UseSerialGC",
                "-Xshare:auto",
                "-Djava.awt.headless=true",
                "-Dorg.slf4j.simpleLogger.showDateTime=true",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-cp",
                f"{self.libraries}/*",
                main,
                *arguments,
            ],
            log=self.directory / "kafka.log",
            death_signal=death_signal,
        )


def find_kafka(directory: Path, services: Services = Services.AUTO) -> Kafka:
    """Return the Kafka to use, not yet started.

    Raises:
        MissingServiceError: `services` asks for one that is not on this machine.
    """
    match services:
        case Services.REAL:
            return ApacheKafka(directory)
        case Services.EMBEDDED:
            return MockKafka(directory)
        case Services.AUTO:
            try:
                return ApacheKafka(directory)
            except MissingServiceError:
                return MockKafka(directory)


def find_kafka_libraries() -> Path:
    """The folder of Kafka's jars: $FENHE_KAFKA_LIBS, else .cache/kafka/libs in the project.

    Raises:
        MissingServiceError: there is none.
    """
    chosen = os.environ.get("FENHE_KAFKA_LIBS")
    folder = Path(chosen) if chosen else project_root() / ".cache" / "kafka" / "libs"
    if not any(folder.glob("kafka_2.*-*.jar")):
        msg = f"no Apache Kafka in {folder}: `make kafka` fetches it, or set FENHE_KAFKA_LIBS to a folder of its jars"
        raise MissingServiceError(msg)
    return folder.resolve()


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").exists():
        return str(Path(home) / "bin" / "java")
    if (found := shutil.which("java")) is None:
        msg = "Apache Kafka needs Java 17 or later (Debian: apt-get install openjdk-17-jre-headless)"
        raise MissingServiceError(msg)
    return found


def _serves(admin: AdminClient) -> bool:
    try:
        return bool(admin.list_topics(timeout=1.0).brokers)
    except KafkaException:
        return False


def _partitions_with_leader(admin: AdminClient, topic: str) -> int | None:
    """How many partitions of the topic can be used; None where there is no such topic."""
    found = admin.list_topics(timeout=10.0).topics.get(topic)
    if found is None:
        return None
    return sum(1 for partition in found.partitions.values() if partition.leader >= 0)


def _require_partitions(topic: str, *, present: int, wanted: int) -> None:
    if present != wanted:
        msg = (
            f"the topic {topic} has {present} partitions, not {wanted}: readings would change places; use another topic"
        )
        raise ValueError(msg)

"""docker-compose.yml without its engine: every service's own command, environment and mounts, on real services.

Paths in containers become folders here, host names and ports become local ones; nothing else is changed. Grafana is the
exception: it is in no registry, so its data source is only used to sign in to the database.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import paho.mqtt.client as paho
import psycopg
import pytest
import requests
import yaml
from confluent_kafka import Consumer
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from fenhe.local import (
    ApacheKafka,
    MissingServiceError,
    Mosquitto,
    Postgres,
    Process,
    Services,
    find_postgres_binaries,
    free_port,
    scratch_directory,
    wait_until,
)
from fenhe.local.postgres import SUPERUSER
from schemas.topics import session_name
from tests.fixtures.services import real_or_skip
from tests.unit.test_compose import ROOT, interpolate, make_env, mounts, run, services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.real, pytest.mark.slow]

SIMULATED_SETS = "20"
PATIENCE_S = 60.0


class ComposeKafka(ApacheKafka):
    """Apache Kafka configured as its image does it: by KAFKA_* variables."""

    environment: dict[str, str]

    def _configuration_text(self) -> str:
        """KAFKA_LOG_DIRS is log.dirs; KAFKA_HEAP_OPTS is for Java."""
        return "".join(
            f"{name.removeprefix('KAFKA_').replace('_', '.').lower()}={value}\n"
            for name, value in self.environment.items()
            if name.startswith("KAFKA_") and name != "KAFKA_HEAP_OPTS"
        )


class Outcome(NamedTuple):
    """How a program ended."""

    code: int
    said: str


def required_program(name: str) -> str:
    """Where a program is; without it a service's own command cannot run here."""
    if (found := shutil.which(name)) is None:
        msg = f"no {name} on this machine (Debian: apt-get install mosquitto-clients)"
        raise MissingServiceError(msg)
    return found


class Deployment:
    """The services of docker-compose.yml, on this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.secrets = make_env(root)
        variables = {**self.secrets, "FENHE_SIMULATED_SETS": SIMULATED_SETS, "FENHE_KAFKA_PARTITIONS": "4"}
        self.services: dict[str, dict[str, Any]] = interpolate(services(), variables)
        self.ports = {number: str(free_port()) for number in ("8883", "9092", "9093", "5432", "8090")}
        self.ports["22B3"] = f"{int(self.ports['8883']):04X}"
        self.processes: dict[str, Process] = {}

        self.kafka = real_or_skip(lambda: ComposeKafka(root / "kafka", port=int(self.ports["9092"])))
        self.kafka.environment = self.environment("kafka")
        binaries = real_or_skip(lambda: find_postgres_binaries(Services.REAL))
        self.postgres = Postgres(
            root / "db", binaries=binaries, port=int(self.ports["5432"]), settings=self._settings()
        )
        self._mosquitto = real_or_skip(lambda: Mosquitto(root / "unused"))._binary
        real_or_skip(lambda: required_program("mosquitto_sub"))  # the broker's health check

    def local(self, name: str, text: str) -> str:
        """What a string in a service's container means on this machine."""
        places = {target: self._source(source) for source, target, _ in mounts(self.services[name])}
        places |= {f"/{part.strip('/')}": self.folder(name, part) for part in self.services[name].get("tmpfs", [])}
        if places:  # in one go: what stands in for one path may look like another
            longest_first = "|".join(re.escape(place) for place in sorted(places, key=len, reverse=True))
            pattern = rf"(?<![\w.])(?:{longest_first})(?=[/\s\"']|$)"
            text = re.sub(pattern, lambda found: str(places[found[0]]), text)
        hosts = {"mqtt": "localhost", "kafka": "127.0.0.1", "db": "127.0.0.1"}
        return re.sub(
            r"\b(?:(mqtt|kafka|db):)?(8883|9092|9093|5432|8090|22B3)\b",
            lambda found: (f"{hosts[found[1]]}:" if found[1] else "") + self.ports[found[2]],
            text,
        )

    def folder(self, name: str, part: str) -> Path:
        """A service's own temporary folder."""
        path = self.root / "own" / name / part.strip("/")
        path.mkdir(parents=True, exist_ok=True)
        return path

    def environment(self, name: str) -> dict[str, str]:
        """A service's environment, as it is on this machine."""
        found = {key: self.local(name, value) for key, value in self.services[name].get("environment", {}).items()}
        return {**found, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}{os.pathsep}/usr/sbin"}

    def run(self, name: str, *command: str, given: str = "", **more: str) -> Outcome:
        """Run a service's command, or another one in its place, to its end."""
        words = [self.local(name, word) for word in command or self.services[name]["command"]]
        ended = subprocess.run(  # noqa: S603 - the services' own words
            words, check=False, capture_output=True, text=True, input=given, timeout=PATIENCE_S,
            env={**os.environ, **self.environment(name), **more}, cwd=self.root,
        )  # fmt: skip
        return Outcome(ended.returncode, ended.stdout + ended.stderr)

    def start(self, name: str, *, instance: str = "", command: list[str] | None = None) -> Process:
        """Start a service and leave it running; a `command` in its place is one of this machine."""
        words = command or [self.local(name, word) for word in self.services[name]["command"]]
        if instance:
            words = [f"{word}{instance}" if word.endswith("/ready") else word for word in words]
        program = shutil.which(words[0], path=self.environment(name)["PATH"])
        assert program is not None
        process = Process(
            name + instance,
            [program, *words[1:]],
            log=self.root / f"{name}{instance}.log",
            environment=self.environment(name),
            directory=self.root,
        )
        process.start()
        self.processes[name + instance] = process
        return process

    def healthy(self, name: str) -> bool:
        """Run a service's own health check."""
        how, *words = self.services[name]["healthcheck"]["test"]
        assert how == "CMD"
        return self.run(name, *words).code == 0

    def wait_healthy(self, name: str, process: Process | None = None) -> None:
        """Wait until a service is well, as compose does."""
        wait_until(lambda: self.healthy(name), what=f"{name} to be healthy", timeout=PATIENCE_S, process=process)

    def credentials(self, *words: str, given: str = "") -> Outcome:
        """Run the script that operators run in the broker's container."""
        process = self.processes["mqtt"]
        return self.run("mqtt", "sh", "/fenhe/credentials", *words, given=given, MQTT_PID=str(process.pid))

    def start_mqtt(self) -> None:
        """Start the broker on the configuration that is mounted into its container."""
        folder = self.root / "config"
        folder.mkdir(exist_ok=True)
        text = (ROOT / "deploy" / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
        if os.geteuid() == 0:
            text += "user root\n"  # as another user it could not read our folders
        (folder / "mosquitto.conf").write_text(self.local("mqtt", text))
        process = self.start("mqtt", command=[self._mosquitto, "-c", str(folder / "mosquitto.conf")])
        self.wait_healthy("mqtt", process)

    def start_db(self) -> None:
        """Start the database with passwords, and set up owner and database by the mounted script alone."""
        self.postgres.start()
        rules = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        (self.postgres.data / "pg_hba.conf").write_text(rules)
        with psycopg.connect(self.postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("DROP DATABASE fenhe")
            connection.execute("DROP ROLE fenhe_owner")
        script = next(target for _, target, _ in mounts(self.services["db"]) if target.endswith(".sh"))
        done = self.run("db", "sh", script, PGHOST="127.0.0.1", PGPORT=self.ports["5432"])
        assert done.code == 0, done.said
        self.wait_healthy("db")

    def reader_url(self) -> str:
        """Where Grafana's provisioned data source connects, as who, with the password that its container has."""
        text = (ROOT / "deploy" / "grafana" / "datasources" / "fenhe.yaml").read_text(encoding="utf-8")
        environment = self.services["grafana"]["environment"]
        text = re.sub(r"\$__env\{(\w+)\}", lambda found: environment[found[1]], text)
        source = yaml.safe_load(self.local("grafana", text))["datasources"][0]
        password = source["secureJsonData"]["password"]
        return f"postgresql://{source['user']}:{password}@{source['url']}/{source['jsonData']['database']}"

    def value(self, query: str, *parameters: object) -> Any:  # noqa: ANN401 - a column
        """The first column of the first row, read as Grafana would."""
        with psycopg.connect(self.reader_url()) as connection:
            row = connection.execute(query.encode(), parameters).fetchone()
        return row[0] if row else None

    def stop(self) -> None:
        """Stop what runs, last first."""
        for process in reversed(self.processes.values()):
            process.terminate()
        self.kafka.stop()
        self.postgres.stop()

    def _source(self, source: str) -> Path:
        if source.startswith("."):
            return (ROOT / source).resolve()
        path = self.root / "volumes" / source
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _settings(self) -> dict[str, str]:
        words = self.services["db"]["command"]
        assert words[0] == "postgres"
        assert set(words[1::2]) == {"-c"}
        settings = dict(word.split("=", 1) for word in words[2::2])
        if not find_postgres_binaries(Services.REAL).has_timescaledb:
            del settings["timescaledb.telemetry_level"]
        return settings


class Device:
    """A device of a site: MQTT 5 over TLS with a user name and a password."""

    def __init__(
        self, deployment: Deployment, user: str | None, password: str | None = None, *, tls: bool = True
    ) -> None:
        self.messages: list[paho.MQTTMessage] = []
        self._connected: list[str] = []
        self._answers: dict[int, str] = {}
        self._changed = threading.Condition()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if user is not None:
            self.client.username_pw_set(user, password)
        if tls:
            self.client.tls_set(ca_certs=str(deployment.root / "volumes" / "mqtt-ca" / "ca.crt"))
        self.client.on_connect = lambda _c, _u, _f, reason, _p: self._connected.append(str(reason))
        self.client.on_message = lambda _c, _u, message: self.messages.append(message)
        self.client.on_publish = self._published
        self.client.on_subscribe = lambda _c, _u, mid, reasons, _p: self._answer(mid, str(reasons[0]))
        self.client.connect("localhost", int(deployment.ports["8883"]))
        self.client.loop_start()

    def __enter__(self) -> Self:
        """Wait for the broker's answer."""
        wait_until(lambda: bool(self._connected), what="the broker to answer")
        return self

    def __exit__(self, *_: object) -> None:
        """Go."""
        self.client.disconnect()
        self.client.loop_stop()

    @property
    def welcome(self) -> str:
        """What the broker said to our CONNECT."""
        return self._connected[0]

    def publish(self, topic: str, body: object) -> str:
        """Publish with QoS 1 and return the broker's answer."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._wait(self.client.publish(topic, payload, qos=1).mid)

    def subscribe(self, topic: str) -> str:
        """Subscribe and return the broker's answer."""
        mid = self.client.subscribe(topic, qos=1)[1]
        assert mid is not None
        return self._wait(mid)

    def _published(self, _client: object, _data: object, mid: int, reason: object, _properties: object) -> None:
        self._answer(mid, str(reason))

    def _answer(self, mid: int, reason: str) -> None:
        with self._changed:
            self._answers[mid] = reason
            self._changed.notify_all()

    def _wait(self, mid: int) -> str:
        with self._changed:
            assert self._changed.wait_for(lambda: mid in self._answers, timeout=PATIENCE_S)
            return self._answers[mid]


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    """`docker compose up --detach`, in the order of its conditions; the profile's services come in their own test."""
    with scratch_directory("deployment") as root, contextlib.ExitStack() as stack:
        running = Deployment(root)
        stack.callback(running.stop)
        for name in ("certificates", "credentials"):
            done = running.run(name)
            assert done.code == 0, done.said
        running.kafka.start()
        running.wait_healthy("kafka", running.kafka.process)
        running.start_mqtt()
        running.start_db()
        done = running.run("migrate")
        assert done.code == 0, done.said
        for name in ("collector", "worker", "guard", "notifier"):
            running.wait_healthy(name, running.start(name))
        yield running


@pytest.fixture(scope="module")
def meter(deployment: Deployment) -> Meter:
    """A registered electricity meter, and the credential of its site as an operator makes it."""
    done = deployment.run("simulated-registry")
    assert done.code == 0, done.said
    world = yaml.safe_load((deployment.folder("simulated-registry", "/tmp") / "world.yaml").read_text(encoding="utf-8"))  # noqa: S108
    assert len([device for device in world["devices"] if device["kind"] == "battery"]) == int(SIMULATED_SETS)
    found = next(device for device in world["devices"] if device["kind"] == "electricity")
    issued = deployment.credentials("new", found["site_id"])
    assert issued.code == 0, issued.said
    return Meter(found["site_id"], found["device_id"], issued.said.strip())


class Meter(NamedTuple):
    """A meter and its site's password."""

    site_id: str
    device_id: str
    password: str

    @property
    def topic(self) -> str:
        """Where it publishes."""
        return f"fenhe/v1/{self.site_id}/electricity/{self.device_id}"


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def stored(deployment: Deployment, device_id: str, ts: int) -> bool:
    """Whether a meter's reading is in its table."""
    query = "SELECT count(*) FROM reading_electricity WHERE device_id = %s AND ts = to_timestamp(%s::float8 / 1000)"
    return bool(deployment.value(query, device_id, ts) == 1)


def first_alarm(deployment: Deployment, said: Callable[[], object]) -> str:
    """The first record of the log of alarms, as text; until it comes a device goes on with what it has `said`."""
    consumer = Consumer(
        {"bootstrap.servers": f"127.0.0.1:{deployment.ports['9092']}", "group.id": "t", "auto.offset.reset": "earliest"}
    )
    found: list[str] = []

    def heard() -> bool:
        said()
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            found.append((message.value() or b"").decode())
        return bool(found)

    with contextlib.closing(consumer):
        consumer.subscribe(["fenhe.alarms"])
        wait_until(heard, what="a record of the guard", timeout=PATIENCE_S)
    return found[0]


@pytest.mark.parametrize("protocol", [MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311])
def test_the_first_message_ever_waits_for_the_first_collector(tmp_path: Path, protocol: MQTTProtocolVersion) -> None:
    """`credentials services` writes the session before the broker is first started: no device comes too early."""
    real_or_skip(lambda: required_program("mosquitto_sub"))
    broker = real_or_skip(lambda: Mosquitto(tmp_path))
    script = ROOT / "deploy" / "mosquitto" / "credentials"
    environment = {
        "PATH": f"{os.environ['PATH']}{os.pathsep}/usr/sbin",
        "CREDENTIALS_DIRECTORY": str(tmp_path / "credentials"),
        "MQTT_COLLECTOR_PASSWORD": "unused",
        "MQTT_GROUP": "first",
    }
    for _ in range(2):  # an `up` after an `up` changes nothing
        made = run("sh", script, "services", environment=environment)
        assert made.returncode == 0, made.stderr
    answers: list[int] = []
    received: list[paho.MQTTMessage] = []
    with broker:
        device = paho.Client(CallbackAPIVersion.VERSION2, protocol=protocol)
        device.on_publish = lambda _c, _u, _m, reason, _p: answers.append(reason.value)
        device.connect(broker.host, broker.port)
        device.loop_start()
        device.publish("fenhe/v1/s/water/w", b"{}", qos=1)
        wait_until(lambda: bool(answers), what="the broker's answer")
        device.loop_stop()
        broker.restart()
        collector = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=session_name("first"), protocol=MQTTProtocolVersion.MQTTv5
        )
        collector.on_message = lambda _c, _u, message: received.append(message)
        collector.connect(broker.host, broker.port, clean_start=False)
        collector.loop_start()
        wait_until(lambda: bool(received), what="the message")
        collector.loop_stop()
    assert answers == [0]


class TestOneShots:
    """What runs before the services, and again with every `up`."""

    def test_running_them_again_changes_nothing(self, deployment: Deployment) -> None:
        """An `up` after an `up` keeps authority, certificate and every credential."""
        volumes = deployment.root / "volumes"
        kept = [
            volumes / "mqtt-ca" / "ca.crt",
            volumes / "mqtt-tls" / "server.crt",
            volumes / "mqtt-tls" / "server.key",
        ]
        before = [path.read_bytes() for path in kept]
        issued = deployment.credentials("new", "again-1")
        for name in ("certificates", "credentials", "migrate"):
            assert deployment.run(name).code == 0
        assert [path.read_bytes() for path in kept] == before
        assert deployment.healthy("mqtt")
        assert deployment.credentials("reload").code == 0
        with Device(deployment, "again-1", issued.said.strip()) as device:
            assert device.welcome == "Success"

    def test_no_secret_is_readable_by_others(self, deployment: Deployment) -> None:
        """Keys and hashes are closed to whoever is not the broker; passwords are stored hashed."""
        volumes = deployment.root / "volumes"
        assert (volumes / "mqtt-tls" / "ca.key").stat().st_mode & 0o777 == 0o600
        assert (volumes / "mqtt-tls" / "server.key").stat().st_mode & 0o777 == 0o640
        passwords = volumes / "mqtt-data" / "credentials" / "passwords"
        assert passwords.stat().st_mode & 0o077 == 0
        assert deployment.secrets["FENHE_MQTT_COLLECTOR_PASSWORD"] not in passwords.read_text()

    def test_the_certificate_passes_the_strictest_check(self, deployment: Deployment) -> None:
        """Newer Pythons verify strictly by default; our own authority must hold up to it."""
        context = ssl.create_default_context(cafile=str(deployment.root / "volumes" / "mqtt-ca" / "ca.crt"))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.tls_set_context(context)
        client.connect("localhost", int(deployment.ports["8883"]))
        client.disconnect()

    def test_certificates_of_your_own_are_installed_and_kept(self, deployment: Deployment, scratch: Path) -> None:
        """What an operator brings replaces what was made, and no later `up` replaces it."""
        place = {"TLS_DIRECTORY": str(scratch / "tls"), "CA_DIRECTORY": str(scratch / "ca")}
        for name in ("tls", "ca", "made-tls", "made-ca", "own"):
            (scratch / name).mkdir()
        made = {"TLS_DIRECTORY": str(scratch / "made-tls"), "CA_DIRECTORY": str(scratch / "made-ca")}
        assert deployment.run("certificates", **made).code == 0
        shutil.copy(scratch / "made-ca" / "ca.crt", scratch / "own")
        shutil.copy(scratch / "made-tls" / "server.crt", scratch / "own")
        shutil.copy(scratch / "made-tls" / "server.key", scratch / "own")
        assert deployment.run("certificates", **place).code == 0
        installed = deployment.run("certificates", **place, OWN_CERTIFICATES=str(scratch / "own"))
        assert installed.code == 0, installed.said
        assert deployment.run("certificates", **place).said == "keeping your certificate\n"
        assert (scratch / "tls" / "server.crt").read_bytes() == (scratch / "own" / "server.crt").read_bytes()
        assert not (scratch / "tls" / "ca.key").exists()
        shutil.copy(scratch / "made-tls" / "ca.key", scratch / "own" / "server.key")
        wrong = deployment.run("certificates", **place, OWN_CERTIFICATES=str(scratch / "own"))
        assert wrong.code == 1
        assert "not the key of" in wrong.said


class TestTheWayOfAReading:
    """From a device's own credential to the table."""

    def test_every_service_is_healthy(self, deployment: Deployment) -> None:
        """By its own health check."""
        for name in ("mqtt", "kafka", "db", "collector", "worker", "guard", "notifier"):
            assert deployment.healthy(name), name

    def test_a_device_reaches_the_table(self, deployment: Deployment, meter: Meter) -> None:
        """Device, TLS, ACL, collector, Kafka, worker, database, reader: the whole way with its own passwords."""
        ts = now_ms()
        with Device(deployment, meter.site_id, meter.password) as device:
            assert device.welcome == "Success"
            assert device.publish(meter.topic, {"ts": ts, "energy_import_kwh": 1.0}) == "Success"
        wait_until(lambda: stored(deployment, meter.device_id, ts), what="the reading to be stored", timeout=PATIENCE_S)

    @pytest.mark.usefixtures("meter")
    def test_smoke_reaches_the_log_of_alarms_and_the_table_of_operators(self, deployment: Deployment) -> None:
        """From a base station's own credential through the guard to Kafka, and through the worker to its table."""
        site_id = deployment.value("SELECT site_id FROM device WHERE kind = 'site_power' ORDER BY device_id LIMIT 1")
        device_id = deployment.value("SELECT device_id FROM device WHERE kind = 'site_power' AND site_id = %s", site_id)
        issued = deployment.credentials("new", site_id)
        assert issued.code == 0, issued.said
        topic = f"fenhe/v1/{site_id}/site_power/{device_id}"
        said: list[int] = []
        with Device(deployment, site_id, issued.said.strip()) as device:

            def smoke() -> None:
                said.append(now_ms())
                assert device.publish(topic, {"ts": said[-1], "smoke": True}) == "Success"

            record = first_alarm(deployment, smoke)
        assert json.loads(record)["device_id"] == device_id
        wait_until(
            lambda: deployment.value("SELECT count(*) FROM alarm WHERE kind = 'smoke' AND active") == 1,
            what="the alarm to be stored",
            timeout=PATIENCE_S,
        )
        booked = "SELECT coalesce(sum(received), 0) FROM ledger WHERE device_id = %s"
        wait_until(
            lambda: deployment.value(booked, device_id) == len(said), what="all it said", timeout=PATIENCE_S
        )  # the books are counted by the tests that follow

    def test_another_site_is_closed_to_it(self, deployment: Deployment, meter: Meter) -> None:
        """What a device sends below another site is refused to its face and goes nowhere."""
        before = deployment.value("SELECT sum(received) FROM ledger")
        with Device(deployment, meter.site_id, meter.password) as device:
            for topic in ("fenhe/v1/other/electricity/e-1", f"fenhe/v2/{meter.site_id}/electricity/e-1", "fenhe/v1"):
                assert device.publish(topic, {"ts": now_ms(), "energy_import_kwh": 1.0}) == "Not authorized", topic
            ts = now_ms()
            device.publish(meter.topic, {"ts": ts, "energy_import_kwh": 2.0})
        wait_until(lambda: stored(deployment, meter.device_id, ts), what="a later reading to be stored")
        assert deployment.value("SELECT sum(received) FROM ledger") == before + 1

    def test_a_device_reads_nothing(self, deployment: Deployment, meter: Meter) -> None:
        """A stolen credential shows nobody's readings, not even its own site's, and takes none from the collector.

        Mosquitto lets it subscribe all the same, and withholds every message.
        """
        ts = now_ms()
        with Device(deployment, meter.site_id, meter.password) as device:
            for topic in ("fenhe/#", f"$share/{deployment.secrets['FENHE_MQTT_GROUP']}/fenhe/#", "$SYS/#"):
                device.subscribe(topic)
            for second in range(10):
                device.publish(meter.topic, {"ts": ts + second, "energy_import_kwh": 3.0})
            for second in range(10):
                wait_until(
                    lambda second=second: stored(deployment, meter.device_id, ts + second),  # type: ignore[misc]
                    what=f"reading {second} to be stored",
                )
            assert device.messages == []

    def test_strangers_stay_out(self, deployment: Deployment, meter: Meter) -> None:
        """Nobody anonymous, no wrong password, no connection without TLS."""
        for user, password in ((None, None), (meter.site_id, "wrong"), ("collector", "collector"), ("nobody", "")):
            with Device(deployment, user, password) as stranger:
                assert stranger.welcome == "Not authorized", user
        client = paho.Client(CallbackAPIVersion.VERSION2)
        answers: list[object] = []
        client.on_connect = lambda *arguments: answers.append(arguments)
        client.connect("localhost", int(deployment.ports["8883"]))
        wait_until(lambda: client.loop(0.1) != paho.MQTT_ERR_SUCCESS, what="the broker to hang up")
        assert answers == []

    def test_a_removed_credential_is_shut_out_at_once(self, deployment: Deployment) -> None:
        """Also where it is connected; the others are not disturbed."""
        password = secrets.token_urlsafe(12)
        assert deployment.credentials("set", "leaving-1", given=password).code == 0
        with Device(deployment, "leaving-1", password) as device:
            assert device.welcome == "Success"
            assert deployment.credentials("remove", "leaving-1").code == 0
            wait_until(lambda: not device.client.is_connected(), what="the broker to hang up")
        assert deployment.healthy("collector")
        assert "leaving-1" not in deployment.credentials("list").said

    @pytest.mark.parametrize("name", ["collector", "simulator", "health", "", "a/b", "+", "#", "a:b", "-x"])
    def test_only_a_site_gets_a_credential(self, deployment: Deployment, name: str) -> None:
        """Names of fenhe's own, and names that mean more in a topic, are refused."""
        assert deployment.credentials("new", name).code == 1

    def test_what_is_too_large_is_explained(self, deployment: Deployment, meter: Meter) -> None:
        """10 MB reaches the quarantine; above the hard bound the broker hangs up and acknowledges nothing."""
        with Device(deployment, meter.site_id, meter.password) as device:
            assert device.publish(meter.topic, b"x" * 10_000_000) == "Success"
        query = "SELECT count(*) FROM quarantine WHERE reason = 'too_large' AND size = 10000000"
        wait_until(lambda: deployment.value(query) == 1, what="it to be quarantined", timeout=PATIENCE_S)
        with Device(deployment, meter.site_id, meter.password) as device:
            mid = device.client.publish(meter.topic, b"x" * 17_000_000, qos=1).mid
            wait_until(lambda: not device.client.is_connected(), what="the broker to hang up", timeout=PATIENCE_S)
            assert mid not in device._answers


class TestPage:
    """The page where alarms are worked."""

    def test_it_wants_an_account_and_then_a_sign_in(self, deployment: Deployment) -> None:
        """Without accounts it does not listen and says what to do; with one it is healthy, and asks who comes."""
        refused = deployment.run("page")
        assert refused.code == 2
        assert "fenhe user add NAME" in refused.said
        password = secrets.token_urlsafe(12)
        made = deployment.run("page", "fenhe", "user", "add", "Wang", "--role", "operator", given=password)
        assert made.code == 0, made.said
        file = deployment.root / "volumes" / "page-accounts" / "accounts.json"
        assert file.stat().st_mode & 0o777 == 0o600
        process = deployment.start("page")
        deployment.wait_healthy("page", process)
        page = f"http://127.0.0.1:{deployment.ports['8090']}"
        assert requests.get(f"{page}/csv/province/1", timeout=10).status_code == 401
        with requests.Session() as browser:
            signed_in = browser.post(
                f"{page}/sign-in", data={"name": "wang", "password": password, "next": "/csv/province/1"}, timeout=20
            )
            assert signed_in.status_code == 200
            assert signed_in.headers["Content-Type"].startswith("text/csv")
        process.terminate()


class TestRoles:
    """Who may do what in the database."""

    def test_the_reader_only_reads(self, deployment: Deployment) -> None:
        """Grafana's role cannot change a row, whatever a dashboard says."""
        with psycopg.connect(deployment.reader_url()) as connection:
            connection.read_only = False
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; DELETE FROM site")

    def test_the_owner_is_no_superuser(self, deployment: Deployment) -> None:
        """Migrations need no more than their database and the roles they make."""
        assert deployment.value("SELECT rolsuper FROM pg_roles WHERE rolname = 'fenhe_owner'") is False

    def test_a_wrong_password_is_refused(self, deployment: Deployment) -> None:
        """The test's database checks passwords, so the others prove that theirs are right."""
        url = deployment.reader_url().replace(deployment.secrets["FENHE_DB_READER_PASSWORD"], "wrong")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url)


class TestBackup:
    """What docs/operations.md promises of a restored database."""

    def test_a_restored_database_catches_up_from_the_log(self, deployment: Deployment, meter: Meter) -> None:
        """Offsets stand in the database: restored from a backup, it fetches again what Kafka still holds."""
        data = deployment.postgres.data
        backup = data.with_name("backup")
        start = now_ms()
        with Device(deployment, meter.site_id, meter.password) as device:

            def publish(ts: int) -> None:
                assert device.publish(meter.topic, {"ts": ts, "energy_import_kwh": 4.0}) == "Success"

            def wait_stored(*stamps: int) -> None:
                for ts in stamps:
                    wait_until(
                        lambda ts=ts: stored(deployment, meter.device_id, ts),  # type: ignore[misc]
                        what=f"reading {ts - start} to be stored",
                        timeout=PATIENCE_S,
                    )

            publish(start)
            wait_stored(start)
            with stopped(deployment):
                run("cp", "-a", data, backup)
            later = [start + number for number in range(1, 6)]
            for ts in later:
                publish(ts)
            wait_stored(*later)
            with stopped(deployment):
                shutil.rmtree(data)
                backup.rename(data)
            assert not any(stored(deployment, meter.device_id, ts) for ts in later)
            publish(start + 6)
            wait_stored(*later, start + 6)


@contextlib.contextmanager
def stopped(deployment: Deployment) -> Iterator[None]:
    """Worker and database are down meanwhile; the broker, the collector and Kafka go on."""
    deployment.processes["worker"].terminate()
    deployment.postgres.stop()
    yield
    deployment.postgres.start()
    deployment.processes["worker"].start()


class TestTheSimulatedWorld:
    """The profile `simulate`, two workers, and the end."""

    def test_it_runs_and_the_books_close(self, deployment: Deployment, meter: Meter) -> None:
        """With a second worker beside the first everything is stored, and everything stops in its time."""
        assert meter.device_id
        refused = deployment.run("simulator", "fenhe", "simulate", "--sets", "1", "--duration", "1")
        assert refused.code != 0, "the simulator's credential is there before the profile was started"
        credential = deployment.run("simulated-credential", MQTT_PID=str(deployment.processes["mqtt"].pid))
        assert credential.code == 0, credential.said

        second = deployment.start("worker", instance="-2")
        ready = deployment.folder("worker", "/tmp") / "ready-2"  # noqa: S108 - a folder of the test's own
        second.wait_until(ready.exists, what="the second worker to be ready", timeout=PATIENCE_S)
        deployment.wait_healthy("worker")

        query = "SELECT sum(stored)::bigint FROM ledger"
        before = deployment.value(query)
        simulator = deployment.start("simulator")
        deployment.wait_healthy("simulator", simulator)
        simulator.wait_until(
            lambda: deployment.value(query) >= before + 30, what="30 simulated readings to be stored", timeout=90.0
        )
        assert simulator.terminate(timeout=self.grace(deployment, "simulator")) == 0
        assert deployment.processes["collector"].terminate(timeout=self.grace(deployment, "collector")) == 0
        assert not deployment.healthy("collector")

        def closed() -> bool:
            balance = deployment.run(
                "grafana", "fenhe", "balance", "--json", FENHE_DB_READER_URL=deployment.reader_url()
            )
            return balance.code == 0 and json.loads(balance.said)["closed"] is True

        wait_until(closed, what="the books to close", timeout=PATIENCE_S)
        for name in ("worker", "worker-2"):
            process = deployment.processes[name]
            assert process.terminate(timeout=self.grace(deployment, "worker")) == 0, process.log_tail()
        for name in ("simulated-registry", "simulator", "collector", "worker", "worker-2"):
            log = deployment.root / f"{name}.log"
            assert not log.exists() or "Traceback" not in log.read_text(), name

    @staticmethod
    def grace(deployment: Deployment, name: str) -> float:
        """How long compose lets a service drain."""
        return float(deployment.services[name]["stop_grace_period"].removesuffix("s"))

"""docker-compose.yml on real services: its services as processes, its mounts as folders, and a device that signs in."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, NamedTuple, Self

import paho.mqtt.client as paho
import psycopg
import yaml
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
    wait_until,
)
from fenhe.local.postgres import SUPERUSER
from tests.fixtures.services import real_or_skip
from tests.support.compose import ROOT, interpolate, make_env, mounts, services

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

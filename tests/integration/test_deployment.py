"""docker-compose.yml without its engine: every service's own command, environment and mounts, on real services.

Paths in containers become folders, host names and ports local ones. Of Grafana only the data source is used.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import ssl
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
import psycopg
import pytest
import requests
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from fenhe.local import Mosquitto, scratch_directory, wait_until
from schemas.topics import session_name
from tests.fixtures.services import real_or_skip
from tests.support.compose import ROOT, run
from tests.support.deployed_meter import Meter, first_alarm, now_ts, registered_meter, stopped, stored
from tests.support.deployment import PATIENCE_S, Deployment, Device, required_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.real, pytest.mark.slow]


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
    return registered_meter(deployment)


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
        ts = now_ts()
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
                said.append(now_ts())
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
                assert device.publish(topic, {"ts": now_ts(), "energy_import_kwh": 1.0}) == "Not authorized", topic
            ts = now_ts()
            device.publish(meter.topic, {"ts": ts, "energy_import_kwh": 2.0})
        wait_until(lambda: stored(deployment, meter.device_id, ts), what="a later reading to be stored")
        assert deployment.value("SELECT sum(received) FROM ledger") == before + 1

    def test_a_device_reads_nothing(self, deployment: Deployment, meter: Meter) -> None:
        """A stolen credential shows nobody's readings, not even its own site's, and takes none from the collector.

        Mosquitto lets it subscribe all the same, and withholds every message.
        """
        ts = now_ts()
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
        start = now_ts()
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

"""Kafka behind TLS and passwords, PostgreSQL behind TLS: real services, with certificates made here."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._scram import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from fenhe.local import Services, Stack, scratch_directory
from fenhe.local.kafka import ApacheKafka
from fenhe.local.processes import free_port
from fenhe.local.services import project_root
from schemas.settings import KafkaSettings
from simulators.wire.message import DeviceMessage
from tests.support.pipeline import REGISTRY, START_TS
from tests.support.running import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "not a real one"  # noqa: S105 - of this test's own broker


class Secured:
    """A stack whose Kafka also listens with a password over TLS, and with certificates of clients."""

    def __init__(self, path: Path) -> None:
        """Make certificates and start it."""
        path.chmod(0o755)
        self.ca = make_certificates(path / "server") / "ca.crt"
        self.other_ca = make_certificates(path / "other") / "ca.crt"
        server = path / "server"
        self.certificate, self.key = make_client_certificate(server)
        store = server / "server.pem"
        store.write_text(in_pkcs8(server / "server.key") + (server / "server.crt").read_text())
        tls = {"ssl": "on", "ssl_cert_file": str(server / "server.crt"), "ssl_key_file": str(server / "postgres.key")}
        self.stack = Stack(path / "stack", services=Services.REAL, partitions=2, postgres_settings=tls)
        shutil.copy(server / "server.key", server / "postgres.key")
        if self.stack.postgres._user is not None:
            shutil.chown(server / "postgres.key", self.stack.postgres._user)
        self.kafka = self.stack.kafka
        assert isinstance(self.kafka, ApacheKafka)
        self.sasl, self.mutual = (f"127.0.0.1:{free_port()}" for _ in range(2))
        login = (
            f'org.apache.kafka.common.security.{{}} required username="none" password="none" user_plain="{PASSWORD}";'
        )
        listeners = {"PLAINTEXT": self.kafka.bootstrap, "SASL": self.sasl, "MUTUAL": self.mutual}
        named = ",".join(f"{name}://{address}" for name, address in listeners.items())
        self.kafka.settings |= {
            "listeners": f"{named},CONTROLLER://127.0.0.1:{self.kafka.controller_port}",
            "advertised.listeners": named,
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_SSL,MUTUAL:SSL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(store),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.ca),
            "listener.name.mutual.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "listener.name.sasl.plain.sasl.jaas.config": login.format("plain.PlainLoginModule"),
            "listener.name.sasl.scram-sha-512.sasl.jaas.config": login.format("scram.ScramLoginModule"),
        }
        self.stack.start()
        self._give_a_password("fenhe")
        self._only_with_tls("fenhe_writer")

    def _give_a_password(self, user: str) -> None:
        admin = AdminClient({"bootstrap.servers": self.kafka.bootstrap})
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        given = admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, info, PASSWORD.encode())])
        for future in given.values():
            future.result(30)

    def _only_with_tls(self, role: str) -> None:
        rules = self.stack.postgres.data / "pg_hba.conf"
        mine = f"hostssl all {role} 127.0.0.1/32 trust\nhost all {role} 127.0.0.1/32 reject\n"
        rules.write_text(mine + rules.read_text())
        with psycopg.connect(self.stack.postgres.url("postgres", "postgres"), autocommit=True) as connection:
            connection.execute("SELECT pg_reload_conf()")

    def by_password(self, mechanism: str = "SCRAM-SHA-512", user: str = "fenhe") -> dict[str, str]:
        """Variables of who signs in by a password over TLS."""
        return {
            "FENHE_KAFKA_BOOTSTRAP": self.sasl,
            "FENHE_KAFKA_SECURITY": "SASL_SSL",
            "FENHE_KAFKA_CA_FILE": str(self.ca),
            "FENHE_KAFKA_SASL_MECHANISM": mechanism,
            "FENHE_KAFKA_USERNAME": user,
            "FENHE_KAFKA_PASSWORD": PASSWORD,
        }

    def by_certificate(self) -> dict[str, str]:
        """Variables of who shows a certificate."""
        return {
            "FENHE_KAFKA_BOOTSTRAP": self.mutual,
            "FENHE_KAFKA_SECURITY": "SSL",
            "FENHE_KAFKA_CA_FILE": str(self.ca),
            "FENHE_KAFKA_CERTIFICATE_FILE": str(self.certificate),
            "FENHE_KAFKA_KEY_FILE": str(self.key),
        }


def make_certificates(folder: Path) -> Path:
    """An authority and a certificate for this machine, by the script of the deployment."""
    folder.mkdir()
    named = {"TLS_DIRECTORY": str(folder), "CA_DIRECTORY": str(folder), "MQTT_HOSTNAMES": "127.0.0.1 localhost"}
    script = project_root() / "deploy" / "mosquitto" / "certificates"
    subprocess.run(["sh", script], check=True, capture_output=True, env={**os.environ, **named})  # noqa: S603, S607
    for file in folder.iterdir():
        file.chmod(0o600 if file.suffix == ".key" else 0o644)
    return folder


def make_client_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for who connects, signed by the authority in a folder; returns it and its key."""
    certificate, key = folder / "client.crt", folder / "client.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=fenhe", "-days", "2"]
    signed = ["-CA", str(folder / "ca.crt"), "-CAkey", str(folder / "ca.key"), "-addext", "extendedKeyUsage=clientAuth"]
    subprocess.run([*command, *signed, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)  # noqa: S603
    return certificate, key


def in_pkcs8(key: Path) -> str:
    """A key as Java reads it."""
    command = ["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", str(key)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


@pytest.fixture(scope="module")
def secured(services: Services) -> Iterator[Secured]:
    """A running stack."""
    if services is Services.EMBEDDED:
        pytest.skip("the mock of Kafka knows no TLS")
    with scratch_directory("secured") as path:
        found = Secured(path)
        yield found
        found.stack.stop()


def settings(variables: dict[str, str], **other: str) -> KafkaSettings:
    """Settings as a process would read them."""
    names = {name.removeprefix("FENHE_").lower(): value for name, value in {**variables, **other}.items()}
    return KafkaSettings.model_validate(names)


@pytest.mark.parametrize("way", ["password", "certificate"])
def test_readings_go_from_the_broker_to_the_table_with_everything_encrypted(
    secured: Secured, scratch: Path, way: str
) -> None:
    """All sign in, by password or by certificate, the guard too; the worker's role may not connect without TLS."""
    kafka = secured.by_password() if way == "password" else secured.by_certificate()
    with Pipeline(secured.stack, scratch, REGISTRY) as pipeline:
        url = f"{pipeline.environment['FENHE_DB_WRITER_URL']}?sslmode=verify-full&sslrootcert={secured.ca}"
        pipeline.environment |= {**kafka, "FENHE_DB_WRITER_URL": url}
        pipeline.start()
        guard = pipeline.guard()
        smoke = [{"ts": START_TS + 60_000 * minute, "smoke": minute > 0} for minute in range(3)]
        pipeline.publish(
            [
                DeviceMessage("fenhe/v1/plant-1/water/w-1", "w-1", [{"ts": START_TS, "volume_m3": 7.5}]),
                DeviceMessage("fenhe/v1/bs-1/site_power/s-1", "s-1", smoke),
            ]
        )
        pipeline.wait_stored(4)
        guard.wait_until(lambda: '"event": "safety"' in guard.log.read_text(), what="an alarm that Kafka has taken")


def test_who_cannot_prove_who_they_are_is_not_served(secured: Secured) -> None:
    """A wrong password, no certificate, an authority that did not sign: nothing is said, and nothing is heard."""
    right = settings(secured.by_password())
    plain = settings(secured.by_password("PLAIN", "plain"))
    for served in (right, plain, settings(secured.by_certificate())):
        assert AdminClient(served.kafka_client()).list_topics(timeout=20).brokers
    wrong = settings(secured.by_password(), FENHE_KAFKA_PASSWORD="another")  # noqa: S106
    stranger = settings(secured.by_password(), FENHE_KAFKA_CA_FILE=str(secured.other_ca))
    nameless = {**secured.by_certificate()}
    del nameless["FENHE_KAFKA_CERTIFICATE_FILE"], nameless["FENHE_KAFKA_KEY_FILE"]
    for refused in (wrong, stranger, settings(nameless)):
        with pytest.raises(KafkaException):
            AdminClient({**refused.kafka_client(), "log_level": "0"}).list_topics(timeout=2)
    url = secured.stack.postgres.url("fenhe_owner")
    writer = url.replace("fenhe_owner", "fenhe_writer", 1)
    for end in ("sslmode=disable", f"sslmode=verify-full&sslrootcert={secured.other_ca}"):
        with pytest.raises(psycopg.OperationalError, match=r"reject|certificate verify failed"):
            psycopg.connect(f"{writer}?{end}")

"""Settings, from `FENHE_*` environment variables. No secret has a default."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, FilePath, PostgresDsn, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.kafka.record import LARGEST_PAYLOAD_BYTES

RECONNECT_MOST_MS = 1_000
"""The longest wait between two attempts to reach Kafka; librdkafka's own is ten seconds, in which nothing is heard."""


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FENHE_", extra="ignore", frozen=True, defer_build=True)


class KafkaSettings(_Settings):
    """Where the readings' log is."""

    kafka_bootstrap: str
    """host:port[,host:port…]"""
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """Kafka's `security.protocol`: SSL is TLS, SASL is a name and a password."""
    kafka_ca_file: FilePath | None = None
    """PEM of the authority that signed the brokers' certificates; None: those the system trusts."""
    kafka_certificate_file: FilePath | None = None
    """PEM of a certificate of one's own, where brokers ask for one."""
    kafka_key_file: FilePath | None = None
    """PEM of its key, without a password."""
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_topic: str = "fenhe.readings"
    kafka_partitions: Annotated[int, Field(ge=1)] = 12

    @property
    def kafka_has_tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.kafka_security in {"SSL", "SASL_SSL"}

    @property
    def kafka_has_password(self) -> bool:
        """Whether one signs in with a name and a password."""
        return self.kafka_security in {"SASL_PLAINTEXT", "SASL_SSL"}

    @model_validator(mode="after")
    def _security_is_whole(self) -> Self:
        """Refuse what would be missing, and what would be ignored: a password or an authority that guards nothing."""
        files = (self.kafka_ca_file, self.kafka_certificate_file, self.kafka_key_file)
        given = (self.kafka_username is not None, self.kafka_password is not None)
        if any(files) and not self.kafka_has_tls:
            msg = "files for TLS need FENHE_KAFKA_SECURITY=SSL or SASL_SSL"
        elif (self.kafka_certificate_file is None) != (self.kafka_key_file is None):
            msg = "FENHE_KAFKA_CERTIFICATE_FILE and FENHE_KAFKA_KEY_FILE go together"
        elif given != (self.kafka_has_password,) * 2:
            msg = (
                "FENHE_KAFKA_USERNAME and FENHE_KAFKA_PASSWORD go with FENHE_KAFKA_SECURITY=SASL_SSL or SASL_PLAINTEXT"
            )
        else:
            return self
        raise ValueError(msg)

    def kafka_client(self) -> dict[str, str | int | float | bool]:
        """What each of librdkafka's clients is told of where Kafka is and how to sign in."""
        options: dict[str, str | int | float | bool] = {
            "bootstrap.servers": self.kafka_bootstrap,
            "security.protocol": self.kafka_security,
            "reconnect.backoff.max.ms": RECONNECT_MOST_MS,
        }
        for name, file in (
            ("ssl.ca.location", self.kafka_ca_file),
            ("ssl.certificate.location", self.kafka_certificate_file),
            ("ssl.key.location", self.kafka_key_file),
        ):
            if file is not None:
                options[name] = str(file)
        if self.kafka_username is not None and self.kafka_password is not None:
            options["sasl.mechanism"] = self.kafka_sasl_mechanism
            options["sasl.username"] = self.kafka_username
            options["sasl.password"] = self.kafka_password.get_secret_value()
        return options


class MqttSettings(_Settings):
    """Where the broker is and how to sign in."""

    mqtt_url: str
    """mqtt://host:1883, or mqtts://host:8883 for TLS."""
    mqtt_username: str | None = None
    mqtt_password: SecretStr | None = None
    mqtt_ca_file: str | None = None

    @field_validator("mqtt_url")
    @classmethod
    def _scheme(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            msg = f"FENHE_MQTT_URL must look like mqtt://host:1883 or mqtts://host:8883, not {url!r}"
            raise ValueError(msg)
        return url


class CollectorSettings(KafkaSettings, MqttSettings):
    """The MQTT collector."""

    collector_id: str = Field(default_factory=lambda: f"collector-{socket.gethostname()}")
    """Who wrote a record, for people; no two collectors should have the same."""
    mqtt_group: str = "fenhe"
    """What the collectors of one broker have in common: one session there, which one of them holds at a time."""
    mqtt_session_expiry_s: Annotated[int, Field(ge=60, le=0xFFFF_FFFF)] = 0xFFFF_FFFF
    """How long the broker keeps the session while no collector is there; the default, MQTT's largest, is for ever."""
    receive_maximum: Annotated[int, Field(ge=1, le=65_535)] = 8_000
    """Messages in flight between broker and Kafka: the bound on memory, and the back-pressure."""
    max_payload_bytes: Annotated[int, Field(ge=1_024)] = 262_144
    """A larger message is kept as its head, size and digest."""
    flush_readings: Annotated[int, Field(ge=1)] = 1_000
    flush_ms: Annotated[int, Field(ge=1)] = 200
    metrics_port: int | None = None

    @field_validator("max_payload_bytes")
    @classmethod
    def _fits_a_record(cls, most: int) -> int:
        if most > LARGEST_PAYLOAD_BYTES:
            msg = f"{most} is too large: a Kafka record has room for {LARGEST_PAYLOAD_BYTES} at most"
            raise ValueError(msg)
        return most


class WorkerSettings(KafkaSettings):
    """A stream worker."""

    db_writer_url: PostgresDsn
    worker_group: str = "fenhe-workers"
    worker_data_dir: str = Field(default_factory=lambda: f"/tmp/fenhe-worker-{os.getpid()}")  # noqa: S108 - Faust wants a folder; nothing durable is in it
    batch_records: Annotated[int, Field(ge=1)] = 200
    batch_within_s: Annotated[float, Field(gt=0)] = 0.02
    """Faust waits for so long before each take, however much has come meanwhile, unless `batch_records` are there. The
    collector has gathered readings into records already, so waiting for more here only leaves the worker idle."""
    session_timeout_s: Annotated[float, Field(ge=2, le=1_800)] = 30.0
    """A worker that Kafka has not heard of for so long loses its partitions to the others. Kafka's own bounds are
    `group.min.session.timeout.ms` and `group.max.session.timeout.ms`, 6 s and half an hour as it comes."""
    metrics_port: int | None = None
    retention: bool = False
    """Whether this worker takes away rows that are older than they are kept (`fenhe retention show`)."""


class MigrateSettings(_Settings):
    """The owner's connection, and passwords for the roles that migrations create."""

    db_owner_url: PostgresDsn
    db_writer_password: SecretStr | None = None
    db_reader_password: SecretStr | None = None
    db_operator_password: SecretStr | None = None
    db_notifier_password: SecretStr | None = None

    def passwords(self) -> dict[str, str]:
        """Passwords by role, of those that are given."""
        given = {
            "fenhe_writer": self.db_writer_password,
            "fenhe_reader": self.db_reader_password,
            "fenhe_operator": self.db_operator_password,
            "fenhe_notifier": self.db_notifier_password,
        }
        return {role: secret.get_secret_value() for role, secret in given.items() if secret}


class ReaderSettings(_Settings):
    """The reader's connection: dashboards and books."""

    db_reader_url: PostgresDsn


class WriterSettings(_Settings):
    """The writer's connection, for commands."""

    db_writer_url: PostgresDsn


class PreviewSettings(ReaderSettings):
    """The preview: it reads, and where it is given an operator's connection, alarms can be dealt with on it."""

    db_operator_url: PostgresDsn | None = None
    accounts_file: Path | None = None
    """Who may sign in, as `fenhe user` writes it; without it the page listens on this machine only."""
    session_h: Annotated[float, Field(gt=0, le=24 * 31)] = 12.0
    """Hours after which one signs in again."""


class AccountsSettings(_Settings):
    """Where the accounts of the page are."""

    accounts_file: Path


class OperatorSettings(_Settings):
    """The operator's connection: alarms, by functions only."""

    db_operator_url: PostgresDsn


class NotifyFileSettings(_Settings):
    """Where the notifier's file is."""

    notify_file: Path = Path("deploy/notify.yaml")
    notify_url: SecretStr = SecretStr("")
    """Address that the file as shipped names; a file of your own may name any variable."""


class NotifySettings(NotifyFileSettings):
    """The notifier; its role sees alarms and plans notices, and nothing else."""

    db_notifier_url: PostgresDsn
    metrics_port: int | None = None


class GuardSettings(KafkaSettings):
    """The guard: battery safety without the database."""

    kafka_alarm_topic: str = "fenhe.alarms"
    kafka_guard_topic: str = "fenhe.guard"
    """What detectors have learnt of devices, for the next guard; compacted."""
    guard_group: str = "fenhe-guard"
    db_reader_url: PostgresDsn | None = None
    """For the registry, while there is a database."""
    metrics_port: int | None = None

"""Settings that cannot work are refused at the start, with a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from schemas.kafka.record import LARGEST_PAYLOAD_BYTES
from schemas.settings import CollectorSettings, KafkaSettings

if TYPE_CHECKING:
    from pathlib import Path


def collector(most: int) -> CollectorSettings:
    """A collector's settings with a limit of payloads."""
    return CollectorSettings(kafka_bootstrap="unused:1", mqtt_url="mqtt://unused", max_payload_bytes=most)


def test_a_payload_may_be_as_large_as_a_record_holds_and_no_larger() -> None:
    """With a larger one Kafka would refuse the record, the collector would end, and begin again with it for ever."""
    assert collector(LARGEST_PAYLOAD_BYTES).max_payload_bytes == LARGEST_PAYLOAD_BYTES
    with pytest.raises(ValidationError, match="a Kafka record has room for 400000 at most"):
        collector(LARGEST_PAYLOAD_BYTES + 1)


@pytest.mark.parametrize(
    "given",
    [
        {"kafka_security": "SASL_SSL"},
        {"kafka_security": "SASL_SSL", "kafka_username": "fenhe"},
        {"kafka_username": "fenhe", "kafka_password": "not a real one"},
        {"kafka_security": "SSL", "kafka_username": "fenhe", "kafka_password": "not a real one"},
        {"kafka_ca_file": "FILE"},
        {"kafka_security": "SASL_PLAINTEXT", "kafka_username": "a", "kafka_password": "b", "kafka_ca_file": "FILE"},
        {"kafka_security": "SSL", "kafka_certificate_file": "FILE"},
        {"kafka_security": "SSL", "kafka_key_file": "FILE"},
        {"kafka_security": "SSL", "kafka_ca_file": "/nowhere.pem"},
        {"kafka_security": "TLS"},
    ],
)
def test_security_of_kafka_that_is_not_whole_is_refused(given: dict[str, str], tmp_path: Path) -> None:
    """What is missing would fail later, in other words; what is ignored would leave open what one thinks is shut."""
    file = tmp_path / "some.pem"
    file.write_text("")
    named = {name: str(file) if value == "FILE" else value for name, value in given.items()}
    with pytest.raises(ValidationError):
        KafkaSettings.model_validate({"kafka_bootstrap": "unused:1", **named})


def test_a_password_is_told_to_kafka_and_not_to_who_prints_settings() -> None:
    """It is a secret everywhere but in what the client is given."""
    settings = KafkaSettings.model_validate(
        {
            "kafka_bootstrap": "a:1,b:2",
            "kafka_security": "SASL_SSL",
            "kafka_username": "fenhe",
            "kafka_password": "not a real one",
        }
    )
    assert settings.kafka_client() == {
        "reconnect.backoff.max.ms": 1_000,
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "fenhe",
        "sasl.password": "not a real one",
    }
    assert "not a real one" not in repr(settings)

"""How Faust's client signs in to Kafka: the same settings that librdkafka's clients have by `kafka_client`."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from faust.auth import SASLCredentials, SSLCredentials

if TYPE_CHECKING:
    from faust.auth import Credentials

    from schemas.settings import KafkaSettings


def credentials(settings: KafkaSettings) -> Credentials | None:
    """None: nobody asks. Brokers' certificates are held against their names, as librdkafka does it."""
    context = None
    if settings.kafka_has_tls:
        context = ssl.create_default_context(cafile=settings.kafka_ca_file)
        if settings.kafka_certificate_file is not None:
            context.load_cert_chain(settings.kafka_certificate_file, settings.kafka_key_file)
    if settings.kafka_username is not None and settings.kafka_password is not None:
        return SASLCredentials(
            username=settings.kafka_username,
            password=settings.kafka_password.get_secret_value(),
            ssl_context=context,
            mechanism=settings.kafka_sasl_mechanism,
        )
    return None if context is None else SSLCredentials(context)

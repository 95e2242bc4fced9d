"""Kafka's topics: made where they are missing, and whether somebody leads their partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined] # not in its `__all__`
from confluent_kafka.cimpl import NewTopic

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from schemas.settings import KafkaSettings

ANSWER_S = 1.0
"""So long Kafka may take to say who leads."""


class LogError(Exception):
    """The log cannot be used as it is set up; the message says what to do."""


def ensure_topic(settings: KafkaSettings, *, timeout_s: float = 30.0) -> None:
    """Create the readings' topic where it is missing; refuse one with another number of partitions.

    Raises LogError on a mismatch: a site's partition follows from the number, and must never change under way.
    """
    ensure_named_topic(settings, settings.kafka_topic, settings.kafka_partitions, timeout_s=timeout_s)


def ensure_named_topic(
    settings: KafkaSettings,
    name: str,
    partitions: int,
    *,
    timeout_s: float = 30.0,
    config: Mapping[str, str] | None = None,
) -> None:
    """Create any topic where it is missing; raises LogError where it has another number of partitions.

    `config`: of the topic, where it is made here.
    """
    admin = AdminClient(settings.kafka_client())
    found = admin.list_topics(topic=name, timeout=timeout_s).topics.get(name)
    if found is None or found.error is not None:
        topic = NewTopic(name, num_partitions=partitions, replication_factor=-1, config=dict(config or {}))
        for future in admin.create_topics([topic], request_timeout=timeout_s).values():
            try:
                future.result()
            except KafkaException as error:
                if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
                    raise
        return
    if len(found.partitions) != partitions:
        msg = (
            f"topic {name} has {len(found.partitions)} partitions, and should have {partitions}:"
            " set FENHE_KAFKA_PARTITIONS to the number of the readings' topic; the topics of alarms and guard have one"
        )
        raise LogError(msg)


_SESSIONS = ("group.min.session.timeout.ms", "group.max.session.timeout.ms")


def ensure_session(settings: KafkaSettings, session_timeout_s: float, *, timeout_s: float = 10.0) -> None:
    """Raise LogError for a session that Kafka would refuse, for then a worker would wait for its partitions for ever.

    A Kafka that does not tell its bounds is asked no further: the embedded one, or one that does not let us ask.
    """
    admin = AdminClient(settings.kafka_client())
    try:
        broker = ConfigResource(ConfigResource.Type.BROKER, str(min(admin.list_topics(timeout=timeout_s).brokers)))
        described = admin.describe_configs([broker], request_timeout=timeout_s)[broker].result(timeout_s)
        low_s, high_s = (int(described[name].value) / 1000 for name in _SESSIONS)
    except (KafkaException, TimeoutError, KeyError, TypeError, ValueError):
        return
    if not low_s <= session_timeout_s <= high_s:
        msg = (
            f"FENHE_SESSION_TIMEOUT_S={session_timeout_s:g} is refused by Kafka, which takes {low_s:g} to {high_s:g}:"
            f" choose one of these, or set its {' and '.join(_SESSIONS)}"
        )
        raise LogError(msg)


def have_leaders(client: Mapping[str, str | int | float | bool], topic: str, partitions: Collection[int]) -> bool:
    """Whether Kafka answers, and says of each partition who leads it; False where it does not.

    It is asked by a client of its own, which has heard nothing wrong yet: a producer that heard at the wrong moment
    that there is no leader stands for ever (librdkafka, issue 5430).
    """
    try:
        found = AdminClient(dict(client)).list_topics(topic, timeout=ANSWER_S)
    except KafkaException:
        return False
    known = found.topics[topic].partitions
    return all(number in known and known[number].leader >= 0 for number in partitions)

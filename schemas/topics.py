"""MQTT topics and the partition a site's readings go to."""

from __future__ import annotations

import zlib
from typing import NamedTuple

TOPIC_ROOT = "fenhe"
TOPIC_VERSION = "v1"
SUBSCRIPTION = f"{TOPIC_ROOT}/#"
"""All versions: one we do not speak is quarantined as such, not missed."""


def session_name(group: str) -> str:
    """Name of the one session that the collectors of a broker share, as MQTT client identifier.

    Earlier versions gave every collector a session of its own; the first one's had this name. So an upgrade finds it,
    with what waits in it.
    """
    return f"collector-1-{group}"


class Topic(NamedTuple):
    """A reading's identity as its topic states it."""

    site_id: str
    kind: str
    device_id: str

    def __str__(self) -> str:
        """Write the topic: `fenhe/v1/<site_id>/<kind>/<device_id>`."""
        return f"{TOPIC_ROOT}/{TOPIC_VERSION}/{self.site_id}/{self.kind}/{self.device_id}"


def partition_of(site_id: str, partitions: int) -> int:
    """Kafka partition of a site: everything of one site is on one partition, so its order and state are one."""
    return zlib.crc32(site_id.encode()) % partitions

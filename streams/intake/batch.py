"""What a worker has of a record once it is read: messages of readings, what is in the quarantine, and the count."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.aside import Aside
    from schemas.quarantine import Quarantined
    from schemas.readings import Kind, Reading


class Message(NamedTuple):
    """The accepted readings of one MQTT message."""

    site_id: str
    kind: Kind
    device_id: str
    received_ms: int
    readings: list[Reading]
    """As structs (`schemas.structs`)."""
    set_aside: Mapping[int, Aside] | None = None
    """Fields that the collector set aside, by the reading's place in `readings` and the field's name."""


class Batch(NamedTuple):
    """One record, as `schemas.record.MicroBatch` defines it."""

    collector: str
    received: dict[str, int]
    messages: list[Message]
    quarantined: list[Quarantined]

"""The Kafka record: a versioned micro-batch of validated messages and of quarantined ones.

One record holds what one collector took in for one partition within one clock hour. Version 1 is JSON: the readings
inside an envelope are the device's own bytes wherever nothing had to be cut out, so nothing is lost by re-encoding.
Version 2 (`schemas.columns.table`) is MessagePack: readings that are plain stand in it as columns, and all else is a
record of version 1 within it, whole. Workers read both, so they are upgraded before the collectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from schemas.aside import SetAside
from schemas.kafka import WIRE_NAMES
from schemas.kafka.quarantine import Moment, Name, Quarantined
from schemas.readings import (
    BatteryReading,
    ElectricityReading,
    FlowReading,
    GangueUnitReading,
    Kind,
    LabReading,
    ProductionReading,
    SitePowerReading,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.aside import Aside

RECORD_VERSION = 1

LARGEST_RECORD_BYTES = 980_000
"""A record with more than librdkafka's `message.max.bytes` (1 000 000, before compression) is refused for good."""
LARGEST_PAYLOAD_BYTES = 400_000
"""At most so large may the largest payload be: where part of an array is refused, its record holds the accepted
readings and, as base64, the payload."""


class _Envelope(BaseModel):
    """The accepted readings of one MQTT message."""

    model_config = WIRE_NAMES

    site_id: Name
    device_id: Name
    received_ts: Moment
    set_aside: dict[int, dict[str, SetAside]] | None = None
    """Fields that the collector set aside, by the reading's place in `readings` and the field's name."""


class ElectricityEnvelope(_Envelope):
    """Readings of electricity."""

    kind: Literal[Kind.ELECTRICITY]
    readings: list[ElectricityReading]


class FlowEnvelope(_Envelope):
    """Readings of water, steam or gas."""

    kind: Literal[Kind.WATER, Kind.STEAM, Kind.HEAT, Kind.GAS]
    readings: list[FlowReading]


class ProductionEnvelope(_Envelope):
    """Readings of production."""

    kind: Literal[Kind.PRODUCTION]
    readings: list[ProductionReading]


class GangueUnitEnvelope(_Envelope):
    """Readings of a gangue unit."""

    kind: Literal[Kind.GANGUE_UNIT]
    readings: list[GangueUnitReading]


class LabEnvelope(_Envelope):
    """Readings of the laboratory."""

    kind: Literal[Kind.LAB]
    readings: list[LabReading]


class BatteryEnvelope(_Envelope):
    """Readings of a battery set."""

    kind: Literal[Kind.BATTERY]
    readings: list[BatteryReading]


class SitePowerEnvelope(_Envelope):
    """Readings of site power."""

    kind: Literal[Kind.SITE_POWER]
    readings: list[SitePowerReading]


Envelope = Annotated[
    ElectricityEnvelope
    | FlowEnvelope
    | ProductionEnvelope
    | GangueUnitEnvelope
    | LabEnvelope
    | BatteryEnvelope
    | SitePowerEnvelope,
    Field(discriminator="kind"),
]


class MicroBatch(BaseModel):
    """One Kafka record."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1]
    collector: str
    received: dict[str, Annotated[int, Field(ge=0, lt=2**31)]]
    """Readings taken in per device id of the topic, counted on arrival and before any judgement of them.

    The ledger's left-hand side: it owes nothing to what the worker then makes of the readings.
    """
    messages: list[Envelope]
    quarantined: list[Quarantined]


def encode_set_aside(found: Mapping[int, Aside]) -> bytes:
    """What was set aside of a message's readings, by place: part of its envelope."""
    return orjson.dumps(found, tuple, orjson.OPT_NON_STR_KEYS) if found else b""


def encode_envelope(
    site_id: str, kind: str, device_id: str, received_ts: int, readings: bytes, *, set_aside: bytes = b""
) -> bytes:
    """One envelope of a micro-batch; `readings` is a JSON array of readings already validated."""
    return b'{"site_id":"%b","kind":"%b","device_id":"%b","received_ms":%d,"readings":%b%b}' % (
        site_id.encode(),
        kind.encode(),
        device_id.encode(),
        received_ts,
        readings,
        b',"set_aside":%b' % set_aside if set_aside else b"",
    )


def encode_micro_batch(
    collector: str,
    received: Mapping[str, int],
    envelopes: Sequence[bytes],
    quarantined: Sequence[Quarantined],
) -> bytes:
    """One Kafka record out of encoded envelopes; identifiers were validated, so they need no escaping."""
    return b'{"version":%d,"collector":%b,"received":%b,"messages":[%b],"quarantined":[%b]}' % (
        RECORD_VERSION,
        orjson.dumps(collector),
        orjson.dumps(received),
        b",".join(envelopes),
        b",".join(item.model_dump_json().encode() for item in quarantined),
    )

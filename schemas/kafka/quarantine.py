"""Why a message or reading could not be used. Nothing is dropped in silence: it is kept, with one of these."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.kafka import WIRE_NAMES
from schemas.quantity import CALENDAR_END_TS
from schemas.words import refusals


class Reason(StrEnum):
    """The one reason a message or reading is in the quarantine; exhaustive."""

    MALFORMED = "malformed"
    """Not JSON, not UTF-8, nested too deep, a key twice in one object; or a topic that is not
    `fenhe/v1/<site>/<kind>/<device>`."""
    SCHEMA = "schema"
    """JSON, but not a reading of this kind: a wrong type, an unknown field, NaN, an unknown kind."""
    UNKNOWN_DEVICE = "unknown_device"
    """No such device in the registry. Register it and replay."""
    IDENTITY_MISMATCH = "identity_mismatch"
    """Payload, topic and registry name different sites, kinds or devices."""
    OUT_OF_RANGE = "out_of_range"
    """Nothing is left of it: all its values are outside their physical or registered ranges."""
    CLOCK_AHEAD = "clock_ahead"
    """Device time more than five minutes in the future."""
    CLOCK_BEHIND = "clock_behind"
    """Device time before the device's first day, or far behind both its arrival and the device's newest reading."""
    TOO_LARGE = "too_large"
    """A payload over the limit; its head, size and digest are kept."""
    RETAINED = "retained"
    """Published with MQTT's retain flag: the broker would hand it out again and again, as if it were new."""
    UNSUPPORTED_VERSION = "unsupported_version"
    """A topic or record version this fenhe does not speak."""
    CONFLICT = "conflict"
    """Same device and time as a stored reading, with other values. The first one stored stands."""
    STORAGE_REJECTED = "storage_rejected"
    """The database or a kernel refused this one reading; the rest of its batch went on."""


_AHEAD = re.compile(refusals.CLOCK_AHEAD.pattern()[0])


def ahead_detail(seconds: int) -> str:
    """Say by how much a clock is ahead."""
    if seconds * 1000 >= CALENDAR_END_TS:
        return refusals.CLOCK_BEYOND()
    return refusals.CLOCK_AHEAD(seconds=seconds)


def ahead_ms_of(detail: str) -> int | None:
    """Read it back, in ms; None where a detail does not say it, or a time that no calendar has."""
    found = _AHEAD.fullmatch(detail)
    ms = None if found is None else int(found[1]) * 1000
    return ms if ms is not None and ms < CALENDAR_END_TS else None


LONGEST_NAME = 200
"""Characters of a site, kind or device in a record: more than the collector lets pass, less than an index takes."""

Name = Annotated[str, Field(max_length=LONGEST_NAME)]
Moment = Annotated[int, Field(ge=0, lt=CALENDAR_END_TS)]
"""When a collector took something in, ms: a time that the database can hold, whoever wrote the record."""


class Quarantined(BaseModel):
    """One unusable message or reading, with its raw bytes, as it travels to the quarantine table."""

    model_config = WIRE_NAMES | ConfigDict(extra="forbid", val_json_bytes="base64", ser_json_bytes="base64")

    reason: Reason
    detail: Annotated[str, Field(max_length=500)] = ""
    topic: str
    site_id: Name = ""
    kind: Name = ""
    device_id: Name = ""
    received_ts: Moment
    payload: bytes
    """The raw bytes; only their head when the message was too large."""
    size: Annotated[int, Field(ge=0, lt=2**31)]
    """Bytes as received."""

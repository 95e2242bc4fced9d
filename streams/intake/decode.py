"""Kafka records back into readings. A record that cannot be read costs itself, never the stream."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json

from schemas.quarantine import Quarantined, Reason
from schemas.record import RECORD_VERSION, MicroBatch

HEAD_BYTES = 16_384
"""How much of an unreadable record is kept; its size and digest tell the rest."""


class Record(NamedTuple):
    """One record of a partition of the log."""

    offset: int
    timestamp_ms: int
    value: bytes


def decode(record: Record, where: str) -> MicroBatch:
    """Decode a record; one that is not a micro-batch we speak becomes a micro-batch of one quarantined item."""
    try:
        return MicroBatch.model_validate_json(record.value)
    except ValidationError as error:
        refused = error
    found = _version(record.value)
    unsupported = found is not None and found != RECORD_VERSION
    detail = (
        f"record version {found}, this fenhe speaks {RECORD_VERSION}"
        if unsupported
        else f"not a micro-batch: {refused.errors(include_url=False)[0]['msg']}"
    )
    item = Quarantined(
        reason=Reason.UNSUPPORTED_VERSION if unsupported else Reason.MALFORMED,
        detail=f"{detail}; sha256 {hashlib.sha256(record.value).hexdigest()}"[:500],
        topic=f"kafka:{where}@{record.offset}",
        received_ms=record.timestamp_ms,
        payload=record.value[:HEAD_BYTES],
        size=len(record.value),
    )
    return MicroBatch(version=1, collector="", received={"": 1}, messages=[], quarantined=[item])


def _version(value: bytes) -> object:
    try:
        document = from_json(value)
    except ValueError:
        return None
    return document.get("version") if isinstance(document, dict) else None

"""What travels on Kafka: records of readings, what is put into quarantine, safety alarms; and the names in them."""

from __future__ import annotations

from pydantic import ConfigDict

from schemas.time import json_key

WIRE_NAMES = ConfigDict(alias_generator=json_key, populate_by_name=True, serialize_by_alias=True)
"""On Kafka a moment's key ends in `_ms`, as in the first version (`ended_ms`); the field in `_ts`, as everywhere."""

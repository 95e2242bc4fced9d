"""What travels on Kafka: records of readings, what is put into quarantine, safety alarms; and the names in them."""

from __future__ import annotations

from pydantic import ConfigDict


def _key(field: str) -> str:
    return f"{field[:-3]}_ms" if field.endswith("_ts") else field


WIRE_NAMES = ConfigDict(alias_generator=_key, populate_by_name=True, serialize_by_alias=True)
"""On Kafka a moment's key ends in `_ms`, as in the first version; the field in `_ts`, as everywhere."""

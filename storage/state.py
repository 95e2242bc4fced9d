"""What kernels remember of devices between batches, written in the batch's own transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from storage.arrays import Column, PgType
from storage.statements import trusted, upsert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection


class SavedState(NamedTuple):
    """One kernel's memory of one device."""

    device_id: str
    kernel: str
    version: int
    """Of the state's form; one that the kernel no longer speaks is rebuilt from raw readings."""
    last_ts: int
    """Device time of the newest reading that went into it, ms."""
    state: str
    """JSON."""


_TYPES = (PgType.TEXT, PgType.TEXT, PgType.INT4, PgType.TIMESTAMPTZ, PgType.JSON)
_SAVE = trusted(upsert("entity_state", SavedState._fields, _TYPES, ("device_id", "kernel")))


def save(connection: Connection, states: Sequence[SavedState]) -> None:
    """Insert or replace changed states; of one device and kernel there must be only one."""
    if states:
        ordered = sorted(states)
        columns = [Column(kind, values) for kind, values in zip(_TYPES, zip(*ordered, strict=True), strict=True)]
        connection.execute(_SAVE, columns)


def load(connection: Connection, device_ids: Sequence[str]) -> list[SavedState]:
    """Load the states of some devices, all kernels."""
    rows = connection.execute(
        "SELECT device_id, kernel, version, last_ts, state::text FROM entity_state WHERE device_id = ANY(%b)",
        (Column(PgType.TEXT, device_ids),),
        binary=True,
    ).fetchall()
    return [SavedState(*row) for row in rows]

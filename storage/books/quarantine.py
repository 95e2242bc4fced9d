"""Unusable messages and readings, kept with their raw bytes until their cause is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from storage.encoding.arrays import Column, PgType
from storage.statements import trusted, unnest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from schemas.kafka.quarantine import Quarantined

_ADD = trusted(
    "INSERT INTO quarantine (received_at, reason, detail, topic, site_id, kind, device_id, size, payload)"  # noqa: S608 - own names
    f" SELECT * FROM {unnest((PgType.TIMESTAMPTZ, *(PgType.TEXT,) * 6, PgType.INT8)).removesuffix(')')}, %b::bytea[])"
)
_NUL = "\x00"


def _text(value: str) -> str:
    """PostgreSQL's text holds everything but NUL, which a hostile topic may carry."""
    return value.replace(_NUL, "\N{SYMBOL FOR NULL}")


def add(connection: Connection, items: Sequence[Quarantined]) -> None:
    """Keep what could not be used."""
    if not items:
        return
    columns = [
        Column(PgType.TIMESTAMPTZ, [item.received_ts for item in items]),
        Column(PgType.TEXT, [item.reason.value for item in items]),
        Column(PgType.TEXT, [_text(item.detail) for item in items]),
        Column(PgType.TEXT, [_text(item.topic) for item in items]),
        Column(PgType.TEXT, [_text(item.site_id) for item in items]),
        Column(PgType.TEXT, [_text(item.kind) for item in items]),
        Column(PgType.TEXT, [_text(item.device_id) for item in items]),
        Column(PgType.INT8, [item.size for item in items]),
    ]
    connection.execute(_ADD, (*columns, [item.payload for item in items]))


class QuarantineCount(NamedTuple):
    """How many items the quarantine holds of one reason and device."""

    reason: str
    device_id: str
    waiting: int
    replayed: int


def counts(connection: Connection) -> list[QuarantineCount]:
    """Count the quarantine by reason and device, most first."""
    rows = connection.execute(
        "SELECT reason, device_id, count(*) FILTER (WHERE replayed_at IS NULL),"
        " count(*) FILTER (WHERE replayed_at IS NOT NULL)"
        " FROM quarantine GROUP BY reason, device_id ORDER BY 3 DESC, 1, 2"
    ).fetchall()
    return [QuarantineCount(*row) for row in rows]


class WaitingItem(NamedTuple):
    """One quarantined item that waits."""

    id: int
    received_ts: int
    reason: str
    detail: str
    topic: str
    payload: bytes
    size: int


def waiting(
    connection: Connection,
    *,
    reason: str | None = None,
    device_id: str | None = None,
    limit: int = 1000,
    after: int = 0,
) -> list[WaitingItem]:
    """List items not yet replayed, oldest first, from behind id `after`."""
    rows = connection.execute(
        "SELECT id, received_at, reason, detail, topic, payload, size FROM quarantine"
        " WHERE replayed_at IS NULL AND id > %(after)s"
        " AND (%(reason)s::text IS NULL OR reason = %(reason)s)"
        " AND (%(device)s::text IS NULL OR device_id = %(device)s) ORDER BY id LIMIT %(limit)s",
        {"after": after, "reason": reason, "device": device_id, "limit": limit},
        binary=True,
    ).fetchall()
    return [WaitingItem(*row) for row in rows]


def mark_replayed(connection: Connection, ids: Sequence[int]) -> None:
    """Note that these items were published again; what becomes of them is booked as new arrivals."""
    connection.execute("UPDATE quarantine SET replayed_at = clock_timestamp() WHERE id = ANY(%s)", (list(ids),))

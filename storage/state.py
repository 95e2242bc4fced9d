"""What kernels remember of entities between batches, and remembered once, to go back to when something comes late."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from storage.encoding.arrays import Column, PgType
from storage.spans import span_columns
from storage.statements import trusted, unnest, upsert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from schemas.time import Span


class SavedState(NamedTuple):
    """One kernel's memory of one entity."""

    entity_id: str
    kernel: str
    version: int
    """Of the state's form; one that the kernel no longer speaks is rebuilt."""
    last_ts: int
    """Device time of the newest item that went into it, ms."""
    state: str
    """JSON."""


class Snapshot(NamedTuple):
    """One kernel's memory of one entity as it was after everything before `ts`."""

    entity_id: str
    kernel: str
    version: int
    ts: int
    state: str


_TYPES = (PgType.TEXT, PgType.TEXT, PgType.INT4, PgType.TIMESTAMPTZ, PgType.JSON)
_SAVE = trusted(upsert("entity_state", SavedState._fields, _TYPES, ("entity_id", "kernel")))
_KEEP = trusted(upsert("entity_snapshot", Snapshot._fields, _TYPES, ("entity_id", "kernel", "ts")))


def save(connection: Connection, states: Sequence[SavedState]) -> None:
    """Insert or replace changed states; of one entity and kernel there must be only one."""
    _write(connection, _SAVE, sorted(states))


_CARRY_ON = trusted(
    f"UPDATE entity_state s SET last_ts = n.last_ts, state = n.state FROM {unnest(_TYPES)}"  # noqa: S608 - own names
    " AS n (entity_id, kernel, version, last_ts, state)"
    " WHERE s.entity_id = n.entity_id AND s.kernel = n.kernel AND s.version = n.version AND s.last_ts < n.last_ts"
)


def carry_on(connection: Connection, states: Sequence[SavedState]) -> None:
    """Replace states by such as saw more; where the database's saw as much or is of another version, it stands."""
    _write(connection, _CARRY_ON, sorted(states))


KEPT_DAYS = 40
"""How far back every snapshot is kept: longer than late readings usually are late. (unsourced)"""
SPARSE_DAYS = 28
"""Of older ones, the first in so many days stays."""

_THIN = trusted(
    "DELETE FROM entity_snapshot s USING"  # noqa: S608 - own names
    " (SELECT k.entity_id, k.kernel, (SELECT max(m.ts) FROM entity_snapshot m"
    " WHERE m.entity_id = k.entity_id AND m.kernel = k.kernel) AS newest_ts"
    f" FROM {unnest((PgType.TEXT, PgType.TEXT))} AS k (entity_id, kernel)) AS n"
    " WHERE s.entity_id = n.entity_id AND s.kernel = n.kernel"
    f" AND s.ts < n.newest_ts - interval '{KEPT_DAYS} days'"
    f" AND EXISTS (SELECT FROM entity_snapshot e WHERE e.entity_id = s.entity_id AND e.kernel = s.kernel"
    f" AND e.version = s.version AND e.ts < s.ts AND e.ts >= date_bin('{SPARSE_DAYS} days', s.ts, 'epoch'))"
)


def keep(connection: Connection, snapshots: Sequence[Snapshot]) -> None:
    """Insert or replace snapshots, and thin out what lies long before them; of one key the later in order stands."""
    last = {(item.entity_id, item.kernel, item.ts): item for item in snapshots}
    ordered = [last[key] for key in sorted(last)]
    _write(connection, _KEEP, ordered)
    if ordered:
        ids, kernels = zip(*sorted({(item.entity_id, item.kernel) for item in ordered}), strict=True)
        connection.execute(_THIN, (Column(PgType.TEXT, ids), Column(PgType.TEXT, kernels)))


def forget(connection: Connection, memories: Sequence[tuple[str, str]]) -> None:
    """Remove the states of some (kernel, entity)."""
    for kernel, entity_id in memories:
        connection.execute("DELETE FROM entity_state WHERE kernel = %s AND entity_id = %s", (kernel, entity_id))


def _write(connection: Connection, statement: str, items: Sequence[tuple[object, ...]]) -> None:
    if items:
        columns = [Column(kind, values) for kind, values in zip(_TYPES, zip(*items, strict=True), strict=True)]
        connection.execute(trusted(statement), columns)


def load(connection: Connection, entity_ids: Sequence[str]) -> list[SavedState]:
    """Load the states of some entities, all kernels."""
    rows = connection.execute(
        "SELECT entity_id, kernel, version, last_ts, state::text FROM entity_state WHERE entity_id = ANY(%b)",
        (Column(PgType.TEXT, entity_ids),),
        binary=True,
    ).fetchall()
    return [SavedState(*row) for row in rows]


_SINCE = trusted(
    "SELECT s.entity_id, s.kernel, s.version, s.ts, s.state::text"  # noqa: S608 - own names
    f" FROM {unnest((PgType.TEXT, PgType.TIMESTAMPTZ))} AS q (entity_id, at) JOIN entity_snapshot s"
    " ON s.entity_id = q.entity_id AND s.kernel = %s AND s.ts >= coalesce("
    "(SELECT max(e.ts) FROM entity_snapshot e"
    " WHERE e.entity_id = q.entity_id AND e.kernel = %s AND e.version = %s AND e.ts <= q.at), '-infinity')"
    " WHERE s.version = %s ORDER BY s.entity_id, s.ts"
)


def snapshots_since(
    connection: Connection, kernel: str, version: int, moments: Sequence[tuple[str, int]]
) -> dict[str, list[Snapshot]]:
    """Per entity the newest snapshot at or before its moment, if there is one, and all later ones, in order."""
    found: dict[str, list[Snapshot]] = {entity_id: [] for entity_id, _ in moments}
    columns = [
        Column(PgType.TEXT, [entity_id for entity_id, _ in moments]),
        Column(PgType.TIMESTAMPTZ, [ts for _, ts in moments]),
    ]
    for row in connection.execute(_SINCE, [*columns, kernel, kernel, version, version], binary=True):
        found[row[0]].append(Snapshot(*row))
    return found


def drop(connection: Connection, kernel: str, spans: Sequence[Span]) -> None:
    """Forget the snapshots within some stretches of time: they may remember what is no more."""
    connection.execute(_DROP, [*span_columns(spans), kernel])


_DROP = trusted(
    "DELETE FROM entity_snapshot s"  # noqa: S608 - own names
    f" USING {unnest((PgType.TEXT, PgType.TIMESTAMPTZ, PgType.TIMESTAMPTZ))} AS q (entity_id, low, high)"
    " WHERE s.entity_id = q.entity_id AND s.ts > q.low AND s.ts < q.high AND s.kernel = %s"
)

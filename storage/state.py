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
SPARSE_DAYS = 1
"""Of older ones, the first in so many days stays: a reading that is later still has so many days folded again."""

_THIN = trusted(
    "DELETE FROM entity_snapshot s USING"  # noqa: S608 - own names
    " (SELECT k.*, (SELECT max(m.ts) FROM entity_snapshot m"
    " WHERE m.entity_id = k.entity_id AND m.kernel = k.kernel) AS newest_ts,"
    " coalesce((SELECT max(m.ts) FROM entity_snapshot m"
    " WHERE m.entity_id = k.entity_id AND m.kernel = k.kernel AND m.ts < k.first_ts), k.first_ts) AS before_ts"
    f" FROM {unnest((PgType.TEXT, PgType.TEXT, PgType.TIMESTAMPTZ, PgType.TIMESTAMPTZ))}"
    " AS k (entity_id, kernel, first_ts, last_ts)) AS n"
    " WHERE s.entity_id = n.entity_id AND s.kernel = n.kernel AND s.ts >= CASE WHEN n.last_ts < n.newest_ts"
    f" THEN n.first_ts ELSE date_bin('{SPARSE_DAYS} days', n.before_ts - interval '{KEPT_DAYS} days', 'epoch') END"
    f" AND s.ts < least(n.newest_ts - interval '{KEPT_DAYS} days',"
    f" CASE WHEN n.last_ts < n.newest_ts THEN n.last_ts + interval '{SPARSE_DAYS} days' END)"
    f" AND EXISTS (SELECT FROM entity_snapshot e WHERE e.entity_id = s.entity_id AND e.kernel = s.kernel"
    f" AND e.version = s.version AND e.ts < s.ts AND e.ts >= date_bin('{SPARSE_DAYS} days', s.ts, 'epoch'))"
)
"""What lies longer before than the snapshots that were kept last is thinned out already, and not looked at again.

Nor, where a newer one stands, what lies behind them and their days: a recompute keeps some of each day of a year.
"""


def keep(connection: Connection, snapshots: Sequence[Snapshot]) -> None:
    """Insert or replace snapshots, and thin out what lies long before them; of one key the later in order stands."""
    last = {(item.entity_id, item.kernel, item.ts): item for item in snapshots}
    ordered = [last[key] for key in sorted(last)]
    _write(connection, _KEEP, ordered)
    if ordered:
        ends: dict[tuple[str, str], tuple[int, int]] = {}
        for item in ordered:
            first_ts, _ = ends.get((item.entity_id, item.kernel), (item.ts, item.ts))
            ends[item.entity_id, item.kernel] = (first_ts, item.ts)
        ids, kernels = zip(*ends, strict=True)
        firsts, lasts = zip(*ends.values(), strict=True)
        columns = (
            Column(PgType.TEXT, ids),
            Column(PgType.TEXT, kernels),
            Column(PgType.TIMESTAMPTZ, firsts),
            Column(PgType.TIMESTAMPTZ, lasts),
        )
        connection.execute(_THIN, columns)


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
    f" FROM {unnest((PgType.TEXT, PgType.TIMESTAMPTZ, PgType.TIMESTAMPTZ))} AS q (entity_id, at, until)"
    " JOIN entity_snapshot s ON s.entity_id = q.entity_id AND s.kernel = %s AND s.ts >= coalesce("
    "(SELECT max(e.ts) FROM entity_snapshot e"
    " WHERE e.entity_id = q.entity_id AND e.kernel = %s AND e.version = %s AND e.ts <= q.at), '-infinity')"
    " AND s.ts <= coalesce((SELECT min(e.ts) FROM entity_snapshot e"
    " WHERE e.entity_id = q.entity_id AND e.kernel = %s AND e.version = %s AND e.ts >= q.until), 'infinity')"
    " WHERE s.version = %s ORDER BY s.entity_id, s.ts"
)


def snapshots_since(
    connection: Connection, kernel: str, version: int, spans: Sequence[Span]
) -> dict[str, list[Snapshot]]:
    """Per entity the newest snapshot at or before a span, if there is one, and the later ones, in order.

    As far as the first one at or behind the span's end, or all later ones where there is none.
    """
    found: dict[str, list[Snapshot]] = {span.entity_id: [] for span in spans}
    asked = [kernel, kernel, version, kernel, version, version]
    for row in connection.execute(_SINCE, [*span_columns(spans), *asked], binary=True):
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

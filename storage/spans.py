"""Stretches of time of entities: what is loaded, folded again or taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.encoding.arrays import Column, PgType
from storage.statements import trusted, unnest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from schemas.time import Span


def span_columns(spans: Sequence[Span]) -> list[Column]:
    """Spans as three columns: entity, from, to."""
    return [
        Column(PgType.TEXT, [span.entity_id for span in spans]),
        Column(PgType.TIMESTAMPTZ, [span.from_ts for span in spans]),
        Column(PgType.TIMESTAMPTZ, [span.to_ts for span in spans]),
    ]


def begun_before(connection: Connection, table: str, entity: str, moments: Sequence[tuple[str, int]]) -> set[str]:
    """Entities, named by the column `entity`, that have rows in a table before a moment of their own."""
    statement = (
        f"SELECT q.id FROM {unnest((PgType.TEXT, PgType.TIMESTAMPTZ))} AS q (id, at)"  # noqa: S608 - own names
        f" CROSS JOIN LATERAL (SELECT FROM {table} t WHERE t.{entity} = q.id AND t.ts < q.at LIMIT 1) AS earlier"
    )
    return {row[0] for row in connection.execute(trusted(statement), _moment_columns(moments))}


def newest_before(
    connection: Connection, table: str, entity: str, moments: Sequence[tuple[str, int]]
) -> dict[str, int]:
    """Time of the newest row before its moment, of each entity, named by the column `entity`, that has any."""
    statement = (
        f"SELECT q.id, earlier.ts FROM {unnest((PgType.TEXT, PgType.TIMESTAMPTZ))} AS q (id, at)"  # noqa: S608 - own names
        f" CROSS JOIN LATERAL (SELECT t.ts FROM {table} t WHERE t.{entity} = q.id AND t.ts < q.at"
        " ORDER BY t.ts DESC LIMIT 1) AS earlier"
    )
    return dict(connection.execute(trusted(statement), _moment_columns(moments), binary=True).fetchall())


def _moment_columns(moments: Sequence[tuple[str, int]]) -> list[Column]:
    """Entities and a moment of each as two columns."""
    ids, times = ([moment[at] for moment in moments] for at in (0, 1))
    return [Column(PgType.TEXT, ids), Column(PgType.TIMESTAMPTZ, times)]

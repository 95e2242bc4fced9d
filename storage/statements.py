"""SQL text for unnest-and-insert statements, built once per table."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from psycopg import Connection
    from psycopg.sql import Composed

    from storage.encoding.arrays import PgType


def trusted(text: str) -> LiteralString:
    """Mark SQL that is put together from this package's own table definitions, never from input."""
    return text


def each(
    connection: Connection, statement: LiteralString | Composed, rows: Iterable[Sequence[Any] | Mapping[str, Any]]
) -> None:
    """Run a statement for each row, in order; psycopg's own way to do so opens a pipeline (decision 370)."""
    for row in rows:
        connection.execute(statement, row)


MOMENT = "'epoch'::timestamptz + %s * interval '1 ms'"
"""A parameter in milliseconds since the epoch, as a moment."""


def unnest(types: Sequence[PgType]) -> str:
    """`unnest(%b::t1[], %b::t2[], …)`: one binary array parameter a column."""
    return "unnest(" + ", ".join(f"%b::{kind.value.sql}[]" for kind in types) + ")"


def insert_select(table: str, columns: Sequence[str], types: Sequence[PgType]) -> str:
    """`INSERT INTO table (…) SELECT * FROM unnest(…)`, to be followed by its ON CONFLICT."""
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM {unnest(types)}"  # noqa: S608 - own names


def upsert(table: str, columns: Sequence[str], types: Sequence[PgType], key: Sequence[str], where: str = "") -> str:
    """Insert or replace by key; `where` limits the replacing."""
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in key)
    return f"{insert_select(table, columns, types)} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes} {where}"

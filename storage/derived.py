"""Derived rows: replaced by key, so that computing one twice changes nothing."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, get_type_hints

import numpy as np

from schemas.metrics import built
from storage import chunks
from storage.encoding import bulk
from storage.encoding.arrays import Column, PgType
from storage.spans import span_columns
from storage.statements import MOMENT, trusted, unnest, upsert
from storage.tables import DERIVED_TABLES, column_names, column_types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import LiteralString

    from psycopg import Connection

    from schemas.metrics import Row
    from schemas.time import Span


ROWS_AT_ONCE = 20_000
"""Rows in one statement: in PostgreSQL's format a row takes as much memory again, several times over."""


COPIED_FROM = 1_000
"""So many rows are copied where none stands yet, at half the cost; of fewer it is not asked."""
COPIED_AT_ONCE = 20_000
"""The client keeps what a slow server has not taken yet, all of one COPY: about 3 MB. (unsourced)"""
MOST_SERIES = 100
"""Of more series it is not asked either."""


class _Shape(NamedTuple):
    """Everything about a row type that its statements are made of."""

    columns: tuple[str, ...]
    types: tuple[PgType, ...]
    key_at: tuple[int, ...]
    series_at: tuple[int, ...]
    """The key without the time: what rows have in common that differ in time alone."""
    words: tuple[tuple[int, type[StrEnum]], ...]
    """Fields that are read back as words of an enum."""
    reals: tuple[int, ...]


@cache
def _shape(row_type: type[Row]) -> _Shape:
    fields = tuple(get_type_hints(row_type))
    types = column_types(row_type)
    words = tuple(
        (at, hint)
        for at, hint in enumerate(get_type_hints(row_type).values())
        if isinstance(hint, type) and issubclass(hint, StrEnum)
    )
    return _Shape(
        column_names(row_type),
        types,
        tuple(fields.index(name) for name in DERIVED_TABLES[row_type].key),
        tuple(fields.index(name) for name in DERIVED_TABLES[row_type].key if name != "ts"),
        words,
        tuple(at for at, kind in enumerate(types) if kind is PgType.FLOAT4),
    )


@cache
def _upsert(row_type: type[Row], *, changed_only: bool) -> LiteralString:
    table, shape = DERIVED_TABLES[row_type], _shape(row_type)
    conditions = [f"excluded.ts >= {table.name}.ts"] if table.newest_wins else []
    if changed_only:
        comparable = [
            f"{{0}}.{name}::text" if kind is PgType.JSON else f"{{0}}.{name}"
            for name, kind in zip(shape.columns, shape.types, strict=True)
        ]
        ours, theirs = (", ".join(comparable).format(side) for side in (table.name, "excluded"))
        conditions.append(f"({ours}) IS DISTINCT FROM ({theirs})")
    where = "WHERE " + " AND ".join(conditions) if conditions else ""
    returning = " RETURNING " + ", ".join(f"{table.name}.{name}" for name in _key_columns(row_type))
    statement = upsert(table.name, shape.columns, shape.types, _key_columns(row_type), where)
    return trusted(statement + (returning if changed_only else ""))


def _key_columns(row_type: type[Row]) -> list[str]:
    shape = _shape(row_type)
    return [shape.columns[at] for at in shape.key_at]


@cache
def _key(row_type: type[Row]) -> Callable[[Row], tuple[Any, ...]]:
    key_at = _shape(row_type).key_at
    return itemgetter(*key_at) if len(key_at) > 1 else lambda row: (row[key_at[0]],)


def key_of(row: Row) -> tuple[Any, ...]:
    """What makes a row one and the same; begins with its entity."""
    return _key(type(row))(row)


def unique(rows: Iterable[Row]) -> dict[type[Row], dict[tuple[Any, ...], Row]]:
    """Rows by type and key; of two rows of one key the later in order stands, in latest tables the newer."""
    return {row_type: _unique(row_type, own) for row_type, own in by_type(list(rows)).items()}


def by_type(rows: Sequence[Row]) -> dict[type[Row], Sequence[Row]]:
    """Rows by type, in order; often all are of one."""
    types = dict.fromkeys(map(type, rows))
    if len(types) == 1:
        return dict.fromkeys(types, rows)
    return {row_type: [row for row in rows if type(row) is row_type] for row_type in types}


def _unique(row_type: type[Row], rows: Sequence[Row]) -> dict[tuple[Any, ...], Row]:
    keys = map(_key(row_type), rows)
    if not DERIVED_TABLES[row_type].newest_wins:
        return dict(zip(keys, rows, strict=True))
    found: dict[tuple[Any, ...], Row] = {}
    for key, row in zip(keys, rows, strict=True):
        if key not in found or found[key].ts <= row.ts:
            found[key] = row
    return found


@cache
def is_comparable(row_type: type[Row]) -> bool:
    """Whether rows as stored and as computed tell by themselves whether writing them would change anything."""
    return not DERIVED_TABLES[row_type].newest_wins and PgType.JSON not in _shape(row_type).types


def _columns(row_type: type[Row], ordered: Sequence[Row]) -> list[Column]:
    return [
        Column(kind, values) for kind, values in zip(_shape(row_type).types, zip(*ordered, strict=True), strict=True)
    ]


def write(connection: Connection, rows: Iterable[Row]) -> None:
    """Insert or replace derived rows of any kinds; of two rows of one key the later in order stands.

    In latest tables an older row never replaces a newer one, whichever comes last.
    """
    rows_of = unique(rows)
    for row_type in DERIVED_TABLES:  # always in the same order: two writers cannot deadlock
        if of_type := rows_of.get(row_type):
            for ordered in _in_slices(of_type):
                chunks.open_old(connection, DERIVED_TABLES[row_type].name, [row.ts for row in ordered])
                if others := _copied(connection, row_type, ordered):
                    connection.execute(_upsert(row_type, changed_only=False), _columns(row_type, others))


def _copied(connection: Connection, row_type: type[Row], rows: Sequence[Row]) -> Sequence[Row]:
    """Copy most of some rows into the table where few of them stand yet; returns those that are left to be upserted."""
    if len(rows) < COPIED_FROM or (standing := _standing_within(connection, row_type, rows)) is None:
        return rows
    key = _key(row_type)
    fresh = [row for row in rows if key(row) not in standing] if standing else rows
    for start in range(0, len(fresh), COPIED_AT_ONCE):
        named = zip(_shape(row_type).columns, _columns(row_type, fresh[start : start + COPIED_AT_ONCE]), strict=True)
        bulk.copy(connection, DERIVED_TABLES[row_type].name, dict(named))
    return [row for row in rows if key(row) in standing] if standing else ()


def _standing_within(connection: Connection, row_type: type[Row], rows: Sequence[Row]) -> set[tuple[Any, ...]] | None:
    """Keys that stand within the time that ordered rows cover, series by series; None: many, or they are not asked."""
    if DERIVED_TABLES[row_type].newest_wins:
        return None
    shape = _shape(row_type)
    series = list(zip(*([row[at] for row in rows] for at in shape.series_at), strict=True))
    times = [row.ts for row in rows]
    last = dict(zip(series, times, strict=True))  # in order of the key, and so of time within each series
    first = dict(zip(reversed(series), reversed(times), strict=True))
    if len(last) > MOST_SERIES:
        return None
    names = [Column(shape.types[at], own) for at, own in zip(shape.series_at, zip(*last, strict=True), strict=True)]
    ends = [Column(PgType.TIMESTAMPTZ, [end[each] for each in last]) for end in (first, last)]
    most = len(rows) // 4
    within = (min(first.values()), max(last.values()), most)
    found = connection.execute(_keys_within(row_type), [*names, *ends, *within], binary=True)
    keys = found.fetchall()
    return None if len(keys) == most else set(keys)


@cache
def _keys_within(row_type: type[Row]) -> LiteralString:
    shape = _shape(row_type)
    names = [shape.columns[at] for at in shape.series_at]
    types = (*(shape.types[at] for at in shape.series_at), PgType.TIMESTAMPTZ, PgType.TIMESTAMPTZ)
    key = ", ".join(f"t.{name}" for name in _key_columns(row_type))
    same = " AND ".join(f"t.{name} = s.{name}" for name in names)
    return trusted(
        f"SELECT {key} FROM {unnest(types)} AS s ({', '.join(names)}, low, high)"  # noqa: S608 - own names
        f" JOIN {DERIVED_TABLES[row_type].name} t ON {same} AND t.ts >= s.low AND t.ts <= s.high"
        f" AND t.ts >= {MOMENT} AND t.ts <= {MOMENT} LIMIT %s"
    )


def rewrite(connection: Connection, rows: Iterable[Row]) -> list[Row]:
    """Write rows that mostly stand there already; returns those that changed anything."""
    rows_of = unique(rows)
    changed: list[Row] = []
    for row_type in DERIVED_TABLES:
        if of_type := rows_of.get(row_type):
            for ordered in _in_slices(of_type):
                chunks.open_old(connection, DERIVED_TABLES[row_type].name, [row.ts for row in ordered])
                cursor = connection.execute(
                    _upsert(row_type, changed_only=True), _columns(row_type, ordered), binary=True
                )
                changed += [of_type[key] for key in cursor.fetchall()]
    return changed


def _in_slices(rows: Mapping[tuple[Any, ...], Row]) -> Iterator[list[Row]]:
    """Rows in order of their keys, so many at a time that writing them takes no more memory than having them."""
    keys = sorted(rows)
    for start in range(0, len(keys), ROWS_AT_ONCE):
        yield [rows[key] for key in keys[start : start + ROWS_AT_ONCE]]


@cache
def _select(row_type: type[Row], clock: str) -> LiteralString:
    table, shape = DERIVED_TABLES[row_type], _shape(row_type)
    entity = table.key[0]
    columns = ", ".join(f"t.{name}" for name in shape.columns)
    return trusted(
        f"SELECT {columns} FROM "  # noqa: S608 - own names
        + unnest((PgType.TEXT, PgType.TIMESTAMPTZ, PgType.TIMESTAMPTZ))
        + f" AS s (entity, low, high) JOIN {table.name} t"
        f" ON t.{entity} = s.entity AND t.{clock} >= s.low AND t.{clock} < s.high"
        f" WHERE t.{clock} >= 'epoch'::timestamptz + %s * interval '1 ms'"
        f" AND t.{clock} < 'epoch'::timestamptz + %s * interval '1 ms'"
        f" ORDER BY {', '.join(f't.{name}' for name in _key_columns(row_type))}"
    )


def load(connection: Connection, row_type: type[Row], spans: Sequence[Span], *, clock: str = "ts") -> list[Row]:
    """Rows of some entities, each within its own stretch of `clock`, in order of the key."""
    if not spans:
        return []
    bounds = (min(span.from_ts for span in spans), max(span.to_ts for span in spans))
    cursor = connection.execute(_select(row_type, clock), [*span_columns(spans), *bounds], binary=True)
    return _made(row_type, cursor.fetchall())


def _made(row_type: type[Row], values: Sequence[Sequence[Any]]) -> list[Row]:
    """Rows from values in the order of the columns: column by column, as there may be a hundred thousand of them."""
    if values and (words := _shape(row_type).words):
        columns: list[Sequence[Any]] = list(zip(*values, strict=True))
        for at, enum in words:
            members: dict[Any, StrEnum | None] = {None: None, **{member.value: member for member in enum}}
            columns[at] = [members[word] for word in columns[at]]
        values = list(zip(*columns, strict=True))
    return built(row_type, values)


def withdraw(
    connection: Connection,
    row_type: type[Row],
    spans: Sequence[Span],
    given: Iterable[Row],
    *,
    clock: str = "ts",
    owned: Callable[[Row], bool] | None = None,
) -> list[Row]:
    """Take away the rows within stretches of `clock` that are not given again; returns what is gone.

    `owned` tells which of them may be taken away; None: all.
    """
    kept = {key_of(row) for row in given if type(row) is row_type}
    standing = load(connection, row_type, spans, clock=clock)
    gone = [row for row in standing if key_of(row) not in kept and (owned is None or owned(row))]
    if gone:
        remove(connection, gone)
    return gone


def remove(connection: Connection, rows: Sequence[Row]) -> None:
    """Take away rows of one type, at least one, by their keys."""
    row_type = type(rows[0])
    shape = _shape(row_type)
    types = [shape.types[at] for at in shape.key_at]
    names = _key_columns(row_type)
    same = " AND ".join(f"t.{name} = k.{name}" for name in names)
    statement = trusted(
        f"DELETE FROM {DERIVED_TABLES[row_type].name} t"  # noqa: S608 - own names
        f" USING {unnest(types)} AS k ({', '.join(names)}) WHERE {same}"
    )
    keys = zip(*(key_of(row) for row in rows), strict=True)
    connection.execute(statement, [Column(kind, values) for kind, values in zip(types, keys, strict=True)])


def as_stored(rows: Sequence[Row]) -> list[Row]:
    """Rows of one type with every `real` as its column holds it: what a kernel would read back."""
    if not rows or not (reals := _shape(type(rows[0])).reals):
        return list(rows)
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for at in reals:
        rounded = np.array(columns[at], dtype=np.float32).tolist()  # None becomes NaN
        columns[at] = [None if before is None else after for before, after in zip(columns[at], rounded, strict=True)]
    return built(type(rows[0]), zip(*columns, strict=True))

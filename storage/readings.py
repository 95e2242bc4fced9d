"""Raw readings: stored once, compared when they come again, read back for a recompute."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.arrival import Arrival
from schemas.readings import MODELS, Kind, Reading
from storage.arrays import Column, PgType
from storage.spans import span_columns
from storage.statements import insert_select, trusted, unnest
from storage.tables import READING_TABLES, ReadingTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from psycopg import Connection

    from schemas.time import Span


class Stored(NamedTuple):
    """What became of a batch of arrivals; every arrival is in exactly one list."""

    fresh: list[Arrival]
    duplicates: list[Arrival]
    conflicts: list[Arrival]
    """Same key as another reading, with other values; the one that was stored first stands."""


_KEY = (PgType.TEXT, PgType.TIMESTAMPTZ)


def _insert_sql(table: ReadingTable) -> str:
    columns = ("device_id", "ts", "received_at", *(field.column for field in table.fields))
    types = (*_KEY, PgType.TIMESTAMPTZ, *(field.type for field in table.fields))
    return f"{insert_select(table.name, columns, types)} ON CONFLICT DO NOTHING RETURNING device_id, ts"


def _compare_sql(table: ReadingTable) -> str:
    """Ordinals of the given readings whose stored row holds other values."""
    names = ", ".join(field.column for field in table.fields)
    casts = ["::text" if field.type is PgType.JSON else "" for field in table.fields]
    ours = ", ".join(f"i.{field.column}{cast}" for field, cast in zip(table.fields, casts, strict=True))
    theirs = ", ".join(f"r.{field.column}{cast}" for field, cast in zip(table.fields, casts, strict=True))
    types = (*_KEY, *(field.type for field in table.fields))
    return (
        f"SELECT i.ord - 1 FROM {unnest(types)} WITH ORDINALITY AS i (device_id, ts, {names}, ord)"  # noqa: S608
        f" JOIN {table.name} r ON r.device_id = i.device_id AND r.ts = i.ts"
        f" WHERE ({ours}) IS DISTINCT FROM ({theirs})"
    )


_INSERT = {kind: trusted(_insert_sql(table)) for kind, table in READING_TABLES.items()}
_COMPARE = {kind: trusted(_compare_sql(table)) for kind, table in READING_TABLES.items()}


def _key_columns(arrivals: Sequence[Arrival]) -> list[Column]:
    return [
        Column(PgType.TEXT, [arrival.device_id for arrival in arrivals]),
        Column(PgType.TIMESTAMPTZ, [arrival.reading.ts for arrival in arrivals]),
    ]


def store(connection: Connection, kind: Kind, arrivals: Iterable[Arrival]) -> Stored:
    """Insert readings that are new; tell duplicates and conflicts from them.

    Readings are rounded, in place, to what their rows hold. Sorted by key, so that concurrent writers cannot deadlock.
    """
    first: dict[tuple[str, int], Arrival] = {}
    repeated = [arrival for arrival in arrivals if first.setdefault(arrival.key, arrival) is not arrival]
    result = Stored([], [], [])
    ordered = [first[key] for key in sorted(first)]
    if not ordered:
        return result
    table = READING_TABLES[kind]
    columns = table.columns([arrival.reading for arrival in ordered])
    received = Column(PgType.TIMESTAMPTZ, [arrival.received_ms for arrival in ordered])
    cursor = connection.execute(_INSERT[kind], [*_key_columns(ordered), received, *columns], binary=True)
    if cursor.rowcount == len(ordered) and not repeated:
        result.fresh.extend(ordered)
        return result
    inserted = set(cursor.fetchall())
    result.fresh.extend(arrival for arrival in ordered if arrival.key in inserted)
    again = [arrival for arrival in ordered if arrival.key not in inserted] + repeated
    different = _different(connection, kind, again)
    for at, arrival in enumerate(again):
        (result.conflicts if at in different else result.duplicates).append(arrival)
    return result


def _different(connection: Connection, kind: Kind, arrivals: Sequence[Arrival]) -> set[int]:
    """Positions of the arrivals whose stored row holds other values."""
    columns = READING_TABLES[kind].columns([arrival.reading for arrival in arrivals])
    rows = connection.execute(_COMPARE[kind], [*_key_columns(arrivals), *columns], binary=True).fetchall()
    return {row[0] for row in rows}


def _load_sql(table: ReadingTable) -> str:
    names = ", ".join(f"r.{field.column}" for field in table.fields)
    return (
        f"SELECT r.device_id, r.ts, r.received_at, {names}"  # noqa: S608 - own names
        f" FROM {unnest((*_KEY, PgType.TIMESTAMPTZ))} AS q (device_id, low, high)"
        f" JOIN {table.name} r ON r.device_id = q.device_id AND r.ts >= q.low AND r.ts < q.high"
        " WHERE r.ts >= 'epoch'::timestamptz + %s * interval '1 ms'"
        " AND r.ts < 'epoch'::timestamptz + %s * interval '1 ms' ORDER BY r.device_id, r.ts"
    )


_set = object.__setattr__
_LOAD = {kind: trusted(_load_sql(table)) for kind, table in READING_TABLES.items()}


def load(connection: Connection, kind: Kind, spans: Sequence[Span]) -> dict[str, list[Arrival]]:
    """Read devices' readings, each within its own stretch of time, in order, as the models they came as."""
    layout = _layout(kind)
    found: dict[str, list[Arrival]] = {span.entity_id: [] for span in spans}
    if not found:
        return found
    bounds = (min(span.from_ms for span in spans), max(span.to_ms for span in spans))
    for row in connection.execute(_LOAD[kind], [*span_columns(spans), *bounds], binary=True).fetchall():
        found[row[0]].append(Arrival(row[0], row[2], _reading(layout, row)))
    return found


class _Layout(NamedTuple):
    """Where in a loaded row a reading's values are."""

    model: type[Reading]
    blank: dict[str, Any]
    """All attributes, without a value."""
    names: set[str]
    scalars: tuple[tuple[str, int], ...]
    lists: tuple[tuple[str, int, int], ...]
    """Attribute, first column, behind the last."""


@cache
def _layout(kind: Kind) -> _Layout:
    fields = READING_TABLES[kind].fields
    scalars = tuple((field.attribute, at) for at, field in enumerate(fields, 3) if field.index is None)
    places: dict[str, list[int]] = {}
    for at, field in enumerate(fields, 3):
        if field.index is not None:
            places.setdefault(field.attribute, []).append(at)
    lists = tuple((attribute, columns[0], columns[-1] + 1) for attribute, columns in places.items())
    blank = vars(MODELS[kind].model_construct(ts=0))
    return _Layout(MODELS[kind], blank, set(blank), scalars, lists)


def _reading(layout: _Layout, row: Sequence[Any]) -> Reading:
    """Build a reading back from its row: device, ts, time of arrival, then the columns of its table."""
    values = layout.blank.copy()
    values["ts"] = row[1]
    for attribute, at in layout.scalars:
        values[attribute] = row[at]
    for attribute, first, end in layout.lists:
        last = end
        while last > first and row[last - 1] is None:
            last -= 1
        values[attribute] = list(row[first:last]) or None
    # What `model_construct` does, at a tenth of its time: these values were validated when they came.
    reading = layout.model.__new__(layout.model)
    _set(reading, "__dict__", values)
    _set(reading, "__pydantic_fields_set__", layout.names)
    _set(reading, "__pydantic_extra__", None)
    _set(reading, "__pydantic_private__", None)
    return reading

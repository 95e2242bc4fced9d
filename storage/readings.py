"""Raw readings: stored once, compared when they come again, read back for a recompute."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson

from schemas.arrival import Arrival, joined, with_dangers
from schemas.aside import NOTHING, SetAside
from schemas.columns.arrivals import Arrivals
from schemas.structs import STRUCTS
from schemas.time import Span
from storage import chunks
from storage.encoding import bulk
from storage.encoding.arrays import Column, PgType
from storage.encoding.blocks import columns_of, round_as_stored
from storage.spans import span_columns
from storage.statements import insert_select, trusted, unnest
from storage.tables import READING_TABLES, ReadingTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import LiteralString

    from psycopg import Connection

    from schemas.aside import Aside
    from schemas.readings import Kind, Reading


class Stored(NamedTuple):
    """What became of a batch of arrivals; every arrival is in exactly one of the first three lists."""

    fresh: Sequence[Arrival]
    """As they now stand: with what later messages of the batch added; as columns where all of them were new."""
    duplicates: list[Arrival]
    """Same key as another reading, and nothing in them contradicts it."""
    conflicts: list[Arrival]
    """Same key as another reading, with other values; the one that was stored first stands."""
    completed: list[tuple[Arrival, Aside]]
    """Readings that stood and that duplicates added values to, with what was set aside of them before."""

    @property
    def fed(self) -> Sequence[Arrival]:
        """Readings that kernels have not seen as they are now, in order of device and time."""
        if not self.completed:
            return self.fresh
        return sorted([*self.fresh, *(arrival for arrival, _ in self.completed)], key=lambda arrival: arrival.key)


_Key = tuple[Any, ...]
"""What makes a reading one and the same: device, device time, and what its table tells apart."""


def _key_of(kind: Kind) -> Callable[[Arrival], _Key]:
    names = READING_TABLES[kind].apart
    return lambda arrival: (*arrival.key, *(getattr(arrival.reading, name) for name in names))


_KEY = (PgType.TEXT, PgType.TIMESTAMPTZ)
_SET_ASIDE = "set_aside"


def _columns_of(table: ReadingTable) -> tuple[tuple[str, ...], tuple[PgType, ...]]:
    names = (*(field.column for field in table.fields), _SET_ASIDE)
    return names, (*(field.type for field in table.fields), PgType.JSON)


def _insert_sql(table: ReadingTable) -> str:
    names, types = _columns_of(table)
    insert = insert_select(table.name, ("device_id", "ts", "received_at", *names), (*_KEY, PgType.TIMESTAMPTZ, *types))
    return f"{insert} ON CONFLICT DO NOTHING RETURNING {', '.join(('device_id', 'ts', *table.apart))}"


def _complete_sql(table: ReadingTable) -> str:
    """Write readings over those that stand."""
    names, types = _columns_of(table)
    changes = ", ".join(f"{name} = i.{name}" for name in names)
    return (
        f"UPDATE {table.name} r SET {changes}"  # noqa: S608 - own names
        f" FROM {unnest((*_KEY, *types))} AS i (device_id, ts, {', '.join(names)})"
        f" WHERE {' AND '.join(f'r.{name} = i.{name}' for name in ('device_id', 'ts', *table.apart))}"
    )


_INSERT = {kind: trusted(_insert_sql(table)) for kind, table in READING_TABLES.items()}
_COMPLETE = {kind: trusted(_complete_sql(table)) for kind, table in READING_TABLES.items()}


def _key_columns(arrivals: Arrivals) -> list[Column]:
    return [Column(PgType.TEXT, arrivals.device_ids), Column(PgType.TIMESTAMPTZ, arrivals.ts)]


def _value_columns(arrivals: Arrivals) -> dict[str, Column]:
    """All columns but the key's, of readings that are rounded; but those without any value."""
    apart: list[str | None] = [None] * len(arrivals)
    for at, aside in arrivals.asides.items():
        apart[at] = orjson.dumps(aside, tuple).decode()
    return {**columns_of(arrivals.block), _SET_ASIDE: Column(PgType.JSON, apart)}


def _all_columns(arrivals: Arrivals) -> list[Column]:
    """The same for a statement that names every column."""
    found = _value_columns(arrivals)
    nothing = [None] * len(arrivals)
    names, types = _columns_of(READING_TABLES[arrivals.kind])
    return [found.get(name) or Column(kind, nothing) for name, kind in zip(names, types, strict=True)]


def nothing_known(_: str) -> None:
    """Nothing is known of any device."""


def store(connection: Connection, arrivals: Arrivals, newest: Callable[[str], int | None] = nothing_known) -> Stored:
    """Insert readings that are new; tell duplicates and conflicts from them, and complete what stands.

    `newest` tells how far a device has come, None where that is not known: readings behind it are not looked for, so
    that UniqueViolation is raised where it was wrong. Readings are rounded, in place, to what their rows hold. Sorted
    by key, so that concurrent writers cannot deadlock.
    """
    if not arrivals:
        return Stored([], [], [], [])
    kind = arrivals.kind
    round_as_stored(arrivals.block)
    chunks.open_old(connection, READING_TABLES[kind].name, arrivals.block.ts)
    ordered = arrivals.of(_in_order(arrivals))
    new = _surely_new(ordered, newest)
    if len(new) == len(set(ordered.device_ids)):
        _copy(connection, ordered)
        return Stored(ordered, [], [], [])
    fresh: list[Arrival] = []
    if new:
        copied = ordered.of([at for at, device_id in enumerate(ordered.device_ids) if device_id in new])
        _copy(connection, copied)
        fresh.extend(copied)
    result = Stored(fresh, [], [], [])
    left = [at for at, device_id in enumerate(arrivals.device_ids) if device_id not in new]
    fresh.extend(_insert(connection, kind, arrivals.each(left), result))
    return result


def _in_order(arrivals: Arrivals) -> list[int]:
    """Places of some arrivals in order of device and time."""
    ranks = {device_id: rank for rank, device_id in enumerate(sorted(set(arrivals.device_ids)))}
    order: list[int] = np.lexsort((arrivals.ts, np.array([ranks[each] for each in arrivals.device_ids]))).tolist()
    return order


def _insert(connection: Connection, kind: Kind, arrivals: Sequence[Arrival], result: Stored) -> list[Arrival]:
    """Store readings of which some may stand already, and return the new ones; `result` has what became of the others.

    They are rounded.
    """
    key_of = _key_of(kind)
    first: dict[_Key, Arrival] = {}
    repeated = [arrival for arrival in arrivals if first.setdefault(key_of(arrival), arrival) is not arrival]
    ordered = [first[key] for key in sorted(first)]
    laid_out = Arrivals.of_each(kind, ordered)
    received = Column(PgType.TIMESTAMPTZ, laid_out.received_ts)
    columns = [*_key_columns(laid_out), received, *_all_columns(laid_out)]
    cursor = connection.execute(_INSERT[kind], columns, binary=True)
    if cursor.rowcount == len(ordered) and not repeated:
        return ordered
    inserted = set(cursor.fetchall())
    to_join = [*(arrival for arrival in ordered if key_of(arrival) not in inserted), *repeated]
    before = _standing(connection, kind, {key_of(arrival) for arrival in to_join} - inserted)
    now = before | {key_of(arrival): arrival for arrival in ordered if key_of(arrival) in inserted}
    changed: set[_Key] = set()
    for arrival in to_join:
        together = joined(now[key_of(arrival)], arrival)
        if together is None:
            result.conflicts.append(arrival)
            together = with_dangers(now[key_of(arrival)], arrival)
        else:
            result.duplicates.append(arrival)
        if together is not now[key_of(arrival)]:
            now[key_of(arrival)] = together
            changed.add(key_of(arrival))
    if changed:
        rewritten = Arrivals.of_each(kind, [now[key] for key in sorted(changed)])
        connection.execute(_COMPLETE[kind], [*_key_columns(rewritten), *_all_columns(rewritten)], binary=True)
        result.completed.extend((now[key], before[key].aside) for key in sorted(changed - inserted))
    return [now[key_of(arrival)] for arrival in ordered if key_of(arrival) in inserted]


def _surely_new(ordered: Arrivals, newest: Callable[[str], int | None]) -> set[str]:
    """Devices that bring nothing but readings newer than all that is stored of them, each once."""
    found: set[str] = set()
    device_id, before = "", -1
    for each_id, ts in zip(ordered.device_ids, ordered.block.ts, strict=True):
        if each_id != device_id:
            device_id, before = each_id, ts
            if (known := newest(device_id)) is not None and ts > known:
                found.add(device_id)
        elif ts == before:
            found.discard(device_id)
        before = ts
    return found


def _copy(connection: Connection, arrivals: Arrivals) -> None:
    device, ts = _key_columns(arrivals)
    received = Column(PgType.TIMESTAMPTZ, arrivals.received_ts)
    columns = {"device_id": device, "ts": ts, "received_at": received, **_value_columns(arrivals)}
    bulk.copy(connection, READING_TABLES[arrivals.kind].name, columns)


def _standing(connection: Connection, kind: Kind, keys: Iterable[_Key]) -> dict[_Key, Arrival]:
    """Load stored readings of the moments of some keys."""
    key_of = _key_of(kind)
    spans = [Span(device_id, ts, ts + 1) for device_id, ts in sorted({(key[0], key[1]) for key in keys})]
    return {key_of(arrival): arrival for own in load(connection, kind, spans).values() for arrival in own}


def newest_ts(connection: Connection, kind: Kind, device_id: str) -> int | None:
    """Device time of a device's newest stored reading."""
    statement = trusted(f"SELECT max(ts) FROM {READING_TABLES[kind].name} WHERE device_id = %s")  # noqa: S608 - own name
    row = connection.execute(statement, (device_id,), binary=True).fetchone()
    return None if row is None else row[0]


def _load_sql(table: ReadingTable) -> str:
    names = ", ".join(f"r.{name}" for name in _columns_of(table)[0])
    return (
        f"SELECT r.device_id, r.ts, r.received_at, {names}"  # noqa: S608 - own names
        f" FROM {unnest((*_KEY, PgType.TIMESTAMPTZ))} AS q (device_id, low, high)"
        f" JOIN {table.name} r ON r.device_id = q.device_id AND r.ts >= q.low AND r.ts < q.high"
        " WHERE r.ts >= 'epoch'::timestamptz + %s * interval '1 ms'"
        " AND r.ts < 'epoch'::timestamptz + %s * interval '1 ms'"
        f" ORDER BY {', '.join(f'r.{name}' for name in ('device_id', 'ts', *table.apart))}"
    )


_LOAD = {kind: trusted(_load_sql(table)) for kind, table in READING_TABLES.items()}


def load(connection: Connection, kind: Kind, spans: Sequence[Span]) -> dict[str, list[Arrival]]:
    """Read devices' readings, each within its own stretch of time, in order, as the models they came as."""
    layout = _layout(kind)
    found: dict[str, list[Arrival]] = {span.entity_id: [] for span in spans}
    if not found:
        return found
    bounds = (min(span.from_ts for span in spans), max(span.to_ts for span in spans))
    for row in connection.execute(_LOAD[kind], [*span_columns(spans), *bounds], binary=True).fetchall():
        apart = NOTHING if row[-1] is None else {field: SetAside(*kept) for field, kept in row[-1].items()}
        found[row[0]].append(Arrival(row[0], row[2], _reading(layout, row), apart))
    return found


def _newest_sql(table: str) -> LiteralString:
    return trusted(
        f"SELECT q.id, r.ts FROM {unnest(_KEY)} AS q (id, since) CROSS JOIN LATERAL"  # noqa: S608 - own names
        f" (SELECT t.ts FROM {table} t WHERE t.device_id = q.id AND t.ts > q.since ORDER BY t.ts DESC LIMIT 1) AS r"
    )


def newest_since(connection: Connection, known: Iterable[tuple[Kind, str, int]]) -> dict[str, int]:
    """Time of the newest stored reading of each device (kind, id, moment) that has any newer than its moment."""
    by_table: dict[str, list[tuple[str, int]]] = {}
    for kind, device_id, ts in known:
        by_table.setdefault(READING_TABLES[kind].name, []).append((device_id, ts))
    found: dict[str, int] = {}
    for table, own in by_table.items():
        ids, moments = zip(*own, strict=True)
        columns = [Column(PgType.TEXT, ids), Column(PgType.TIMESTAMPTZ, moments)]
        found.update(connection.execute(_newest_sql(table), columns, binary=True).fetchall())
    return found


class _Layout(NamedTuple):
    """Where in a loaded row a reading's values are."""

    struct: Callable[..., Any]
    """Of all fields, in their order."""
    blank: list[Any]
    """All fields, without a value."""
    ts: int
    """Place of the time among them."""
    scalars: tuple[tuple[int, int], ...]
    """Place among the fields, and column."""
    lists: tuple[tuple[int, int, int], ...]
    """Place among the fields, first column, behind the last."""


@cache
def _layout(kind: Kind) -> _Layout:
    fields = READING_TABLES[kind].fields
    names = STRUCTS[kind].__struct_fields__
    scalars = tuple((names.index(field.attribute), at) for at, field in enumerate(fields, 3) if field.index is None)
    places: dict[str, list[int]] = {}
    for at, field in enumerate(fields, 3):
        if field.index is not None:
            places.setdefault(field.attribute, []).append(at)
    lists = tuple((names.index(name), columns[0], columns[-1] + 1) for name, columns in places.items())
    return _Layout(STRUCTS[kind], [None] * len(names), names.index("ts"), scalars, lists)


def _reading(layout: _Layout, row: Sequence[Any]) -> Reading:
    """Build a reading back from its row: device, ts, time of arrival, then the columns of its table."""
    values = layout.blank.copy()
    values[layout.ts] = row[1]
    for place, at in layout.scalars:
        values[place] = row[at]
    for place, first, end in layout.lists:
        last = end
        while last > first and row[last - 1] is None:
            last -= 1
        values[place] = list(row[first:last]) or None
    reading: Reading = layout.struct(*values)
    return reading

"""Raw readings: stored once, compared when they come again, read back for a recompute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.readings import MODELS, Kind, Reading
from storage.arrays import Column, PgType
from storage.statements import insert_select, trusted, unnest
from storage.tables import READING_TABLES, ReadingTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from psycopg import Connection


class Arrival(NamedTuple):
    """A reading of a registered device, with when its collector took it in."""

    device_id: str
    received_ms: int
    reading: Reading

    @property
    def key(self) -> tuple[str, int]:
        """What makes a reading one and the same: device and device time."""
        return (self.device_id, self.reading.ts)


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


class Question(NamedTuple):
    """Ask for a device's readings around a late one."""

    device_id: str
    late_ts: int
    """Device time of the earliest late reading, ms."""
    attributes: tuple[str, ...]
    """Attributes that a fold follows each for itself; empty where every reading carries the whole state on."""


class Answer(NamedTuple):
    """A device's readings from the anchor to its newest, in order of device time."""

    changed_from: int
    """Start of the first bucket that the late reading may change."""
    arrivals: list[Arrival]


LOOKBACK_LIMIT_MS = 30 * 86_400_000
"""How far back an anchor is looked for."""


def recall(
    connection: Connection, kind: Kind, questions: Sequence[Question], *, bucket_ms: int, lookback_ms: int
) -> list[Answer]:
    """Read back what a kernel must fold again because of late readings: one answer per question, in order.

    The first bucket that changes is the one holding the last reading before the late one. The answer begins with
    an anchor, the newest reading at or before that bucket's start less the lookback, so that every bucket from
    there on is computed from its very beginning, as in a single ordered pass. Where a fold follows several
    attributes, which need not all be in every reading, both are looked for per attribute and the earliest taken.
    """
    before = _newest(connection, kind, questions, [question.late_ts - 1 for question in questions])
    changed = []
    for question, found in zip(questions, before, strict=True):
        known = min((question.late_ts if ts is None else ts for ts in found), default=question.late_ts)
        changed.append(known - known % bucket_ms)
    edges = [ts - lookback_ms for ts in changed]
    anchors = _newest(connection, kind, questions, edges)
    starts = [
        min((ts for ts in found if ts is not None), default=edge) for edge, found in zip(edges, anchors, strict=True)
    ]
    loaded = load(connection, kind, [question.device_id for question in questions], starts)
    return [Answer(ts, loaded[question.device_id]) for question, ts in zip(questions, changed, strict=True)]


def _anchor_sql(table: ReadingTable, attributes: Sequence[str]) -> str:
    """Newest reading at or before a time, of those that have the attribute asked for."""
    needs = [f"need_{at}" for at in range(len(attributes))]
    present = "".join(
        f" AND (NOT q.{need} OR r.{attribute} IS NOT NULL)" for need, attribute in zip(needs, attributes, strict=True)
    )
    types = (*_KEY, *(PgType.BOOL for _ in attributes))
    return (
        f"SELECT (SELECT r.ts FROM {table.name} r WHERE r.device_id = q.device_id"  # noqa: S608
        f" AND r.ts <= q.at AND r.ts >= q.at - interval '{LOOKBACK_LIMIT_MS // 1000} s'{present}"
        " ORDER BY r.ts DESC LIMIT 1)"
        f" FROM {unnest(types)} WITH ORDINALITY AS q (device_id, at{''.join(f', {need}' for need in needs)}, ord)"
        " ORDER BY q.ord"
    )


def _newest(
    connection: Connection, kind: Kind, questions: Sequence[Question], at_or_before: Sequence[int]
) -> list[list[int | None]]:
    """Per question, the time of the newest reading at or before a time: per attribute, or of any reading."""
    asked = [
        (question.device_id, at, attribute)
        for question, at in zip(questions, at_or_before, strict=True)
        for attribute in question.attributes or (None,)
    ]
    attributes = sorted({attribute for _, _, attribute in asked if attribute is not None})
    columns = [
        Column(PgType.TEXT, [device_id for device_id, _, _ in asked]),
        Column(PgType.TIMESTAMPTZ, [at for _, at, _ in asked]),
        *(Column(PgType.BOOL, [name == attribute for _, _, attribute in asked]) for name in attributes),
    ]
    statement = trusted(_anchor_sql(READING_TABLES[kind], attributes))
    found = iter(connection.execute(statement, columns, binary=True).fetchall())
    return [[next(found)[0] for _ in question.attributes or (None,)] for question in questions]


def _load_sql(table: ReadingTable) -> str:
    names = ", ".join(f"r.{field.column}" for field in table.fields)
    return (
        f"SELECT r.device_id, r.ts, r.received_at, {names} FROM {unnest(_KEY)} AS q (device_id, start)"  # noqa: S608
        f" JOIN {table.name} r ON r.device_id = q.device_id AND r.ts >= q.start"
        " WHERE r.ts >= 'epoch'::timestamptz + %s * interval '1 ms' ORDER BY r.device_id, r.ts"
    )


_LOAD = {kind: trusted(_load_sql(table)) for kind, table in READING_TABLES.items()}


def load(
    connection: Connection, kind: Kind, device_ids: Sequence[str], from_ms: Sequence[int]
) -> dict[str, list[Arrival]]:
    """Read devices' readings, each from its own device time on, in order, as the models they came as."""
    table = READING_TABLES[kind]
    found: dict[str, list[Arrival]] = {device_id: [] for device_id in device_ids}
    if not found:
        return found
    columns = [Column(PgType.TEXT, device_ids), Column(PgType.TIMESTAMPTZ, from_ms)]
    for row in connection.execute(_LOAD[kind], [*columns, min(from_ms)], binary=True):
        found[row[0]].append(Arrival(row[0], row[2], _reading(kind, table, row[1], row[3:])))
    return found


def _reading(kind: Kind, table: ReadingTable, ts: int, row: Sequence[object]) -> Reading:
    """Build a reading back from its row."""
    values: dict[str, Any] = {"ts": ts}
    lists: dict[str, list[object]] = {}
    for field, value in zip(table.fields, row, strict=True):
        if field.index is None:
            values[field.attribute] = value
        else:
            lists.setdefault(field.attribute, []).append(value)
    for attribute, items in lists.items():
        while items and items[-1] is None:
            items.pop()
        values[attribute] = items or None
    return MODELS[kind].model_construct(**values)

"""Derived rows: replaced by key, so that computing one twice changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import MeterMinute, Quality, Row
from storage.arrays import Column, PgType
from storage.statements import trusted, unnest, upsert
from storage.tables import DERIVED_TABLES, DerivedTable, column_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from psycopg import Connection


def _sql(row_type: type[Row], table: DerivedTable) -> str:
    columns = [column_name(field) for field in row_type._fields]
    where = f"WHERE excluded.ts >= {table.name}.ts" if table.newest_wins else ""
    return upsert(table.name, columns, table.types, table.key, where)


_UPSERT = {row_type: trusted(_sql(row_type, table)) for row_type, table in DERIVED_TABLES.items()}
_KEY_AT = {
    row_type: tuple(row_type._fields.index(name) for name in table.key) for row_type, table in DERIVED_TABLES.items()
}


def write(connection: Connection, rows: Iterable[Row]) -> None:
    """Insert or replace derived rows of any kinds; of two rows of one key the later in order stands.

    In latest tables an older row never replaces a newer one, whichever comes last.
    """
    by_type: dict[type[Row], dict[tuple[object, ...], Row]] = {}
    for row in rows:
        row_type = type(row)
        key = tuple(row[at] for at in _KEY_AT[row_type])
        unique = by_type.setdefault(row_type, {})
        if DERIVED_TABLES[row_type].newest_wins and key in unique and unique[key].ts > row.ts:
            continue
        unique[key] = row
    for row_type in DERIVED_TABLES:
        if unique := by_type.get(row_type, {}):
            ordered = [unique[key] for key in sorted(unique)]
            types = DERIVED_TABLES[row_type].types
            columns = [Column(kind, values) for kind, values in zip(types, zip(*ordered, strict=True), strict=True)]
            connection.execute(_UPSERT[row_type], columns)


class Span(NamedTuple):
    """A device and a stretch of time, from_ms <= ts < to_ms."""

    device_id: str
    from_ms: int
    to_ms: int


_MINUTES = trusted(
    "SELECT m.device_id, m.quantity, m.ts, m.site_id, m.increment, m.coverage, m.quality FROM "  # noqa: S608 - own names
    + unnest((PgType.TEXT, PgType.TIMESTAMPTZ, PgType.TIMESTAMPTZ))
    + " AS s (device_id, low, high) JOIN meter_minute m"
    " ON m.device_id = s.device_id AND m.ts >= s.low AND m.ts < s.high"
    " WHERE m.ts >= 'epoch'::timestamptz + %s * interval '1 ms' AND m.ts < 'epoch'::timestamptz + %s * interval '1 ms'"
    " ORDER BY m.device_id, m.quantity, m.ts"
)


def load_minutes(connection: Connection, spans: Sequence[Span]) -> dict[str, list[MeterMinute]]:
    """Meter minutes by device, in order of quantity and time; each device once, with a stretch of its own."""
    found: dict[str, list[MeterMinute]] = {}
    if not spans:
        return found
    columns = [
        Column(PgType.TEXT, [span.device_id for span in spans]),
        Column(PgType.TIMESTAMPTZ, [span.from_ms for span in spans]),
        Column(PgType.TIMESTAMPTZ, [span.to_ms for span in spans]),
    ]
    bounds = (min(span.from_ms for span in spans), max(span.to_ms for span in spans))
    for row in connection.execute(_MINUTES, [*columns, *bounds], binary=True):
        found.setdefault(row[0], []).append(MeterMinute._make((*row[:-1], Quality(row[-1]))))
    return found

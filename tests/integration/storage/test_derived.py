"""Derived rows in their tables: copied where none stands, replaced where one does, and the same either way."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from schemas.metrics import MeterMinute, MeterQuarter, Quality
from schemas.time import MINUTE_MS, QUARTER_MS, Span
from storage import derived
from storage.encoding import bulk
from storage.pool import connect
from storage.retention import policies
from storage.tables import DERIVED_TABLES, READING_TABLES, column_names, column_types
from tests.support.pipeline import START_TS, prepare

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from psycopg import Connection

    from schemas.metrics import Row
    from storage.encoding.arrays import Column

T0 = START_TS - START_TS % QUARTER_MS


def minutes(at: Iterable[int], counted: float | None) -> list[Row]:
    """Minutes of two registers."""
    return [
        MeterMinute("e-1", quantity, T0 + each * MINUTE_MS, "plant-1", counted, 0.1, Quality.ESTIMATED)
        for each in at
        for quantity in ("energy_import_kwh", "reactive_kvarh")
    ]


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each COPY wrote."""
    counts: list[int] = []
    copy = bulk.copy

    def counted(connection: Connection, table: str, columns: Mapping[str, Column]) -> None:
        counts.append(len(next(iter(columns.values())).values))
        copy(connection, table, columns)

    monkeypatch.setattr(bulk, "copy", counted)
    return counts


def test_many_rows_are_copied_but_for_those_that_stand(own_url: str, copied: list[int]) -> None:
    """Of rows among which a few stand only these are upserted; where most stand all of them are."""
    prepare(own_url)
    with connect(own_url, name="test") as connection:
        derived.write(connection, minutes(range(100, 1_100), 1.0))
        assert copied == [2_000]
        derived.write(connection, minutes(range(1_000, 3_000), None))
        assert copied == [2_000, 3_800]
        derived.write(connection, minutes(range(2_000, 3_000), 3.0))
        derived.write(connection, minutes(range(5_000, 5_010), 4.0))
        assert copied == [2_000, 3_800], "all of them stand; a few are not asked for"
        quarters: list[Row] = [
            MeterQuarter(
                "e-1",
                "q",
                T0 + at * QUARTER_MS,
                "plant-1",
                None,
                None,
                None,
                0.0,
                is_whole=True,
                coverage=0.0,
                quality=Quality.UNKNOWN,
            )
            for at in range(1_500)
        ]
        random.Random(1).shuffle(quarters)
        derived.write(connection, quarters)
        assert copied == [2_000, 3_800, 1_500]
        stretch = [Span("e-1", T0, T0 + 30_000 * MINUTE_MS)]
        found = derived.load(connection, MeterMinute, stretch)
        assert len(derived.load(connection, MeterQuarter, stretch)) == 1_500
    want = [
        *minutes(range(100, 1_000), 1.0),
        *minutes(range(1_000, 2_000), None),
        *minutes(range(2_000, 3_000), 3.0),
        *minutes(range(5_000, 5_010), 4.0),
    ]
    assert found == sorted(derived.as_stored(want), key=derived.key_of)


def test_columns_are_of_the_types_that_rows_are_written_in(own_url: str) -> None:
    """Rows by COPY are not cast: into a column of another type PostgreSQL takes none, however often it is tried."""
    types = {
        **{
            (table.name, column): kind
            for row_type, table in DERIVED_TABLES.items()
            for column, kind in zip(column_names(row_type), column_types(row_type), strict=True)
        },
        **{(table.name, field.column): field.type for table in READING_TABLES.values() for field in table.fields},
    }
    with connect(own_url, name="test") as connection:
        stand = connection.execute(
            "SELECT attrelid::regclass::text, attname::text, atttypid::int FROM pg_attribute WHERE attnum > 0"
        )
        oids = {(table, column): oid for table, column, oid in stand}
    assert {where: (oids.get(where), kind) for where, kind in types.items() if oids.get(where) != kind.value.oid} == {}


def test_every_table_of_readings_has_a_place_for_what_is_set_aside_and_a_time_it_is_kept(own_url: str) -> None:
    """Every reading is written with its fields set aside; a table that the policy does not name is kept for ever."""
    names = {table.name for table in READING_TABLES.values()}
    with connect(own_url, name="test") as connection:
        found = connection.execute(
            "SELECT attrelid::regclass::text FROM pg_attribute"
            " WHERE attname = 'set_aside' AND atttypid = 'json'::regtype"
        )
        assert names <= {table for (table,) in found}
        assert names <= {policy.table for policy in policies(connection)}


def test_much_is_copied_in_pieces(own_url: str, copied: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a slow server in the client's memory is one piece at most."""
    prepare(own_url)
    monkeypatch.setattr(derived, "COPIED_AT_ONCE", 1_500)
    with connect(own_url, name="test") as connection:
        derived.write(connection, minutes(range(2_000), 1.0))
        assert copied == [1_500, 1_500, 1_000]
        (stored,) = connection.execute("SELECT count(*) FROM meter_minute").fetchone() or (0,)
    assert stored == 4_000

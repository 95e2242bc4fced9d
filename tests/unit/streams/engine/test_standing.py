"""Rows held for a transaction are what stands, whatever was read and written before."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.metrics import MeterMinute, Quality
from schemas.time import MINUTE_MS, Span
from storage import derived
from streams.engine.standing import StandingRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from psycopg import Connection

    from schemas.metrics import Row

METERS = ("a", "b")
Table = dict[tuple[object, ...], "Row"]


def minute(meter: str, at: int, increment: float) -> MeterMinute:
    """A minute of one of a meter's two registers."""
    quantity = ("energy_import_kwh", "reactive_kvarh")[at % 2]
    return MeterMinute(meter, quantity, at * MINUTE_MS, "s", increment, 1.0, Quality.GOOD)


def within(table: Table, spans: Sequence[Span]) -> list[Row]:
    """What a table holds of some stretches, in order of the key."""
    return [
        row
        for key, row in sorted(table.items())
        if any(span.entity_id == row[0] and span.from_ts <= row.ts < span.to_ts for span in spans)
    ]


class Database:
    """A table in place of `storage.derived`'s, and how often it was read."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.table: Table = {}
        self.reads = 0
        patch.setattr(derived, "load", self.load)
        patch.setattr(derived, "write", self.write)
        self.rows = StandingRows(cast("Connection", None))

    def load(self, _connection: Connection, _row_type: type[Row], spans: Sequence[Span]) -> list[Row]:
        """Read."""
        self.reads += bool(spans)
        return within(self.table, spans)

    def write(self, _connection: Connection, rows: Iterable[Row]) -> None:
        """Insert or replace."""
        self.table |= {derived.key_of(row): row for row in rows}


SPANS = st.builds(
    lambda meter, low, length: Span(meter, low * MINUTE_MS, (low + length) * MINUTE_MS),
    st.sampled_from(METERS),
    st.integers(0, 12),
    st.integers(0, 6),
)
ROWS = st.lists(
    st.builds(minute, st.sampled_from(METERS), st.integers(0, 16), st.sampled_from([1.0, 2.0])), min_size=1, max_size=6
)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("load"), st.lists(SPANS, min_size=1, max_size=3)),
        st.tuples(st.sampled_from(["write", "rewrite"]), ROWS),
    ),
    max_size=12,
)


@given(acts=ACTS)
def test_what_is_held_is_what_stands(acts: list[tuple[str, list[Row] | list[Span]]]) -> None:
    """After any reads and writes, a read gives the table's rows in order, and a rewrite tells exactly what changed."""
    with pytest.MonkeyPatch.context() as patch:
        database = Database(patch)
        for act, given_ in acts:
            if act == "load":
                spans = cast("list[Span]", given_)
                assert database.rows.load(MeterMinute, spans) == within(database.table, spans)
                continue
            rows = cast("list[Row]", given_)
            before = dict(database.table)
            if act == "write":
                database.rows.write(rows)
            else:
                changed = database.rows.rewrite(rows)
                last = {derived.key_of(row): row for row in rows}
                assert sorted(map(derived.key_of, changed)) == sorted(
                    key for key in last if before.get(key) != last[key]
                )
            assert database.table == before | {derived.key_of(row): row for row in rows}


def test_a_stretch_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many kernels ask for it or for a part of it; a wider one costs the difference only."""
    database = Database(monkeypatch)
    database.rows.write([minute("a", at, 1.0) for at in range(9)])
    for span in (Span("a", MINUTE_MS, 5 * MINUTE_MS), Span("a", 2 * MINUTE_MS, 4 * MINUTE_MS)):
        assert database.rows.load(MeterMinute, [span]) == within(database.table, [span])
    assert database.reads == 1
    assert len(database.rows.load(MeterMinute, [Span("a", 0, 9 * MINUTE_MS)])) == 9
    assert database.reads == 2

"""Snapshots of what kernels remember: found again, and thinned out with time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.time import DAY_MS, FOREVER_TS, QUARTER_DAY_MS, Span
from storage import state
from storage.pool import connect
from storage.state import KEPT_DAYS, SPARSE_DAYS, Snapshot

if TYPE_CHECKING:
    from psycopg import Connection

T0 = 700 * SPARSE_DAYS * DAY_MS


def test_the_newest_snapshot_before_a_moment_comes_with_all_later_ones(own_url: str) -> None:
    """What folding again starts from, and what it may meet; another version's are not spoken."""
    with connect(own_url, name="test") as connection:
        kept = [Snapshot("e", "k", 1, T0 + day * DAY_MS, f'{{"day":{day}}}') for day in range(4)]
        state.keep(connection, [*kept, Snapshot("e", "k", 2, T0 + DAY_MS + 1, "{}"), Snapshot("f", "k", 1, T0, "{}")])
        late, unknown = Span("e", T0 + 2 * DAY_MS - 1, FOREVER_TS), Span("g", T0, FOREVER_TS)
        assert state.snapshots_since(connection, "k", 1, [late, unknown]) == {"e": kept[1:], "g": []}
        assert state.snapshots_since(connection, "k", 1, [late._replace(from_ts=T0 - 1)]) == {"e": kept}


def test_later_snapshots_come_as_far_as_the_first_that_may_be_met(own_url: str) -> None:
    """A year of them need not be read for a reading that is nearly always told by the next one."""
    with connect(own_url, name="test") as connection:
        kept = [Snapshot("e", "k", 1, T0 + day * DAY_MS, "{}") for day in range(9)]
        state.keep(connection, [*kept, Snapshot("e", "k", 2, T0 + 3 * DAY_MS - 1, "{}")])
        span = Span("e", T0 + DAY_MS + 5, T0 + 2 * DAY_MS + 6)
        assert state.snapshots_since(connection, "k", 1, [span]) == {"e": kept[1:4]}
        at_it = span._replace(to_ts=T0 + 3 * DAY_MS)
        assert state.snapshots_since(connection, "k", 1, [at_it]) == {"e": kept[1:4]}


def left_of(connection: Connection) -> list[int]:
    """When the snapshots that are left were, ms."""
    return [row[0] for row in connection.execute("SELECT ts FROM entity_snapshot ORDER BY ts", binary=True)]


def test_old_snapshots_are_thinned_out(own_url: str) -> None:
    """Every one of the last forty days stays, and of older ones the first of each day."""
    moments = [T0 + at * QUARTER_DAY_MS for at in range(4 * (KEPT_DAYS + 15) + 1)]
    with connect(own_url, name="test") as connection:
        for ts in moments:
            state.keep(connection, [Snapshot("e", "k", 1, ts, "{}")])
        left = left_of(connection)
    old = moments[-1] - KEPT_DAYS * DAY_MS
    assert left == [ts for ts in moments if ts >= old or (ts - T0) % (SPARSE_DAYS * DAY_MS) == 0]


@pytest.mark.parametrize("silent_days", [0, 1, 35, 41, 300])
def test_what_grows_old_at_once_is_thinned_out_too(own_url: str, silent_days: int) -> None:
    """After a silence much is older than forty days from one moment to the next; what comes late there is thinned."""
    before = [T0 + at * QUARTER_DAY_MS for at in range(4 * KEPT_DAYS)]
    after = before[-1] + silent_days * DAY_MS + QUARTER_DAY_MS
    late = [T0 - 100 * DAY_MS + at * QUARTER_DAY_MS + 7 for at in (5, 4, 6, 9, 8)]
    with connect(own_url, name="test") as connection:
        for moments in (before[:-1], before[-1:], [after], *([ts] for ts in late)):
            state.keep(connection, [Snapshot("e", "k", 1, ts, "{}") for ts in moments])
        left = left_of(connection)
    ordered = sorted([*before, after, *late])
    days = {ts // DAY_MS: ts for ts in reversed(ordered)}
    assert left == [ts for ts in ordered if ts >= after - KEPT_DAYS * DAY_MS or days[ts // DAY_MS] == ts]


def test_late_snapshots_have_their_own_days_looked_at_and_no_others(own_url: str) -> None:
    """Each step of a recompute keeps some of a day long ago: the year since then need not be gone through each time."""
    newest, between = T0 + 300 * DAY_MS, [T0 + 100 * DAY_MS + at * QUARTER_DAY_MS for at in range(2)]
    late = [T0 + at * QUARTER_DAY_MS for at in (1, 2, 3, 4, 5)]
    with connect(own_url, name="test") as connection:
        state.keep(connection, [Snapshot("e", "k", 1, newest, "{}")])
        connection.execute(
            "INSERT INTO entity_snapshot (entity_id, kernel, version, ts, state)"
            " SELECT 'e', 'k', 1, 'epoch'::timestamptz + at * interval '1 ms', '{}' FROM unnest(%s::bigint[]) AS at",
            (between,),
        )
        state.keep(connection, [Snapshot("e", "k", 1, ts, "{}") for ts in late])
        assert left_of(connection) == [late[0], late[3], *between, newest]
        state.keep(connection, [Snapshot("e", "k", 1, T0, "{}")])
        assert left_of(connection) == [T0, late[3], *between, newest]

"""Snapshots of what kernels remember: found again, and thinned out with time."""

from __future__ import annotations

from storage import state
from storage.pool import connect
from storage.state import KEPT_DAYS, SPARSE_DAYS, Snapshot

DAY_MS = 86_400_000
T0 = 700 * SPARSE_DAYS * DAY_MS


def test_the_newest_snapshot_before_a_moment_comes_with_all_later_ones(own_url: str) -> None:
    """What folding again starts from, and what it may meet; another version's are not spoken."""
    with connect(own_url, name="test") as connection:
        kept = [Snapshot("e", "k", 1, T0 + day * DAY_MS, f'{{"day":{day}}}') for day in range(4)]
        state.keep(connection, [*kept, Snapshot("e", "k", 2, T0 + DAY_MS + 1, "{}"), Snapshot("f", "k", 1, T0, "{}")])
        found = state.snapshots_since(connection, "k", 1, [("e", T0 + 2 * DAY_MS - 1), ("g", T0)])
        assert found == {"e": kept[1:], "g": []}
        assert state.snapshots_since(connection, "k", 1, [("e", T0 - 1)]) == {"e": kept}


def test_old_snapshots_are_thinned_out(own_url: str) -> None:
    """Every one of the last forty days stays, and of older ones one in four weeks."""
    days = 3 * KEPT_DAYS
    with connect(own_url, name="test") as connection:
        for day in range(days + 1):
            state.keep(connection, [Snapshot("e", "k", 1, T0 + day * DAY_MS, "{}")])
        rows = connection.execute("SELECT ts FROM entity_snapshot ORDER BY ts", binary=True).fetchall()
    left = [(row[0] - T0) // DAY_MS for row in rows]
    sparse = [day for day in range(days - KEPT_DAYS) if day % SPARSE_DAYS == 0]
    assert left == [*sparse, *range(days - KEPT_DAYS, days + 1)]


def test_of_old_snapshots_that_are_seldom_the_first_of_four_weeks_stays(own_url: str) -> None:
    """Whatever hour they are of, and in whatever order they were kept."""
    weekly = [Snapshot("e", "k", 1, T0 + (7 * week + 3) * DAY_MS + 1, "{}") for week in range(20)]
    with connect(own_url, name="test") as connection:
        for item in (*weekly[1:], weekly[0]):
            state.keep(connection, [item])
        rows = connection.execute("SELECT ts FROM entity_snapshot ORDER BY ts", binary=True).fetchall()
    newest = weekly[-1].ts
    assert [row[0] for row in rows] == [
        item.ts for at, item in enumerate(weekly) if at % 4 == 0 or item.ts >= newest - KEPT_DAYS * DAY_MS
    ]

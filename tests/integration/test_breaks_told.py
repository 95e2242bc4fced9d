"""A break of a register is told whatever comes late around it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from storage.pool import connect
from storage.registry import import_registry
from tests.chaos.hunter.devices import world_of
from tests.support.engine import differing, feed, wipe

if TYPE_CHECKING:
    from tests.support.pipeline import Sent

SEED, METER = 5, "e-1-2"
LATE_SHARE, LATEST_S = 0.05, 3_600


def test_a_break_that_was_seen_a_day_later_stays_told_after_late_readings(database: str) -> None:
    """The event begins before a silence and its signal lies behind it: folded again from between, it must stay."""
    world = world_of(SEED, 11, 4)
    with connect(database, name="test") as connection:
        import_registry(connection, world.registry)
    sent = [item for item in world.sent if item.device_id == METER]
    want = feed(database, [sent], snapshot_ms=None)
    assert sum('"meter_changed"' in row for row in want["signal"]) > 2
    wipe(database)
    rng = random.Random(0)
    late = [(item, rng.uniform(60, LATEST_S) if rng.random() < LATE_SHARE else 0.0) for item in sent]
    run = [item for item, _ in sorted(late, key=lambda entry: entry[0].reading["ts"] + entry[1] * 1000)]
    batches: list[list[Sent]] = []
    while run:
        size = rng.randrange(1, 60)
        batches, run = [*batches, run[:size]], run[size:]
    assert differing(feed(database, batches, snapshot_ms=None), want) == {}

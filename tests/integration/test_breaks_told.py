"""A break of a register is told whatever comes late around it."""

from __future__ import annotations

import random

from schemas.readings import Kind
from schemas.time import DAY_MS
from tests.support.engine import differing, feed, wipe
from tests.support.pipeline import Sent, readings

MINUTES = 346
LATE_SHARE, LATEST_MS = 0.05, 3_600_000


def _meter() -> list[Sent]:
    """A meter whose register falls now and then, silent for a day in its middle: as a hunt found it."""
    own = [item for item in readings(MINUTES, seed=2) if item.kind is Kind.ELECTRICITY and item.device_id == "e-1"]
    half = len(own) // 2
    later = [item._replace(reading=item.reading | {"ts": item.reading["ts"] + DAY_MS}) for item in own[half:]]
    return own[:half] + later


def test_a_break_that_was_seen_a_day_later_stays_told_after_late_readings(database: str) -> None:
    """The event begins before the silence and its signal lies behind it: folded again from between, it must stay."""
    sent = _meter()
    want = feed(database, [sent], snapshot_ms=None)
    assert sum('"meter_changed"' in row for row in want["signal"]) > 2
    for seed in (0, 1):
        wipe(database)
        rng = random.Random(seed)
        order = [
            (item.reading["ts"] + (rng.uniform(60_000, LATEST_MS) if rng.random() < LATE_SHARE else 0), item)
            for item in sent
        ]
        run = [item for _, item in sorted(order, key=lambda entry: entry[0])]
        found = feed(database, [run[at : at + 25] for at in range(0, len(run), 25)], snapshot_ms=None)
        assert differing(found, want) == {}

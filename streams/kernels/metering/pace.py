"""How often a meter's readings come by its own clock: one that crawls makes more of them in less time.

A meter that sends every minute and whose clock goes at half its speed stamps them half a minute apart. What it counts
then seems to pass twice as fast, and no other figure of its readings says so. A meter that was set to send more often
looks the same at first. So what it counts while it sends sooner than it ever did is estimated, for a day at most.
"""

from __future__ import annotations

from typing import NamedTuple

from schemas.time import DAY_MS

SOONER = 0.8
"""A reading that comes after less than this share of the period comes too soon. (unsourced)"""
AGAIN = 0.05
"""One that comes after less than this is another look at the same moment."""
KEPT = 10
"""So many readings in a row that kept to the period make that its habit. (unsourced)"""
LASTS_MS = DAY_MS
"""After so long it is what it was set to. (unsourced)"""


class Pace(NamedTuple):
    """How a meter has kept to its registered period."""

    ts: int
    """Newest reading, ms."""
    kept: int = 0
    """Readings in a row that kept to it, KEPT at most; KEPT is not forgotten while they come too soon."""
    since: int = 0
    """Since when they have come too soon, ms; 0: they do not."""

    @property
    def crawls(self) -> bool:
        """Whether its clock may crawl."""
        return self.since > 0


def paced(known: Pace | None, ts: int, period_ms: float, gap_ms: float) -> Pace:
    """Take a meter's next reading."""
    if known is None:
        return Pace(ts)
    span = ts - known.ts
    if span <= AGAIN * period_ms:
        return known._replace(ts=ts)
    if span >= SOONER * period_ms:
        return Pace(ts, min(known.kept + 1, KEPT) if span <= gap_ms else known.kept)
    if known.kept < KEPT:
        return Pace(ts)
    since = known.since or known.ts
    return Pace(ts) if ts - since > LASTS_MS else Pace(ts, KEPT, since)

"""How often a meter's readings come by its own clock: one that crawls makes more of them in less time.

A meter that sends every minute and whose clock goes at half its speed stamps them half a minute apart. What it counts
then seems to pass twice as fast, and no other figure of its readings says so. A meter that was set to send more often
looks the same at first. So what it counts while it sends sooner than it ever did is estimated, for a day at most.
"""

from __future__ import annotations

from typing import NamedTuple

from schemas.time import DAY_MS

SOONER = 0.8
"""A clock that shows less than this share of the time that passes crawls. (unsourced)"""
NEARLY = 0.9
"""What takes so much of the period is counted as it should be, also of a clock that may crawl. (unsourced)"""
AGAIN = 0.05
"""A reading that comes after less than this share of the period is another look at the same moment."""
KEPT = 10
"""So many readings in a row that kept to the period make that its habit. (unsourced)"""
LEAD = 0.8
"""By so many periods in sum readings may come sooner than SOONER before that is a clock: more than one reading too many
or one that is late makes, for what comes after it is later again. (unsourced)"""
LEAD_MS = 50_000
"""And by more than so long, where a period is longer: readings are late or doubled by seconds. (unsourced)"""
MOST_LEAD = 1.5
"""More is not counted, so that a clock that is set right is believed soon. (unsourced)"""
LASTS_MS = DAY_MS
"""After so long it is what it was set to. (unsourced)"""


class Pace(NamedTuple):
    """How a meter has kept to its registered period."""

    ts: int
    """Newest reading, ms."""
    kept: int = 0
    """Readings in a row that kept to it, KEPT at most; KEPT is not forgotten while they come too soon."""
    since: int = 0
    """Since when its clock may crawl, ms; 0: it does not."""
    lead: float = 0.0
    """By how many periods its readings have come sooner than SOONER in sum, those that came later taken off."""
    late: float = 0.0
    """By how many periods the newest one came later than it should, one at most: the next may come so much sooner."""

    crawls: bool = False
    """Whether the newest one came sooner than it should, or the first one late behind such: its clock may crawl."""


def paced(known: Pace | None, ts: int, period_ms: float, gap_ms: float) -> Pace:
    """Take a meter's next reading: a crawling clock makes every one too soon, jitter one and the next one late."""
    if known is None:
        return Pace(ts)
    span = ts - known.ts
    if span <= AGAIN * period_ms:
        return known._replace(ts=ts)
    if known.kept < KEPT:
        kept = known.kept + (span <= gap_ms)
        return Pace(ts, kept if span >= SOONER * period_ms else 0)
    took = span / period_ms
    late = min(1.0, max(0.0, took - 1.0))
    lead = min(MOST_LEAD, max(0.0, known.lead + SOONER - took - known.late))
    if lead <= (0.0 if known.since else min(LEAD, LEAD_MS / period_ms)):
        return Pace(ts, KEPT, lead=lead, late=late, crawls=known.crawls and took > 1.0 / SOONER)
    since = known.since or known.ts
    if ts - since > LASTS_MS:
        return Pace(ts)
    return Pace(ts, KEPT, since, lead, crawls=took < NEARLY or took > 1.0 / SOONER)

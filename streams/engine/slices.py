"""How much a view is shown at once: changes that reach over days are shown to it stretch by stretch.

A view reads all rows of a site around what changed. After six days of silence that is six days of minutes of every
meter there, and of readings years apart all that lies between. A view computes from rows that stand, whatever else
changed (`streams.kernels.contract`), so shown the changes in parts it comes to the same rows.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from schemas.metrics import MeterMinute, MeterQuarter
from schemas.time import HOUR_MS, MINUTE_MS, QUARTER_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from schemas.metrics import Row
    from streams.kernels.contract import KernelView

    ByType = dict[type[Row], list[Row]]

SITE_ROWS = 40_000
"""Rows that a view may read of a site at once, more or less; a row takes about 400 B."""
ROUND_ROWS = 240_000
"""Rows that it may read of all sites at once."""
LEAST_MS = 2 * HOUR_MS
"""A stretch is never shorter: windows of an hour are read on both its sides."""

_GRAIN_MS: Mapping[type[Row], int] = {MeterMinute: MINUTE_MS, MeterQuarter: QUARTER_MS}
"""Types of rows that are many, and how far apart those of a meter are."""


def rounds(view: KernelView, changed: Mapping[str, ByType], meters: Mapping[str, int]) -> Iterator[dict[str, ByType]]:
    """Share out the changes of some sites: each round is shown to the view, and what it read is then let go.

    `meters`: how many there are at each site. Changes of an ordinary transaction are one round.
    """
    grain = min((_GRAIN_MS[row_type] for row_type in view.inputs & _GRAIN_MS.keys()), default=0)
    if not grain:
        yield dict(changed)
        return
    taken: dict[str, ByType] = {}
    rows = 0
    for site_id, touched in changed.items():
        longest = max(LEAST_MS, SITE_ROWS * grain // max(1, meters[site_id]))
        for stretch, span_ms in _stretches(touched, longest):
            read = span_ms // grain * meters[site_id]
            if site_id in taken or (taken and rows + read > ROUND_ROWS):
                yield taken
                taken, rows = {}, 0
            taken[site_id] = stretch
            rows += read
    yield taken


def _stretches(touched: ByType, longest_ms: int) -> Iterator[tuple[ByType, int]]:
    """Cut a site's changes by time, with how long each stretch is; nearly always there is one."""
    times = [row.ts for rows in touched.values() for row in rows]
    first, last = min(times), max(times)
    if last - first <= longest_ms:
        yield touched, last - first + LEAST_MS
        return
    cut: dict[int, ByType] = {}
    for row_type, rows in touched.items():
        own: defaultdict[int, list[Row]] = defaultdict(list)
        for row in rows:
            own[(row.ts - first) // longest_ms].append(row)
        for number, part in own.items():
            cut.setdefault(number, {})[row_type] = part
    for number in sorted(cut):
        yield cut[number], longest_ms + LEAST_MS

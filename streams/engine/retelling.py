"""Retelling: rows that stand of a stretch folded again, but were not given again, are taken away.

A late item may disprove a row and put nothing in its place: a flow's minutes stand in for a register until the first
reading of that, and the first one may come late. What stands then rests on what was not so. Where only the newest row
of something is kept, a detector's status for one, the row before that has to be given again instead.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

from schemas.time import DAY_MS, FOREVER_TS, Span
from storage.derived import key_of
from storage.tables import DERIVED_TABLES
from streams.kernels.contract import Retelling, Sharer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from schemas.metrics import Row
    from storage.state import Snapshot
    from streams.engine.standing import StandingRows
    from streams.engine.walk import LateSpan, Walk
    from streams.kernels.contract import Fold

    _Kept = Mapping[str, Sequence[Snapshot]]
    _Given = Mapping[tuple[object, ...], int]

FARTHEST_MS = 256 * DAY_MS
"""How far before its first late item a way may begin to give an older row again: no plant stands still for longer
between two heating seasons. Where even that is not enough, the disproved row goes, and none stands in its place."""


def take_back(rows: StandingRows, fold: Fold, walks: Sequence[Walk], spans: Sequence[Span]) -> list[Row]:
    """Take away what these ways, each of which gave the rows of a span, do not give any more; returns what is gone."""
    gone: list[Row] = []
    if isinstance(fold, Retelling):
        given = cache(lambda at: _given(fold, walks[at]))  # mostly nothing stands, and nobody asks
        for row_type in fold.retold:
            standing = _standing(rows, fold, row_type, walks, spans)
            for at, (walk, span) in enumerate(zip(walks, spans, strict=True)):
                if not (own := standing.get(walk.entity_id)):
                    continue
                untold = _untold(fold, walk, own, given(at))
                if walk.origin.state is None:
                    untold = [row for row in untold if row.ts >= span.from_ts]
                    if span.from_ts > walk.origin.ts:
                        untold = _seen(walk, untold)
                gone += rows.remove(untold)
    return gone


def too_late(rows: StandingRows, fold: Fold, walks: Sequence[Walk], first: Mapping[str, int]) -> list[Walk]:
    """Ways that begin too late: nothing is left on them, or not the row before one that is to be taken away.

    `first`: time of each entity's first late item, ms.
    """
    emptied = [walk for walk in walks if walk.is_emptied]
    return [*emptied, *_wanting(rows, fold, [walk for walk in walks if not walk.is_emptied], first)]


def earlier(walks: Sequence[Walk], step_ms: int, kept: Callable[[Sequence[LateSpan]], _Kept]) -> list[LateSpan]:
    """Begin some ways earlier by a step, but never leave out the first snapshot there is."""
    late = [walk.late._replace(from_ts=walk.origin.ts - step_ms) for walk in walks]
    found = kept(late) if late else {}
    firsts = [own[0].ts if (own := found[item.entity_id]) else FOREVER_TS for item in late]
    return [
        item._replace(from_ts=max(item.from_ts, first)) if first < walk.origin.ts else item
        for walk, item, first in zip(walks, late, firsts, strict=True)
    ]


def _wanting(rows: StandingRows, fold: Fold, walks: Sequence[Walk], first: Mapping[str, int]) -> list[Walk]:
    found: list[Walk] = []
    walks = [
        walk for walk in walks if walk.origin.state is not None and walk.origin.ts > first[walk.entity_id] - FARTHEST_MS
    ]
    if isinstance(fold, Retelling) and walks:
        for row_type in fold.retold:
            if not DERIVED_TABLES[row_type].newest_wins:
                continue
            standing = _standing(rows, fold, row_type, walks, ())
            for walk in walks:
                given = _given(fold, walk)
                if any(
                    key_of(row) not in given for row in _untold(fold, walk, standing.get(walk.entity_id, ()), given)
                ):
                    found.append(walk)
    return found


def _standing(
    rows: StandingRows, fold: Retelling, row_type: type[Row], walks: Sequence[Walk], spans: Sequence[Span]
) -> Mapping[str, Sequence[Row]]:
    """Rows of a type that stand where some ways may have given any, by entity."""
    if DERIVED_TABLES[row_type].newest_wins:
        spans = [Span(walk.entity_id, 0, FOREVER_TS) for walk in walks]
    else:
        spans = [
            span._replace(from_ts=min(span.from_ts, _since(fold, walk)))
            for walk, span in zip(walks, spans, strict=True)
        ]
    standing: Iterable[Row] = rows.load(row_type, spans)
    if isinstance(fold, Sharer):  # asked once: of a protocol it takes 0.1 ms
        standing = filter(fold.gave, standing)
    found: dict[str, list[Row]] = {}
    for row in standing:
        found.setdefault(row[0], []).append(row)
    return found


def _since(fold: Retelling, walk: Walk) -> int:
    if walk.origin.state is None or not walk.begun:
        return FOREVER_TS
    return fold.retold_from(fold.load(walk.origin.state), walk.now)


def _given(fold: Retelling, walk: Walk) -> _Given:
    """Time of the newest row of each key that a way gave."""
    newest: dict[tuple[object, ...], int] = {}
    for row in walk.rows:
        if type(row) in fold.retold:
            key = key_of(row)
            newest[key] = max(row.ts, newest.get(key, row.ts))
    return newest


def _untold(fold: Retelling, walk: Walk, standing: Sequence[Row], given: _Given) -> list[Row]:
    """Those of standing rows that items on a way gave once, and give no more; `given`: what it gives now."""
    if walk.end is not None and not walk.begun:
        return []  # a stretch before the first item: nothing was told there
    odd = [row for row in standing if row.ts > given.get(key_of(row), -FOREVER_TS)]
    if odd and walk.origin.state is not None:
        before = fold.load(walk.origin.state)
        odd = [row for row in odd if not fold.is_behind(before, row)]
        odd = [row for row in odd if row.ts >= walk.origin.ts - fold.snapshot_ms or _is_known(fold, before, row)]
    return odd if walk.end is None else [row for row in odd if fold.is_behind(walk.now, row)]


def _is_known(fold: Retelling, state: object, row: Row) -> bool:
    """Whether a state remembers anything of what a row tells of: else only items behind it can have given the row.

    A state that was built again after a change of version knows nothing of a series that had ended long before.
    """
    return fold.is_behind(state, cast("Any", row)._replace(ts=-FOREVER_TS))


def _seen(walk: Walk, rows: Sequence[Row]) -> list[Row]:
    """Those of some rows that a way begun in the middle of a life can judge: behind the first it gave of the same.

    Those before rest on items before its beginning, and so do all of a register that it never came upon.
    """
    first: dict[tuple[object, ...], int] = {}
    for row in walk.rows:
        series = _series(row)
        first[series] = min(row.ts, first.get(series, row.ts))
    return [row for row in rows if row.ts >= first.get(_series(row), FOREVER_TS)]


def _series(row: Row) -> tuple[object, ...]:
    """What a row tells of, whatever the time: its type, and its key but for that."""
    names = DERIVED_TABLES[type(row)].key
    return (type(row), *(part for name, part in zip(names, key_of(row), strict=True) if name != "ts"))

"""Retelling: rows that stand of a stretch folded again, but were not given again, are taken away.

A late item may disprove a row and put nothing in its place: a flow's minutes stand in for a register until the first
reading of that, and the first one may come late. What stands then rests on what was not so. Where only the newest row
of something is kept, a detector's status for one, the row before that has to be given again instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.time import FOREVER_MS, Span
from storage.derived import key_of
from storage.tables import DERIVED_TABLES
from streams.kernels.contract import Retelling, Sharer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.metrics import Row
    from streams.engine.standing import StandingRows
    from streams.engine.walk import Walk
    from streams.kernels.contract import Fold


def take_back(rows: StandingRows, fold: Fold, walks: Sequence[Walk], spans: Sequence[Span]) -> list[Row]:
    """Take away what these ways, each of which gave the rows of a span, do not give any more; returns what is gone."""
    gone: list[Row] = []
    if isinstance(fold, Retelling):
        for row_type in fold.retold:
            standing = _standing(rows, fold, row_type, walks, spans)
            for walk, span in zip(walks, spans, strict=True):
                untold = _untold(fold, walk, standing.get(walk.entity_id, ()))
                if walk.origin.state is None:
                    untold = [row for row in untold if row.ts >= span.from_ms]
                gone += rows.remove(untold)
    return gone


def wanting(rows: StandingRows, fold: Fold, walks: Sequence[Walk]) -> list[Walk]:
    """Ways that begin too late to give the row before one that is to be taken away."""
    found: list[Walk] = []
    if isinstance(fold, Retelling):
        for row_type in fold.retold:
            if not DERIVED_TABLES[row_type].newest_wins:
                continue
            standing = _standing(rows, fold, row_type, walks, ())
            for walk in walks:
                untold = _untold(fold, walk, standing.get(walk.entity_id, ()))
                if walk.origin.state is not None and {key_of(row) for row in untold} - _given(fold, walk).keys():
                    found.append(walk)
    return found


def _standing(
    rows: StandingRows, fold: Retelling, row_type: type[Row], walks: Sequence[Walk], spans: Sequence[Span]
) -> Mapping[str, Sequence[Row]]:
    """Rows of a type that stand where some ways may have given any, by entity."""
    if DERIVED_TABLES[row_type].newest_wins:
        spans = [Span(walk.entity_id, 0, FOREVER_MS) for walk in walks]
    else:
        spans = [
            span._replace(from_ms=min(span.from_ms, _since(fold, walk)))
            for walk, span in zip(walks, spans, strict=True)
        ]
    found: dict[str, list[Row]] = {}
    for row in rows.load(row_type, spans):
        if not isinstance(fold, Sharer) or fold.gave(row):
            found.setdefault(row[0], []).append(row)
    return found


def _since(fold: Retelling, walk: Walk) -> int:
    if walk.origin.state is None or not walk.begun:
        return FOREVER_MS
    return fold.retold_from(fold.load(walk.origin.state), walk.now)


def _given(fold: Retelling, walk: Walk) -> dict[tuple[object, ...], int]:
    """Time of the newest row of each key that a way gave."""
    newest: dict[tuple[object, ...], int] = {}
    for row in walk.rows:
        if type(row) in fold.retold:
            key = key_of(row)
            newest[key] = max(row.ts, newest.get(key, row.ts))
    return newest


def _untold(fold: Retelling, walk: Walk, standing: Sequence[Row]) -> list[Row]:
    """Those of standing rows that items on a way gave once, and give no more."""
    given = _given(fold, walk)
    odd = [row for row in standing if row.ts > given.get(key_of(row), -FOREVER_MS)]
    if odd and walk.origin.state is not None:
        before = fold.load(walk.origin.state)
        odd = [row for row in odd if not fold.is_behind(before, row)]
    return odd if walk.end is None else [row for row in odd if fold.is_behind(walk.now, row)]

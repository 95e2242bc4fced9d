"""Rows as they stand within one transaction: read once, however many kernels ask, and written only where they differ.

A late reading, and each step of a recompute, gives thousands of rows of which most stand already; folds over rows
and views then read the same stretch again and again. What was read stays here until a row of its entity is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

from schemas.time import Span
from storage import derived
from storage.tables import DERIVED_TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from psycopg import Connection

    from schemas.metrics import Row


@dataclass(slots=True)
class _Stretch:
    """All rows of one type and entity with from_ts <= ts < to_ts."""

    from_ts: int
    to_ts: int
    rows: list[Row] = field(default_factory=list)
    """In order of the key."""

    def within(self, span: Span) -> list[Row]:
        """Its rows of a part of it."""
        from_ts, to_ts = span.from_ts, span.to_ts
        if from_ts <= self.from_ts and to_ts >= self.to_ts:
            return self.rows
        return [row for row in self.rows if from_ts <= row.ts < to_ts]


class StandingRows:
    """Derived rows of one transaction. All that reads or writes them within it does so here."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._held: dict[type[Row], dict[str, _Stretch]] = {}

    def load(self, row_type: type[Row], spans: Sequence[Span]) -> list[Row]:
        """Rows of some entities, each within its own stretch of time, in order of the key."""
        held = self._held.setdefault(row_type, {})
        apart: list[Span] = []
        missing: list[Span] = []
        widened: set[str] = set()
        for span in spans:
            stretch = held.get(span.entity_id)
            if stretch is None:
                held[span.entity_id] = _Stretch(span.from_ts, span.to_ts)
                missing.append(span)
            elif span.from_ts > stretch.to_ts or span.to_ts < stretch.from_ts:
                apart.append(span)  # what lies between is not asked for
            elif more := _widen(stretch, span):
                missing += more
                widened.add(span.entity_id)
        for row in derived.load(self.connection, row_type, missing):
            held[row[0]].rows.append(row)
        for entity_id in widened:
            held[entity_id].rows.sort(key=derived.key_of)
        found: list[Row] = []
        for span in sorted(set(spans).difference(apart)):
            found += held[span.entity_id].within(span)
        if apart or len({span.entity_id for span in spans}) < len(spans):
            found += derived.load(self.connection, row_type, apart)
            once = derived.unique(found).get(row_type, {})
            found = [once[key] for key in sorted(once)]
        return found

    def release(self) -> None:
        """Let go of all that is held: what is asked for next lies elsewhere."""
        self._held.clear()

    def write(self, rows: Sequence[Row]) -> None:
        """Insert or replace rows, as `derived.write` does."""
        derived.write(self.connection, rows)
        self._forget(rows)

    def rewrite(self, rows: Iterable[Row]) -> list[Row]:
        """Write rows that mostly stand there already; returns those that changed anything."""
        changed: list[Row] = []
        for row_type, unique in derived.unique(rows).items():
            if not derived.is_comparable(row_type):
                different = derived.rewrite(self.connection, unique.values())
            else:
                given = list(unique.values())
                standing = derived.unique(self.load(row_type, _spans(given))).get(row_type, {})
                different = given
                if standing:
                    different = [
                        row
                        for (key, row), as_stored in zip(unique.items(), derived.as_stored(given), strict=True)
                        if standing.get(key) != as_stored
                    ]
                derived.write(self.connection, different)
            self._forget(different)
            changed += different
        return changed

    def unrevised(self, rows: Sequence[Row], ends: Mapping[str, int]) -> Sequence[Row]:
        """Leave out events that an item at or behind their entity's moment in `ends` has given out again since.

        An episode that began before that moment and ended behind it stands ended, however its beginning looked.
        """
        events = [row for row in rows if row[0] in ends and DERIVED_TABLES[type(row)].retractable]
        revised = {
            (row_type, derived.key_of(row))
            for row_type, own in derived.unique(events).items()
            for row in self.load(row_type, _spans(list(own.values())))
            if _seen_ts(row) >= ends[row[0]]
        }
        return [row for row in rows if (type(row), derived.key_of(row)) not in revised] if revised else rows

    def withdraw(
        self,
        row_type: type[Row],
        spans: Sequence[Span],
        given: Iterable[Row],
        *,
        clock: str = "ts",
        owned: Callable[[Row], bool] | None = None,
    ) -> list[Row]:
        """Take away the rows within stretches of `clock` that are not given again, as `derived.withdraw` does."""
        gone = derived.withdraw(self.connection, row_type, spans, given, clock=clock, owned=owned)
        self._forget(gone)
        return gone

    def remove(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Take rows of one type away that stand; returns them."""
        if rows:
            derived.remove(self.connection, rows)
            self._forget(rows)
        return rows

    def _forget(self, rows: Iterable[Row]) -> None:
        """What is held of these rows' entities is no longer what stands."""
        if not self._held:
            return
        for row_type, entity_id in {(type(row), row[0]) for row in rows}:
            self._held.get(row_type, {}).pop(entity_id, None)


def _widen(stretch: _Stretch, span: Span) -> list[Span]:
    """Widen a stretch that touches a span to hold it; returns what must be read for that."""
    missing = []
    if span.from_ts < stretch.from_ts:
        missing.append(Span(span.entity_id, span.from_ts, stretch.from_ts))
        stretch.from_ts = span.from_ts
    if span.to_ts > stretch.to_ts:
        missing.append(Span(span.entity_id, stretch.to_ts, span.to_ts))
        stretch.to_ts = span.to_ts
    return missing


def _spans(rows: Iterable[Row]) -> list[Span]:
    """Stretches that hold some rows, one an entity."""
    times: dict[str, list[int]] = {}
    for row in rows:
        times.setdefault(row[0], []).append(row.ts)
    return [Span(entity_id, min(own), max(own) + 1) for entity_id, own in times.items()]


_seen_ts = attrgetter("seen_ts")

"""Folding: one kernel's part of a transaction, onwards from what it remembers, or back to a snapshot and on.

Items newer than all before continue the saved state. An item that comes late sends the fold back to the newest
snapshot before it; from there the stored items are folded again, rows that stand already stay untouched, and the way
ends early where the state meets a later snapshot: from there on nothing can differ. So any order of arrival ends in
the rows and the state of one ordered pass, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.registry import Device
from storage import derived, readings, state
from storage.spans import FOREVER_MS, Span
from storage.state import Snapshot
from streams.kernel import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from psycopg import Connection

    from schemas.metrics import Row
    from schemas.readings import Kind
    from schemas.registry import Site
    from streams.kernel import Fold

REBUILD_MS = 8 * DAY_MS
"""How far before a late item a fold that has no snapshot starts: what is accepted as backfill, and a day."""
SETTLED_MS = 7 * DAY_MS
"""Such a fold, where it started in the middle of a device's life, gives no rows older than this before the item."""


class Memory(NamedTuple):
    """What a fold remembers of an entity, and how far it has come."""

    last_ts: int
    state: Any


Memories = dict[tuple[str, str], Memory | None]
"""By (kernel, entity); None where all that was remembered is disproved."""


@dataclass(slots=True)
class Given:
    """What a fold came to within one transaction."""

    rows: list[Row] = field(default_factory=list)
    """New rows, yet to be written."""
    rewritten: list[Row] = field(default_factory=list)
    """Rows that were computed again and differ from what stood; these are written."""
    gone: list[Row] = field(default_factory=list)
    """Rows that were disproved and taken away."""
    snapshots: list[Snapshot] = field(default_factory=list)


class _Late(NamedTuple):
    """An entity whose items have to be folded again."""

    entity_id: str
    from_ms: int
    """Time of its first late item."""
    to_ms: int
    """Behind its last late item: from here on a snapshot may be met."""
    until_ms: int
    """Behind what is remembered: newer items are folded onwards."""


class Folding:
    """One fold at work in one transaction."""

    def __init__(self, connection: Connection, fold: Fold, known: Memories, moved: Memories) -> None:
        """Take `known` as what is remembered, and put into `moved` what is remembered then."""
        self._connection = connection
        self._fold = fold
        self._known = known
        self._moved = moved
        self._given = Given()

    def feed(
        self,
        subjects: Mapping[str, Device | Site],
        items: Mapping[str, Sequence[Any]],
        gone: Mapping[str, Sequence[int]] = MappingProxyType({}),
    ) -> Given:
        """Fold items that are stored already, per entity in order of their `ts`; `gone` are times of items no more."""
        late: list[_Late] = []
        onwards: dict[str, Sequence[Any]] = {}
        for entity_id, own in items.items():
            memory = self._memory(entity_id)
            if memory is None:
                late.append(_Late(entity_id, own[0].ts, FOREVER_MS, FOREVER_MS))
            elif own[0].ts > memory.last_ts and entity_id not in gone:
                onwards[entity_id] = own
            else:
                behind = [item.ts for item in own if item.ts <= memory.last_ts]
                times = [*behind, *gone.get(entity_id, ())]
                late.append(_Late(entity_id, min(times), max(times) + 1, memory.last_ts + 1))
                onwards[entity_id] = own[len(behind) :]
        for entity_id, moments in gone.items():
            if entity_id not in items and (memory := self._memory(entity_id)) is not None:
                late.append(_Late(entity_id, min(moments), max(moments) + 1, memory.last_ts + 1))
        if late:
            self._again(subjects, late, forced=False)
        for entity_id, own in onwards.items():
            if own:
                self._onwards(entity_id, subjects[entity_id], own)
        return self._given

    def rebuild(self, subjects: Mapping[str, Device | Site], from_ms: int) -> Given:
        """Fold everything from a moment on again, whatever stands there; all of its rows are then `rewritten`."""
        self._again(subjects, [_Late(each, from_ms, FOREVER_MS, FOREVER_MS) for each in subjects], forced=True)
        return self._given

    def _memory(self, entity_id: str) -> Memory | None:
        key = (self._fold.name, entity_id)
        return self._moved[key] if key in self._moved else self._known.get(key)

    def _onwards(self, entity_id: str, subject: Device | Site, items: Sequence[Any]) -> None:
        """Fold newer items, and keep the state at every moment of snapshots that is passed."""
        fold, every = self._fold, self._fold.snapshot_ms
        memory = self._memory(entity_id)
        assert memory is not None  # noqa: S101 - remembered, or just folded again
        last_ts, now = memory
        if items[-1].ts // every == last_ts // every:  # no moment is passed: nearly always
            now, rows = fold.fold(now, subject, items)
            self._given.rows += rows
            self._moved[fold.name, entity_id] = Memory(items[-1].ts, now)
            return
        for moment, part in _parts(items, every):
            if last_ts < moment:
                self._given.snapshots.append(Snapshot(entity_id, fold.name, fold.version, moment, fold.dump(now)))
            now, rows = fold.fold(now, subject, part)
            last_ts = part[-1].ts
            self._given.rows += rows
        self._moved[fold.name, entity_id] = Memory(last_ts, now)

    def _again(self, subjects: Mapping[str, Device | Site], late: Sequence[_Late], *, forced: bool) -> None:
        """Fold stored items again, for each entity from the newest snapshot before its first late one."""
        fold = self._fold
        kept = state.snapshots_since(
            self._connection, fold.name, fold.version, [(item.entity_id, item.from_ms) for item in late]
        )
        origins = {item.entity_id: _origin(kept[item.entity_id], item.from_ms) for item in late}
        stored = self._load(
            subjects, [Span(item.entity_id, origins[item.entity_id].ts, item.until_ms) for item in late]
        )
        again: list[Row] = []
        spans: list[Span] = []
        for item in late:
            origin = origins[item.entity_id]
            met = {snapshot.ts: snapshot.state for snapshot in kept[item.entity_id] if snapshot.ts >= item.to_ms}
            rows, end = self._again_one(subjects[item.entity_id], item, origin, stored.get(item.entity_id, ()), met)
            start = origin.ts
            if origin.state is None and self._has_earlier(subjects[item.entity_id], item.entity_id, start):
                start = item.from_ms - SETTLED_MS
                rows = [row for row in rows if row.ts >= start]
            again += rows
            spans.append(Span(item.entity_id, start, end))
        if not isinstance(fold.source, frozenset):
            state.drop(self._connection, fold.name, spans)
        for row_type in fold.events:
            self._given.gone += derived.withdraw(self._connection, row_type, spans, again, clock="seen_ts")
        different = derived.rewrite(self._connection, again)
        self._given.rewritten += again if forced else different

    def _again_one(
        self,
        subject: Device | Site,
        late: _Late,
        origin: _Origin,
        items: Sequence[Any],
        met: Mapping[int, str],
    ) -> tuple[list[Row], int]:
        """Fold one entity's stored items; returns its rows, and the moment from which on nothing differs."""
        fold = self._fold
        begun = origin.state is not None
        now = None if origin.state is None else fold.load(origin.state)
        rows: list[Row] = []
        for moment, part in _parts(items, fold.snapshot_ms):
            if begun:
                text = fold.dump(now)
                if met.get(moment) == text:
                    return rows, moment  # and what is remembered at the end stands
                self._given.snapshots.append(Snapshot(late.entity_id, fold.name, fold.version, moment, text))
            now, given = fold.fold(now, subject, part)
            begun = True
            rows += given
        key = (fold.name, late.entity_id)
        if items:
            self._moved[key] = Memory(items[-1].ts, now)
        else:
            self._moved[key] = Memory(origin.ts - 1, now) if begun else None
        return rows, FOREVER_MS

    def _load(self, subjects: Mapping[str, Device | Site], spans: Sequence[Span]) -> dict[str, list[Any]]:
        """Stored items of some entities, in order of time."""
        source = self._fold.source
        if not isinstance(source, frozenset):
            return in_time(derived.load(self._connection, source, spans))
        by_kind: dict[Kind, list[Span]] = {}
        for span in spans:
            by_kind.setdefault(_kind(subjects[span.entity_id]), []).append(span)
        found: dict[str, list[Any]] = {}
        for kind, own in by_kind.items():
            found |= readings.load(self._connection, kind, own)
        return found

    def _has_earlier(self, subject: Device | Site, entity_id: str, ts: int) -> bool:
        """Whether anything is stored of an entity before a moment."""
        source = self._fold.source
        if not isinstance(source, frozenset):
            return derived.has_earlier(self._connection, source, entity_id, ts)
        return readings.has_earlier(self._connection, _kind(subject), entity_id, ts)


class _Origin(NamedTuple):
    """Where folding again begins."""

    ts: int
    state: str | None


def _origin(kept: Sequence[Snapshot], from_ms: int) -> _Origin:
    """The snapshot to begin with; without one, a beginning so early that the item's buckets are whole."""
    if kept and kept[0].ts <= from_ms:
        return _Origin(kept[0].ts, kept[0].state)
    return _Origin(from_ms - REBUILD_MS, None)


def _kind(subject: Device | Site) -> Kind:
    assert isinstance(subject, Device)  # noqa: S101 - only devices have readings
    return subject.kind


def _parts(items: Sequence[Any], every: int) -> Iterator[tuple[int, Sequence[Any]]]:
    """Cut items in order of time at the moments of snapshots: (moment at or before the part's first item, part)."""
    start = 0
    for at, item in enumerate(items):
        if item.ts // every != items[start].ts // every:
            yield items[start].ts // every * every, items[start:at]
            start = at
    if start < len(items):
        yield items[start].ts // every * every, items[start:]


def in_time(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows by entity, in order of time and key."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    for own in found.values():
        own.sort(key=lambda row: (row.ts, derived.key_of(row)))
    return found

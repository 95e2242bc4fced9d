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
from storage.spans import FOREVER_MS, Span, begun_before
from storage.state import Snapshot
from storage.tables import DERIVED_TABLES, READING_TABLES
from streams.kernel import DAY_MS, Reviser, Sharer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from psycopg import Connection

    from schemas.metrics import Row
    from schemas.readings import Kind
    from schemas.registry import Site
    from storage.readings import Arrival
    from streams.kernel import Fold

REBUILD_MS = 8 * DAY_MS
"""How far before a late item a fold that has no snapshot starts: what is accepted as backfill, and a day."""
SETTLED_MS = 7 * DAY_MS
"""Such a fold, where it started in the middle of a device's life, gives no rows older than this before the item."""


class Memory(NamedTuple):
    """What a fold remembers of an entity, and how far it has come."""

    last_ts: int
    state: Any
    """As the fold made it, or `Unread`."""


class Unread(NamedTuple):
    """A state as it was saved: read when its entity is next heard of, so that a worker is soon ready."""

    text: str


Memories = dict[tuple[str, str], Memory | None]
"""By (kernel, entity); None where all that was remembered is disproved."""

Loaded = dict[tuple["Kind", tuple[Span, ...]], dict[str, list["Arrival"]]]
"""Stored readings that one fold of a transaction has read back, for the next one of the same devices."""


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
    is_part: bool = False
    """More comes after `until_ms`, in another transaction: what is remembered at the end stands."""


class Folding:
    """One fold at work in one transaction."""

    def __init__(self, connection: Connection, fold: Fold, known: Memories, moved: Memories, loaded: Loaded) -> None:
        """Take `known` as what is remembered, put into `moved` what is remembered then, and share `loaded`."""
        self._connection = connection
        self._fold = fold
        self._known = known
        self._moved = moved
        self._loaded = loaded
        self._given = Given()

    def feed(
        self,
        subjects: Mapping[str, Device | Site],
        items: Mapping[str, Sequence[Any]],
        gone: Mapping[str, Sequence[int]] = MappingProxyType({}),
    ) -> Given:
        """Fold items that are stored already, per entity in order of their `ts`; `gone` are times of items no more."""
        late: list[_Late] = []
        after: dict[str, Sequence[Any]] = {}
        """Newer items of entities that have late ones too."""
        for entity_id, own in items.items():
            memory = self._memory(entity_id)
            if memory is None:
                late.append(_Late(entity_id, own[0].ts, FOREVER_MS, FOREVER_MS))
            elif own[0].ts > memory.last_ts and entity_id not in gone:
                self._onwards(entity_id, subjects[entity_id], own, memory)
            else:
                behind = [item.ts for item in own if item.ts <= memory.last_ts]
                times = [*behind, *gone.get(entity_id, ())]
                late.append(_Late(entity_id, min(times), max(times) + 1, memory.last_ts + 1))
                after[entity_id] = own[len(behind) :]
        for entity_id, moments in gone.items():
            if entity_id not in items and (memory := self._memory(entity_id)) is not None:
                late.append(_Late(entity_id, min(moments), max(moments) + 1, memory.last_ts + 1))
        if late:
            self._again(subjects, late, forced=False)
        for entity_id, own in after.items():
            if own:
                self._onwards(entity_id, subjects[entity_id], own, self._memory(entity_id))
        return self._given

    def rebuild(self, subjects: Mapping[str, Device | Site], from_ms: int, to_ms: int = FOREVER_MS) -> Given:
        """Fold what lies between two moments again, whatever stands there; all of its rows are then `rewritten`.

        Where there is more behind `to_ms`, what is remembered is left for whoever folds that again: begin there next.
        """
        late = []
        for entity_id in subjects:
            memory = self._memory(entity_id)
            is_part = memory is not None and memory.last_ts >= to_ms
            late.append(_Late(entity_id, from_ms, FOREVER_MS, to_ms if is_part else FOREVER_MS, is_part))
        self._again(subjects, late, forced=True)
        return self._given

    def settle(self, subjects: Mapping[str, Device | Site], from_ms: int) -> Given:
        """Fold from a moment on again, as far as the state differs from what it was: the end of a rebuild in parts."""
        self._again(subjects, [_Late(each, from_ms, from_ms + 1, FOREVER_MS) for each in subjects], forced=False)
        return self._given

    def _memory(self, entity_id: str) -> Memory | None:
        key = (self._fold.name, entity_id)
        if key in self._moved:
            return self._moved[key]
        memory = self._known.get(key)
        if memory is not None and type(memory.state) is Unread:
            memory = self._known[key] = Memory(memory.last_ts, self._fold.load(memory.state.text))
        return memory

    def _onwards(self, entity_id: str, subject: Device | Site, items: Sequence[Any], memory: Memory | None) -> None:
        """Fold newer items, and keep the state at every moment of snapshots that is passed.

        No memory: all that was remembered was disproved just now, and these items are the first.
        """
        fold, every = self._fold, self._fold.snapshot_ms
        last_ts, now = (None, None) if memory is None else memory
        newest_ts = items[-1].ts
        if last_ts is not None and newest_ts // every == last_ts // every:  # no moment is passed: nearly always
            now, rows = fold.fold(now, subject, items)
            self._given.rows += rows
            self._moved[fold.name, entity_id] = Memory(newest_ts, now)
            return
        for moment, part in _parts(items, every):
            if last_ts is not None and last_ts < moment:
                self._given.snapshots.append(Snapshot(entity_id, fold.name, fold.version, moment, fold.dump(now)))
            now, rows = fold.fold(now, subject, part)
            last_ts = part[-1].ts
            self._given.rows += rows
        self._moved[fold.name, entity_id] = Memory(newest_ts, now)

    def _again(self, subjects: Mapping[str, Device | Site], late: Sequence[_Late], *, forced: bool) -> None:
        """Fold stored items again, for each entity from the newest snapshot before its first late one."""
        fold = self._fold
        kept = state.snapshots_since(
            self._connection, fold.name, fold.version, [(item.entity_id, item.from_ms) for item in late]
        )
        walks = [_walk(fold, item, kept[item.entity_id]) for item in late]
        self._advance(subjects, walks, [Span(each.entity_id, each.origin.ts, each.first_stop) for each in walks])
        further = [each for each in walks if each.end is None]
        self._advance(
            subjects, further, [Span(each.entity_id, each.first_stop, each.late.until_ms) for each in further]
        )
        begun = self._begun(subjects, [(each.entity_id, each.origin.ts) for each in walks if each.origin.state is None])
        again: list[Row] = []
        open_: list[Row] = []
        spans: list[Span] = []
        for walk in walks:
            start, rows = walk.origin.ts, walk.rows
            if walk.end is not None and not walk.late.is_part and isinstance(fold, Reviser):
                # What a later item could still revise, one may have revised already: that stands.
                open_ += [row for row in rows if not fold.is_final(walk.now, row)]
                rows = [row for row in rows if fold.is_final(walk.now, row)]
            if walk.origin.state is None and walk.entity_id in begun:
                start = walk.late.from_ms - SETTLED_MS
                rows = [row for row in rows if row.ts >= start]
            again += rows
            spans.append(Span(walk.entity_id, start, FOREVER_MS if walk.end is None else walk.end))
            if walk.end is None:
                self._moved[fold.name, walk.entity_id] = walk.memory()
            self._given.snapshots += walk.snapshots
        if not isinstance(fold.source, frozenset):
            state.drop(self._connection, fold.name, spans)
        for row_type in fold.events:
            self._given.gone += derived.withdraw(
                self._connection,
                row_type,
                spans,
                [*again, *open_],
                clock="seen_ts",
                owned=fold.gave if isinstance(fold, Sharer) else None,
            )
        different = derived.rewrite(self._connection, again)
        self._given.rewritten += again if forced else different

    def _advance(self, subjects: Mapping[str, Device | Site], walks: Sequence[_Walk], spans: Sequence[Span]) -> None:
        """Load what lies within the walks' next stretches, and fold it."""
        open_spans = [span for span in spans if span.from_ms < span.to_ms]
        stored = self._load(subjects, open_spans) if open_spans else {}
        for walk, span in zip(walks, spans, strict=True):
            walk.take(subjects[walk.entity_id], stored.get(walk.entity_id, ()), span.to_ms)

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
            asked = (kind, tuple(own))
            if asked not in self._loaded:
                self._loaded[asked] = readings.load(self._connection, kind, own)
            found |= self._loaded[asked]
        return found

    def _begun(self, subjects: Mapping[str, Device | Site], moments: Sequence[tuple[str, int]]) -> set[str]:
        """Entities of which anything is stored before a moment of their own."""
        source = self._fold.source
        if not moments:
            return set()
        if not isinstance(source, frozenset):
            table = DERIVED_TABLES[source]
            return begun_before(self._connection, table.name, table.key[0], moments)
        by_table: dict[str, list[tuple[str, int]]] = {}
        for moment in moments:
            by_table.setdefault(READING_TABLES[_kind(subjects[moment[0]])].name, []).append(moment)
        found = (begun_before(self._connection, name, "device_id", own) for name, own in by_table.items())
        return set[str]().union(*found)


@dataclass(slots=True)
class _Walk:
    """One entity's way through its stored items, from a snapshot on, as far as anything may differ.

    It is walked in two stretches: to the first snapshot that may be met, which is nearly always met, and the rest.
    """

    fold: Fold
    late: _Late
    origin: _Origin
    met: Mapping[int, str]
    """Snapshots that stand behind the last late item: where the state equals one, nothing differs from there on."""
    first_stop: int
    now: Any
    begun: bool
    last_ts: int
    end: int | None = None
    """From here on nothing differs, or another transaction goes on."""
    rows: list[Row] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)

    @property
    def entity_id(self) -> str:
        """The entity."""
        return self.late.entity_id

    def take(self, subject: Device | Site, items: Sequence[Any], to_ms: int) -> None:
        """Fold the items before `to_ms` that were not folded yet, unless a snapshot is met."""
        for moment, part in _parts(items, self.fold.snapshot_ms):
            if self.begun:
                text = self.fold.dump(self.now)
                if self._meets(moment, text):
                    return
                self.snapshots.append(Snapshot(self.entity_id, self.fold.name, self.fold.version, moment, text))
            self.now, given = self.fold.fold(self.now, subject, part)
            self.begun = True
            self.last_ts = part[-1].ts
            self.rows += given
        if self.begun and to_ms in self.met and self._meets(to_ms, self.fold.dump(self.now)):
            return
        if self.late.is_part and to_ms == self.late.until_ms:
            self.end = to_ms

    def _meets(self, moment: int, text: str) -> bool:
        """Whether the state equals the one that was kept at a moment: then the way ends there."""
        if self.late.is_part or self.met.get(moment) != text:
            return False
        self.end = moment
        return True

    def memory(self) -> Memory | None:
        """What is remembered at the end; None: nothing was ever folded."""
        return Memory(self.last_ts, self.now) if self.begun else None


class _Origin(NamedTuple):
    """Where folding again begins."""

    ts: int
    state: str | None


def _origin(kept: Sequence[Snapshot], from_ms: int) -> _Origin:
    """The snapshot to begin with; without one, a beginning so early that the item's buckets are whole."""
    if kept and kept[0].ts <= from_ms:
        return _Origin(kept[0].ts, kept[0].state)
    return _Origin(from_ms - REBUILD_MS, None)


def _walk(fold: Fold, late: _Late, kept: Sequence[Snapshot]) -> _Walk:
    """Set out from the newest snapshot before the first late item."""
    origin = _origin(kept, late.from_ms)
    behind = late.until_ms if late.is_part else late.to_ms
    met = {snapshot.ts: snapshot.state for snapshot in kept if snapshot.ts >= behind}
    stop = min((ts for ts in met if ts <= late.until_ms), default=late.until_ms)
    now = None if origin.state is None else fold.load(origin.state)
    return _Walk(fold, late, origin, met, stop, now, origin.state is not None, origin.ts - 1)


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

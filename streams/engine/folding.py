"""Folding: one kernel's part of a transaction, onwards from what it remembers, or back to a snapshot and on.

Items newer than all before continue the saved state. An item that comes late sends the fold back to the newest
snapshot before it; from there the stored items are folded again, rows that stand already stay untouched, and the way
ends early where the state meets a later snapshot: from there on nothing can differ. So any order of arrival ends in
the rows and the state of one ordered pass, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from schemas.registry import Device
from schemas.time import FOREVER_TS, Span
from storage import derived, readings, state
from storage.spans import newest_before
from storage.state import Snapshot
from storage.tables import DERIVED_TABLES, READING_TABLES
from streams.engine.ground import Ground
from streams.engine.memory import DUE, Memory, Unread
from streams.engine.retelling import earlier, take_back, too_late
from streams.engine.walk import SETTLED_MS, LateSpan, Walk, is_kept, parts, set_out, unkept
from streams.kernels.contract import Reviser, Sharer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.arrival import Arrival
    from schemas.metrics import Row
    from schemas.readings import Kind
    from schemas.registry import Site
    from streams.engine.memory import Memories, Moved
    from streams.engine.shelf import ShelvedMemory
    from streams.engine.standing import StandingRows
    from streams.kernels.contract import Fold


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


class Folding:
    """One fold at work in one transaction."""

    def __init__(self, rows: StandingRows, fold: Fold, known: Memories, moved: Moved, loaded: Loaded) -> None:
        """Take `known` as what is remembered, put into `moved` what is remembered then, and share what was read."""
        self._connection = rows.connection
        self._rows = rows
        self._fold = fold
        self._known = known
        self._moved = moved
        self._loaded = loaded
        self._given = Given()
        self._ground = Ground(rows.connection, fold)

    def feed(
        self,
        subjects: Mapping[str, Device | Site],
        items: Mapping[str, Sequence[Any]],
        gone: Mapping[str, Sequence[int]] = MappingProxyType({}),
    ) -> Given:
        """Fold items that are stored already, per entity in order of their `ts`; `gone` are times of items no more."""
        late: list[LateSpan] = []
        after: dict[str, Sequence[Any]] = {}
        """Newer items of entities that have late ones too."""
        self._catch_up(subjects, items, gone)
        for entity_id, own in items.items():
            memory = self._memory(entity_id)
            if memory is None:
                late.append(LateSpan(entity_id, own[0].ts, FOREVER_TS, FOREVER_TS))
            elif own[0].ts > memory.last_ts and entity_id not in gone:
                self._onwards(entity_id, subjects[entity_id], own, memory)
            else:
                behind = [item.ts for item in own if item.ts <= memory.last_ts]
                times = [*behind, *gone.get(entity_id, ())]
                fresh = () if entity_id in gone else tuple(behind)
                late.append(LateSpan(entity_id, min(times), max(times) + 1, memory.last_ts + 1, fresh=fresh))
                after[entity_id] = own[len(behind) :]
        for entity_id, moments in gone.items():
            if entity_id not in items and (memory := self._memory(entity_id)) is not None:
                late.append(LateSpan(entity_id, min(moments), max(moments) + 1, memory.last_ts + 1))
        if late:
            self._refold(subjects, late, forced=False)
        for entity_id, own in after.items():
            if own:
                self._onwards(entity_id, subjects[entity_id], own, self._memory(entity_id))
        return self._given

    def rebuild(
        self, subjects: Mapping[str, Device | Site], since: Mapping[str, int], to_ts: int, *, forced: bool
    ) -> Given:
        """Fold each entity's items from a moment of its own to `to_ts` again, whatever stands there.

        `forced`: all rows that these items give are then `rewritten`, not only those that differ. Where there is more
        behind `to_ts`, what is remembered there is kept for whoever folds that again, and must begin there.
        """
        late = []
        for entity_id in subjects:
            memory = self._memory(entity_id)
            is_part = memory is not None and memory.last_ts >= to_ts
            until_ts = to_ts if is_part else FOREVER_TS
            late.append(LateSpan(entity_id, since[entity_id], until_ts, until_ts, is_part))
        if late:
            self._refold(subjects, late, forced=forced)
        return self._given

    def settle(self, subjects: Mapping[str, Device | Site], since: Mapping[str, int]) -> Given:
        """Fold from a moment on again, as far as the state differs from what it was: the end of a rebuild in parts."""
        late = []
        for entity_id in subjects:
            memory = self._memory(entity_id)
            if memory is None or memory.last_ts >= since[entity_id]:
                late.append(LateSpan(entity_id, since[entity_id], since[entity_id] + 1, FOREVER_TS))
        if late:
            self._refold(subjects, late, forced=False)
        return self._given

    def _memory(self, entity_id: str) -> Memory | ShelvedMemory | None:
        key = (self._fold.name, entity_id)
        return self._moved[key] if key in self._moved else self._known.get(key)

    def _catch_up(
        self,
        subjects: Mapping[str, Device | Site],
        items: Mapping[str, Sequence[Any]],
        gone: Mapping[str, Sequence[int]],
    ) -> None:
        """Read the states of entities heard of for the first time, and fold in what was stored since they were saved.

        `items` of this transaction are not among that, even where they are older. The rows that come of it stand
        already: they were written with their readings.
        """
        name, fold, known = self._fold.name, self._fold, self._known
        unread: dict[str, tuple[Memory, Unread]] = {}
        for entity_id in (*items, *gone):
            memory = known.get((name, entity_id))
            if type(memory) is Memory and type(memory.state) is Unread:
                unread[entity_id] = (memory, memory.state)
        behind = [
            Span(entity_id, saved.saved_ts + 1, memory.last_ts + 1)
            for entity_id, (memory, saved) in unread.items()
            if saved.saved_ts < memory.last_ts
        ]
        stored = self._load(subjects, behind) if behind else {}
        for entity_id, (memory, saved) in unread.items():
            now, missed = fold.load(saved.text), stored.get(entity_id, [])
            if missed:
                fresh = {item.ts for item in items.get(entity_id, ())}
                missed = [item for item in missed if item.ts not in fresh]
            if missed:
                now, _ = fold.fold(now, subjects[entity_id], missed)
            known[name, entity_id] = Memory(memory.last_ts, now, len(missed))

    def _onwards(
        self, entity_id: str, subject: Device | Site, items: Sequence[Any], memory: Memory | ShelvedMemory | None
    ) -> None:
        """Fold newer items, and keep the state at every moment of snapshots that is passed.

        No memory: all that was remembered was disproved just now, and these items are the first.
        """
        fold, every = self._fold, self._fold.snapshot_ms
        if memory is None:
            last_ts, now, unsaved = None, None, DUE
        else:
            last_ts, now, unsaved = memory.last_ts, memory.state, memory.unsaved
        unsaved = unsaved + len(items) if isinstance(fold.source, frozenset) else DUE
        newest_ts = items[-1].ts
        if last_ts is not None and newest_ts // every == last_ts // every:  # no moment is passed: nearly always
            now, rows = fold.fold(now, subject, items)
            self._given.rows += rows
            self._moved[fold.name, entity_id] = Memory(newest_ts, now, unsaved)
            return
        for moment, part in parts(items, every):
            if last_ts is not None and last_ts < moment:
                self._given.snapshots.append(Snapshot(entity_id, fold.name, fold.version, moment, fold.dump(now)))
            now, rows = fold.fold(now, subject, part)
            last_ts = part[-1].ts
            self._given.rows += rows
        self._moved[fold.name, entity_id] = Memory(newest_ts, now, DUE)

    def _refold(self, subjects: Mapping[str, Device | Site], late: Sequence[LateSpan], *, forced: bool) -> None:
        """Fold stored items again, for each entity from the newest snapshot before its first late one."""
        fold = self._fold
        late = self._grounded(subjects, late)
        if not late:
            return
        walks = self._walked(subjects, late)
        begun, outlived = self._begun(subjects, [each for each in walks if each.origin.state is None])
        refolded: list[Row] = []
        leading: list[Row] = []
        """Rows of items before the first late one, which only lead to the state there."""
        given: list[Row] = []
        """All that the ways gave, whether it is to be written or what stands is left as it is."""
        spans: list[Span] = []
        for walk in walks:
            start = walk.origin.ts
            if walk.origin.state is None and walk.entity_id in begun | outlived:
                start = walk.late.from_ts - SETTLED_MS
                if walk.begun or walk.entity_id in outlived:  # what lies before its first item cannot be told from it
                    start = max(start, walk.first_ts + 1)
            cut = walk.leading if forced else 0
            leading += walk.to_stand(walk.rows[:cut], start)
            refolded += walk.to_stand(walk.rows[cut:], start)
            given += walk.rows
            end = FOREVER_TS if walk.end is None else walk.end
            spans.append(Span(walk.entity_id, min(start, end), end))
            if walk.end is None:
                self._moved[fold.name, walk.entity_id] = Memory(walk.last_ts, walk.now, DUE) if walk.begun else None
            self._given.snapshots += walk.snapshots
        if not isinstance(fold.source, frozenset):
            dropped = [span._replace(from_ts=walk.dropped_from) for walk, span in zip(walks, spans, strict=True)]
            state.drop(self._connection, fold.name, dropped)
        for row_type in fold.events:
            self._given.gone += self._rows.withdraw(
                row_type,
                spans,
                given,
                clock="seen_ts",
                owned=fold.gave if isinstance(fold, Sharer) else None,
            )
        self._given.gone += take_back(self._rows, fold, walks, spans)
        if forced:
            self._given.rewritten += self._rows.rewrite(leading)
            self._rows.rewrite(refolded)
            self._given.rewritten += refolded
        else:
            ends = {walk.entity_id: walk.end for walk in walks if walk.end is not None and walk.rejoined}
            self._given.rewritten += self._rows.rewrite(self._rows.unrevised(refolded, ends))

    def _grounded(self, subjects: Mapping[str, Device | Site], late: Sequence[LateSpan]) -> list[LateSpan]:
        """The same, as far as items are kept."""
        tables = {item.entity_id: self._table(subjects[item.entity_id])[0] for item in late}
        return self._ground.within(late, tables, {name for name in tables if self._memory(name) is None})

    def _walked(self, subjects: Mapping[str, Device | Site], late: Sequence[LateSpan]) -> list[Walk]:
        """Walk each entity's way, again where it began too late: from the snapshot before, then ever further back."""
        first = {item.entity_id: item.from_ts for item in late}
        found: list[Walk] = []
        step_ms = 1
        while late:
            walks = self._once(subjects, late)
            short = too_late(self._rows, self._fold, walks, first)
            found += [each for each in walks if each not in short]
            late = earlier(short, step_ms, self._ground.kept)
            step_ms = max(self._fold.snapshot_ms, 2 * step_ms)
        return found

    def _once(self, subjects: Mapping[str, Device | Site], late: Sequence[LateSpan]) -> list[Walk]:
        """Walk each entity's way."""
        fold = self._fold
        kept = self._ground.kept(late)
        if isinstance(fold, Reviser) and (deep := self._deepened(fold, late, kept)):
            kept = self._ground.kept(deep)
            late = [
                self._ground.held(item, at.from_ts, kept[at.entity_id]) for item, at in zip(deep, late, strict=True)
            ]
        kept |= self._lasting(subjects, unkept(late, kept), kept)
        before = self._before(subjects, [(item.entity_id, item.from_ts) for item in unkept(late, kept)])
        walks = [
            set_out(
                fold, item, kept[item.entity_id], before.get(item.entity_id), self._ground.since.get(item.entity_id)
            )
            for item in late
        ]
        self._advance(subjects, walks, [Span(each.entity_id, each.origin.ts, each.first_stop) for each in walks])
        further = [each for each in walks if each.end is None]
        self._ground.look_further(further)
        self._advance(subjects, further, [Span(at.entity_id, at.first_stop, at.late.until_ts) for at in further])
        return walks

    def _lasting(
        self, subjects: Mapping[str, Device | Site], late: Sequence[LateSpan], kept: Mapping[str, Sequence[Snapshot]]
    ) -> dict[str, list[Snapshot]]:
        """Snapshots behind the first late reading that say how things stood before it, since the ground.

        A device that was silent for as long as readings are kept has none before it, nor the readings that led there.
        Where only late readings lie between the ground and its first snapshot, all that this remembers is older.
        """
        since = self._ground.since
        named = [item.entity_id for item in late if isinstance(self._fold.source, frozenset)]
        first = {name: kept[name][0] for name in named if name in since and kept[name]}
        if not first:
            return {}
        stored = self._load(subjects, [Span(name, since[name], each.ts) for name, each in first.items()])
        fresh = {item.entity_id: item.fresh for item in late}
        return {
            name: [each._replace(ts=since[name]), *kept[name]]
            for name, each in first.items()
            if all(item.ts in fresh[name] for item in stored.get(name, ()))
        }

    def _deepened(
        self, fold: Reviser, late: Sequence[LateSpan], kept: Mapping[str, Sequence[Snapshot]]
    ) -> list[LateSpan]:
        """The same, but set out so early that all is given again of which items behind the snapshot gave another form.

        An event tells of that: it began before the snapshot, and was given out behind it. Nothing that the snapshot's
        state could not revise can have been given anew.
        """
        origins = {item.entity_id: kept[item.entity_id][0] for item in late if is_kept(item, kept[item.entity_id])}
        spans = [Span(entity_id, origin.ts, FOREVER_TS) for entity_id, origin in origins.items()]
        crossed = {
            row[0]
            for row_type in fold.events
            for row in derived.load(self._connection, row_type, spans, clock="seen_ts")
            if row.ts < origins[row[0]].ts
        }
        since = {entity_id: fold.revisable_from(fold.load(origins[entity_id].state)) for entity_id in crossed}
        return [item._replace(from_ts=min(item.from_ts, since.get(item.entity_id, item.from_ts))) for item in late]

    def _advance(self, subjects: Mapping[str, Device | Site], walks: Sequence[Walk], spans: Sequence[Span]) -> None:
        """Load what lies within the walks' next stretches, and fold it."""
        open_spans = [span for span in spans if span.from_ts < span.to_ts]
        stored = self._load(subjects, open_spans) if open_spans else {}
        for walk, span in zip(walks, spans, strict=True):
            walk.take(subjects[walk.entity_id], stored.get(walk.entity_id, ()), span.to_ts)

    def _load(self, subjects: Mapping[str, Device | Site], spans: Sequence[Span]) -> dict[str, list[Any]]:
        """Stored items of some entities, in order of time."""
        source = self._fold.source
        if not isinstance(source, frozenset):
            return in_time(self._rows.load(source, spans))
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

    def _begun(self, subjects: Mapping[str, Device | Site], walks: Sequence[Walk]) -> tuple[set[str], set[str]]:
        """Entities of which items are stored before the beginning of their way, and those that only rows are left of.

        Of what lies before its ground, only rows count.
        """
        moments = [(walk.entity_id, walk.origin.ts) for walk in walks]
        begun = self._ground.begun(self._before(subjects, moments))
        return begun, self._ground.stood([each for each in moments if each[0] in self._ground.since.keys() - begun])

    def _before(self, subjects: Mapping[str, Device | Site], moments: Sequence[tuple[str, int]]) -> dict[str, int]:
        """Time of the last item that is stored before a moment of each entity's own, where there is any."""
        found: dict[str, int] = {}
        for key, own in self._by_table(subjects, moments).items():
            found |= newest_before(self._connection, *key, own)
        return found

    def _by_table(
        self, subjects: Mapping[str, Device | Site], moments: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, str], list[tuple[str, int]]]:
        """Moments of entities by the table of their items, and its column of the entity."""
        by_table: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for moment in moments:
            by_table.setdefault(self._table(subjects[moment[0]]), []).append(moment)
        return by_table

    def _table(self, subject: Device | Site) -> tuple[str, str]:
        """Table of an entity's items, and its column of the entity."""
        source = self._fold.source
        if isinstance(source, frozenset):
            return READING_TABLES[_kind(subject)].name, "device_id"
        return DERIVED_TABLES[source].name, DERIVED_TABLES[source].key[0]


def _kind(subject: Device | Site) -> Kind:
    assert isinstance(subject, Device)  # noqa: S101 - only devices have readings
    return subject.kind


def in_time(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows by entity, in order of time and key."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    for own in found.values():
        own.sort(key=lambda row: (row.ts, derived.key_of(row)))
    return found

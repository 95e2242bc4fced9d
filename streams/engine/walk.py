"""The way of one entity through its stored items, folded again from a snapshot on as far as anything may differ."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.time import DAY_MS, FOREVER_TS
from storage.state import Snapshot
from streams.kernels.contract import Reviser

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from schemas.metrics import Row
    from schemas.registry import Device, Site
    from streams.kernels.contract import Fold

REBUILD_MS = 8 * DAY_MS
"""How far before a late item a fold that has no snapshot starts: what is accepted as backfill, and a day."""
SETTLED_MS = 7 * DAY_MS
"""Such a fold, where it started in the middle of a device's life, gives no rows older than this before the item."""


class LateSpan(NamedTuple):
    """An entity whose items have to be folded again."""

    entity_id: str
    from_ts: int
    """Time of its first late item."""
    to_ts: int
    """Behind its last late item: from here on a snapshot may be met."""
    until_ts: int
    """Behind what is remembered: newer items are folded onwards."""
    is_part: bool = False
    """More comes after `until_ts`, in another transaction, which begins there: what is remembered at the end stands."""
    fresh: Sequence[int] = ()
    """Times of its late items, where they are new in this transaction."""


@dataclass(slots=True)
class Walk:
    """One entity's way through its stored items, from a snapshot on, as far as anything may differ.

    It is walked in two stretches: to the first snapshot that may be met, which is nearly always met, and the rest.
    """

    fold: Fold
    late: LateSpan
    origin: _Origin
    later_states: Mapping[int, str]
    """Snapshots that stand behind the last late item: where the state equals one, nothing differs from there on."""
    stale: Sequence[int]
    """Where a part's snapshots stand that are now to be replaced, even if nothing of it lies behind them."""
    first_stop: int
    now: Any
    begun: bool
    last_ts: int
    first_ts: int = FOREVER_TS
    """Time of the first item on it."""
    is_passed: bool = False
    """Whether an item passes the moment of its beginning."""
    end: int | None = None
    """From here on nothing differs, or another transaction goes on."""
    rows: list[Row] = field(default_factory=list)
    leading: int = 0
    """How many of them are of items before the first late one."""
    snapshots: list[Snapshot] = field(default_factory=list)

    @property
    def entity_id(self) -> str:
        """The entity."""
        return self.late.entity_id

    @property
    def rejoined(self) -> bool:
        """Whether the way ended at a snapshot that was kept."""
        return self.end is not None and not self.late.is_part

    @property
    def is_emptied(self) -> bool:
        """Whether nothing is left of what once passed the moment of its beginning: it must begin before that."""
        return self.origin.state is not None and self.last_ts < self.origin.ts and not self.late.is_part

    @property
    def dropped_from(self) -> int:
        """What it kept behind this moment is no more, and nor is its beginning where no item passes that any longer."""
        is_left = self.origin.state is not None and not self.is_passed and not self.late.is_part
        return self.origin.ts - is_left

    def to_stand(self, rows: list[Row], since_ts: int) -> list[Row]:
        """Rows that are to stand as they were given; the others are left as they are."""
        if self.rejoined and isinstance(self.fold, Reviser):
            # What a later item could still revise, one may have revised already: that stands.
            rows = [row for row in rows if self.fold.is_final(self.now, row)]
        return rows if since_ts <= self.origin.ts else [row for row in rows if row.ts >= since_ts]

    def take(self, subject: Device | Site, items: Sequence[Any], to_ts: int) -> None:
        """Fold the items before `to_ts` that were not folded yet, unless a snapshot is met."""
        first_late = bisect_left(items, self.late.from_ts, key=_ts)
        self._fold(subject, items[:first_late])
        if self.end is None and items[:first_late]:
            self.leading = len(self.rows)
        self._fold(subject, items[first_late:])
        if self.end is not None:
            return
        if self.begun and to_ts in self.later_states and self._meets(to_ts, self.fold.dump(self.now)):
            return
        if self.late.is_part and to_ts == self.late.until_ts:
            self.end = to_ts
            if self.begun:
                self.snapshots += [self._snapshot(moment) for moment in self.stale if moment > self.last_ts]

    def _fold(self, subject: Device | Site, items: Sequence[Any]) -> None:
        for moment, part in parts(items, self.fold.snapshot_ms):
            if self.begun and self.last_ts < moment:
                snapshot = self._snapshot(moment)
                if self._meets(moment, snapshot.state):
                    return
                self.snapshots.append(snapshot)
            self.is_passed = self.is_passed or moment == self.origin.ts
            self.now, given = self.fold.fold(self.now, subject, part)
            self.begun = True
            self.first_ts = min(self.first_ts, part[0].ts)
            self.last_ts = part[-1].ts
            self.rows += given

    def _snapshot(self, moment: int) -> Snapshot:
        return Snapshot(self.entity_id, self.fold.name, self.fold.version, moment, self.fold.dump(self.now))

    def _meets(self, moment: int, text: str) -> bool:
        """Whether the state equals the one that was kept at a moment: then the way ends there."""
        if self.later_states.get(moment) != text:
            return False
        self.end = moment
        return True


class _Origin(NamedTuple):
    """Where folding again begins."""

    ts: int
    state: str | None


def unkept(late: Sequence[LateSpan], kept: Mapping[str, Sequence[Snapshot]]) -> list[LateSpan]:
    """Those of which no snapshot is kept that is old enough to set out from."""
    return [item for item in late if not is_kept(item, kept[item.entity_id])]


def is_kept(late: LateSpan, kept: Sequence[Snapshot]) -> bool:
    """Whether the first snapshot of an entity is old enough to set out from."""
    return bool(kept) and kept[0].ts <= late.from_ts


def _origin(fold: Fold, late: LateSpan, kept: Sequence[Snapshot], before: int | None, ground_ts: int | None) -> _Origin:
    """The snapshot to begin with; without one, a beginning so early that the item's buckets are whole.

    And not later than the last item before: of an entity that has snapshots at all, all items before its first one lie
    within one stretch of them. Nor earlier than its ground: of what lies before, not everything is there any more.
    """
    if is_kept(late, kept):
        return _Origin(kept[0].ts, kept[0].state)
    earliest = late.from_ts - REBUILD_MS
    if before is not None and (ground_ts is None or before >= ground_ts):
        earliest = min(earliest, before // fold.snapshot_ms * fold.snapshot_ms)
    return _Origin(earliest if ground_ts is None else max(earliest, ground_ts), None)


def set_out(
    fold: Fold, late: LateSpan, kept: Sequence[Snapshot], before: int | None, ground_ts: int | None = None
) -> Walk:
    """Set out from the newest snapshot before the first late item; `before`: time of the last item before, if any.

    `ground_ts`: from when on all items are kept, where older ones were taken away.
    """
    origin = _origin(fold, late, kept, before, ground_ts)
    later = {} if late.is_part else {snapshot.ts: snapshot.state for snapshot in kept if snapshot.ts >= late.to_ts}
    stale = [snapshot.ts for snapshot in kept if late.is_part and origin.ts < snapshot.ts <= late.until_ts]
    stop = min((ts for ts in later if ts <= late.until_ts), default=late.until_ts)
    now = None if origin.state is None else fold.load(origin.state)
    return Walk(fold, late, origin, later, stale, stop, now, origin.state is not None, origin.ts - 1)


_ts = attrgetter("ts")


def parts(items: Sequence[Any], every: int) -> Iterator[tuple[int, Sequence[Any]]]:
    """Cut items in order of time at the moments of snapshots: (moment at or before the part's first item, part)."""
    start = 0
    while start < len(items):
        moment = items[start].ts // every * every
        end = bisect_left(items, moment + every, lo=start, key=_ts)
        yield moment, items[start:end]
        start = end

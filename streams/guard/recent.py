"""A device's last readings and what detectors remember around each: a late one is folded in where it belongs."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.arrival import joined, with_dangers
from schemas.metrics import Signal
from schemas.time import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
    from schemas.readings import Kind
    from schemas.registry import Device
    from streams.kernels.contract import Fold

KEPT = 8
"""So many readings of a device are kept at least: one that comes late among them is taken as if it had come in time.
(unsourced)"""
KEPT_MS = HOUR_MS
"""More are kept as long as a collector took them within this: a message of several readings that was held back is
overtaken by more than eight. Less than what a guard that starts reads again. (unsourced)"""
KEPT_AT_MOST = 32
"""No more than about so many are kept, however often a device sends. (unsourced)"""
REMEMBERED = 8
"""After every so many readings it is kept what the folds remember; in between they are fed again. (unsourced)"""


class RecentReading(NamedTuple):
    """A reading, and what each fold remembers after it, where that is kept."""

    arrival: Arrival
    states: tuple[Any, ...] | None


class Fed(NamedTuple):
    """What some readings came to."""

    from_ts: int
    """What was given out before by readings from here on is given out anew."""
    is_late: bool
    """Whether any of it was given out before."""
    signals: list[Signal]


@dataclass(slots=True)
class Recent:
    """The last readings of one device."""

    kind: Kind
    before: tuple[Any, ...]
    """What each fold remembers before the first of them."""
    before_ts: int = -1
    """Device time of the newest reading in that; -1: none."""
    kept: list[RecentReading] = field(default_factory=list)

    @property
    def newest_ts(self) -> int:
        """Device time of the newest reading; -1: none."""
        return self.kept[-1].arrival.ts if self.kept else self.before_ts

    def feed(self, folds: Sequence[Fold], device: Device, arrivals: Sequence[Arrival]) -> Fed | None:
        """Take readings in any order; None where they say nothing new, or are older than all that are kept.

        Nothing is changed where a fold raises.
        """
        own = [kept.arrival for kept in self.kept]
        first = len(own)
        for arrival in arrivals:
            if arrival.ts <= self.before_ts:
                continue
            at = bisect_left(own, arrival.ts, key=_ts)
            if at < len(own) and own[at].ts == arrival.ts:
                both = joined(own[at], arrival) or with_dangers(own[at], arrival)
                if both is own[at]:
                    continue
                own[at] = both
            else:
                own.insert(at, arrival)
            first = min(first, at)
        if first == len(own):
            return None
        begin, states = self._remembered_before(first)
        kept, signals = self.kept[:begin], list[Signal]()
        for at, arrival in enumerate(own[begin:], begin):
            states, given = _folded(folds, device, states, arrival)
            signals += given if at >= first else ()
            kept.append(RecentReading(arrival, states))
        fed = Fed(own[first].ts, first < len(self.kept), signals)
        self.kept = _thinned(kept, begin)
        self._let_go(max(arrival.received_ts for arrival in arrivals))
        return fed

    def _remembered_before(self, at: int) -> tuple[int, tuple[Any, ...]]:
        """The nearest place up to which it is kept what the folds remember, and that."""
        for place in range(at, 0, -1):
            if (states := self.kept[place - 1].states) is not None:
                return place, states
        return 0, self.before

    def _let_go(self, now_ts: int) -> None:
        """Drop what was taken long ago, up to a place from which the folds can go on."""
        most = len(self.kept) - KEPT
        old = max(0, len(self.kept) - KEPT_AT_MOST)
        while old < most and self.kept[old].arrival.received_ts < now_ts - KEPT_MS:
            old += 1
        old = min(old, most)
        if old <= 0:
            return
        place, states = self._remembered_before(old)
        if place:
            self.before, self.before_ts = states, self.kept[place - 1].arrival.ts
            del self.kept[:place]


def _ts(arrival: Arrival) -> int:
    return arrival.ts


def _thinned(kept: list[RecentReading], begin: int) -> list[RecentReading]:
    """Forget what the folds remembered after most readings from `begin` on, and the one before; never after the last.

    What stands before that is thinned already.
    """
    at = max(0, begin - 1)
    since = 0
    while since < at and kept[at - since - 1].states is None:
        since += 1
    for place in range(at, len(kept) - 1):
        since += 1
        if since < REMEMBERED:
            kept[place] = RecentReading(kept[place].arrival, None)
        else:
            since = 0
    return kept


def _folded(
    folds: Sequence[Fold], device: Device, states: tuple[Any, ...], arrival: Arrival
) -> tuple[tuple[Any, ...], list[Signal]]:
    after: list[Any] = []
    signals: list[Signal] = []
    for fold, state in zip(folds, states, strict=True):
        now, rows = fold.fold(state, device, [arrival])
        after.append(now)
        signals += [row for row in rows if isinstance(row, Signal)]
    return tuple(after), signals

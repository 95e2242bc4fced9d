"""A device's last readings and what detectors remember around each: a late one is folded in where it belongs."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.arrival import joined, with_dangers
from schemas.metrics import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
    from schemas.readings import Kind
    from schemas.registry import Device
    from streams.kernels.contract import Fold

KEPT = 8
"""Readings of a device that are kept: one that comes late among them is taken as if it had come in time. (unsourced)"""


class RecentReading(NamedTuple):
    """A reading, and what each fold remembers after it."""

    arrival: Arrival
    states: tuple[Any, ...]


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
        kept, signals = self.kept[:first], list[Signal]()
        states = kept[-1].states if kept else self.before
        for arrival in own[first:]:
            states, given = _folded(folds, device, states, arrival)
            signals += given
            kept.append(RecentReading(arrival, states))
        fed = Fed(own[first].ts, first < len(self.kept), signals)
        if len(kept) > KEPT:
            last = kept[-KEPT - 1]
            self.before, self.before_ts = last.states, last.arrival.ts
        self.kept = kept[-KEPT:]
        return fed


def _ts(arrival: Arrival) -> int:
    return arrival.ts


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

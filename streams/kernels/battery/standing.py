"""A current sensor that shows exactly the same figure again and again, though it never did so before.

Noise makes a living sensor's last digit move. How long it may stand is learnt from the set itself, apart for currents
that count as none and for those that flow: a coarse sensor stands for hours and is left alone, a fine one that repeats
itself far longer than it ever did is a record that its gateway goes on sending, or a sensor that died.

A current that stands by itself is no wonder where it may: 0.0 A within a dead band, or one that a rectifier or a test
load holds. It is told only while the voltages stand with it, for far longer than these ever did. A current of idle that
is not 0.0 is held by nothing but noise: of a sensor that has moved for long, and has stood before, it is told alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.time import MINUTE_MS
from streams.kernels.figures import larger, smaller

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.kernels.figures import Array, Mask

LEARNT_MOVES = 10
"""So many readings that differ from the one before make a sensor a living one, each at idle and under a current.
(unsourced)"""
ALONE_MOVES = 100
"""So many make one whose idle current is noise, and not the end of a charge. (unsourced)"""
REPEATS = 3
ODD_TIMES, STANDS_TIMES = 2.0, 4.0
"""Times as long as it ever stood before: worth a doubt, and told. (unsourced)"""
STANDS_MS = 10 * MINUTE_MS


class CurrentShown(NamedTuple):
    """What a reading shows of a set."""

    ts: int
    amps: float
    """As the sensor says."""
    pack_v: float
    lowest_v: float
    """Of the cells, as far as they are known."""

    def has_voltages_of(self, other: CurrentShown) -> bool:
        """Whether no digit of the voltages has moved."""
        return self.pack_v == other.pack_v and self.lowest_v == other.lowest_v


class CurrentStanding(NamedTuple):
    """What is known of how a set's current moves, and its voltages."""

    since: int = 0
    """Reading whose current is repeated since; 0: the last one differs from the one before."""
    idle_ms: float = 0.0
    """Longest it has stood, at a current that counts as none."""
    flow_ms: float = 0.0
    """Longest it has stood at one that flows."""
    idle_moves: int = 0
    """Readings that differed from the one before, at a current that counts as none, as far as they count."""
    flow_moves: int = 0
    """The same at one that flows."""
    volts_since: int = 0
    """Reading whose voltages are repeated since; 0: those of the last one differ."""
    volts_ms: float = 0.0
    """Longest they have stood."""

    def usual_ms(self, *, is_idle: bool) -> float:
        """Longest the current is known to stand and be well."""
        return self.idle_ms if is_idle else self.flow_ms

    def moves(self, *, is_idle: bool) -> int:
        """Readings of the class that moved."""
        return self.idle_moves if is_idle else self.flow_moves


NEW = CurrentStanding()
"""Of a set that was never seen before."""


def after_gap(known: CurrentStanding) -> CurrentStanding:
    """Nobody knows what was shown meanwhile."""
    return known._replace(since=0, volts_since=0)


def watched(known: CurrentStanding, before: CurrentShown, now: CurrentShown, *, is_idle: bool) -> CurrentStanding:
    """Take a reading after the one before; `is_idle`: whether that one's current counted as none."""
    told = is_standing(known, before, 0, is_idle=is_idle)
    doubt = STANDS_TIMES if told else 1.0
    """It may have been well, after all: what was told teaches a share of its length."""
    volts_since, volts_ms = known.volts_since, known.volts_ms
    if now.has_voltages_of(before):
        volts_since = volts_since or before.ts
    elif volts_since:
        volts_since, volts_ms = 0, max(volts_ms, float(before.ts - volts_since) / doubt)
    _, idle_ms, flow_ms, idle_moves, flow_moves, *_ = known
    if now.amps == before.amps:
        since = known.since or before.ts
    else:
        stood = float(before.ts - known.since) / doubt if known.since else 0.0
        since = 0
        if is_idle:
            idle_ms, idle_moves = max(idle_ms, stood), min(idle_moves + 1, ALONE_MOVES)
        else:
            flow_ms, flow_moves = max(flow_ms, stood), min(flow_moves + 1, LEARNT_MOVES)
    return CurrentStanding(since, idle_ms, flow_ms, idle_moves, flow_moves, volts_since, volts_ms)


def is_odd(known: CurrentStanding, now: CurrentShown, elapsed: int, *, is_idle: bool) -> bool:
    """Whether it has stood for longer than it should, so that what flowed meanwhile is doubtful."""
    return _stands(known, now, elapsed, ODD_TIMES, 0, is_idle=is_idle)


def is_standing(known: CurrentStanding, now: CurrentShown, elapsed: int, *, is_idle: bool) -> bool:
    """Whether it has stood for so long that it shows no current any more."""
    return _stands(known, now, elapsed, STANDS_TIMES, STANDS_MS, is_idle=is_idle)


def _stands(
    known: CurrentStanding, now: CurrentShown, elapsed: int, times: float, least_ms: int, *, is_idle: bool
) -> bool:
    usual, stood = known.usual_ms(is_idle=is_idle), now.ts - known.since
    if not known.since or known.moves(is_idle=is_idle) < LEARNT_MOVES:
        return False
    if stood < REPEATS * elapsed or stood < least_ms or stood <= times * usual:
        return False
    if is_idle and now.amps != 0.0 and usual > 0 and known.idle_moves == ALONE_MOVES:
        return True
    repeated = now.ts - max(known.since, known.volts_since)
    usual_v = max(known.volts_ms, float(known.since - known.volts_since))
    return known.volts_since > 0 and repeated >= max(least_ms, REPEATS * elapsed) and repeated > times * usual_v


class StandingFigures(NamedTuple):
    """`CurrentStanding` of many sets."""

    since: Array
    idle_ms: Array
    flow_ms: Array
    idle_moves: Array
    flow_moves: Array
    volts_since: Array
    volts_ms: Array


STANDINGS = len(StandingFigures._fields)
"""Numbers that they are of each set."""


def standing_of(figures: Sequence[float]) -> CurrentStanding:
    """One set's of its figures."""
    since, idle_ms, flow_ms, idle_moves, flow_moves, volts_since, volts_ms = figures
    return CurrentStanding(int(since), idle_ms, flow_ms, int(idle_moves), int(flow_moves), int(volts_since), volts_ms)


class ShownFigures(NamedTuple):
    """`CurrentShown` of many sets."""

    ts: Array
    amps: Array
    pack_v: Array
    lowest_v: Array


def watched_all(
    known: StandingFigures, before: ShownFigures, now: ShownFigures, is_idle: Mask
) -> tuple[StandingFigures, Mask]:
    """`watched` of many sets, and which of them stand, or stood until now, for longer than they should.

    Of these the figures are worth nothing. `is_idle` is of the readings before, as in `watched`.
    """
    ended = _odd_all(known, before, np.zeros_like(now.ts), is_idle)
    same = now.amps == before.amps
    same_v = (now.pack_v == before.pack_v) & (now.lowest_v == before.lowest_v)
    stood = np.where(known.since > 0, before.ts - known.since, 0.0)
    stood_v = np.where(known.volts_since > 0, before.ts - known.volts_since, 0.0)
    idle_moved, flow_moved = ~same & is_idle, ~same & ~is_idle
    after = StandingFigures(
        np.where(same, np.where(known.since > 0, known.since, before.ts), 0.0),
        np.where(idle_moved, larger(known.idle_ms, stood), known.idle_ms),
        np.where(flow_moved, larger(known.flow_ms, stood), known.flow_ms),
        np.where(idle_moved, smaller(known.idle_moves + 1, np.full_like(stood, ALONE_MOVES)), known.idle_moves),
        np.where(flow_moved, smaller(known.flow_moves + 1, np.full_like(stood, LEARNT_MOVES)), known.flow_moves),
        np.where(same_v, np.where(known.volts_since > 0, known.volts_since, before.ts), 0.0),
        np.where(same_v, known.volts_ms, larger(known.volts_ms, stood_v)),
    )
    return after, ended | _odd_all(after, now, now.ts - before.ts, is_idle)


def _odd_all(known: StandingFigures, now: ShownFigures, elapsed: Array, is_idle: Mask) -> Mask:
    """`is_odd` of many sets."""
    usual, stood = np.where(is_idle, known.idle_ms, known.flow_ms), now.ts - known.since
    moves = np.where(is_idle, known.idle_moves, known.flow_moves)
    stands = (known.since > 0) & (moves >= LEARNT_MOVES) & (stood >= REPEATS * elapsed) & (stood > ODD_TIMES * usual)
    alone = is_idle & (now.amps != 0.0) & (usual > 0) & (known.idle_moves == ALONE_MOVES)
    repeated = now.ts - larger(known.since, known.volts_since)
    usual_v = larger(known.volts_ms, known.since - known.volts_since)
    with_volts = (known.volts_since > 0) & (repeated >= REPEATS * elapsed) & (repeated > ODD_TIMES * usual_v)
    odd: Mask = stands & (alone | with_volts)
    return odd

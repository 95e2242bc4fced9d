"""A current sensor that shows exactly the same figure again and again, though it never did so before.

Noise makes a living sensor's last digit move. How long it may stand is learnt from the set itself, apart for currents
that count as none and for those that flow: a coarse sensor stands for hours and is left alone, a fine one that repeats
itself far longer than it ever did is a record that its gateway goes on sending, or a sensor that died.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.time import MINUTE_MS
from streams.kernels.figures import larger, smaller

if TYPE_CHECKING:
    from streams.kernels.figures import Array, Mask

LEARNT_MOVES = 10
"""So many readings that differ from the one before make a sensor a living one. (unsourced)"""
REPEATS = 3
ODD_TIMES, STANDS_TIMES = 2.0, 4.0
"""Times as long as it ever stood before: worth a doubt, and told. (unsourced)"""
STANDS_MS = 10 * MINUTE_MS


class CurrentStanding(NamedTuple):
    """What is known of how a set's current moves."""

    since: int = 0
    """Reading whose current is repeated since; 0: the last one differs from the one before."""
    idle_ms: float = 0.0
    """Longest it has stood, at a current that counts as none."""
    flow_ms: float = 0.0
    """Longest it has stood at one that flows."""
    moves: int = 0
    """Readings that differed from the one before, as far as they count."""

    def usual_ms(self, *, is_idle: bool) -> float:
        """Longest it is known to stand and be well."""
        return self.idle_ms if is_idle else self.flow_ms


NEW = CurrentStanding()
"""Of a set that was never seen before."""


def watched(
    known: CurrentStanding, before: tuple[int, float], now: tuple[int, float], *, is_idle: bool
) -> CurrentStanding:
    """Take a reading's (ms, A as the sensor says) after the one before; `is_idle`: whether that one counted as none."""
    (before_ts, before_a), (_, amps) = before, now
    if amps == before_a:
        return known if known.since else known._replace(since=before_ts)
    moves = min(known.moves + 1, LEARNT_MOVES)
    if not known.since:
        return known if moves == known.moves else known._replace(moves=moves)
    stood = float(before_ts - known.since)
    if is_standing(known, before_ts, 0, is_idle=is_idle):
        stood /= STANDS_TIMES  # it may have been well, after all
    if is_idle:
        return CurrentStanding(0, max(known.idle_ms, stood), known.flow_ms, moves)
    return CurrentStanding(0, known.idle_ms, max(known.flow_ms, stood), moves)


def is_odd(known: CurrentStanding, ts: int, elapsed: int, *, is_idle: bool) -> bool:
    """Whether it has stood for longer than it should, so that what flowed meanwhile is doubtful."""
    stood = ts - known.since
    usual = ODD_TIMES * known.usual_ms(is_idle=is_idle)
    return known.since > 0 and known.moves == LEARNT_MOVES and stood >= REPEATS * elapsed and stood > usual


def is_standing(known: CurrentStanding, ts: int, elapsed: int, *, is_idle: bool) -> bool:
    """Whether it has stood for so long that it shows no current any more."""
    stood = ts - known.since
    usual = STANDS_TIMES * known.usual_ms(is_idle=is_idle)
    return is_odd(known, ts, elapsed, is_idle=is_idle) and stood >= STANDS_MS and stood > usual


class StandingFigures(NamedTuple):
    """`CurrentStanding` of many sets."""

    since: Array
    idle_ms: Array
    flow_ms: Array
    moves: Array


def watched_all(
    known: StandingFigures, before: tuple[Array, Array], now: tuple[Array, Array], is_idle: Mask
) -> tuple[StandingFigures, Mask]:
    """`watched` of many sets, and which of them stand, or stood until now, for longer than they should.

    Of these the figures are worth nothing. `is_idle` is of the readings before, as in `watched`.
    """
    (before_ts, before_a), (ts, amps) = before, now
    same = amps == before_a
    stood = before_ts - known.since
    has_stood = ~same & (known.since > 0)
    after = StandingFigures(
        np.where(same, np.where(known.since > 0, known.since, before_ts), 0.0),
        np.where(has_stood & is_idle, larger(known.idle_ms, stood), known.idle_ms),
        np.where(has_stood & ~is_idle, larger(known.flow_ms, stood), known.flow_ms),
        np.where(same, known.moves, smaller(known.moves + 1, np.full_like(ts, LEARNT_MOVES))),
    )
    stands = ts - after.since
    usual = ODD_TIMES * np.where(is_idle, known.idle_ms, known.flow_ms)
    stands_on = same & (stands >= REPEATS * (ts - before_ts)) & (stands > usual)
    odd: Mask = (known.moves == LEARNT_MOVES) & (stands_on | (has_stood & (stood > usual)))
    return after, odd

"""The quiet way of `standing` and `stillness`: how long the currents of many sets have stood, over columns.

What stands here is these two once more; they are the truth, and `tests/…/test_quiet.py` holds both equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from schemas.time import HOUR_MS
from streams.kernels.battery.direction import APART_MS
from streams.kernels.battery.standing import (
    LOAD_SHARE,
    MOVE_KEPT,
    NOISE_SHARE,
    ODD_TIMES,
    REPEATS,
    STANDS_MS,
    STEP_CELL_V,
    SWING_STEPS,
    SWINGS,
    SWINGS_ALONE,
    CurrentStanding,
    Swings,
)
from streams.kernels.battery.stillness import AGAINST_V, UNSEEN_AH
from streams.kernels.figures import larger, smaller

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.kernels.figures import Array, Mask


class StandingFigures(NamedTuple):
    """`CurrentStanding` of many sets whose cells have not stepped against their current."""

    since: Array
    idle_ms: Array
    flow_ms: Array
    low_a: Array
    high_a: Array
    volts_since: Array
    volts_ms: Array
    mean_step_v: Array
    mean_moved_v: Array
    mean_noise_v: Array
    step: Array
    """Of current and lowest cell, shape (2, sets), as the next two."""
    moved: Array
    swings: Array

    @classmethod
    def of(cls, table: Array) -> StandingFigures:
        """Take them as they are kept, shape (numbers, sets)."""
        return cls(*table[:PLAIN], *(table[at : at + 2] for at in range(PLAIN, STANDINGS, 2)))

    def together(self) -> Array:
        """Lay them out so."""
        table = np.empty((STANDINGS, len(self.since)))
        for at, figure in enumerate(self[:PLAIN]):
            table[at] = figure
        for at, both in zip(range(PLAIN, STANDINGS, 2), self[PLAIN:], strict=True):
            table[at : at + 2] = both
        return table


PLAIN = 10
"""Numbers of a set before its swings."""
STANDINGS = PLAIN + 2 * len(Swings._fields)
"""Numbers that they are of each set."""


def figures_of(known: CurrentStanding) -> tuple[float, ...]:
    """One set's as figures."""
    turns = [figure for both in zip(known.amps, known.volts, strict=True) for figure in both]
    return (*known[:10], *turns)


def standing_of(figures: Sequence[float]) -> CurrentStanding:
    """One set's of its figures."""
    since, idle_ms, flow_ms, low_a, high_a, volts_since, volts_ms, *means = figures[:PLAIN]
    swings = (figures[PLAIN::2], figures[PLAIN + 1 :: 2])
    amps, volts = (Swings(step, moved, int(turns)) for step, moved, turns in swings)
    step_v, moved_v, noise_v = means
    lasted = (int(since), idle_ms, flow_ms, low_a, high_a, int(volts_since), volts_ms)
    return CurrentStanding(*lasted, step_v, moved_v, noise_v, amps, volts)


class ShownFigures(NamedTuple):
    """`CurrentShown` of many sets, and whether the current counts as none."""

    ts: Array
    amps: Array
    mean_v: Array
    lowest_v: Array
    is_idle: Mask


class WatchedCurrents(NamedTuple):
    """What `watched_all` said of one reading of many sets, and what it was asked."""

    asked: tuple[Array | Mask, ...]
    after: Array
    """What is known then, as it is kept."""
    stands: Mask


class WatchedSamples(Protocol):
    """Readings of many sets, one of each, as `Samples`."""

    watched: WatchedCurrents | None
    """What the fold that came first was answered."""


def watched_once(
    samples: WatchedSamples, table: Array, before: ShownFigures, now: ShownFigures, sign: Array
) -> tuple[Array, Mask]:
    """`watched_all` of what is kept as a table: two folds ask it of a reading, mostly in the same bits."""
    asked: tuple[Array | Mask, ...] = (table, sign, *before, *now)
    found = samples.watched
    if found is None or not all(map(_is_same, found.asked, asked)):
        known, stands = watched_all(StandingFigures.of(table), before, now, sign)
        found = samples.watched = WatchedCurrents(asked, known.together(), stands)
    return found.after, found.stands


def _is_same(one: Array | Mask, other: Array | Mask) -> bool:
    return one is other or one.tobytes() == other.tobytes()


def watched_all(
    known: StandingFigures, before: ShownFigures, now: ShownFigures, sign: Array
) -> tuple[StandingFigures, Mask]:
    """`watched` of many sets, and which of them stand, or stood until now, for longer than they should.

    Of these, and of those whose cells step against a current that stands, the figures are worth nothing.
    """
    moved = np.empty((2, len(now.amps)))
    np.subtract(now.amps, before.amps, out=moved[0])
    np.subtract(now.lowest_v, before.lowest_v, out=moved[1])
    is_idle, differs = before.is_idle, before.is_idle != now.is_idle
    begins = differs | (~is_idle & (np.abs(moved[0]) > LOAD_SHARE * np.abs(before.amps)))
    ended = _odd_all(known, before, STANDS_MS, is_idle)
    same = now.amps == before.amps
    same_v = (now.mean_v == before.mean_v) & (now.lowest_v == before.lowest_v)
    stood = np.where(known.since > 0, before.ts - known.since, 0.0)
    stood_v = np.where(known.volts_since > 0, before.ts - known.volts_since, 0.0)
    is_first, first_a = begins | (known.moved[0] == 0.0), np.where(begins, now.amps, before.amps)
    step_v = np.where(sign * now.amps < 0.0, now.mean_v - before.mean_v, before.mean_v - now.mean_v)
    size_v = np.abs(step_v)
    is_least = (size_v > 0.0) & ((known.mean_step_v == 0.0) | (size_v < known.mean_step_v))
    after = StandingFigures(
        np.where(same, np.where(known.since > 0, known.since, before.ts), 0.0),
        np.where(~same & is_idle, larger(known.idle_ms, stood), known.idle_ms),
        np.where(~same & ~is_idle, larger(known.flow_ms, stood), known.flow_ms),
        np.where(is_first, first_a, smaller(known.low_a, before.amps)),
        np.where(is_first, first_a, larger(known.high_a, before.amps)),
        np.where(same_v, np.where(known.volts_since > 0, known.volts_since, before.ts), 0.0),
        np.where(same_v, known.volts_ms, larger(known.volts_ms, stood_v)),
        np.where(is_least, size_v, known.mean_step_v),
        larger(size_v, MOVE_KEPT * known.mean_moved_v),
        known.mean_noise_v + NOISE_SHARE * (size_v - known.mean_noise_v),
        *_swung_all(known, moved, begins, is_idle & differs),
    )
    ended |= same & ~is_idle & (step_v >= STEP_CELL_V)
    return after, ended | _odd_all(after, now, REPEATS * (now.ts - before.ts), is_idle)


def _swung_all(known: StandingFigures, moved: Array, begins: Mask, flows: Mask) -> tuple[Array, Array, Array]:
    """`_swung` of many sets, of both figures."""
    size, still = np.abs(moved), moved == 0.0
    step = np.where(~still & ((known.step == 0.0) | (size < known.step)), size, known.step)
    turned = (moved * known.moved < 0.0) & (smaller(size, np.abs(known.moved)) > SWING_STEPS * step)
    swings = np.where(turned & (known.swings < SWINGS_ALONE), known.swings + 1, known.swings)
    last = np.where(still, known.moved, moved)
    if begins.any():
        last[:, begins], swings[1, begins] = 0.0, 0.0
        swings[0, begins] = np.where((flows & (known.swings[0] >= SWINGS))[begins], float(SWINGS), 0.0)
    return step, last, swings


def _odd_all(known: StandingFigures, now: ShownFigures, least: Array | int, is_idle: Mask) -> Mask:
    """`is_odd` of many sets, of stretches that are no shorter than `least` ms."""
    stood = now.ts - known.since
    lasts: Mask = (known.since > 0) & (stood >= least)
    if not lasts.any():
        return lasts
    usual = np.where(is_idle, known.idle_ms, known.flow_ms)
    repeated = now.ts - larger(known.since, known.volts_since)
    is_within = (known.swings[0] == SWINGS_ALONE) & (known.low_a < now.amps) & (now.amps < known.high_a)
    swung = (known.swings[0] >= SWINGS) & (now.amps != 0.0) & (stood > ODD_TIMES * usual)
    resent = (known.volts_since > 0) & (repeated >= least) & (repeated > ODD_TIMES * known.volts_ms)
    resent &= swung | (known.swings[1] >= SWINGS)
    lasts &= (swung & is_within) | resent
    return lasts


class StillFigures(Protocol):
    """Columns of a fold that hold `Stillness`, the voltage before the last one, and what they are judged by."""

    still_high_v: Array
    still_low_v: Array
    still_ah: Array
    earlier_v: Array
    float_cell_v: Array
    drained_cell_v: Array
    nominal_ah: Array


def follow_still(
    f: StillFigures, before: ShownFigures, now: ShownFigures, amps: tuple[Array, Array], *, since_full: bool = False
) -> Mask:
    """Follow `Stillness` of many sets by a reading each; whether it is against the current.

    `amps` are the two readings' charging currents. `since_full`: as `current_sensor` has it, from the last full cell
    on, and without a charge where there was none.
    """
    (before_a, now_a), before_v, now_v, elapsed = amps, before.mean_v, now.mean_v, now.ts - before.ts
    is_still = (now.amps == before.amps) | (before.is_idle & now.is_idle)
    charged_ah = (before_a + now_a) / 2 * elapsed / HOUR_MS
    earlier_v = np.where((elapsed >= APART_MS) & (np.abs(now_v - before_v) < AGAINST_V), before_v, f.earlier_v)
    # Of voltages: no zero has a sign, and no function is called.
    low_v = np.minimum(np.minimum(earlier_v, before_v), now_v)
    high_v = np.maximum(np.maximum(earlier_v, before_v), now_v)
    f.earlier_v = before_v
    if since_full:
        is_still &= ~(now.is_idle & (low_v >= f.float_cell_v))
    f.still_high_v = np.where(is_still, np.maximum(f.still_high_v, low_v), low_v)
    f.still_low_v = np.where(is_still, np.minimum(f.still_low_v, high_v), high_v)
    counts = is_still & (f.still_high_v >= f.float_cell_v) if since_full else is_still
    f.still_ah = np.where(counts, f.still_ah + charged_ah, 0.0)
    gone_v = np.where(now_a < 0, low_v - f.still_low_v, f.still_high_v - high_v)
    is_drained = (
        (f.still_high_v >= f.float_cell_v) & (high_v < f.drained_cell_v) & (f.still_ah > -UNSEEN_AH * f.nominal_ah)
    )
    against: Mask = np.where(now.is_idle, is_drained, gone_v >= AGAINST_V)
    return against

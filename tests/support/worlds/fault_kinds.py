"""Kinds of sets that deceive, each a script of discharges; and what is counted of them.

What is counted is confidence: a state of health marked good whose truth lies more than a point outside of its 90 %
interval; and, of sets whose cells change, what the next usable discharge says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.metrics.common import Quality
from tests.support.worlds.battery_faults import Doubtful
from tests.support.worlds.battery_worlds import MAKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MARGIN = 1.0
"""Points of SoH outside of the interval that are called confidently wrong."""
PLAN: tuple[float | None, ...] = (None, 45.0, 15.0, None)
"""Discharges of a set: % of the weakest cell left, or None for the cut-off."""


class Tally(NamedTuple):
    """What was published over a kind's sets."""

    shown: int
    """Figures after a discharge."""
    good: int
    """Of them marked good."""
    confident_wrong: int
    """Of those, with the truth more than MARGIN outside of the interval."""
    missed: int
    """Of all, good or not, the same."""
    hits: int
    """Of all, with the truth within."""

    def __str__(self) -> str:
        """One line."""
        held = f"{self.hits / self.shown:.0%}" if self.shown else "-"
        return (
            f"{self.shown} shown ({held} held), {self.good} good, {self.confident_wrong} of them confidently wrong,"
            f" {self.missed} wrong of any quality"
        )


def _plain(world: Doubtful) -> None:
    for left in PLAN:
        world.use(left)


def _swap(to: float) -> Callable[[Doubtful], None]:
    def script(world: Doubtful) -> None:
        for left in (None, 15.0, None):
            world.use(left)
        world.become(to)
        for left in (45.0, 15.0, None):
            world.use(left)

    return script


def _cell_fails(world: Doubtful) -> None:
    """One cell comes down to 60 % of nominal between two discharges."""
    for left in (None, 15.0, None):
        world.use(left)
    world.capacity[world.rng.randrange(world.curve.cells)] = 0.60 * world.nominal
    for left in (45.0, 15.0, None):
        world.use(left)


def _repaired(world: Doubtful) -> None:
    """A set with one cell of 60 % gets a good one in its place."""
    weak, strong = world.rng.randrange(world.curve.cells), float(world.capacity.min())
    world.capacity[weak] = 0.60 * world.nominal
    for left in (None, 15.0, None):
        world.use(left)
    world.capacity[weak] = strong
    world.r0[weak] = float(np.median(world.r0))
    for left in (45.0, 15.0, None):
        world.use(left)


def _dead(world: Doubtful) -> None:
    """No channel shows the weakest cell."""
    world.dead = int(np.argmin(world.capacity))
    _plain(world)


def _gain(to: float) -> Callable[[Doubtful], None]:
    def script(world: Doubtful) -> None:
        world.scale = to
        _plain(world)

    return script


def _gain_later(to: float) -> Callable[[Doubtful], None]:
    def script(world: Doubtful) -> None:
        world.use(None)
        world.use(15.0)
        world.scale = to
        _plain(world)

    return script


def _offset(share_c: float) -> Callable[[Doubtful], None]:
    def script(world: Doubtful) -> None:
        world.offset_a = share_c * world.nominal
        _plain(world)

    return script


def _clipped(world: Doubtful) -> None:
    world.clip_c = world.rng.uniform(0.10, 0.22)
    _plain(world)


def _clipped_hard(world: Doubtful) -> None:
    world.clip_c = 0.07
    _plain(world)


def _stuck(world: Doubtful) -> None:
    world.stuck = True
    _plain(world)


def _nominal(factor: float) -> Callable[[Doubtful], None]:
    def script(world: Doubtful) -> None:
        world.register(nominal_ah=world.nominal * factor)
        _plain(world)

    return script


def _count(cells: int) -> Callable[[Doubtful], None]:
    def script(world: Doubtful) -> None:
        world.register(cell_count=world.curve.cells + cells)
        _plain(world)

    return script


def _sampling(world: Doubtful) -> None:
    world.use(None)
    world.use(15.0)
    world.period = world.rng.choice([10.0, 120.0, 170.0])
    _plain(world)


KINDS: dict[str, Callable[[Doubtful], None]] = {
    "nothing wrong": _plain,
    "swapped for 95 %": _swap(0.95),
    "swapped for 70 %": _swap(0.70),
    "one cell fails": _cell_fails,
    "weak cell replaced": _repaired,
    "weakest cell's channel dead": _dead,
    "gain 0.5": _gain(0.5),
    "gain 0.9": _gain(0.9),
    "gain 0.95": _gain(0.95),
    "gain 0.97": _gain(0.97),
    "gain 1.03": _gain(1.03),
    "gain 1.05": _gain(1.05),
    "gain 1.1": _gain(1.1),
    "gain 2": _gain(2.0),
    "gain 0.5 later": _gain_later(0.5),
    "gain 0.8 later": _gain_later(0.8),
    "gain 1.2 later": _gain_later(1.2),
    "gain 2 later": _gain_later(2.0),
    "offset 0.5 % C": _offset(0.005),
    "offset -1.5 % C": _offset(-0.015),
    "clipped": _clipped,
    "clipped below half": _clipped_hard,
    "stuck": _stuck,
    "nominal_ah x 0.5": _nominal(0.5),
    "nominal_ah x 0.8": _nominal(0.8),
    "nominal_ah x 1.25": _nominal(1.25),
    "nominal_ah x 2": _nominal(2.0),
    "a cell too few registered": _count(-1),
    "a cell too many registered": _count(1),
    "sampling changes": _sampling,
}


def worlds_of(
    kind: str, seeds: Sequence[int], *, has_site: bool = False, site_gain: float | None = None
) -> list[Doubtful]:
    """Sets of a kind, discharged; `has_site`: their site's power system measures its load, with this error."""
    makers = sorted(MAKERS)
    worlds = []
    for seed in seeds:
        world = Doubtful(seed, makers[seed % len(makers)], has_site=has_site, site_gain=site_gain)
        KINDS[kind](world)
        worlds.append(world)
    return worlds


class Turn(NamedTuple):
    """What is shown of sets whose cells changed, at the first usable discharge after."""

    sets: int
    usable: int
    """With a figure at all."""
    within: int
    """Of them, within a point of the truth."""
    held: int
    named: int
    """Sets of which the change was named, from then on."""

    def __str__(self) -> str:
        """One line."""
        return f"next usable: {self.within} of {self.usable} within a point, {self.held} held; {self.named} named"


def turn_of(worlds: Sequence[Doubtful]) -> Turn | None:
    """Hold the first figure after a change of the cells against its truth; None of sets that do not change."""
    usable = within = held = named = 0
    for world in worlds:
        since = next((ts for ts, truth in world.truths if truth != world.truths[0][1]), None)
        if since is None:
            return None
        after = [row for row in world.shown() if row.ts >= since]
        named += any(row.change is not None for row in after)
        own = next((row for row in after if row.evidence_ts is not None and row.evidence_ts >= since), None)
        if own is None or own.soh_pct is None or own.soh_low_pct is None or own.soh_high_pct is None:
            continue
        truth = world.truth_at(own.ts)
        usable, within = usable + 1, within + (abs(own.soh_pct - truth) <= MARGIN)
        held += own.soh_low_pct <= truth <= own.soh_high_pct
    return Turn(len(worlds), usable, within, held, named)


def tally(worlds: Sequence[Doubtful]) -> Tally:
    """Hold what is published of some sets against their truth."""
    shown = good = wrong = missed = hits = 0
    for world in worlds:
        rows = world.shown()
        for row in rows:
            if row.soh_pct is None or row.soh_low_pct is None or row.soh_high_pct is None:
                continue
            truth = world.truth_at(row.ts)
            outside = max(row.soh_low_pct - truth, truth - row.soh_high_pct)
            is_good = row.quality is Quality.GOOD
            shown, good = shown + 1, good + is_good
            hits += outside <= 0
            missed += outside > MARGIN
            wrong += is_good and outside > MARGIN
    return Tally(shown, good, wrong, missed, hits)

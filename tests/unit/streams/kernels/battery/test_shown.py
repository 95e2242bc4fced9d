"""What is shown of a set moves only with a word: it has changed, or it was measured anew."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from schemas.metrics import Signal
from schemas.metrics.battery_prospects import SohChange
from streams.kernels.battery.fusion import Belief
from streams.kernels.battery.prospects.changes import Change
from streams.kernels.battery.prospects.shown import ShownHealth, held_against, last_shown
from streams.kernels.battery.reference import health_reference
from streams.kernels.detection.batteries.set_changes import SetChanges
from tests.support.worlds.battery_faults import Doubtful

if TYPE_CHECKING:
    from schemas.metrics.battery_prospects import BatterySoh

FUSION = health_reference().fusion
ANEW = {SohChange.REMEASURED, SohChange.LESS_SURE}


def _said_anew(rows: list[BatterySoh]) -> list[BatterySoh]:
    """Rows that say that a figure was measured anew, each held against the one before it."""
    anew = []
    for before, row in pairwise(rows):
        assert before.soh_pct is not None
        assert row.soh_pct is not None
        if abs(row.soh_pct - before.soh_pct) > 3.3:  # a month's fade beside the three points
            assert row.change is not None, (before.soh_pct, row.soh_pct)
        if row.change in ANEW:
            assert row.believed_pct == pytest.approx(before.soh_pct)
            assert row.change_pct == pytest.approx(row.soh_pct - before.soh_pct, abs=0.3)
            assert before.soh_low_pct is not None
            assert before.soh_high_pct is not None
            assert before.soh_low_pct <= row.soh_pct <= before.soh_high_pct
            anew.append(row)
    return anew


def _alarms(world: Doubtful, rows: list[BatterySoh]) -> int:
    given = SetChanges("test").fold(None, world.device, rows)[1]
    return sum(isinstance(row, Signal) and row.active for row in given)


@pytest.mark.parametrize(("seed", "gain"), [(902, 0.10), (903, -0.10), (904, 0.06), (906, 0.08)])
def test_a_surer_comparison_with_the_curve_is_said_with_the_figure_before_it(seed: int, gain: float) -> None:
    """Two rests compare poorly, the cut-off well: the gain is taken out then, which no cell had a part in. No alarm."""
    world = Doubtful(seed, "lfp_a", gain=gain)
    for left in (22.0, 15.0, None, None):
        world.use(left)
    rows = world.shown()
    (row,) = _said_anew(rows)
    assert (row.ts, row.change) == (rows[2].ts, SohChange.REMEASURED)
    assert _alarms(world, rows) == 0


def test_a_load_that_is_first_heard_is_no_other_set() -> None:
    """The gain that it tells is taken out of what is believed too: measured anew, with the same cells."""
    world = Doubtful(900, "lfp_a", gain=0.04, site_gain=0.0)
    for left in (None, 15.0):
        world.use(left)
    world.has_site = True
    for left in (None, None):
        world.use(left)
    rows = world.shown()
    (row,) = _said_anew(rows)
    assert (row.ts, row.change) == (rows[2].ts, SohChange.REMEASURED)
    assert row.gain_pct is not None
    assert row.gain_pct > 3.0
    assert _alarms(world, rows) == 0


def test_a_figure_that_is_less_sure_than_before_says_so() -> None:
    """It has moved, and the interval is wider: what bore it out is no longer heard."""
    before = Belief(0, 0.80, 0.0001, 3, 0.01)
    now = ShownHealth(before._replace(soh=0.84, systematic=0.03), 0.5, None, None)
    said = held_against(before, now, FUSION).change
    assert said is not None
    assert said.kind is SohChange.LESS_SURE
    assert said.points == pytest.approx(4.0)
    assert said.believed_pct == pytest.approx(80.0)
    assert held_against(before, now._replace(belief=before._replace(soh=0.82)), FUSION).change is None


def test_after_a_change_nothing_is_held_against_what_was_before_it() -> None:
    """Another set's figure is none to compare with; one that is unknown for a while keeps its last."""
    before = Belief(0, 0.80, 0.0001, 3, 0.01)
    replaced = ShownHealth(None, 0.0, Change(SohChange.SET_REPLACED, None, 80.0), None)
    assert last_shown(before, replaced) is None
    assert last_shown(before, replaced._replace(change=None)) is before

"""Random worlds of one meter each: a figure that is wrong is not marked `good`."""

from __future__ import annotations

from tests.support.meter_worlds import draw, judge

WORLDS = 80
MOST_WRONG = 0
"""Of these worlds. Of others some are left: docs/metering.md says how many."""


def test_wrong_figures_are_not_marked_good() -> None:
    """Excursions, units, resets, doubles and gaps of any length and sampling; the bound may only fall."""
    wrong = [seed for seed in range(WORLDS) if judge(draw(seed)).is_wrong]
    assert len(wrong) <= MOST_WRONG, wrong

"""Random worlds of a base station each: what is wrong is not told without a doubt."""

from __future__ import annotations

import pytest

from tests.support.worlds.site_worlds import draw, judge

WORLDS = 24
KNOWN = 0.7
"""Share of a healthy set's minutes with a state of charge; the first hour on float has none."""


def test_what_is_wrong_is_not_told_without_a_doubt() -> None:
    """Energy, state of charge, failures of mains and load, whatever BMS and FSU make of their readings."""
    wrong = {seed: judge(draw(seed)).wrong for seed in range(41, 41 + WORLDS)}
    assert not any(wrong.values()), wrong


@pytest.mark.parametrize(
    "seed",
    [
        3,  # a current turned round, of a set that answers slowly: it was full all through its discharge
        13,  # a cell's channel at 0.4 V: its set was empty
        17,  # the same at 1.2 V
        21,  # the same for the whole of a charge
        1_052,  # a current turned round that the voltage answered faintly
        100_010,  # a current that stands, charging
        100_082,  # whole records that stand, over an outage
        300_003,  # two cells' channels that break one after the other: its set was empty
        300_043,  # the same beside a channel that shows nothing
        300_048,  # a current turned round, hidden by a full cell: it was charged beyond what it holds
        100_206,  # a current that stands under a load
        400_150,  # phases of zero while a boost ends: its bus comes down by a volt, to where a rectifier holds it
        400_448,  # whole records that stand from the first hour on: its set was full again with mains
        920_043,  # a current that stands at none through an outage: its state of charge was unknown, its quarters good
        920_875,  # whole records that stand under a load: quarters were good until it was known
        402_133,  # phases of zero, and a true failure an hour and a half later
    ],
)
def test_what_once_came_out_wrong_stays_mended(seed: int) -> None:
    """One world of each kind that held a wrong figure told without a doubt."""
    assert judge(draw(seed)).wrong == []


def test_a_healthy_site_is_known() -> None:
    """Nothing wrong in it, and its state of charge is told."""
    judged = [judge(draw(seed, most_faults=0)) for seed in range(4)]
    assert [each.wrong for each in judged] == [[]] * 4
    assert min(each.known_share for each in judged) > KNOWN

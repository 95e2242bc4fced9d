"""Random worlds of one meter each: a figure that is wrong is not marked `good`."""

from __future__ import annotations

import pytest

from tests.support.worlds import mixed_meters
from tests.support.worlds.meter_worlds import draw, judge

WORLDS, MIXED = 80, 80
HEALTHY = 0.6
"""Share of such a meter's minutes that is good; the first few steps are estimated."""
MOST_WRONG = 0
"""Of these worlds. Of others some are left: docs/metering.md says how many."""


def test_wrong_figures_are_not_marked_good() -> None:
    """Excursions, units, resets, doubles and gaps of any length and sampling; the bound may only fall."""
    wrong = [seed for seed in range(WORLDS) if judge(draw(seed)).is_wrong]
    assert len(wrong) <= MOST_WRONG, wrong


@pytest.mark.parametrize(
    "seed",
    [
        910_040,  # trembles behind readings without sense
        910_082,  # exchanged before anything is known, for one that shows a little more
        910_108,  # hourly readings that tremble, some a minute late
        910_173,  # begins with another meter's readings, for a day and a half
        910_297,  # comes back to another device's value, and stands there
        50_007,  # begins with zeros, and falls back to them
        50_282,  # exchanged for one that shows a little more, within its first minutes
        930_141,  # the same within its rating
        930_175,  # comes back to rubbish, and stands there
        930_215,  # comes back to an old value before much is known, and stands there
        930_296,  # one reading of rubbish that it may have counted, before a gap
        930_272,  # another device's value falls where the register might have been, and counts on
        940_026,  # a spike as a burst begins, in readings that come twice
        940_127,  # another meter's readings for half a day, then its own: one leap, and no event
        940_234,  # counts on beyond its rating
        970_012,  # one old value, early, and all of it with the next
        990_084,  # comes back to where it would have been by chance, and stands there
        990_114,  # jumps by what it may have counted, and stands there
        990_116,  # begins in another unit
        990_246,  # begins with another device's value, twice
        990_256,  # begins with another meter's readings, and leaves them by a surge
        990_298,  # begins with two readings of another meter, a quarter as fast
        1_010_119,  # comes back among readings without sense
        1_010_616,  # leaves another meter's readings by twice what it counts
        1_200_356,  # begins with another meter's hourly readings, for two days and a half
        1_200_475,  # the same, while power says that nothing passes, and left before a stretch of power is over
        1_200_787,  # an old value three times, early, while power says that as much passes as ever
        1_200_946,  # begins in another unit, for a day and a half
        1_200_976,  # comes back to what it showed before much is known, and stands there for a while
        1_201_129,  # one old value among the first readings
        1_201_148,  # begins with another device's value, which stands, and goes on near it
        1_201_426,  # another meter's readings, then its own, which stand for longer
        1_210_139,  # begins with 0 while power says that something passes
        1_211_985,  # catches up ten times as fast as it ever counted, in another unit until then
        1_212_039,  # exchanged for one that shows a little more, and power says that less was counted than passed
        1_212_411,  # contradicts power, until a burst of power agrees with anything
        1_212_915,  # leaves another meter's readings for a value further on, which stands
        1_251_992,  # exchanged in its third hour, and power says that more passed
        1_252_493,  # leaves another meter's readings, which come twice, and trembles at once
        1_252_548,  # comes back to the very value it left, and all that passed comes with the next reading
        1_252_650,  # another meter's readings for five days behind a reset
        1_252_979,  # another meter's readings for two days and a half behind an exchange, left by a surge
        1_312_475,  # another meter's first readings, a tenth as fast as power says
        1_312_521,  # another meter's readings for two days, left by a leap within the rating
        1_313_866,  # jumps in the last half-second of a minute
        2_000_276,  # another meter's readings after a while in another unit, which had taught how fast it counts
        2_000_554,  # exchanged for one that shows a little less, which looks like two readings of noise
        2_000_834,  # another meter's readings that look like what it had not counted while it stood
        2_001_227,  # two readings of a quarter of an hour are missing, and the load came in bursts
        2_001_289,  # another meter's first readings, and power says that less passed with the next
        2_002_566,  # exchanged for one that shows sixteen times what it ever counted at once
        2_002_901,  # exchanged among its first readings, within what power moved
        2_003_770,  # comes back from zeros by rubbish
        2_004_306,  # comes back to an old value by a fall, beside a reading that was noise
        5_000_127,  # another meter's first readings, left by a fall of less than a period's usage
        5_002_716,  # greater than its power says among the first readings, and stands from then on
        5_003_922,  # leaves another meter's first readings for a value that stands for good
        5_010_321,  # another device's readings, entered by a leap across readings taken for noise
        5_012_794,  # trembles while an old value stands among its first readings
        7_100_253,  # leaps among its first readings, and stands there
        7_100_291,  # leaps to a value that stands until it catches up
        7_101_805,  # leaves another meter's readings by a leap that power denies
        7_102_050,  # another meter's readings, entered by a leap while it is on trial
        7_103_188,  # the same within the rating, left by a second leap
        7_103_972,  # begins with another device's value, and power says that more passed
        5_010_407,  # another device counts for a while under the name of a meter that only ever showed 0
    ],
)
def test_what_once_came_out_wrong_stays_mended(seed: int) -> None:
    """One world of each kind that held a wrong figure marked `good`."""
    judged = judge(draw(seed))
    assert judged.wrong_kwh <= judged.allowed_kwh


def test_what_comes_together_is_not_marked_good_where_it_is_wrong() -> None:
    """Pulses, ratios, clocks, wraps and exchanges of meters of every medium; the bound may only fall."""
    wrong = [seed for seed in range(MIXED) if judge(mixed_meters.draw(seed)).is_wrong]
    assert len(wrong) <= MOST_WRONG, wrong


@pytest.mark.parametrize(
    "seed",
    [
        81_079,  # a clock an hour off for a while, in readings every five minutes
        81_195,  # a clock hours off, in readings every quarter of an hour
        90_056,  # other transformers with the second reading, and either way of showing that is plausible
        90_173,  # import and export swapped, and power says so
        5_000_196,  # another meter's readings within its own usage, left by a small fall
        5_000_654,  # another device's value beyond its rollover, before it ever counted
        5_000_754,  # a unit that changes for good on its fifth day
        5_001_273,  # a clock that is set back, and two readings of one moment in the wrong order
        5_010_204,  # another meter's steady readings, while the flow comes and goes
        5_011_513,  # import and export change places with the fourth reading, and power says so
        5_012_198,  # another device's value that stands, then an exchange: two odd increments
        5_012_592,  # a clock that crawls for more than a day, beside power
        5_013_340,  # import and export change places with the second reading
        7_200_605,  # loses pulses while the flow comes in bursts
        7_202_734,  # a gateway repeats itself, and catches up with what the flow said
        5_001_845,  # a gateway repeats itself, power and all, and catches up at once
    ],
)
def test_what_came_together_and_out_wrong_stays_mended(seed: int) -> None:
    """One world of each kind in which several things held a wrong figure marked `good`."""
    judged = judge(mixed_meters.draw(seed))
    assert judged.wrong_kwh <= judged.allowed_kwh


@pytest.mark.parametrize(
    "seed",
    [
        980_070,  # a few of its last digits at once
        980_087,  # bursts of twenty times what passes between
        980_133,  # the same, and power says so
        980_135,  # within its rating
    ],
)
def test_bursts_of_a_new_meter_are_no_exchange(seed: int) -> None:
    """A load that comes and goes from the first reading on raises no event, and its minutes become good."""
    judged = judge(draw(seed, most_faults=0))
    assert judged.events == []
    assert judged.good_share > HEALTHY

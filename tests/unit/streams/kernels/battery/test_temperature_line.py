"""How fast a temperature rises: one formula for the page and for the alarm."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.kernels.battery.temperature_line import temperature_rate, temperature_rates

if TYPE_CHECKING:
    from random import Random

START_TS = 1_780_243_200_000
PLACES = 8
MOMENTS = st.lists(st.integers(0, 300_000), max_size=PLACES, unique=True).map(sorted)


@given(st.lists(MOMENTS, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_many_sets_at_once_rise_as_each_of_them_alone(sets: list[list[int]], random: Random) -> None:
    """To the last bit, whichever points a set has and wherever they stand."""
    samples = [[(START_TS + at, random.uniform(-40, 90)) for at in moments] for moments in sets]
    times, celsius = np.full((PLACES, len(sets)), np.nan), np.full((PLACES, len(sets)), np.nan)
    for number, points in enumerate(samples):
        for place, (ts, degrees) in zip(random.sample(range(PLACES), len(points)), points, strict=True):
            times[place, number], celsius[place, number] = ts, degrees
    rates = [None if math.isnan(rate) else rate for rate in temperature_rates(times, celsius).tolist()]
    assert rates == [temperature_rate(points) for points in samples]


@pytest.mark.parametrize("minutes", [[0, 5], [0, 2, 5], [0, 1, 2, 3]])
def test_few_points_tell_no_rate(minutes: list[int]) -> None:
    """Two points would make one of any noise; so would less than four minutes."""
    assert temperature_rate([(START_TS + minute * 60_000, 20.0 + minute) for minute in minutes]) is None


def test_one_coarse_value_is_no_fast_rise() -> None:
    """A sensor of whole degrees that shows 5 °C too much once: two points said 1 °C a minute, the line does not."""
    steady = [(START_TS + minute * 60_000, 25.0) for minute in range(5)]
    rate = temperature_rate([*steady, (START_TS + 300_000, 30.0)])
    assert rate is not None
    assert 0 < rate < 0.8

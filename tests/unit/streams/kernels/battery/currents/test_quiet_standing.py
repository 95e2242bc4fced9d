"""What is said once of a reading for both folds that ask how long its current has stood."""

from __future__ import annotations

import numpy as np
import pytest

from streams.kernels.battery.quiet_standing import STANDINGS, ShownFigures, StandingFigures, watched_all, watched_once
from streams.kernels.battery.samples import CELLS, SENSORS, Samples

SETS = 4


def _samples() -> Samples:
    return Samples([], [], np.zeros((8 + CELLS + SENSORS, SETS)))


def _shown(ts: float, amps: float) -> ShownFigures:
    each = np.ones(SETS)
    return ShownFigures(ts * each, amps * each, 3.4 * each, 3.3 * each + amps / 100, abs(amps) * each < 1.0)


TABLE = np.random.default_rng(1).random((STANDINGS, SETS))
ASKED = (TABLE, _shown(1_000.0, -5.0), _shown(2_000.0, -5.5), np.ones(SETS))


def test_the_second_fold_is_given_what_the_first_one_was() -> None:
    """As long as it asks with the same figures, wherever it keeps them."""
    samples = _samples()
    first = watched_once(samples, *ASKED)
    second = watched_once(samples, TABLE.copy(), _shown(1_000.0, -5.0), ASKED[2], np.ones(SETS))
    assert second[0] is first[0]
    assert second[1] is first[1]


@pytest.mark.parametrize("other", ["table", "before", "now", "sign"])
def test_who_asks_with_other_figures_is_answered_for_himself(other: str) -> None:
    """Of one set is enough, and a zero of the other sign."""
    table, before, now, sign = ASKED
    if other == "table":
        table = table.copy()
        table[3, 2] += 0.5
    elif other == "before":
        before = before._replace(is_idle=~before.is_idle)
    elif other == "now":
        now = now._replace(amps=np.array([-5.5, -5.5, -0.0, -5.5]))
    else:
        sign = np.array([1.0, -1.0, 1.0, 1.0])
    samples = _samples()
    first = watched_once(samples, *ASKED)
    known, stands = watched_all(StandingFigures.of(table), before, now, sign)
    found = watched_once(samples, table, before, now, sign)
    assert found[0] is not first[0]
    np.testing.assert_array_equal(found[0], known.together())
    np.testing.assert_array_equal(found[1], stands)


def test_some_of_a_reading_s_sets_are_taken_out_once() -> None:
    """Both folds mostly leave the same sets away."""
    samples = Samples(["a", "b", "c", "d"], [1, 2, 3, 4], np.ones((8 + CELLS + SENSORS, SETS)))  # type: ignore[list-item]
    some = samples.at(np.array([0, 2]))
    assert some is samples.at(np.array([0, 2]))
    assert some is not samples.at(np.array([0, 3]))
    assert some.received_ts == [1, 3]

"""Laboratory results: which one holds for a moment."""

from __future__ import annotations

from itertools import permutations

import pytest

from schemas.metrics import FuelAssay
from schemas.time import HOUR_MS
from storage.derived import key_of
from streams.kernels.plant.assays import Laboratory, Property

T0 = 1_780_000_000_000


def assay(begin_h: float, end_h: float, lhv: float | None, released_h: float, ash: float | None = 50.0) -> FuelAssay:
    """A result for gangue sampled from begin to end, in hours after T0."""
    begin, end, released = (T0 + round(hours * HOUR_MS) for hours in (begin_h, end_h, released_h))
    return FuelAssay("lab", "gangue", begin, "s", end, released, lhv, ash, 1.0, 8.0)


RESULTS = [assay(0, 8, 12.0, 14), assay(8, 16, 13.0, 26), assay(8, 16, 13.4, 30), assay(24, 32, None, 40, ash=55)]
LABORATORY = Laboratory(RESULTS, reach_ms=20 * HOUR_MS)


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        (-1, Property(12.6, is_measured=False)),
        (0, Property(12.0, is_measured=True)),
        (7.9, Property(12.0, is_measured=True)),
        (8, Property(13.4, is_measured=True)),
        (16, Property(13.4, is_measured=False)),
        (25, Property(13.4, is_measured=False)),
        (35.9, Property(13.4, is_measured=False)),
        (36, Property(12.6, is_measured=False)),
    ],
)
def test_the_covering_result_holds_then_the_newest_earlier_then_the_registered(hour: float, expected: Property) -> None:
    """Of two results for one stretch the later released; an earlier one stands in for 20 h, no longer."""
    assert LABORATORY.at("gangue", "lhv_mj_kg", T0 + round(hour * HOUR_MS), otherwise=12.6) == expected


def test_each_property_is_looked_for_by_itself() -> None:
    """A result without heat value still tells its ash."""
    assert LABORATORY.at("gangue", "ash_pct", T0 + 25 * HOUR_MS, otherwise=None) == Property(55.0, is_measured=True)


def test_a_fuel_nobody_analysed_has_what_is_registered_or_nothing() -> None:
    """No value is made up."""
    assert LABORATORY.at("slime", "lhv_mj_kg", T0, otherwise=14.0) == Property(14.0, is_measured=False)
    assert LABORATORY.at("slime", "lhv_mj_kg", T0, otherwise=None) is None


def test_the_order_of_results_does_not_matter() -> None:
    """Late truth is truth."""
    backwards = Laboratory(reversed(RESULTS), reach_ms=20 * HOUR_MS)
    for hour in range(-2, 40):
        moment = T0 + hour * HOUR_MS
        assert backwards.at("gangue", "lhv_mj_kg", moment, otherwise=None) == LABORATORY.at(
            "gangue", "lhv_mj_kg", moment, otherwise=None
        )


@pytest.mark.parametrize(("other", "is_measured"), [(12.2, True), (14.0, False)])
def test_two_laboratories_that_contradict_each_other_over_one_sample_measure_nothing(
    other: float, *, is_measured: bool
) -> None:
    """The last released stands, and is estimated where they differ by more than 0.3 MJ/kg; other samples are not."""
    results = [assay(0, 8, 12.0, 14), assay(0, 8, other, 20)._replace(device_id="lab-2"), assay(8, 16, 13.0, 22)]
    for given in (results, results[::-1]):
        laboratory = Laboratory(given, reach_ms=20 * HOUR_MS)
        assert laboratory.at("gangue", "lhv_mj_kg", T0 + HOUR_MS, otherwise=None) == Property(other, is_measured)
        assert laboratory.at("gangue", "ash_pct", T0 + HOUR_MS, otherwise=None) == Property(50.0, is_measured=True)
        assert laboratory.at("gangue", "lhv_mj_kg", T0 + 9 * HOUR_MS, otherwise=None) == Property(
            13.0, is_measured=True
        )


@pytest.mark.parametrize(
    ("begin_h", "end_h", "is_measured"), [(0.1, 8.1, False), (0.0, 7.9, False), (-160, 8, True), (0, 24, True)]
)
def test_laboratories_write_down_other_minutes_of_one_sample(
    begin_h: float, end_h: float, *, is_measured: bool
) -> None:
    """Six minutes more or less are the same sample; a week's or a day's composite is another one."""
    results = [assay(0.05, 8, 12.0, 14), assay(begin_h, end_h, 14.0, 12)._replace(device_id="lab-2")]
    found = Laboratory(results, reach_ms=20 * HOUR_MS).at("gangue", "lhv_mj_kg", T0 + HOUR_MS, otherwise=None)
    assert found is not None
    assert found.is_measured is is_measured


def test_a_laboratory_that_corrects_itself_agrees_with_the_other_again() -> None:
    """Only the last word of each counts: the first of one is no contradiction any more."""
    results = [assay(0, 8, 16.0, 14), assay(0, 8, 12.1, 18), assay(0, 8, 12.0, 20)._replace(device_id="lab-2")]
    found = Laboratory(results, reach_ms=20 * HOUR_MS).at("gangue", "lhv_mj_kg", T0 + HOUR_MS, otherwise=None)
    assert found == Property(12.0, is_measured=True)


@pytest.mark.parametrize("begin_h", [-0.02, 0.0, 0.02])
def test_a_correction_may_write_down_another_minute_of_its_sample(begin_h: float) -> None:
    """The last word of a laboratory stands, also where it begins the sample a minute earlier than its first one."""
    results = [assay(0, 8, 12.0, 14), assay(begin_h, 8, 14.0, 20)]
    found = Laboratory(results, reach_ms=20 * HOUR_MS).at("gangue", "lhv_mj_kg", T0 + HOUR_MS, otherwise=None)
    assert found == Property(14.0, is_measured=True)


@pytest.mark.parametrize("order", list(permutations([assay(0, 8, 12.0, 26), assay(0, 24, 14.0, 26)])))
def test_of_results_released_together_the_shorter_sample_holds_for_its_own_time(order: list[FuelAssay]) -> None:
    """A shift's result and its day's begin at one time: neither is the other's correction, and none contradicts."""
    assert len({key_of(result) for result in order}) == 2
    laboratory = Laboratory(order, reach_ms=20 * HOUR_MS)
    for hour, lhv in ((0, 12.0), (7.9, 12.0), (8, 14.0), (23.9, 14.0)):
        moment = T0 + round(hour * HOUR_MS)
        assert laboratory.at("gangue", "lhv_mj_kg", moment, otherwise=None) == Property(lhv, is_measured=True)


def _other_minutes(order: list[FuelAssay]) -> Property | None:
    return Laboratory(order, reach_ms=20 * HOUR_MS).at("gangue", "lhv_mj_kg", T0 + HOUR_MS, otherwise=None)


@pytest.mark.parametrize("order", list(permutations([assay(0, 8, 12, 14), assay(0, 8, 13, 20), assay(0, 7.9, 14, 20)])))
def test_of_corrections_released_together_the_shorter_stands(order: list[FuelAssay]) -> None:
    """In whichever order they come, and where the first word begins later than both of them."""
    assert _other_minutes(order) == Property(14, is_measured=True)
    later = [result._replace(ts=T0 + HOUR_MS // 10) if result.lhv_mj_kg == 12 else result for result in order]
    assert _other_minutes(later) == Property(14, is_measured=True)

"""A steel works' real year through the metering kernel: exact when clean, and within 0.1 % through labelled faults."""

from __future__ import annotations

import pytest

from schemas.metrics import Quality
from tests.support.worlds import steel
from tests.support.worlds.steel import DAY, ROLLOVER_KWH, TOTAL_KWH, faulted, meter, quarters, register

pytestmark = pytest.mark.skipif(not steel.FILE.exists(), reason=f"no real data at {steel.FILE}")


@pytest.mark.parametrize("rated", [None, 800.0])
def test_the_clean_year_is_exact_and_nothing_is_called_a_fault(rated: float | None) -> None:
    """959 636.7 kWh within 0.01 %, with a rating and without, and no event at all."""
    found = meter(register(quarters()), rated=rated)
    assert found.total == pytest.approx(TOTAL_KWH, rel=1e-4)
    assert not found.events
    assert {row.quality for row in found.minutes.values()} == {Quality.GOOD}


@pytest.mark.parametrize("rated", [None, 800.0])
def test_the_faulted_year_is_within_a_thousandth_and_every_fault_is_named(rated: float | None) -> None:
    """Gaps, freezes that catch up, reset, replacements, rollover, spikes and dips, by night, by day and at midnight."""
    points, expected = faulted(register(quarters()))
    found = meter(points, rated=rated, rollover=ROLLOVER_KWH)
    assert found.total == pytest.approx(TOTAL_KWH, rel=1e-3)
    assert {number: found.kinds(number) for number in expected} == expected
    assert len(found.events) == sum(map(len, expected.values()))


def test_nights_without_consumption_are_zero_and_not_a_freeze() -> None:
    """A works that stops every night and at week-ends: no event, and the zeros are good."""
    kwh = [
        energy if 32 <= number % DAY < 72 and number // DAY % 7 < 5 else 0.0
        for number, energy in enumerate(quarters()[: 60 * DAY])
    ]
    found = meter(register(kwh))
    assert found.total == pytest.approx(sum(kwh), rel=1e-6)
    assert not found.events
    assert {row.quality for row in found.minutes.values()} == {Quality.GOOD}

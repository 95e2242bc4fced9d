"""A steel works' real year through the metering kernel: exact when clean, and within 0.1 % through labelled faults."""

from __future__ import annotations

import pytest

from schemas.metrics import MeterEventKind, Quality
from tests.support import steel
from tests.support.steel import TOTAL_KWH, meter, quarters, register

pytestmark = pytest.mark.skipif(not steel.FILE.exists(), reason=f"no real data at {steel.FILE}")

DAY = 96


def shift(points: steel.Points, start: int, by: float) -> steel.Points:
    """Add something to every reading from one on."""
    return [(number, round(value + by, 2) if number >= start else value) for number, value in points]


def change(points: steel.Points, values: dict[int, float]) -> steel.Points:
    """Replace single readings."""
    return [(number, round(values.get(number, value), 2)) for number, value in points]


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
    points = register(quarters())
    value = dict(points)
    gaps = {20 * DAY: 30, 61 * DAY + 50: 5, 200 * DAY + 10: 96}
    freezes = {30 * DAY + 8: 12, 100 * DAY + 40: 20}  # by night and over the morning
    spikes = {45 * DAY: 10 * value[45 * DAY], 46 * DAY + 52: value[46 * DAY + 52] + 400.0}
    spikes |= {47 * DAY + 12: value[47 * DAY + 12] + 9.0, 48 * DAY + 60: value[48 * DAY + 60] + 5e6}
    dips = {49 * DAY + 30: 0.0, 50 * DAY + 70: value[50 * DAY + 70] - 5_000.0}
    reset, lower, higher, rollover = 150 * DAY + 41, 180 * DAY + 3, 230 * DAY + 50, 300 * DAY + 47
    for start, length in freezes.items():
        points = change(points, dict.fromkeys(range(start, start + length), value[start - 1]))
    points = change(points, spikes | dips)
    points = shift(points, reset, -value[reset - 1])
    points = shift(points, lower, 4_711.3 - dict(points)[lower])
    points = shift(points, higher, 9_000_000.0 - dict(points)[higher])
    points = shift(points, rollover, -10_000_000.0)
    points = shift(points, higher, 10_000_000.0 - 20.0 - (dict(points)[rollover - 1]))
    points = [
        (number, energy)
        for number, energy in points
        if not any(start <= number < start + length for start, length in gaps.items())
    ]
    found = meter(points, rated=rated, rollover=10_000_000.0)
    assert found.total == pytest.approx(TOTAL_KWH, rel=1e-3)
    expected = (
        dict.fromkeys(gaps, MeterEventKind.GAP)
        | dict.fromkeys(freezes, MeterEventKind.CATCH_UP)
        | dict.fromkeys(spikes, MeterEventKind.SPIKE)
        | dict.fromkeys(dips, MeterEventKind.NOISE_DIP)
        | {reset: MeterEventKind.RESET, rollover: MeterEventKind.ROLLOVER}
        | {lower: MeterEventKind.REPLACEMENT, higher: MeterEventKind.REPLACEMENT}
    )
    assert {number: found.kinds(number) for number in expected} == {
        number: {kind} | ({MeterEventKind.FREEZE} if kind is MeterEventKind.CATCH_UP else set())
        for number, kind in expected.items()
    }
    assert len(found.events) == len(expected) + len(freezes)


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

"""A meter that is set to send more often is believed as soon as something tells that its clock is well."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from schemas.arrival import Arrival
from schemas.metrics import MeterMinute, Quality
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device
from schemas.time import HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.support.worlds.meter_worlds import FIELD, KERNEL, START_TS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SAMPLED = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, period_s=300)
"""As a demo registers a meter of which an archive kept one reading a quarter of an hour."""
PAST = 40
"""Readings before it sends more often."""
SEAM_TS = START_TS + PAST * QUARTER_MS
OFTEN_MS = 30_000
TICK_MS = 10_000
MW_HOUR = 1_000.0
JITTER_MS = 10 * MINUTE_MS
"""For so long a clock that goes at seven tenths of its speed may be jitter."""


def even(ts: int) -> float:
    """A load of a megawatt, give or take a hundredth in every ten seconds."""
    return MW_HOUR * random.Random(ts // TICK_MS).uniform(0.99, 1.01)


def uneven(ts: int) -> float:
    """A load between 0.3 and 1.7 megawatts in every minute."""
    return MW_HOUR * random.Random(ts // MINUTE_MS).uniform(0.3, 1.7)


def qualities(
    stamped: Sequence[int], true: Sequence[int], load: Callable[[int], float], device: Device, *, power: bool
) -> dict[int, Quality]:
    """Qualities of the minutes of a meter that stamps its true moments so."""
    counted, since, arrivals = 0.0, true[0], []
    for ts, moment in zip(stamped, true, strict=True):
        counted += sum(load(at) for at in range(since, moment, TICK_MS)) * TICK_MS / HOUR_MS
        since = moment
        reading = ElectricityReading(
            ts=ts, energy_import_kwh=round(5_000 + counted, 2), power_kw=round(load(moment), 2) if power else None
        )
        arrivals.append(Arrival("m", 0, reading))
    rows = [row for row in KERNEL.fold(None, device, arrivals)[1] if isinstance(row, MeterMinute)]
    return {row.ts: row.quality for row in rows if row.quantity == FIELD}


def seam() -> list[int]:
    """Moments of a meter that is heard each quarter of an hour, and then every half minute for an hour."""
    return [START_TS + at * QUARTER_MS for at in range(PAST)] + [SEAM_TS + at * OFTEN_MS for at in range(120)]


def held(ts: int) -> float:
    """A load that an archive kept as one value, and that moves like `even` since."""
    return MW_HOUR if ts < SEAM_TS else even(ts)


@pytest.mark.parametrize("load", [even, held])
@pytest.mark.parametrize("power", [True, False])
def test_a_meter_that_is_set_to_send_more_often_is_good_at_once(*, power: bool, load: Callable[[int], float]) -> None:
    """Its power agrees with what it counts; without power, it counts as evenly and as fast as it ever did."""
    moments = seam()
    found = qualities(moments, moments, load, SAMPLED, power=power)
    assert {quality for ts, quality in found.items() if ts >= START_TS + HOUR_MS} == {Quality.GOOD}


def test_a_load_that_comes_and_goes_is_believed_once_its_power_has_told_enough() -> None:
    """Between two readings power moved by more than the clock may be off by: it takes some more of them."""
    moments = [START_TS + at * QUARTER_MS for at in range(PAST)]
    moments += [SEAM_TS + at * OFTEN_MS for at in range(240)]

    def load(ts: int) -> float:
        return MW_HOUR * (1.0 if ts // (20 * MINUTE_MS) % 2 else 0.1)

    found = qualities(moments, moments, load, SAMPLED, power=True)
    assert {quality for ts, quality in found.items() if ts >= SEAM_TS + QUARTER_MS} == {Quality.GOOD}


def test_without_power_a_load_that_is_not_even_tells_nothing_of_the_clock() -> None:
    """It may have fallen by as much as the clock lags."""
    moments = seam()

    def load(ts: int) -> float:
        return uneven(ts - ts % QUARTER_MS)

    found = qualities(moments, moments, load, SAMPLED, power=False)
    assert {quality for ts, quality in found.items() if ts >= SEAM_TS + MINUTE_MS} == {Quality.ESTIMATED}


@pytest.mark.parametrize("load", [even, uneven])
@pytest.mark.parametrize("power", [True, False])
@pytest.mark.parametrize("speed", [0.1, 0.3, 0.5, 0.7])
def test_of_a_clock_that_crawls_power_tells_nothing_good(
    speed: float, *, power: bool, load: Callable[[int], float]
) -> None:
    """For two hundred minutes, until it is set right; the few readings that may be jitter are left out."""
    true = [START_TS + at * MINUTE_MS for at in range(700)]
    begun, ended = true[300], true[500]
    stamped = [ts if not begun <= ts < ended else round(begun + speed * (ts - begun)) for ts in true]
    minutely = SAMPLED.model_copy(update={"period_s": 60})
    found = qualities(stamped, true, load, minutely, power=power)
    crawling = range(begun + JITTER_MS, ended, MINUTE_MS)
    assert {found[ts] for ts in crawling} == {Quality.ESTIMATED}


@pytest.mark.parametrize("power", [True, False])
def test_what_comes_when_a_crawling_clock_is_set_right_is_not_good(*, power: bool) -> None:
    """It brings all that the clock was behind by, and the whole agrees with power: but in other minutes."""
    true = [START_TS + at * MINUTE_MS for at in range(120)]
    behind = [0, 30_000, 55_000, 80_000, 105_000]
    stamped = [ts - (behind[at - 60] if 60 <= at < 65 else 0) for at, ts in enumerate(true)]
    minutely = SAMPLED.model_copy(update={"period_s": 60})
    found = qualities(stamped, true, even, minutely, power=power)
    right = next(at for at, (old, new) in enumerate(pairwise(stamped)) if new - old > 2 * MINUTE_MS)
    assert found[stamped[right] - stamped[right] % MINUTE_MS + MINUTE_MS] is Quality.ESTIMATED


def test_a_load_that_falls_while_a_clock_crawls_does_not_clear_it() -> None:
    """Half an hour later it counts as fast by that clock as it did before."""
    true = [START_TS + at * MINUTE_MS for at in range(400)]
    begun = true[100]
    stamped = [ts if ts < begun else round(begun + 0.5 * (ts - begun)) for ts in true]

    def load(ts: int) -> float:
        return MW_HOUR * (1.0 if ts < true[130] else 0.5)

    found = qualities(stamped, true, load, SAMPLED.model_copy(update={"period_s": 60}), power=False)
    assert {quality for ts, quality in found.items() if ts >= begun + 2 * MINUTE_MS} == {Quality.ESTIMATED}


@pytest.mark.parametrize(("load", "speed"), [(even, 0.1), (even, 0.5), (even, 0.7), (uneven, 0.1), (uneven, 0.5)])
def test_power_tells_of_a_clock_that_crawls_and_also_says_when_to_read(
    load: Callable[[int], float], speed: float
) -> None:
    """Its readings come a minute apart by its own clock: each counts more than its power says passes in a minute."""
    before, behind = 300, 120
    true = [START_TS + at * MINUTE_MS for at in range(before)]
    true += [true[-1] + round((at + 1) * MINUTE_MS / speed) for at in range(behind)]
    stamped = [START_TS + at * MINUTE_MS for at in range(before + behind)]
    found = qualities(stamped, true, load, SAMPLED.model_copy(update={"period_s": 60}), power=True)
    assert {found[ts] for ts in stamped[before + 1 : -1]} == {Quality.ESTIMATED}

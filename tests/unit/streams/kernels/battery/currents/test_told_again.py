"""Quarters of an hour that counted a current which turns out to be none are told again, in any order of delivery."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from schemas.arrival import Arrival
from schemas.metrics import BatteryQuarter, Quality
from schemas.metrics.battery_health import BatteryState
from schemas.readings import BatteryReading
from schemas.time import HOUR_MS, MINUTE_MS, QUARTER_DAY_MS, QUARTER_MS
from streams.kernels.battery.pack import PackMonitor
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth
from streams.kernels.battery.unsettled import KEPT
from tests.support.folded_in_memory import InMemory, take_in_pieces
from tests.support.worlds.sets import Rig, lfp_set

if TYPE_CHECKING:
    from collections.abc import Sequence

KERNEL = PackMonitor(health_reference())
SET = lfp_set("b")
BEGIN_TS = 100_000 * QUARTER_DAY_MS
STANDS_H, FOUND_H = 5.7, 6.3
"""A current stands from before a moment at which states are saved, and is told 24 minutes later."""
STOOD_H = (1.0, 1.1)
"""As it has before, for a quarter as long."""
PERIOD_MS = MINUTE_MS // 2


def drained(hours: float) -> list[Arrival]:
    """A full set that carries a load for some hours from 5.7 h on, while its sensor shows 0.0 A."""
    rig = Rig(SET, soh=1.0)
    rig.shown_a = 0.0
    rig.run(STANDS_H)
    rig.run(hours, -25.0)
    return _from(BEGIN_TS, rig.readings)


def resent(*, until_h: float) -> list[Arrival]:
    """A set on float whose record stands from 5.7 h on; its sensor's last digits moved until then."""
    rng, found = random.Random(5), []
    shown: dict[str, object] = {}
    for number in range(round(until_h * HOUR_MS / PERIOD_MS)):
        hours = number * PERIOD_MS / HOUR_MS
        if hours < STANDS_H and not STOOD_H[0] < hours < STOOD_H[1]:
            cells = [round(3.395 + rng.gauss(0.0, 0.002), 3) for _ in range(16)]
            record = {"pack_voltage_v": round(sum(cells), 2), "current_a": round(rng.gauss(0.0, 0.05), 2)}
            shown = record | {"cell_voltage_v": cells, "temperature_c": [25.0]}
        found.append(at(number * PERIOD_MS, **shown))
    return found


def at(after_ms: int, **shown: object) -> Arrival:
    """A reading."""
    return Arrival("b", 0, BatteryReading.model_validate({"ts": BEGIN_TS + after_ms} | shown))


def _from(ts: int, readings: Sequence[Arrival]) -> list[Arrival]:
    apart = ts - readings[0].ts
    return [each._replace(reading=each.reading.model_copy(update={"ts": each.ts + apart})) for each in readings]


def quarters(sent: Sequence[Arrival]) -> dict[int, BatteryQuarter]:
    """The last word on each."""
    return {row.ts: row for row in KERNEL.fold(None, SET, sent)[1] if isinstance(row, BatteryQuarter)}


def test_a_set_that_is_drained_without_a_current_has_estimates_since_it_left_float() -> None:
    """What `SetHealth` does not believe is not counted as measured either, and none of its quarters before is lost."""
    sent = drained(2.5)
    states = [row for row in SetHealth(health_reference()).fold(None, SET, sent)[1] if isinstance(row, BatteryState)]
    told_ts = min(row.ts for row in states if "stuck_current" in row.flags)
    left_ts = BEGIN_TS + round(STANDS_H * HOUR_MS)
    own = quarters(sent).values()
    assert told_ts > left_ts + QUARTER_MS
    assert {row.quality for row in own if row.ts + QUARTER_MS < left_ts} == {Quality.GOOD}
    doubted = {(row.quality, row.flags) for row in own if row.ts >= left_ts}
    assert doubted == {(Quality.ESTIMATED, "stuck_current")}


def test_a_record_that_stands_has_estimates_since_it_stood_and_not_since_it_was_told() -> None:
    """The quarter in which the last reading moved is doubted too; what lies before is not."""
    own = quarters(resent(until_h=8.0))
    stood_ts = BEGIN_TS + round(STANDS_H * HOUR_MS)
    before = [row for ts, row in own.items() if BEGIN_TS + 2 * HOUR_MS <= ts <= stood_ts - QUARTER_MS]
    since = [row for ts, row in own.items() if ts > stood_ts - QUARTER_MS]
    assert {(row.quality, row.flags) for row in before} == {(Quality.GOOD, "")}
    assert {(row.quality, row.flags) for row in since} == {(Quality.ESTIMATED, "stuck_current")}


def test_no_more_than_eight_hours_are_remembered() -> None:
    """A set that rests off its float for days has no list that grows."""
    rig = Rig(SET, soh=1.0)
    rig.shown_a = 0.0
    rig.run(1.0)
    rig.soc = 0.97
    rig.run(20.0)
    state = KERNEL.fold(None, SET, rig.readings)[0]
    assert state is not None
    assert len(state.unsettled) == KEPT


@pytest.mark.parametrize("world", [drained(2.5), resent(until_h=7.5)], ids=["drained", "resent"])
@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_a_sets_readings_comes_to_the_same(world: list[Arrival], seed: int) -> None:
    """Some readings late, workers that start anew between: the quarters, the states that are saved, the memory."""
    rng = random.Random(seed)
    ordered, cut = InMemory(KERNEL, SET), InMemory(KERNEL, SET)
    ordered.take(world)
    take_in_pieces(cut, world, rng, late=0.05, sizes=(10, 40, 160))
    assert cut.held() == ordered.held()


def test_a_late_reading_that_shows_a_current_takes_the_doubt_back() -> None:
    """It lies behind a saved state, and the quarters before that were told again: they are as they were."""
    sent = drained(FOUND_H - STANDS_H)
    late = at(QUARTER_DAY_MS + PERIOD_MS, pack_voltage_v=52.3, current_a=-25.0, cell_voltage_v=[3.27] * 16)
    ordered, cut = InMemory(KERNEL, SET), InMemory(KERNEL, SET)
    ordered.take(sorted([*sent, late], key=lambda each: each.ts))
    cut.take(sent)
    before = cut.held()
    cut.take([late])
    assert cut.held() == ordered.held() != before


def test_a_late_reading_long_before_leaves_what_was_told_again() -> None:
    """What is folded again ends where the state is as it was: before it was told that the record stands."""
    sent = resent(until_h=8.0)
    late = at(PERIOD_MS // 2, pack_voltage_v=54.32, current_a=0.01, cell_voltage_v=[3.395] * 16, temperature_c=[25.0])
    ordered, cut = InMemory(KERNEL, SET), InMemory(KERNEL, SET)
    ordered.take(sorted([*sent, late], key=lambda each: each.ts))
    cut.take(sent)
    cut.take([late])
    assert cut.held() == ordered.held()

"""Meters that no longer add up: found against the usual of a plant's own balance, and named where that can be told."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import orjson
import pytest

from schemas.metrics import BalanceDay, Quality, Row, Signal
from schemas.metrics.signal import Phase, SignalKind
from schemas.registry import Sector, Site
from schemas.time import DAY_MS
from simulators.truth import Label, LabelKind
from streams.kernels.detection.energy_balance import EnergyBalance, culprit
from streams.kernels.detection.reference import detection
from tests.support.worlds.balances import START_TS, Simulated

KERNEL = EnergyBalance(detection().balance, "test")
SITE = Site(site_id="CEMENT1", name="Cement", name_zh="水泥", sector=Sector.CEMENT, city="长治")
FAULT_DAY, QUARTER_DAYS = 50, 90


@functools.cache
def plant() -> Simulated:
    """A cement works' electricity over a quarter of a year."""
    return Simulated({Sector.CEMENT: 1}, days=QUARTER_DAYS, seed=1, carriers=["electricity"])


def found(kind: LabelKind, device: str, size: float, days: int = 30) -> list[Signal]:
    """Verdicts in the plant's quarter with one meter at fault from day 50 on."""
    begin = START_TS + FAULT_DAY * DAY_MS
    label = Label(kind, "CEMENT1", device, "energy_import_kwh", begin, begin + days * DAY_MS, size, "1")
    return active(plant().rows([label])["CEMENT1"])


def active(rows: list[BalanceDay]) -> list[Signal]:
    """Active verdicts, as they are given out."""
    return [row for row in KERNEL.fold(None, SITE, rows)[1] if isinstance(row, Signal) and row.active]


def days_after(signal: Signal) -> float:
    """Days from the fault to a verdict."""
    return (signal.ts - START_TS) / DAY_MS - FAULT_DAY


def named_meter(signal: Signal) -> Any:  # noqa: ANN401 - a meter's id, or that none can be told
    """Which meter is named."""
    return orjson.loads(signal.evidence)["meter"]


def test_a_healthy_quarter_says_nothing() -> None:
    """Class errors, losses and another mix of consumers every week are a plant's usual."""
    assert active(plant().rows()["CEMENT1"]) == []


@pytest.mark.parametrize(("device", "size"), [("CEMENT1-E1", 0.1), ("CEMENT1-E2", 10.0), ("CEMENT1-E0", 2 / 3)])
def test_another_scale_is_found_on_the_second_day_and_its_meter_named(device: str, size: float) -> None:
    """A sub-meter by a power of ten, and a main meter that lost a phase of its current."""
    first = found(LabelKind.SCALE, device, size)[0]
    assert 1 <= days_after(first) <= 3
    assert (first.kind, first.metric, first.unit) == (SignalKind.BALANCE, "residual_kwh/electricity", "kWh")
    assert named_meter(first) == device
    assert orjson.loads(first.evidence)["meter_shows_pct"] == pytest.approx(100 * size, rel=0.05)


@pytest.mark.parametrize(("device", "size"), [("CEMENT1-E2", -0.1), ("CEMENT1-E0", -0.05)])
def test_a_bias_that_grows_slowly_is_found_while_it_is_small(device: str, size: float) -> None:
    """To 10 % within 30 days of a sub-meter, to 5 % of the main one: found before a third of it."""
    verdicts = found(LabelKind.SLOW_BIAS, device, size)
    assert 0 < days_after(verdicts[0]) <= 10
    named = [named_meter(each) for each in verdicts if named_meter(each) != "cannot be told"]
    assert set(named) == {device}


def day(at: int, feeder: float = 100.0, hall: float = 40.0, oven: float = 30.0) -> BalanceDay:
    """A plant of which a third is not sub-metered."""
    meters = {"feeder": [1.0, feeder], "hall": [-1.0, hall], "oven": [-1.0, oven]}
    return BalanceDay(
        "CEMENT1", "electricity", START_TS + at * DAY_MS, "kwh", feeder, hall + oven, None, feeder - hall - oven, 2.2,
        orjson.dumps(meters).decode(), 1.0, Quality.GOOD, "t",
    )  # fmt: skip


def test_what_was_never_sub_metered_is_usual() -> None:
    """A residual of 30 % that stays is no alarm, in either direction; the first two weeks are learned from."""
    rows = [day(at) for at in range(40)]
    assert active(rows) == []
    assert KERNEL.fold(None, SITE, rows[:10])[1][-1].phase is Phase.LEARNING  # type: ignore[attr-defined]


def test_energy_that_nothing_accounts_for_is_counted() -> None:
    """5 kWh a day more go in than come out, since the first such day."""
    rows = [day(at, feeder=100.0 + 5 * (at >= 20)) for at in range(30)]
    last = [row for row in KERNEL.fold(None, SITE, rows)[1] if isinstance(row, Signal)][-1]
    assert last.active
    assert last.cost_unit == "kWh"
    assert last.cost == pytest.approx((0.35 / 1.05 - 0.3) * 105 * 9, rel=0.02)


def test_a_level_that_stays_for_four_weeks_is_the_usual_then() -> None:
    """A hall without its meter any more: it does not stand for ever."""
    rows = [day(at, hall=40.0 if at < 20 else 20.0) for at in range(90)]
    signals = [row for row in KERNEL.fold(None, SITE, rows)[1] if isinstance(row, Signal) and row.samples == 1]
    assert [row.active for row in signals] == [True, False]
    assert orjson.loads(signals[-1].evidence)["ended"] == "adopted"


def test_one_day_may_be_chance_and_an_unknown_one_is_no_evidence() -> None:
    """Far on one day, not known on the next, well on the third."""
    odd = {20: day(20, hall=30.0), 21: day(21)._replace(residual=None, tolerance=None), 30: day(30, hall=30.0)}
    assert active([odd.get(at, day(at)) for at in range(40)]) == []


def test_where_several_meters_may_be_at_fault_none_is_named() -> None:
    """Two of three that show a tenth less: correcting one, or the main meter, leaves as much unexplained."""
    meters = {"feeder": (1.0, 100.0), "a": (-1.0, 18.0), "b": (-1.0, 18.0), "c": (-1.0, 30.0)}
    assert culprit(meters, {"feeder": 1.0, "a": 0.2, "b": 0.2, "c": 0.3}, 0.3) == {"meter": "cannot be told"}


def test_a_day_read_back_from_the_database_is_the_day_that_was_written() -> None:
    """Its meters come back as an object, not as text."""
    rows = [day(at, hall=40.0 if at < 20 else 30.0) for at in range(24)]
    read_back = [row._replace(meters=orjson.loads(row.meters)) for row in rows]
    assert KERNEL.fold(None, SITE, read_back)[1] == KERNEL.fold(None, SITE, rows)[1]


def test_it_does_not_matter_how_days_are_cut() -> None:
    """Written and read back at each cut, with what stands beside the figures."""
    rows = plant().rows()["CEMENT1"][:40]
    whole_state, whole = KERNEL.fold(None, SITE, rows)
    state, given = None, list[Row]()
    for start, stop in itertools.pairwise([0, 1, 15, 16, 40]):
        after, more = KERNEL.fold(state, SITE, rows[start:stop])
        state, given = KERNEL.load(KERNEL.dump(after)), given + more
    assert given == whole
    text = KERNEL.dump(whole_state)
    assert KERNEL.dump(state or {}) == text
    assert len(text) < 2048

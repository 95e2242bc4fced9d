"""A fleet over time: ageing, capacity tests, faults as their labels say, and the truth of it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from schemas.readings import BatteryReading
from schemas.time import DAY_MS, HOUR_MS
from simulators.climate import CITIES, UTC_OFFSET_H
from simulators.fleet.ageing import CALENDAR, CALENDAR_EXPONENT, CYCLING, CYCLING_EXPONENT, SCALE, Ageing, loss
from simulators.fleet.battery import second_life
from simulators.fleet.battery_faults import BATTERY_KINDS, PERMANENT
from simulators.fleet.capacity_test import LONGEST_MS, Campaign, CapacityTests
from simulators.fleet.fleet import Fleet, FleetPast
from simulators.fleet.load import daily
from simulators.fleet.outages import RegionalOutage
from simulators.planned_events import Chance, PlannedEvent
from simulators.truth import LabelKind
from simulators.wire.message import encode
from tests.unit.simulators.support import MINUTE_MS, START_TS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulators.fleet.bms import SetsShown

SETS = 14
FROM_TS = START_TS + HOUR_MS
TO_MS = FROM_TS + 2 * HOUR_MS
OUTAGES = [
    RegionalOutage(START_TS + 2 * HOUR_MS, duration_ms=HOUR_MS // 2, share=1.0, city_zh=city.name_zh) for city in CITIES
]
PLANNED = {
    LabelKind.WEAK_CELL: PlannedEvent(LabelKind.WEAK_CELL, "B0001", FROM_TS, None, 0.3, {"cell": 4}),
    LabelKind.HIGH_RESISTANCE_JOINT: PlannedEvent(
        LabelKind.HIGH_RESISTANCE_JOINT, "B0002", FROM_TS, None, 3.0, {"cell": 2}
    ),
    LabelKind.SELF_DISCHARGING_CELL: PlannedEvent(
        LabelKind.SELF_DISCHARGING_CELL, "B0003", FROM_TS, None, 0.1, {"cell": 7}
    ),
    LabelKind.STUCK_SENSOR: PlannedEvent(
        LabelKind.STUCK_SENSOR, "B0004", FROM_TS, TO_MS, None, {"field": "temperature_c", "sensor": 2}
    ),
    LabelKind.FROZEN_SOC: PlannedEvent(LabelKind.FROZEN_SOC, "B0005", FROM_TS, TO_MS),
    LabelKind.FSU_OFFLINE: PlannedEvent(LabelKind.FSU_OFFLINE, "BS0006", FROM_TS, TO_MS),
    LabelKind.RUNAWAY_PRECURSOR: PlannedEvent(
        LabelKind.RUNAWAY_PRECURSOR, "B0009", FROM_TS, TO_MS, 50.0, {"cell": 3, "sensor": 1}
    ),
}


class Shown:
    """Everything a fleet showed, as arrays by name; (polls of a set, …)."""

    def __init__(self, fleet: Fleet, until_ts: int) -> None:
        self.fleet = fleet
        rows: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for at in range(START_TS + MINUTE_MS, until_ts + 1, MINUTE_MS):
            for sets, _ in fleet.polls(at):
                for k, number in enumerate(sets.number.tolist()):
                    rows[number].append(tuple(column[k] for column in sets))
        self.rows = rows

    def series(self, device_id: str, field: str) -> np.ndarray[Any, np.dtype[Any]]:
        """One field of a set over time."""
        at = fields().index(field)
        return np.array([row[at] for row in self.rows[self.fleet.set_ids.index(device_id)]])


def fields() -> list[str]:
    """Names of the arrays, in order."""
    from simulators.fleet.bms import SetsShown as Fields  # noqa: PLC0415 - its names only

    return list(Fields._fields)


@cache
def shown(kind: LabelKind | None) -> Shown:
    """Four hours of a fleet with one fault, or none, and an outage."""
    planned_events = [] if kind is None else [PLANNED[kind]]
    fleet = Fleet(seed=4, sets=SETS, start_ts=START_TS, regional=OUTAGES, planned_events=planned_events)
    return Shown(fleet, START_TS + 4 * HOUR_MS)


@pytest.mark.parametrize("kind", sorted(BATTERY_KINDS))
def test_a_fault_touches_its_own_set_and_nothing_before_it_begins(kind: LabelKind) -> None:
    """Beside the same fleet without it, all other sets are as they were, and so is its own before the label."""
    clean, dirty = shown(None), shown(kind)
    (label,) = dirty.fleet.faults.labels
    assert label.kind is kind
    assert (label.end_ts is None) == (kind in PERMANENT)
    for set_id in clean.fleet.set_ids:
        home = clean.fleet.site_ids[int(clean.fleet.site_of_set[clean.fleet.set_ids.index(set_id)])]
        ts = clean.series(set_id, "ts")
        if set_id == label.device_id or (not label.device_id and home == label.site_id):
            before = ts < label.start_ts
            now = dirty.series(set_id, "cell_v")[: before.sum()]
            np.testing.assert_array_equal(now, clean.series(set_id, "cell_v")[before])
        elif home != label.site_id:
            np.testing.assert_array_equal(dirty.series(set_id, "ts"), ts)
            np.testing.assert_array_equal(dirty.series(set_id, "cell_v"), clean.series(set_id, "cell_v"))


def test_a_weak_cell_limits_its_pack() -> None:
    """The pack's capacity is its weakest cell's: true SoH falls by the label's share where that cell was average."""
    clean, dirty = shown(None).fleet.batteries, shown(LabelKind.WEAK_CELL).fleet.batteries
    assert dirty.capacity_ah[0, 3] == pytest.approx(0.7 * clean.capacity_ah[0, 3])
    assert dirty.soh[0] == pytest.approx(dirty.capacity_ah[0, 3] / dirty.nominal_ah[0])


def test_a_bad_joint_shows_under_load_alone() -> None:
    """At 3 mΩ more, its cell is lower by 3 mV for each ampere of discharge; in float it is like the others."""
    clean, dirty = shown(None), shown(LabelKind.HIGH_RESISTANCE_JOINT)
    current = dirty.series("B0002", "current_a")
    drop = (clean.series("B0002", "cell_v") - dirty.series("B0002", "cell_v"))[:, 1]
    loaded = (current < -10) & (dirty.series("B0002", "ts") > FROM_TS)
    assert loaded.sum() > 20
    assert -drop[loaded] == pytest.approx(current[loaded] * 0.003, rel=0.25, abs=0.01)
    floating = np.abs(current) < 1
    assert np.abs(drop[floating]).max() < 0.006


def test_self_discharge_leaves_the_cell_and_the_books_of_charge_close() -> None:
    """The leak is in `shunted_ah`; the cell holds less than in the fleet without it."""
    clean, dirty = shown(None).fleet.batteries, shown(LabelKind.SELF_DISCHARGING_CELL).fleet.batteries
    assert dirty.charge_ah[2, 6] < clean.charge_ah[2, 6] - 0.1
    assert dirty.shunted_ah[2, 6] > clean.shunted_ah[2, 6] + 0.2


def test_what_is_stuck_or_frozen_stays_at_one_value_while_its_label_lasts() -> None:
    """One value inside the label, more than one after it."""
    for kind, device_id, field, place in (
        (LabelKind.STUCK_SENSOR, "B0004", "temperature_c", 1),
        (LabelKind.FROZEN_SOC, "B0005", "soc_pct", None),
    ):
        found = shown(kind)
        ts, values = found.series(device_id, "ts"), found.series(device_id, field)
        values = values if place is None else values[:, place]
        inside = (ts >= FROM_TS + MINUTE_MS) & (ts < TO_MS)
        assert len(set(values[inside].tolist())) == 1
        assert len(set(shown(None).series(device_id, field)[inside].ravel().tolist())) > 1
        assert values[ts >= TO_MS + MINUTE_MS].tolist() != values[inside][: (ts >= TO_MS + MINUTE_MS).sum()].tolist()


def test_a_silent_fsu_sends_nothing_and_its_sets_go_on() -> None:
    """No reading of the site inside the label, readings again after it, numbered on without a gap."""
    found = shown(LabelKind.FSU_OFFLINE)
    fleet = found.fleet
    (set_id, *_) = (name for name, site in zip(fleet.set_ids, fleet.site_of_set, strict=True) if site == 5)
    ts, seq = found.series(set_id, "ts"), found.series(set_id, "seq")
    assert not ((ts >= FROM_TS + MINUTE_MS) & (ts < TO_MS)).any()
    assert (ts >= TO_MS).any()
    assert np.diff(seq).tolist() == [1] * (len(seq) - 1)


def test_a_runaway_announces_itself_for_at_least_half_an_hour() -> None:
    """Its hottest sensor rises by 10 °C at least 30 min before the end, its cell sags, and then there is smoke."""
    clean, found = shown(None), shown(LabelKind.RUNAWAY_PRECURSOR)
    ts, set_id = found.series("B0009", "ts"), "B0009"
    rise = (found.series(set_id, "temperature_c") - clean.series(set_id, "temperature_c"))[:, 0]
    sag = (clean.series(set_id, "cell_v") - found.series(set_id, "cell_v"))[:, 2]
    warned = ts <= TO_MS - 30 * MINUTE_MS
    assert rise[ts < FROM_TS + 2 * MINUTE_MS].max() < 0.5, "it begins from nothing: no jump gives it away"
    assert rise[warned].max() > 10
    assert sag[warned].max() > 0.05
    assert rise[ts >= TO_MS] == pytest.approx(50.0, abs=0.5)
    site = int(found.fleet.site_of_set[8])
    assert found.fleet.faults.smoke[site]
    assert found.fleet.faults.smoke.sum() == 1
    with pytest.raises(ValueError, match="30 min"):
        Fleet(
            seed=1,
            sets=2,
            start_ts=START_TS,
            planned_events=[PlannedEvent(LabelKind.RUNAWAY_PRECURSOR, "B0001", START_TS, START_TS + 20 * MINUTE_MS)],
        )


@pytest.mark.parametrize(("kind", "target"), [(LabelKind.WEAK_CELL, "B0999"), (LabelKind.FSU_OFFLINE, "B0001")])
def test_a_fault_of_what_is_not_there_is_refused(kind: LabelKind, target: str) -> None:
    """An error names the target."""
    with pytest.raises(ValueError, match=target):
        Fleet(seed=1, sets=2, start_ts=START_TS, planned_events=[PlannedEvent(kind, target, START_TS, TO_MS)])


def test_chance_draws_each_kind_at_a_set_of_its_own() -> None:
    """As many as were asked for, no two at one set while there are others, alike for the same seed."""
    chance = Chance(sorted(BATTERY_KINDS), 2, START_TS, START_TS + DAY_MS, HOUR_MS, 2 * HOUR_MS)
    labels = Fleet(seed=9, sets=60, start_ts=START_TS, chances=[chance]).faults.labels
    assert len({label.device_id or label.site_id for label in labels}) == len(labels) == 2 * len(BATTERY_KINDS)
    assert labels == Fleet(seed=9, sets=60, start_ts=START_TS, chances=[chance]).faults.labels


def test_loss_follows_its_two_laws_and_scales_by_one_to_three() -> None:
    """Loss is k·t^0.526 by the calendar and kcyc·EFC^0.828 by cycling, times the set's own scale."""
    one = np.ones(1)
    assert loss(16 * one, 0 * one, one)[0] == pytest.approx(CALENDAR * 16**CALENDAR_EXPONENT)
    assert loss(0 * one, 50 * one, one)[0] == pytest.approx(CYCLING * 50**CYCLING_EXPONENT)
    assert loss(0 * one, 50 * one, 3 * one)[0] == pytest.approx(3 * CYCLING * 50**CYCLING_EXPONENT)
    assert loss(3_652 * one, 0 * one, one)[0] == pytest.approx(0.20, abs=0.005)


def test_a_year_fades_capacity_raises_resistance_and_keeps_state_of_charge() -> None:
    """Fade of 0.5 to 5 points of SoH a year; what the cells lose is in the books; SoC does not move."""
    count = 500
    batteries = second_life(count, np.random.default_rng(1), np.full(count, 20.0))
    ageing = Ageing(np.random.default_rng(2), np.full(count, 1_000.0))
    assert SCALE[0] <= ageing.scale.min() < ageing.scale.max() <= SCALE[1]
    soh, soc = batteries.soh, batteries.soc(np.arange(count))
    charge, resistance = batteries.charge_ah.copy(), batteries.resistance_ohm.copy()
    for day in (100.0, 365.0):
        ageing.advance(batteries, day)
    faded = soh - batteries.soh
    assert faded.min() > 0.005
    assert faded.max() < 0.05
    np.testing.assert_allclose(batteries.soc(np.arange(count)), soc, rtol=1e-12)
    np.testing.assert_allclose(charge - batteries.charge_ah, batteries.shunted_ah, atol=1e-12)
    grown = batteries.resistance_ohm[batteries.cells] / resistance[batteries.cells]
    assert grown.min() > 1.0


def test_every_site_is_tested_once_a_year_in_working_hours_and_one_in_twenty_is_late() -> None:
    """Two years: two tests each; 5 % of them 30 to 180 days late; each begins between 9 and 14 local time."""
    tests = CapacityTests(3, 4_000, START_TS)
    planned: dict[int, list[int]] = defaultdict(list)
    for site, begins in tests.planned(START_TS + 1_000 * DAY_MS):
        planned[site].append(begins)
    hours = [(begins / HOUR_MS + UTC_OFFSET_H) % 24 for all_of in planned.values() for begins in all_of]
    late = [begins for _, begins in tests.planned(START_TS + 365 * DAY_MS)]
    assert min(hours) >= 9 - 0.01 or START_TS in late
    assert max(hours) <= 14.01
    assert all(2 <= len(all_of) <= 4 for all_of in planned.values())
    apart = [later - earlier for all_of in planned.values() for earlier, later in pairwise(all_of)]
    assert min(apart) >= 90 * DAY_MS, "after a late one, too: the next is not over before it"


def test_a_capacity_test_discharges_with_the_mains_on_and_charges_again() -> None:
    """Current is negative while the label lasts at most six hours; mains stay; the set is charged afterwards."""
    fleet = Fleet(seed=12, sets=3, start_ts=START_TS)
    site, begins = 0, START_TS + HOUR_MS
    fleet.tests.begins_ts[:] = START_TS + 90 * DAY_MS
    fleet.tests.begins_ts[site] = begins
    number = int(np.flatnonzero(fleet.site_of_set == site)[0])
    current: list[tuple[int, float]] = []
    for at in range(START_TS + MINUTE_MS, begins + LONGEST_MS + HOUR_MS, MINUTE_MS):
        for sets, power in fleet.polls(at):
            current += [(at, _of(sets, number))] if number in sets.number else []
            assert power.mains[power.number == site].all() or not power.mains[power.number == site].any()
    discharging = [at for at, amps in current if amps < -5]
    assert begins <= discharging[0] <= begins + 3 * MINUTE_MS
    assert HOUR_MS / 2 < discharging[-1] - begins <= LONGEST_MS
    assert max(amps for at, amps in current if at > discharging[-1]) > 5


def test_every_capacity_test_is_over_by_the_end_of_its_label_and_that_is_not_long_after() -> None:
    """What a crew plans by it hides nothing for hours; by day and by night, whose loads differ."""
    for seed, begins in enumerate((START_TS, START_TS + 12 * HOUR_MS), 3):
        campaign = Campaign(begins + HOUR_MS, begins + 2 * HOUR_MS, 10 * HOUR_MS)
        rarely = FleetPast(begins, begins + 13 * HOUR_MS, 4 * MINUTE_MS, ())
        fleet = Fleet(seed=seed, sets=200, start_ts=begins, campaign=campaign, past=rarely, heated_to_c=10.0)
        first = {label.site_id: label for label in fleet.labels()[::-1] if label.kind is LabelKind.CAPACITY_TEST}
        labelled = np.array([first[site_id].end_ts for site_id in fleet.site_ids])
        began, over = fleet.tests.begins_ts.copy(), np.zeros(fleet.sites)
        for at in range(begins, begins + 13 * HOUR_MS, 4 * MINUTE_MS):
            for _ in fleet.polls(at):
                over[fleet.tests.under_test] = at - 4 * MINUTE_MS
        assert np.all(over > began)
        assert np.all(over <= labelled)
        assert np.median((labelled - began) / (over - began)) < 1.5


def _of(sets: SetsShown, number: int) -> float:
    return float(sets.current_a[sets.number == number][0])


def test_truth_tells_of_every_set_daily_and_of_its_charge_each_time() -> None:
    """SoH, capacity and resistance once a day; SoC, temperature and backup time whenever asked."""
    fleet = Fleet(seed=1, sets=5, start_ts=START_TS)
    first, second = list(fleet.states(START_TS)), list(fleet.states(START_TS + HOUR_MS))
    assert {state.quantity for state in second} == {"soc_pct", "temperature_c", "backup_h"}
    assert {state.quantity for state in first} - {state.quantity for state in second} == {
        "soh",
        "capacity_ah",
        "resistance_mohm",
    }
    assert len(second) == 3 * 5
    hours = [state.value for state in second if state.quantity == "backup_h"]
    assert 0.5 < min(hours) < max(hours) < 40


def test_true_state_of_health_is_what_float_fills() -> None:
    """After ten hours of charge the weakest cell holds it, half a per cent less than the end of its curve."""
    fleet = Fleet(seed=2, sets=60, start_ts=START_TS)
    batteries, every = fleet.batteries, np.arange(60)
    batteries.charge_ah -= 20.0
    for _ in range(600):
        batteries.drive(every, mains=np.ones(60, bool), load_w=np.zeros(60), next_s=np.full(60, 60.0))
        batteries.integrate(every, np.full(60, 60.0), np.full(60, 25.0))
    stated = np.array([at.value for at in fleet.states(START_TS) if at.quantity == "soh"])
    weakest = np.where(batteries.cells, batteries.capacity_ah, np.inf).argmin(axis=1)
    held = batteries.charge_ah[every, weakest] / batteries.nominal_ah
    assert abs(np.mean(stated - held)) < 0.0003
    assert np.abs(stated - held).max() < 0.003
    assert 0.002 < np.min(batteries.soh - stated) < np.max(batteries.soh - stated) < 0.007


@pytest.mark.parametrize("hour", [0, 9])
def test_true_backup_time_is_what_a_full_set_then_carries(hour: int) -> None:
    """To a twentieth for half of the sets, at any hour; of an empty set it is the same, for it is stated from full."""
    sets, from_ts = 40, START_TS + hour * HOUR_MS
    fleet = Fleet(seed=3, sets=sets, start_ts=START_TS)
    batteries, every, minutes = fleet.batteries, np.arange(sets), np.full(sets, 60.0)
    batteries.temperature_c[:] = 25.0
    stated = {at.entity: at.value for at in fleet.states(from_ts) if at.quantity == "backup_h"}
    batteries.charge_ah[:] *= 0.1
    emptied = {at.entity: at.value for at in fleet.states(from_ts) if at.quantity == "backup_h"}
    assert emptied == stated
    batteries.charge_ah[:] = batteries.capacity_ah
    lasted, mean_w = np.full(sets, np.nan), fleet.load_w[fleet.site_of_set]
    share = carried_share(fleet)
    for minute in range(48 * 60):
        load_w = mean_w * share * (1 + daily(from_ts + minute * MINUTE_MS))
        batteries.drive(every, mains=np.zeros(sets, bool), load_w=load_w, next_s=minutes)
        lasted = np.where(np.isnan(lasted) & batteries.open, minute / 60, lasted)
        if batteries.open.all():
            break
        batteries.integrate(every, minutes, np.full(sets, 25.0))
    ratio = np.array([stated[set_id] for set_id in fleet.set_ids]) / lasted
    assert abs(np.median(ratio) - 1) < 0.03, np.median(ratio)
    assert np.median(np.abs(ratio - 1)) < 0.05, ratio


def carried_share(fleet: Fleet) -> NDArray[np.float64]:
    """Which share of its site's load each set carries: by what its weakest cell has."""
    weight = fleet.batteries.nominal_ah * fleet.batteries.soh
    share: NDArray[np.float64] = weight / np.bincount(fleet.site_of_set, weight)[fleet.site_of_set]
    return share


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Two fleets with every fault, tests and outages send the same."""
    chance = Chance(sorted(BATTERY_KINDS), 2, START_TS, START_TS + 2 * HOUR_MS, HOUR_MS // 2, HOUR_MS)

    def digest() -> str:
        fleet = Fleet(seed=9, sets=60, start_ts=START_TS, chances=[chance], regional=OUTAGES)
        sent = hashlib.sha256()
        for at in range(START_TS, START_TS + 3 * HOUR_MS, 10 * MINUTE_MS):
            for message in fleet.generate(at):
                sent.update(encode(message))
        return sent.hexdigest()

    assert digest() == digest()


def test_what_sick_sets_show_is_still_a_reading() -> None:
    """Every message of a fleet with all faults passes the collector's model."""
    chance = Chance(sorted(BATTERY_KINDS), 2, START_TS, START_TS + 2 * HOUR_MS, HOUR_MS // 2, HOUR_MS)
    fleet = Fleet(seed=9, sets=40, start_ts=START_TS, chances=[chance], regional=OUTAGES)
    for at in range(START_TS, START_TS + 3 * HOUR_MS, 30 * MINUTE_MS):
        for message in fleet.generate(at):
            if not message.device_id.endswith("-P"):
                BatteryReading.model_validate_json(encode(message))

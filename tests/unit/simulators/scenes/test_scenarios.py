"""Scenarios: every file is valid, everything a truth file can name happens somewhere, labels match what happens."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from schemas.readings import Kind
from schemas.registry import Role, Sector
from simulators.planned_events import Chance, PlannedEvent
from simulators.plants.disturbance import PLANT_KINDS, leak_m3_h
from simulators.plants.faults import FAULT_KINDS
from simulators.scenes.catalogue import NOW_TS, catalogue, labels_of
from simulators.scenes.fields import duration_ms
from simulators.scenes.scenario import Scenario, load, names
from simulators.scenes.scene import Scene
from simulators.truth import Label, LabelKind, TruthRun, TruthWriter, read_labels, read_states, read_totals
from tests.unit.simulators.support import HOUR_MS, MINUTE_MS, START_TS

if TYPE_CHECKING:
    from simulators.wire.message import DeviceMessage

NETWORK_KINDS = {
    LabelKind.NETWORK_DUPLICATES,
    LabelKind.NETWORK_REORDERING,
    LabelKind.GATEWAY_OFFLINE,
    LabelKind.RECONNECT_STORM,
    LabelKind.MALFORMED,
    LabelKind.FOREIGN,
    LabelKind.CLOCK_SKEW,
}
END_TS = START_TS + 5 * HOUR_MS
PLANTS = {Sector.STEEL: 2, Sector.COKING: 1, Sector.METHANOL: 1}


def test_every_kind_of_label_happens_in_some_scenario() -> None:
    """Every kind of label there is, of plants, meters, batteries and networks, stands in at least one of them."""
    found = {label.kind for name in names() for label in labels_of(load(name))}
    assert set(LabelKind) - found == set()


@pytest.mark.parametrize("name", names())
def test_a_scenario_labels_what_it_has_within_its_time(name: str) -> None:
    """Labels begin within the run, name what is registered, and are drawn alike for the same seed."""
    scenario = load(name)
    start = scenario.start_ts(NOW_TS)
    scene = scenario.scene(seed=1, start_ts=start)
    registry = scene.registry()
    sites = {site.site_id for site in registry.sites}
    devices = {device.device_id: device.site_id for device in registry.devices}
    labels = scene.labels(scenario.end_ts(start))
    for label in labels:
        assert scene.start_ts <= label.start_ts < scenario.end_ts(start)
        assert label.end_ts is None or label.start_ts < label.end_ts
        assert not label.site_id or label.site_id in sites
        assert not label.device_id or devices[label.device_id] == label.site_id
        if "diameter_mm" in label.params:
            assert label.size == leak_m3_h(label.params["diameter_mm"])
            assert 5 < label.size < 35
    if labels:
        assert labels == scenario.scene(seed=1, start_ts=start).labels(scenario.end_ts(start))
    assert len({(label.kind, label.device_id, label.site_id, label.start_ts) for label in labels}) == len(labels)


def test_the_catalogue_is_the_scenarios() -> None:
    """The page in docs/ was written from the files as they are: `fenhe scenarios catalogue`."""
    assert Path("docs/scenarios.md").read_text(encoding="utf-8") == catalogue()


def readings(scene: Scene) -> dict[str, dict[int, dict[str, Any]]]:
    """Readings by device and time of sending."""
    found: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for message in scene.advance(END_TS):
        found[message.device_id][message.at_ts] = message.readings[0]
    return found


def test_what_is_injected_shows_where_and_when_its_label_says(tmp_path: Path) -> None:
    """Beside the same world without it nothing differs before a label begins, nor at devices it does not touch."""
    kinds = sorted((FAULT_KINDS | PLANT_KINDS) - {LabelKind.ROLLOVER})
    chance = Chance(kinds, 1, START_TS + HOUR_MS, END_TS, 60 * MINUTE_MS, 90 * MINUTE_MS)
    clean = readings(Scene(seed=6, sets=0, start_ts=START_TS, plants=PLANTS))
    scene = Scene(seed=6, sets=0, start_ts=START_TS, plants=PLANTS, chances=[chance])
    path = tmp_path / "truth.sqlite"
    with TruthWriter(path, TruthRun("all", 6, START_TS)) as truth:
        scene.record(truth, step_ms=HOUR_MS, until_ts=END_TS)
        labels = [label for label in read_labels(path) if label.kind is not LabelKind.MAINTENANCE]
        dirty = readings(scene)
    assert sorted(label.kind for label in labels) == kinds

    devices = {device.device_id: device for device in scene.registry().devices}
    first: dict[str, int] = {}
    for label in labels:
        for device_id in _touched(label.kind, label.site_id, label.device_id, list(devices)):
            first[device_id] = min(first.get(device_id, label.start_ts), label.start_ts)
    for device_id in devices:
        times = sorted(clean[device_id].keys() | dirty[device_id].keys())
        differing = [at for at in times if clean[device_id].get(at) != dirty[device_id].get(at)]
        if device_id not in first:
            assert not differing, device_id
        elif differing:
            assert differing[0] >= first[device_id] - MINUTE_MS * 15, device_id
    for label in labels:
        if label.kind is LabelKind.NIGHT_USE:
            continue  # the five hours of this scene are a morning's
        own = label.device_id or f"{label.site_id}-E0"
        assert clean[own] != dirty[own], label
    _totals_are_what_flowed(path, clean)


def _touched(kind: LabelKind, site_id: str, device_id: str, devices: list[str]) -> list[str]:
    """Devices in which a label may show: its own, its main, or a whole plant."""
    if kind in FAULT_KINDS:
        return [device_id]
    if kind in {LabelKind.EFFICIENCY_DRIFT, LabelKind.EFFICIENCY_STEP}:
        return [each for each in devices if each.startswith(f"{site_id}-")]
    utility = device_id[:-1]
    return [device_id, f"{utility}0"]


def _totals_are_what_flowed(path: Path, clean: dict[str, dict[int, dict[str, Any]]]) -> None:
    """A faultless meter has shown the truth's total times its gain, whatever a faulty one said."""
    gain = {state.entity: state.value for state in read_states(path, "gain")}
    totals = [total for total in read_totals(path, "STEEL2-E1") if total.quantity == "energy_import_kwh"]
    assert [total.from_ts for total in totals] == list(range(START_TS, END_TS, HOUR_MS))
    shown = clean["STEEL2-E1"]
    register = {at: shown[at]["energy_import_kwh"] for at in shown}
    span = max(register) - min(register)
    flowed = sum(total.increment for total in totals) * span / (END_TS - START_TS)
    assert register[max(register)] - register[min(register)] == pytest.approx(gain["STEEL2-E1"] * flowed, rel=0.01)


def test_a_leak_runs_through_the_main_and_no_sub_meter() -> None:
    """Its flow is the label's, between main and sub-meters; an incipient one grows with the square of time."""
    leak = PlannedEvent(
        LabelKind.LEAK_INCIPIENT, "COKE1-W0", START_TS, None, None, {"diameter_mm": 20.0, "grows_ms": HOUR_MS}
    )
    dry, wet = (
        Scene(seed=2, sets=0, start_ts=START_TS, plants={Sector.COKING: 1}, planned_events=planned_events)
        for planned_events in ([], [leak])
    )
    for scene in (dry, wet):
        scene.skip(START_TS + HOUR_MS // 2 + 10_000)
    assert dry.works is not None
    assert wet.works is not None
    main = next(row.flow for row in wet.works.layout.mains if row.device_id == "COKE1-W0")
    grown = wet.works.flows.rate - dry.works.flows.rate
    assert grown[main] == pytest.approx(leak_m3_h(10.0))
    assert abs(grown).sum() == pytest.approx(grown[main])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"lasts": "a while"}, "no time"),
        ({"history": "1h"}, "give a start, or a history"),
        ({"start": "2026-03-01T00:00:00"}, "no time zone"),
        ({"events": [{"kind": "mains_outage", "where": "BS0001", "at": "1h", "lasts": "1h"}]}, "no event"),
        ({"events": [{"kind": "gap", "where": "STEEL1-E0", "at": "1h"}]}, "how long"),
        ({"colour": "red"}, "Extra inputs"),
        ({"tick": "1min", "step": "90s"}, "whole ticks"),
    ],
)
def test_a_scenario_that_cannot_be_is_refused_with_a_reason(change: dict[str, Any], complaint: str) -> None:
    """An error says what is wrong."""
    good = {
        "name": "x",
        "title": "x",
        "title_zh": "x",
        "about": "x",
        "start": "2026-03-01T00:00:00+08:00",
        "lasts": "1h",
    }
    Scenario.model_validate(good)
    with pytest.raises(ValidationError, match=complaint):
        Scenario.model_validate({**good, **change})


def test_an_event_at_an_unknown_place_names_places_that_exist() -> None:
    """A typing error is found before the first reading."""
    with pytest.raises(ValueError, match="STEEL1"):
        Scene(
            seed=1,
            sets=0,
            start_ts=START_TS,
            plants={Sector.STEEL: 1},
            planned_events=[PlannedEvent(LabelKind.GAP, "STEEL9-E0", START_TS, END_TS)],
        )


def test_an_unknown_scenario_names_those_that_exist() -> None:
    """An error says what to do next."""
    with pytest.raises(ValueError, match="normal-week"):
        load("abnormal-week")


def test_times_are_written_with_their_unit() -> None:
    """Seconds, minutes, hours, days; negative before the live moment."""
    assert [duration_ms(text) for text in ("90s", "15min", "1.5h", "-10d")] == [
        90_000,
        900_000,
        5_400_000,
        -864_000_000,
    ]


def test_a_watched_scenario_counts_from_the_moment_it_goes_live() -> None:
    """The demo's first gap begins twenty seconds after that, however long its history was."""
    demo = load("demo")
    live = START_TS + 7 * HOUR_MS
    labels = demo.scene(seed=1, start_ts=START_TS, live_ts=live, sets=5).labels()
    gap = next(label for label in labels if label.kind is LabelKind.GAP)
    assert gap.start_ts == live + 20_000


def test_within_two_minutes_of_the_demo_all_four_are_there_to_be_seen() -> None:
    """However long the history took, an outage begins and ends; leak, efficiency and weak set have shown before.

    A night flow needs a night, the efficiency a week of hours and a few beyond it, the set a discharge to its end.
    """
    demo, live = load("demo"), START_TS + 3 * HOUR_MS
    scene = demo.scene(seed=1, start_ts=START_TS, live_ts=live)
    labels = scene.labels()
    devices = {device.device_id: device for device in scene.registry().devices}
    site = next(each for each in scene.registry().sites if each.site_id == devices["B0001"].site_id)
    outages = [each for each in labels if each.kind is LabelKind.MAINS_OUTAGE and each.site_id == site.site_id]
    for late_s in range(-100, 300, 5):
        began = live + 1_000 * late_s
        two_minutes = (began, began + 2 * MINUTE_MS)
        assert any(two_minutes[0] <= each.start_ts < (each.end_ts or 0) <= two_minutes[1] for each in outages), late_s

    def only(kind: LabelKind) -> Label:
        (label,) = (each for each in labels if each.kind is kind)
        return label

    leak, efficiency, weak = only(LabelKind.LEAK_ABRUPT), only(LabelKind.EFFICIENCY_STEP), only(LabelKind.WEAK_CELL)
    assert leak.start_ts <= live - 24 * HOUR_MS - 3 * HOUR_MS, "a whole night of 02:00 to 05:00, whenever it is"
    assert efficiency.start_ts <= live - 8 * HOUR_MS
    assert demo.past is not None
    learned_ms = demo.past.plants - (live - (demo.history or 0) - efficiency.start_ts)
    assert learned_ms >= 168 * HOUR_MS
    assert all((each.end_ts or 0) > live + 2 * MINUTE_MS for each in (leak, efficiency))
    assert weak.device_id == "B0001"
    emptied = [each for each in outages if each.start_ts > weak.start_ts and (each.end_ts or 0) < live]
    assert any((each.end_ts or 0) - each.start_ts >= 4 * HOUR_MS for each in emptied)


@cache
def demo_that_goes_live_in_an_hour() -> tuple[Scene, list[DeviceMessage], list[DeviceMessage]]:
    """The demo's scene, its long past and the twenty minutes after it; drawn once, it is not advanced again."""
    scene = load("demo").scene(seed=1, start_ts=START_TS, live_ts=START_TS + HOUR_MS, sets=100)
    return scene, list(scene.advance(START_TS)), list(scene.advance(START_TS + 20 * MINUTE_MS))


def test_of_a_long_past_every_plant_s_main_meters_are_heard_each_quarter_of_an_hour() -> None:
    """One reading a quarter, without a break where all begin to be heard, and no gap at the registered period."""
    live = START_TS + HOUR_MS
    scene, past, now = demo_that_goes_live_in_an_hour()
    devices = {device.device_id: device for device in scene.registry().devices}
    past = [message for message in past if not message.device_id.startswith("B")]
    heard = Counter(message.device_id for message in past)
    main = {name for name, each in devices.items() if each.role is not Role.INTERNAL and name != "ALU1-W0"}
    assert len({devices[name].site_id for name in main}) == 8
    assert all(heard[name] == 19 * 96 for name in main)
    assert heard["ALU1-W0"] == 24 * 96
    assert heard["STEEL1-E1"] == 49 * 4, "a meter behind the main ones: a whole local day to balance, at any hour"
    assert heard["CEMENT1-E3"] == 0
    assert devices["CEMENT1-E3"].period_s == 30, "the meter that falls silent keeps its own period"
    for name in (*sorted(main), "ALU1-W0", "STEEL1-E1"):
        ours = [message.readings[0] for message in (*past, *now) if message.device_id == name]
        assert all(0 < after["ts"] - before["ts"] <= 3_000 * devices[name].period_s for before, after in pairwise(ours))
        assert [reading["seq"] for reading in ours] == list(range(len(ours))), name
    ours = [message.readings[0] for message in (*past, *now) if message.device_id == "ALU1-W0"]
    leak = [reading["flow_m3_h"] for reading in ours if reading["ts"] > live - 28 * HOUR_MS]
    before = [reading["flow_m3_h"] for reading in ours if reading["ts"] < live - 28 * HOUR_MS]
    assert sum(leak) / len(leak) - sum(before) / len(before) == pytest.approx(leak_m3_h(23), rel=0.2)


def test_of_a_long_past_the_laboratory_and_the_unit_of_a_gangue_plant_are_heard() -> None:
    """Its fuel and its heat value: without them a heat rate is unknown."""
    _, past, _ = demo_that_goes_live_in_an_hour()
    heard = Counter(message.device_id for message in past)
    assert heard["GANGUE1-U1"] == 19 * 96
    assert heard["GANGUE1-LAB"] > 19


def test_of_the_past_every_set_s_capacity_test_is_heard_and_one_city_s_night_without_mains() -> None:
    """Three minutes between two readings at most, as long as they are heard; both discharges go deep."""
    scene, past, now = demo_that_goes_live_in_an_hour()
    registry = scene.registry()
    city = {site.site_id for site in registry.sites if site.city == "晋中"}
    sets = {device.device_id: device.site_id for device in registry.devices if device.battery is not None}
    of_sets: dict[str, list[dict[str, Any]]] = {name: [] for name in sets}
    for message in past:
        if message.device_id in of_sets:
            of_sets[message.device_id] += message.readings
    deep = 0
    for name, readings in of_sets.items():
        tested = [each for each in readings if each["ts"] < START_TS - 34 * HOUR_MS]
        assert all(after["ts"] - before["ts"] <= 3 * MINUTE_MS for before, after in pairwise(tested))
        deep += min(min(each["cell_voltage_v"][:15]) for each in tested) < 3.1
        night = [each for each in readings if START_TS - 32 * HOUR_MS < each["ts"] < START_TS - 23 * HOUR_MS]
        assert bool(night) == (sets[name] in city)
    assert deep > 0.8 * len(sets), "some stations carry less than their sets hold in ten hours"
    assert {message.device_id for message in now} >= set(sets)


def test_of_a_large_fleet_only_one_city_s_past_is_heard() -> None:
    """Of seven thousand sets, or minutes would pass before anything is seen; `--sets` keeps the past otherwise."""
    few = load("demo").scene(seed=1, start_ts=START_TS, sets=1_000)
    many = load("demo").scene(seed=1, start_ts=START_TS, sets=7_000)
    assert many.readings_until(START_TS) < 2 * few.readings_until(START_TS)


@pytest.mark.parametrize("name", names())
def test_every_scenario_can_be_watched_and_says_where_to_look(name: str) -> None:
    """A date of its own is shifted to the live moment, and what happens is still to come, goes on or was heard of."""
    scenario = load(name)
    watched = scenario.watched()
    assert watched.start is None
    assert watched.history is not None
    assert len(scenario.look) > 20
    assert re.search("[\u4e00-\u9fff]", scenario.look_zh)
    live = START_TS + watched.history
    scene = watched.scene(seed=1, start_ts=START_TS, live_ts=live, sets=min(watched.fleet.sets, 100))
    assert scene.start_ts <= START_TS
    if scenario.start is not None:
        assert scenario.watch is not None
        assert len(watched.events) == len(scenario.events)
        for before, after in zip(scenario.events, watched.events, strict=True):
            assert before.at - after.at == scenario.watch.at
        if scenario.fleet.tests is not None:
            assert watched.fleet.tests is not None
            assert scenario.fleet.tests.at - watched.fleet.tests.at == scenario.watch.at


def test_only_meters_of_plants_are_drawn_by_chance() -> None:
    """A phase is lost by an electricity meter, a leak springs in a water main."""
    kinds = [LabelKind.PHASE_LOSS, LabelKind.LEAK_ABRUPT]
    chance = Chance(kinds, 5, START_TS, END_TS, MINUTE_MS, HOUR_MS)
    scene = Scene(seed=6, sets=3, start_ts=START_TS, plants=PLANTS, chances=[chance])
    kind_of = {device.device_id: device.kind for device in scene.registry().devices}
    drawn = [(label.kind, kind_of[label.device_id]) for label in scene.labels() if label.kind in kinds]
    assert set(drawn) == {(LabelKind.PHASE_LOSS, Kind.ELECTRICITY), (LabelKind.LEAK_ABRUPT, Kind.WATER)}


def test_the_truth_of_a_long_past_is_told_by_the_hour_and_of_no_set_before_it_is_heard(tmp_path: Path) -> None:
    """Every ten minutes of 24 days would be gigabytes with 7,000 sets, and hold up the demo's start."""
    scenario = load("demo").watched().model_copy(update={"plants": {}, "events": []})
    scene = scenario.scene(seed=1, start_ts=START_TS, sets=20)
    path = tmp_path / "truth.sqlite"
    with TruthWriter(path, TruthRun("demo", 1, START_TS)) as truth:
        scene.record(truth, step_ms=10 * MINUTE_MS)
        scene.skip(START_TS + 30 * MINUTE_MS)
    moments = sorted({state.ts for state in read_states(path, "soc_pct")})
    past, live = [ts for ts in moments if ts < START_TS], [ts for ts in moments if ts >= START_TS]
    assert START_TS - 48 * HOUR_MS <= past[0] < START_TS - 46 * HOUR_MS
    assert {later - before for before, later in pairwise(past)} == {HOUR_MS}
    assert {later - before for before, later in pairwise(live)} == {10 * MINUTE_MS}

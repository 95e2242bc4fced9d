"""The quiet ways of the battery folds against the folds themselves: the same rows and states, to the last bit."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.arrival import Arrival
from schemas.aside import AsideReason, SetAside
from schemas.columns.arrivals import Arrivals
from schemas.metrics.battery_health import BatteryCapacity, BatteryState
from schemas.readings import BatteryReading, DeviceQuality, Kind
from schemas.registry import BatterySet, Chemistry, Device
from streams.engine.by_device import ByDevice
from streams.engine.memory import Memory
from streams.engine.quiet import QuietWays, Shelves
from streams.engine.shelf import ShelvedMemory
from streams.installed import installed
from streams.kernels.contract import Quiet
from tests.unit.streams.kernels.calls import calls_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.metrics import Row
    from streams.engine.memory import Memories, Moved

SAVE_EVERY = 7
BEGIN_TS = 1_780_000_020_000
SOON = {"rests_needed": 4, "floats_needed": 4, "float_settle_h": 0.005, "memory_readings": 9, "rise_readings": 2}
"""Rules by which a set has learned soon."""
FOLDS = [fold for fold in installed().readings if isinstance(fold, Quiet)]


def _device(number: int, cells: int, **rules: float) -> Device:
    return Device(
        device_id=f"b-{number}",
        site_id="bs-1",
        kind=Kind.BATTERY,
        period_s=30,
        battery=BatterySet(
            cell_count=cells, nominal_ah=100, chemistry=Chemistry.LI_ION if cells < 15 else Chemistry.LFP
        ),
        detection={"battery": rules} if rules else {},
    )


DEVICES = {
    device.device_id: device
    for device in (_device(1, 16), _device(2, 15, **SOON), _device(3, 16, **SOON), _device(4, 16), _device(5, 8))
}


@dataclass
class Both:
    """A fold's two ways, side by side."""

    fold: Quiet
    alone: dict[str, Any] = field(default_factory=dict)
    """States of the fold by itself."""
    known: Memories = field(default_factory=dict)
    shelves: Shelves = field(default_factory=Shelves)
    quiet: int = 0
    """Readings that went the quiet way."""

    def take(
        self, items: Mapping[str, Sequence[Arrival]], *, commit: bool = True
    ) -> tuple[list[Row], list[Row], dict[str, str]]:
        """Take readings both ways; rows of the fold by itself, rows of the other way, and what is to be saved of it."""
        fold = self.fold
        expected: list[Row] = []
        given_: list[Row] = []
        moved: Moved = {}
        ways = QuietWays(self.shelves, 1)
        by_device = _by_device(items)
        way = ways.of(fold, ways.batch(DEVICES, by_device))
        left = items
        if way is not None:
            left, given_ = way.take(by_device, moved)
        for device_id, own in left.items():
            memory = self.known.get((fold.name, device_id))
            now, rows = fold.fold(None if memory is None else memory.state, DEVICES[device_id], own)
            moved[fold.name, device_id] = Memory(own[-1].ts, now)
            given_ += rows
        due = {each.entity_id: fold.dump(each.state) for each in ways.due(SAVE_EVERY)}
        if commit:
            self.quiet += len(items) - len(left)
            self.known |= moved
            ways.keep(self.known, moved)
            for device_id, own in items.items():
                self.alone[device_id], rows = fold.fold(self.alone.get(device_id), DEVICES[device_id], own)
                expected += rows
        return sorted(expected, key=repr), sorted(given_, key=repr), due

    def dumped(self, memories: Memories) -> dict[str, str]:
        """What is remembered, as it is saved."""
        fold = self.fold
        return {key[1]: fold.dump(memory.state) for key, memory in memories.items() if memory}

    def restart(self) -> None:
        """Read back what is saved of everything."""
        fold, saved = self.fold, self.dumped(self.known)
        self.shelves = Shelves()
        for device_id, text in saved.items():
            last_ts = self.known[fold.name, device_id].last_ts  # type: ignore[union-attr] # it was dumped
            self.known[fold.name, device_id] = Memory(last_ts, fold.load(text))
            self.alone[device_id] = fold.load(text)


def _by_device(items: Mapping[str, Sequence[Arrival]]) -> ByDevice:
    return ByDevice(Arrivals.of_each(Kind.BATTERY, [arrival for own in items.values() for arrival in own]))


@dataclass
class World:
    """Sets on float to which now and then something happens."""

    rnd: Random
    load_a: dict[str, float] = field(default_factory=dict)
    stands_a: dict[str, float] = field(default_factory=dict)
    """Of sets whose current sensor stands at one figure."""

    def reading(self, device: Device, ts: int, *, calm: bool) -> Arrival:
        """The next reading of a set."""
        rnd = self.rnd
        aside: dict[str, SetAside] = {}
        load_a = self.load_a.get(device.device_id, 0.0)
        if not calm and rnd.random() < 0.1:
            load_a = self.load_a[device.device_id] = rnd.choice([0.0, 0.0, -22.0, 9.0, -0.6])
        assert device.battery is not None
        count = device.battery.cell_count
        base = 4.15 if device.battery.chemistry is Chemistry.LI_ION else 3.4
        base -= 0.2 if load_a < 0 else 0.0
        cells: list[float | None] = [round(base + rnd.uniform(-0.01, 0.01), 3) for _ in range(count)]
        if count < 16:
            cells += [None] * rnd.choice([0, 16 - count])
        known = [volts for volts in cells if volts is not None]
        values: dict[str, Any] = {
            "ts": ts,
            "pack_voltage_v": round(sum(known), 2),
            "current_a": self._current_a(device.device_id, load_a),
            "soc_pct": rnd.choice([100.0, 100.0, 99.0]),
            "soh_bms_pct": rnd.choice([97.0, 97.0, 96.0]),
            "cell_voltage_v": cells,
            "temperature_c": [round(rnd.uniform(-0.6, 0.6), 1) for _ in range(4)],
            "cycles": 320 if calm else rnd.choice([320, 320, 321, 280]),
            "ambient_c": rnd.choice([-1.5, -1.5, -0.0, 0.0]),
        }
        if not calm and rnd.random() < 0.3:
            values |= self._odd(values, rnd.randrange(count), aside)
        return Arrival(device.device_id, ts + 300, BatteryReading(**values), aside)

    def _current_a(self, device_id: str, load_a: float) -> float:
        amps = round(load_a + self.rnd.uniform(-0.2, 0.2), 2)
        if device_id in self.stands_a:
            amps = self.stands_a[device_id] if self.rnd.random() < 0.9 else self.stands_a.pop(device_id)
        elif self.rnd.random() < 0.03:
            self.stands_a[device_id] = amps
        return amps

    def _odd(self, values: dict[str, Any], at: int, aside: dict[str, SetAside]) -> dict[str, Any]:
        """Whatever a set may send beside what it always sends, or leave out."""
        choice = self.rnd.choice
        cells = list(values["cell_voltage_v"])
        cells[at] = choice([None, 1.1, 3.0, 3.39])
        blank = {"current_a": 0.0, "pack_voltage_v": 0.0, "soc_pct": 0.0, "cell_voltage_v": [0.0] * 16}
        odd: dict[str, Any] = choice(
            [
                {"cell_voltage_v": cells},
                {"temperature_c": [choice([57.0, 85.0, None, -40.0, 33.0]), 21.0, 22.0]},
                {"temperature_c": [0.2, 0.1, choice([14.9, 0.3])]},
                blank | {"temperature_c": [0.0] * 4},
                {"quality": DeviceQuality.BAD},
                {choice(sorted(values.keys() - {"ts"})): None},
                {},
            ]
        )
        if not odd:
            aside["temperature_c"] = SetAside(AsideReason.OUT_OF_RANGE, [99.0, 655.35])
        return odd


@pytest.mark.parametrize("fold", FOLDS, ids=lambda fold: fold.name)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1_000_000), step_ms=st.sampled_from([1_000, 10_000, 60_000]))
def test_the_quiet_way_ends_in_the_same_bits(fold: Quiet, seed: int, step_ms: int) -> None:
    """Over gaps, absent cells, loads, crossings of minutes, quarters, hours and days, and restarts."""
    rnd = Random(seed)
    both, world = Both(fold), World(rnd)
    ts = BEGIN_TS
    for turn in range(120):
        ts += step_ms if rnd.random() < 0.9 else rnd.choice([50, 29_999, 45_000, 300_000, 700_000, 4_000_000])
        calm = turn % 40 < 25
        items: dict[str, list[Arrival]] = {}
        for number, (device_id, device) in enumerate(DEVICES.items()):
            if rnd.random() < 0.9:
                more = rnd.choice([1, 1, 1, 1, 2, 3, 7])
                items[device_id] = [world.reading(device, ts + number + extra, calm=calm) for extra in range(more)]
        expected, given_, due = both.take(items)
        assert given_ == expected
        assert due == {name: fold.dump(both.alone[name]) for name in due}
        assert both.dumped(both.known) == {name: fold.dump(state) for name, state in both.alone.items()}
        if rnd.random() < 0.03:
            both.restart()


@pytest.mark.parametrize("fold", FOLDS, ids=lambda fold: fold.name)
def test_calm_readings_go_the_quiet_way(fold: Quiet) -> None:
    """Otherwise the other test shows nothing, and nothing is gained."""
    both, world = Both(fold), World(Random(1))
    for turn in range(300):
        ts = BEGIN_TS + turn * 1_000
        both.take({name: [world.reading(device, ts, calm=True)] for name, device in DEVICES.items()})
    assert both.quiet > 0.9 * 300 * (len(DEVICES) - 1)


@pytest.mark.parametrize("fold", FOLDS, ids=lambda fold: fold.name)
def test_calm_arrays_go_the_quiet_way(fold: Quiet) -> None:
    """A worker that is behind finds several readings of each set in one take: it must not become slower by that."""
    both, world = Both(fold), World(Random(3))
    for turn in range(60):
        ts = BEGIN_TS + turn * 5_000
        both.take(
            {
                name: [world.reading(device, ts + each * 1_000, calm=True) for each in range(5)]
                for name, device in DEVICES.items()
            }
        )
    assert both.quiet > 0.8 * 60 * (len(DEVICES) - 1)


def test_an_array_costs_few_calls_a_reading() -> None:
    """Its columns are laid out once for all of its readings, and only the last one has the set's row made."""
    fold = next(fold for fold in FOLDS if fold.says_how_it_stands)
    both, world, work, count = Both(fold), World(Random(3)), 0, 20
    for turn in range(2):
        ts = BEGIN_TS + turn * count * 1_000
        items = {
            name: [world.reading(device, ts + each * 1_000, calm=True) for each in range(count)]
            for name, device in DEVICES.items()
        }
        by_device, ways = _by_device(items), QuietWays(both.shelves, 1)

        def take(ways: QuietWays = ways, by_device: ByDevice = by_device) -> None:
            way = ways.of(fold, ways.batch(DEVICES, by_device))
            assert way is not None
            way.take(by_device, {})

        work = calls_of(take)
        expected, given_, _ = both.take(items)
        assert given_ == expected
    assert both.quiet == len(DEVICES)
    assert work < 145 * count, "it was 215 a round, and 162 before a step made fewer calls"


HEALTH = next(fold for fold in FOLDS if fold.name == "set_health")


@pytest.mark.parametrize("seed", range(2))
def test_a_whole_discharge_goes_the_quiet_way(seed: int) -> None:
    """A region's outage: over the level of the curve, its foot and the cut-off, with a capacity known and without.

    Whatever it ends in, both ways say it with the same bits, and nearly all of it was quiet.
    """
    rnd = Random(seed)
    both, ids = Both(HEALTH), sorted(DEVICES)
    forecasts: list[float] = []
    concluded: set[str] = set()
    levels: set[str] = set()
    for turn in range(400):
        ts = BEGIN_TS + turn * 20_000
        load_a = 0.0 if turn < 10 or turn > 370 else -28.0
        items: dict[str, list[Arrival]] = {}
        for number, device_id in enumerate(ids):
            battery = DEVICES[device_id].battery
            assert battery is not None
            full_v, fall_v = (4.15, 1.6) if battery.chemistry is Chemistry.LI_ION else (3.4, 0.05 + 0.2 * number)
            base = full_v if not load_a else full_v - 0.12 - fall_v * (turn / 400) ** 2
            cells = [round(base + 0.004 * rnd.random() - 0.01 * (cell == 3), 3) for cell in range(battery.cell_count)]
            values: dict[str, Any] = {
                "ts": ts + number,
                "pack_voltage_v": round(sum(cells), 2),
                "cell_voltage_v": cells,
            }
            values |= {"current_a": round(load_a + rnd.uniform(-0.3, 0.3), 2), "soc_pct": 90.0, "soh_bms_pct": 97.0}
            values |= {"temperature_c": [round(20 + rnd.random(), 1) for _ in range(rnd.choice([3, 4]))]}
            items[device_id] = [Arrival(device_id, ts + 300, BatteryReading(**values))]
        expected, given_, _ = both.take(items)
        assert given_ == expected
        forecasts += [row.remaining_p50_h for row in given_ if isinstance(row, BatteryState) and row.remaining_p50_h]
        concluded |= {row.device_id for row in given_ if isinstance(row, BatteryCapacity)}
        assert both.dumped(both.known) == {name: HEALTH.dump(state) for name, state in both.alone.items()}
        levels |= {name for name, state in both.alone.items() if state.episode.level_ohm is not None}
        if turn == 5:
            _know_capacity(both, ids[:3])
    assert len(forecasts) > 100
    assert concluded == set(ids)
    assert levels
    assert both.quiet > 0.8 * 400 * len(ids)


def _know_capacity(both: Both, device_ids: Sequence[str]) -> None:
    """Have an earlier discharge have said what some sets hold."""
    both.restart()
    for device_id in device_ids:
        for known in (both.alone[device_id], both.known[HEALTH.name, device_id].state):  # type: ignore[union-attr]
            known.belief_ts, known.belief_soh, known.belief_variance = BEGIN_TS, 0.83, 0.0004
            known.soc, known.soc_sigma = 0.99, 0.02


@pytest.mark.parametrize("fold", FOLDS, ids=lambda fold: fold.name)
def test_a_transaction_that_is_rolled_back_has_changed_nothing(fold: Quiet) -> None:
    """What it came to is thrown away, and the next try begins where it did."""
    both, world = Both(fold), World(Random(2))
    device = DEVICES["b-1"]
    for turn in range(5):
        both.take({"b-1": [world.reading(device, BEGIN_TS + turn * 1_000, calm=True)]})
    assert type(both.known[fold.name, "b-1"]) is ShelvedMemory
    before = both.dumped(both.known)
    items = {"b-1": [world.reading(device, BEGIN_TS + 6_000, calm=True)]}
    for _ in range(2):
        both.take(items, commit=False)
        assert both.dumped(both.known) == before
    expected, given_, _ = both.take(items)
    assert given_ == expected
    assert both.dumped(both.known) == {"b-1": fold.dump(both.alone["b-1"])} != before


@pytest.mark.parametrize("fold", FOLDS, ids=lambda fold: fold.name)
def test_a_set_whose_cells_were_counted_anew_is_the_fold_s_or_fits(fold: Quiet) -> None:
    """The registry may say another number of cells while an hour is open: no row of another width comes of it."""
    world, before = World(Random(4)), _device(1, 15)
    now = None
    for turn in range(40):
        now, _ = fold.fold(now, before, [world.reading(before, BEGIN_TS + turn * 1_000, calm=True)])
    for cells in (14, 16):
        after = _device(1, cells)
        state, _ = fold.fold(now, after, [world.reading(after, BEGIN_TS + 41_000, calm=True)])
        figures = fold.figures_of(state, after)
        assert figures is None or len(figures) == fold.layout.width

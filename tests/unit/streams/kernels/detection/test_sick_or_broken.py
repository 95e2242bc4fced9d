"""A danger is told whatever stands beside it in the reading, and a sensor that broke is never called a fire.

Worlds of messages as devices send them, through the collector's judgement and admission, into the guard and into the
worker's folds. Whatever is impossible in a reading may stand beside what counts.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from pydantic_core import to_json

from ingest.batches import MicroBatchBuilder, Token
from ingest.judgement import judge
from schemas.alarms import alarm_id
from schemas.arrival import Arrival
from schemas.aside import NOTHING
from schemas.kafka.safety import SafetyEvent, SafetyRecord
from schemas.metrics import Signal
from schemas.metrics.signal import SAFETY_KINDS, SignalKind
from schemas.readings import Kind
from schemas.registry import BatterySet, Device, Registry, Sector, Site
from streams.guard.watch import SafetyWatch
from streams.installed import installed
from streams.intake.admission import Directory, admit
from streams.intake.decode import Record, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from streams.intake.batch import Batch

T0 = 1_780_000_020_000
BATTERY = Device(
    device_id="b", site_id="s", kind=Kind.BATTERY, period_s=60, battery=BatterySet(cell_count=16, nominal_ah=100)
)
POWER = Device(device_id="p", site_id="s", kind=Kind.SITE_POWER, period_s=60)
SITE = Site(site_id="s", name="s", name_zh="s", sector=Sector.BASE_STATION, city="太原")
DIRECTORY = Directory(1, Registry(sites=[SITE], devices=[BATTERY, POWER]))
FOLDS = [
    fold
    for fold in installed().readings
    if Signal in fold.events and isinstance(fold.source, frozenset) and fold.source & {Kind.BATTERY, Kind.SITE_POWER}
]
NAN = float("nan")

IMPOSSIBLE_C = [6553.5, 655.35, 327.67, -273.15, -127.0, 65535, NAN, "", "n/a", None, True, 1e9]
IMPOSSIBLE_V = [65.535, 6.5535, -1.0, 655.35, NAN, "x", None, 65535]
AROUND: dict[Kind, list[tuple[str, Any]]] = {
    Kind.BATTERY: [
        ("soc_pct", 105.0),
        ("soh_bms_pct", "99"),
        ("current_a", 3276.7),
        ("cycles", -1),
        ("alarm_words", [2**31, 2**40]),
        ("alarm_words", "none"),
        ("ambient_c", -40.0),
        ("ambient_c", 6553.5),
        ("full_ah", NAN),
        ("mode", 7),
        ("quality", "Bad"),
        ("quality", "??"),
        ("firmware", {"v": [1, 2]}),
        ("pack_voltage_v", 6553.5),
        ("pack_voltage_v", "54"),
    ],
    Kind.SITE_POWER: [
        ("dc_voltage_v", 0.0),
        ("dc_voltage_v", 39.8),
        ("dc_voltage_v", -1.0),
        ("dc_load_current_a", 65535.0),
        ("mains_voltage_v", []),
        ("mains_voltage_v", [0.0, 9999.0, 0.0]),
        ("mains_failed", "yes"),
        ("door", 1),
        ("quality", "bad"),
        ("humidity", NAN),
    ],
}


def healthy(rng: random.Random) -> dict[str, Any]:
    """A set in float, as its BMS says it."""
    return {
        "pack_voltage_v": 54.0,
        "current_a": 0.0,
        "cell_voltage_v": [round(3.375 + rng.gauss(0, 0.001), 3) for _ in range(16)],
        "temperature_c": [round(25 + rng.gauss(0, 0.1), 1) for _ in range(4)],
        "ambient_c": round(20 + rng.gauss(0, 0.1), 1),
    }


def dirtied(rng: random.Random, kind: Kind, values: dict[str, Any], spared: set[str]) -> dict[str, Any]:
    """The same with impossible values beside what counts."""
    return {
        **values,
        **{field: value for field, value in rng.sample(AROUND[kind], rng.randint(0, 4)) if field not in spared},
    }


class World(NamedTuple):
    """Readings of one device, and the conditions that must be told."""

    kind: Kind
    readings: list[dict[str, Any]]
    must: set[tuple[str, SignalKind]]


def runaway(rng: random.Random) -> World:
    """One channel becomes hot, by a ramp or between two polls; the others show what they like."""
    channel, start = rng.randrange(4), rng.randint(3, 8)
    heat: list[Any] = [rng.uniform(56, 300)]
    while rng.random() < 0.7 and len(heat) < 6:
        heat.append(min(300.0, heat[-1] + rng.uniform(0, 60)))
    if rng.random() < 0.5:
        heat = [30.0, 38.0, 47.0, *heat]
    if rng.random() < 0.3:
        heat += [rng.choice([6553.5, -273.15, None])] * 3  # the sensor burns
    readings = []
    for at in range(start + len(heat)):
        values = healthy(rng)
        if at >= start:
            celsius: list[Any] = [rng.choice([25.0, *IMPOSSIBLE_C]) if rng.random() < 0.4 else 25.0 for _ in range(4)]
            celsius[channel] = heat[at - start] if rng.random() < 0.9 else str(heat[at - start])
            values["temperature_c"] = celsius
            values["cell_voltage_v"] = rng.choice([[], values["cell_voltage_v"], [65.535] * 16, "?"])
        readings.append(dirtied(rng, Kind.BATTERY, values, {"temperature_c"} if at >= start else set(AROUND)))
    return World(Kind.BATTERY, readings, {("b", SignalKind.OVER_TEMPERATURE)})


def short(rng: random.Random) -> World:
    """One cell falls to next to nothing, and the pack's voltage follows or does not."""
    cell, start, volts = rng.randrange(16), rng.randint(3, 8), rng.uniform(0.01, 1.95)
    follows = rng.random() < 0.5
    volts = 0.0 if follows and rng.random() < 0.3 else volts
    readings = []
    for at in range(start + rng.randint(3, 6)):
        values = healthy(rng)
        if at >= start:
            values["cell_voltage_v"][cell] = volts
            if follows:
                values["pack_voltage_v"] = 54.0 - 3.375 + volts
            for other in rng.sample(range(16), rng.randint(0, 3) if not follows else 0):
                if other != cell:
                    values["cell_voltage_v"][other] = rng.choice(IMPOSSIBLE_V[:1] + IMPOSSIBLE_V[3:])
            values["temperature_c"] = [rng.choice([25.0, *IMPOSSIBLE_C]) for _ in range(rng.randint(0, 4))]
            spared = {"pack_voltage_v", "quality"}
            readings.append(dirtied(rng, Kind.BATTERY, values, spared))
        else:
            readings.append(values)
    return World(Kind.BATTERY, readings, {("b", SignalKind.CELL_SAG)})


def flood(rng: random.Random) -> World:
    """Smoke or water, as true, as a number or as a word, in readings of which the rest is impossible."""
    metric = rng.choice(["smoke", "water"])
    readings = []
    start = rng.randint(0, 4)
    for at in range(start + rng.randint(1, 4)):
        values: dict[str, Any] = {"mains_voltage_v": [220.0] * 3, "mains_failed": False, "dc_voltage_v": 54.0}
        values[metric] = False if at < start else rng.choice([True, True, 1, "1", "true", "ALARM", 1.0])
        if at >= start and rng.random() < 0.3:
            values = {metric: values[metric]}
        readings.append(dirtied(rng, Kind.SITE_POWER, values, set() if at >= start else set(AROUND)))
    return World(Kind.SITE_POWER, readings, {("p", SignalKind(metric))})


def _with_a_fault(
    what: str, values: dict[str, Any], at: int, rng: random.Random, shown: tuple[int, int, Any, Any]
) -> dict[str, Any]:
    channel, cell, sentinel, loose = shown
    celsius: list[Any] = values["temperature_c"]
    inside = {
        "sentinel": sentinel,
        "power-on": 85.0,
        "end": -40.0,
        "drift": 25 + 4.0 * at,
        "spike": rng.uniform(60, 300),
    }
    if what in inside:
        celsius[channel] = inside[what]
    elif what == "ambient":
        values["ambient_c"] = loose
    elif what == "wire":
        values["cell_voltage_v"][cell] = rng.choice([0.0, 65.535, None])
    elif what == "all":
        values["temperature_c"] = [85.0] * 4
    else:
        return {"quality": "bad", "temperature_c": [0.0] * 4, "cell_voltage_v": [0.0] * 16, "current_a": 0.0}
    return values


def broken(rng: random.Random) -> World:
    """A sensor that breaks: temperature, ambient or cell, at once or by drifting, for good or now and then."""
    what = rng.choice(["sentinel", "power-on", "end", "ambient", "wire", "drift", "spike", "all", "bad"])
    channel, cell, start = rng.randrange(4), rng.randrange(16), rng.randint(3, 8)
    always = rng.random() < 0.6
    sentinel = rng.choice(IMPOSSIBLE_C)
    loose = rng.choice([-40.0, 0.0, 6553.5, -273.15, None, 85.0])
    readings = []
    for at in range(start + 14):
        values = healthy(rng)
        if at >= start and (always or rng.random() < 0.5):
            values = _with_a_fault(what, values, at - start, rng, (channel, cell, sentinel, loose))
        readings.append(values)
    return World(Kind.BATTERY, readings, set())


def record_of(device: Device, readings: Sequence[dict[str, Any]], first: int) -> Batch:
    """Messages as a collector puts them into the log."""
    builder = MicroBatchBuilder(T0)
    for at, values in enumerate(readings, first):
        payload = to_json({"ts": T0 + at * 60_000, **values}, inf_nan_mode="constants")
        judged = judge(f"fenhe/v1/s/{device.kind}/{device.device_id}", payload, T0 + at * 60_000, max_bytes=100_000)
        assert not judged.quarantined, judged.quarantined
        builder.add(judged, Token(at, 0), T0 + at * 60_000)
    return decode(Record(0, T0, builder.encode("c")), "t[0]")


def guard(world: World, rng: random.Random) -> list[SafetyRecord]:
    """What the guard publishes, of records of any size."""
    watch = SafetyWatch(FOLDS)
    watch.directory = DIRECTORY
    device = BATTERY if world.kind is Kind.BATTERY else POWER
    found: list[SafetyRecord] = []
    at = 0
    while at < len(world.readings):
        size = rng.randint(1, 4)
        found += watch.take(record_of(device, world.readings[at : at + size], at), T0)
        at += size
    return found


def worker(world: World) -> list[Signal]:
    """What the worker's folds give out, of all readings at once."""
    device = BATTERY if world.kind is Kind.BATTERY else POWER
    [envelope] = _merged(record_of(device, world.readings, 0))
    arrivals = [arrival for arrival in envelope if isinstance(arrival, Arrival)]
    assert len(arrivals) == len(world.readings)
    return [
        row
        for fold in FOLDS
        if isinstance(fold.source, frozenset) and world.kind in fold.source
        for row in fold.fold(None, device, arrivals)[1]
        if isinstance(row, Signal)
    ]


def _merged(batch: Batch) -> Iterable[list[object]]:
    arrivals: list[object] = []
    for message in batch.one_by_one().messages:
        apart = message.set_aside or {}
        device = DIRECTORY.devices[message.device_id]
        for at, reading in enumerate(message.readings):
            arrival = Arrival(message.device_id, message.received_ts, reading, apart.get(at, NOTHING))
            arrivals.append(admit(DIRECTORY, device, arrival))
    yield arrivals


def ids(signals: Iterable[Signal]) -> set[str]:
    """Alarms that the database's way makes of safety verdicts: an id follows from the first sample of each."""
    return {
        alarm_id(row.device_id, row.metric, row.kind.value, row.ts)
        for row in signals
        if row.kind in SAFETY_KINDS and row.active and row.samples == 1
    }


@pytest.mark.parametrize("made", [runaway, short, flood])
def test_no_danger_is_lost_whatever_stands_beside_it(made: Callable[[random.Random], World]) -> None:
    """500 of each: recall is 1.0, and guard and worker name the same alarms."""
    lost = []
    for seed in range(500):
        rng = random.Random(seed)
        world = made(rng)
        records = guard(world, rng)
        raised = {record.alarm_id for record in records if record.event is SafetyEvent.RAISE}
        published = {(record.device_id, record.kind) for record in records}
        if not world.must <= published or not raised <= ids(worker(world)) or not raised:
            lost.append((seed, published))
    assert lost == []


def test_a_sensor_that_broke_is_never_called_a_fire() -> None:
    """500 of them: a critical alarm is told only with the word that it may be the sensor."""
    wrong, certain, faults = [], 0, 0
    for seed in range(500):
        rng = random.Random(seed)
        world = broken(rng)
        records = guard(world, rng)
        certain += not records
        faults += any(row.kind is SignalKind.SENSOR_FAULT and row.active for row in worker(world))
        wrong += [(seed, record.kind, record.value) for record in records if record.may_be != "sensor or event"]
    assert wrong == []
    assert certain >= 300  # most are told from a danger altogether
    assert faults >= 200


def test_a_cell_that_no_longer_shows_is_a_short_where_the_pack_misses_it() -> None:
    """The same 0.000 V is a wire that came off where the pack has lost nothing."""
    rng = random.Random(1)
    for lost, kind in ((3.375, SignalKind.CELL_SAG), (0.0, SignalKind.SENSOR_FAULT)):
        readings = [healthy(rng) for _ in range(8)]
        for values in readings[4:]:
            values["cell_voltage_v"][6] = 0.0
            values["pack_voltage_v"] -= lost
        active = [row for row in worker(World(Kind.BATTERY, readings, set())) if row.active]
        assert {row.kind for row in active} == {kind}


def test_messages_of_one_moment_are_judged_together() -> None:
    """An FSU that sends smoke in a second message of the same second is heard by guard and worker alike."""
    watch = SafetyWatch(FOLDS)
    watch.directory = DIRECTORY
    first = record_of(POWER, [{"mains_failed": True}], 0)
    second = record_of(POWER, [{"smoke": True}], 0)
    assert watch.take(first, T0) == []
    [raised] = watch.take(second, T0)
    assert raised.alarm_id == alarm_id("p", "smoke", "smoke", T0)
    assert watch.take(second, T0) == []
    assert watch.take(record_of(POWER, [{"smoke": False}], 0), T0) == []

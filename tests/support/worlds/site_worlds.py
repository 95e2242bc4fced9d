"""Random worlds of one base station each: a set, its power system, outages, and what goes wrong between them and fenhe.

Known of each world is what truly flowed, how full the set truly was and when mains truly failed, so that a figure that
is wrong and yet told without any doubt can be counted. What goes wrong is drawn from what BMS and FSU do: records that
stand, zeros, gaps, doubles, a current turned round or standing still, a pack voltage or a cell's channel that stands,
phases of zero, a flag or a bus that stands. The set is one of `battery_worlds`, which knows nothing of the kernels.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.arrival import Arrival
from schemas.metrics import BatteryQuarter, Quality
from schemas.metrics.battery_health import BatteryEpisode, BatteryState
from schemas.metrics.battery_sites import DoubtKind, SiteDoubt, SiteLoadHour, SiteOutage
from schemas.readings import BatteryReading, Kind, SitePowerReading
from schemas.registry import Device, Sector, Site
from schemas.time import FOREVER_TS, HOUR_MS, MINUTE_MS, QUARTER_MS
from streams.kernels.battery.outages import SiteOutages
from streams.kernels.battery.pack import PackMonitor
from streams.kernels.battery.prospects.doubts import SiteDoubts
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth
from tests.support.worlds import battery_worlds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from schemas.metrics import Row
    from tests.support.worlds.battery_worlds import Array

ENERGY_SHARE, ENERGY_KWH = 0.04, 0.06
"""By so much a sum of good quarters may be wrong: the sensor's gain, its offset, and what rounding adds."""
SOC_POINTS = 8.0
"""A state of charge may be wrong by this and three of its sigmas: nothing is known of a set's health in one day."""
LATENCY_MS = 20 * MINUTE_MS
"""So long a contradiction may take to be told: ten minutes to tell, two periods, and the reading that begins it."""
MISSED_MS = 40 * MINUTE_MS
"""So long mains has to have failed for somebody to have to know of it. A load of 0.05 C needs half of that to take the
bus off float by a volt."""
HEARD, MOVES = 0.8, 4
"""Share of its readings, and so many of its figures, that show a bus which is heard and does not stand."""
LOAD_SHARE = 0.06
SET, POWER = PackMonitor(health_reference()), SiteOutages()
HEALTH, DOUBTS = SetHealth(health_reference()), SiteDoubts()
SITE = Site(site_id="s", name="s", name_zh="s", sector=Sector.BASE_STATION, city="太原")
SET_FAULTS = ("stands", "zeros", "gap", "doubles", "reversed", "current stands", "pack stands", "cell dead", "cell odd")
POWER_FAULTS = ("phases of zero", "flag stands", "bus stands", "power gap", "no bus")


class Moment(NamedTuple):
    """What truly was at a reading's time."""

    ts: int
    soc_pct: float
    amps: float
    volts: float
    failed: bool


@dataclass
class TrueSet(battery_worlds.World):
    """A set that remembers the truth with every reading."""

    moments: list[Moment] = field(default_factory=list)
    is_failed: bool = False

    def _say(self, amps: float, volts: Array) -> None:
        ts = battery_worlds.T0 + round(self.next_s * 1000)
        soc = 100.0 * float((self.charge / self.capacity).min())
        self.moments.append(Moment(ts, soc, amps, float(volts.sum()), self.is_failed))
        super()._say(amps, volts)


class World(NamedTuple):
    """A base station, what it sends, and what truly was."""

    seed: int
    devices: list[Device]
    set_readings: list[Arrival]
    power_readings: list[Arrival]
    moments: list[Moment]
    load_a: float
    faults: list[str]


class Judged(NamedTuple):
    """What is wrong and told without a doubt; empty: nothing."""

    wrong: list[str]
    known_share: float
    """Of the minutes, those with a state of charge."""


def draw(seed: int, *, most_faults: int = 2) -> World:
    """Draw a world; with no faults at most, a healthy one."""
    rng = random.Random(seed)
    period_s = rng.choice((60.0, 60.0, 60.0, 120.0, 300.0))
    own = TrueSet(seed, rng.choice(("lfp_a", "lfp_b", "lfp_c")), period_s=period_s)
    load_a = own.nominal * rng.uniform(0.05, 0.3)
    own.charge, own.side = own.capacity.copy(), 1.0
    own.run(rng.uniform(1.5, 4.0), 0.0)
    for _ in range(rng.choice((1, 1, 2))):
        own.is_failed = True
        own.run(rng.choice((0.25, 0.5, 1.0, 2.0, 3.0)), -load_a, until_cell_v=own.curve.cutoff_v)
        own.is_failed = False
        charge_a = own.nominal * rng.uniform(0.1, 0.2)
        own.run(float((own.capacity - own.charge).max()) / charge_a, charge_a)
        own.charge = own.capacity.copy()
        own.run(rng.uniform(1.0, 3.0), 0.0)
    device = own.device.model_copy(update={"device_id": "w", "site_id": "s"})
    power = Device(device_id="p", site_id="s", kind=Kind.SITE_POWER, period_s=period_s)
    has_flag, has_phases = rng.choice(((True, True), (True, False), (False, True)))
    said = [_set(each) for each in own.readings]
    heard = [_power(each, load_a, has_flag=has_flag, has_phases=has_phases, rng=rng) for each in own.moments]
    faults: list[str] = []
    for _ in range(min(most_faults, rng.choice((0, 1, 1, 2)))):
        at = rng.randrange(3, len(said) - 3)
        stop = min(len(said), at + round(10 ** rng.uniform(0.3, 2.6)))
        kind = rng.choice(SET_FAULTS + POWER_FAULTS)
        faults.append(f"{kind}@{at}+{stop - at}")
        if kind in SET_FAULTS:
            _spoil(said, kind, at, stop, rng)
        else:
            _spoil_power(heard, kind, min(at, len(heard) - 1), min(stop, len(heard)))  # doubles are of the set alone
    readings = [(BatteryReading.model_construct(ts=each.pop("ts"), **each)) for each in said if each]
    powers = [SitePowerReading.model_construct(ts=each.pop("ts"), **each) for each in heard if each]
    return World(
        seed, [device, power], [Arrival("w", 0, each) for each in readings], [Arrival("p", 0, each) for each in powers],
        own.moments, load_a, faults,
    )  # fmt: skip


Fields = dict[str, Any]


def _set(arrival: Arrival) -> Fields:
    reading = arrival.reading
    names = ("ts", "pack_voltage_v", "current_a", "cell_voltage_v", "temperature_c")
    return {name: getattr(reading, name) for name in names}


def _power(moment: Moment, load_a: float, *, has_flag: bool, has_phases: bool, rng: random.Random) -> Fields:
    fields: Fields = {
        "ts": moment.ts + 1_000,
        "dc_voltage_v": round(moment.volts + rng.gauss(0.0, 0.03), 2),
        "dc_load_current_a": round(load_a + rng.gauss(0.0, 0.05), 2),
    }
    if has_flag:
        fields["mains_failed"] = moment.failed
    if has_phases:
        fields["mains_voltage_v"] = [0.0 if moment.failed else round(rng.gauss(221.0, 1.5), 1) for _ in range(3)]
    return fields


def _spoil(said: list[Fields], kind: str, at: int, stop: int, rng: random.Random) -> None:
    """What a BMS or its line makes of a set's readings."""
    first = dict(next((each for each in said[at:stop] if each), {}))
    cell, odd_v = rng.randrange(16), rng.choice((0.4, 1.2, 4.9))
    change: dict[str, Callable[[Fields], Fields]] = {
        "stands": lambda each: first | {"ts": each["ts"]},
        "zeros": lambda each: {
            "ts": each["ts"], "pack_voltage_v": 0.0, "current_a": 0.0, "soc_pct": 0.0,
            "cell_voltage_v": [None] * 16, "temperature_c": [0.0, 0.0],
        },
        "gap": lambda _: {},
        "reversed": lambda each: each | {"current_a": -_number(each["current_a"])},
        "current stands": lambda each: each | {"current_a": first["current_a"]},
        "pack stands": lambda each: each | {"pack_voltage_v": first["pack_voltage_v"]},
        "cell dead": lambda each: each | {"cell_voltage_v": _with(each["cell_voltage_v"], cell, None)},
        "cell odd": lambda each: each | {"cell_voltage_v": _with(each["cell_voltage_v"], cell, odd_v)},
    }  # fmt: skip
    if not first:
        return  # within a gap
    if kind == "doubles":
        said[at:stop] = [
            twin for each in said[at:stop] if each for twin in (each, each | {"ts": round(_number(each["ts"])) + 500})
        ]
        return
    if kind == "reversed":
        at, stop = 0, len(said)
    said[at:stop] = [change[kind](each) if each else each for each in said[at:stop]]


def _spoil_power(heard: list[Fields], kind: str, at: int, stop: int) -> None:
    """What an FSU makes of its power system."""
    first = dict(heard[at])
    for number in range(at, stop):
        each = heard[number]
        if kind == "power gap":
            heard[number] = {}
        elif kind == "phases of zero" and "mains_voltage_v" in each:
            each["mains_voltage_v"] = [0.0, 0.0, 0.0]
        elif kind == "flag stands" and "mains_failed" in each:
            each["mains_failed"] = first.get("mains_failed")
        elif kind == "bus stands" and each:
            each["dc_voltage_v"] = first.get("dc_voltage_v")
        elif kind == "no bus":
            each.pop("dc_voltage_v", None)


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return value


def _with(cells: object, at: int, volts: float | None) -> list[float | None]:
    assert isinstance(cells, list)
    return [volts if number == at else each for number, each in enumerate(cells)]


def judge(world: World) -> Judged:
    """Let the kernels make of a world what they can, and hold it against what truly was."""
    device, power = world.devices
    rows: list[Row] = [
        *SET.fold(None, device, world.set_readings)[1],
        *HEALTH.fold(None, device, world.set_readings)[1],
        *POWER.fold(None, power, world.power_readings)[1],
    ]
    outages = list({row.ts: row for row in rows if isinstance(row, SiteOutage)}.values())
    episodes = list({(row.ts, row.kind): row for row in rows if isinstance(row, BatteryEpisode)}.values())
    changed: dict[type[Row], Sequence[Row]] = {SiteOutage: outages, BatteryEpisode: episodes}
    found: dict[type[Row], Sequence[Row]] = {
        SiteOutage: outages,
        BatteryEpisode: sorted(episodes, key=lambda row: row.ts),
    }
    given = DOUBTS.rows(SITE, world.devices, changed, found).rows if outages or episodes else []
    doubts = [row for row in given if isinstance(row, SiteDoubt)]
    quarters = list({row.ts: row for row in rows if isinstance(row, BatteryQuarter)}.values())
    states = [row for row in rows if isinstance(row, BatteryState)]
    loads = list({row.ts: row for row in rows if isinstance(row, SiteLoadHour)}.values())
    wrong = [
        *_energies(world, quarters, doubts), *_charges(world, states, doubts), *_outages(world, outages, doubts),
        *_loads(world, loads),
    ]  # fmt: skip
    known = sum(row.soc_pct is not None for row in states)
    return Judged(wrong, known / max(1, len(states)))


def _is_doubted(doubts: Sequence[SiteDoubt], ts: int, *kinds: DoubtKind) -> bool:
    return any(
        each.kind in kinds and each.ts <= ts < (FOREVER_TS if each.ended_ts is None else each.ended_ts)
        for each in doubts
    )


def _energies(world: World, quarters: Sequence[BatteryQuarter], doubts: Sequence[SiteDoubt]) -> list[str]:
    """Sums of good quarters against what flowed."""
    took: dict[int, list[float]] = {}
    for before, now in zip(world.moments, world.moments[1:], strict=False):
        flow = before.amps * (before.volts + now.volts) / 2 * (now.ts - before.ts) / HOUR_MS / 1000
        took.setdefault(now.ts - now.ts % QUARTER_MS, []).append(flow)
    said_in = said_out = true_in = true_out = 0.0
    for row in quarters:
        if row.quality is Quality.GOOD and not _is_doubted(doubts, row.ts + QUARTER_MS - 1, DoubtKind.SET):
            flows = took.get(row.ts, [])
            true_in += sum(flow for flow in flows if flow > 0)
            true_out -= sum(flow for flow in flows if flow < 0)
            said_in += row.energy_in_kwh or 0.0
            said_out += row.energy_out_kwh or 0.0
    edge = ENERGY_KWH + world.load_a * 54.0 * world.devices[0].period_s / 3.6e6 * 4
    return [
        f"energy {name}: {said:.2f} for {true:.2f} kWh"
        for name, said, true in (("in", said_in, true_in), ("out", said_out, true_out))
        if abs(said - true) > ENERGY_SHARE * max(said, true) + edge
    ]


def _charges(world: World, states: Sequence[BatteryState], doubts: Sequence[SiteDoubt]) -> list[str]:
    """States of charge that are told without a flag, against how full it was."""
    truth = {each.ts - each.ts % MINUTE_MS: each.soc_pct for each in world.moments}
    worst, since = 0.0, None
    lasted = 0
    for row in states:
        true = truth.get(row.ts)
        if true is None or row.soc_pct is None or row.flags or _is_doubted(doubts, row.ts, DoubtKind.SET):
            since = None
            continue
        beyond = abs(row.soc_pct - true) - SOC_POINTS - 3 * (row.soc_sigma_pct or 0.0)
        if beyond <= 0:
            since = None
            continue
        since = row.ts if since is None else since
        lasted = max(lasted, row.ts - since)
        worst = max(worst, abs(row.soc_pct - true))
    return [f"soc wrong by {worst:.0f} points for {lasted / MINUTE_MS:.0f} min"] if lasted > LATENCY_MS else []


def _outages(world: World, outages: Sequence[SiteOutage], doubts: Sequence[SiteDoubt]) -> list[str]:
    """Failures of mains that nobody doubts, against when it failed."""
    failed = [each.ts for each in world.moments if each.failed]
    found = []
    for row in outages:
        end = row.seen_ts if row.ended_ts is None else row.ended_ts
        beside = _is_doubted(doubts, row.ts, DoubtKind.MAINS, DoubtKind.BUS)
        if row.contradicted or beside or end - row.ts <= LATENCY_MS:
            continue
        true = sum(row.ts <= ts <= end for ts in failed) * world.devices[1].period_s * 1000
        doubted = sum(
            max(0, min(end, FOREVER_TS if each.ended_ts is None else each.ended_ts) - each.ts)
            for each in doubts
            if each.kind is DoubtKind.MAINS and row.ts <= each.ts < end
        )
        if end - row.ts - row.largest_gap_s * 1000 - doubted > 2 * true + LATENCY_MS:
            found.append(f"outage of {(end - row.ts) / MINUTE_MS:.0f} min for {true / MINUTE_MS:.0f}")
    return [*found, *_missed(world, outages, doubts)]


def _missed(world: World, outages: Sequence[SiteOutage], doubts: Sequence[SiteDoubt]) -> list[str]:
    """Failures of mains of which nothing is told, though the power system and its bus were heard throughout."""
    heard = [each.reading for each in world.power_readings]
    found, begun = [], None
    for before, now in zip(world.moments, [*world.moments[1:], world.moments[-1]._replace(failed=False)], strict=True):
        begun = before.ts if before.failed and begun is None else begun
        if now.failed or begun is None:
            continue
        start, stop, begun = begun, before.ts, None
        bus = [each.dc_voltage_v for each in heard if isinstance(each, SitePowerReading) and start < each.ts < stop]
        is_heard = len(bus) >= HEARD * (stop - start) / 1000 / world.devices[1].period_s
        if stop - start < MISSED_MS or None in bus or not is_heard or len(set(bus)) < MOVES:
            continue
        spans = [(row.ts, row.ended_ts) for row in outages if not row.contradicted]
        spans += [(each.ts, each.ended_ts) for each in doubts if each.device_id == world.devices[1].device_id]
        if not any(since < stop and (until or stop) > start for since, until in spans):
            found.append(f"nothing told of {(stop - start) / MINUTE_MS:.0f} min without mains")
    return found


def _loads(world: World, loads: Sequence[SiteLoadHour]) -> list[str]:
    """Hours of the site's load that are good, against what it drew."""
    found = []
    for row in loads:
        own = [each.volts for each in world.moments if row.ts <= each.ts < row.ts + HOUR_MS]
        if row.quality is not Quality.GOOD or row.load_w is None or not own:
            continue
        true_w = world.load_a * sum(own) / len(own)
        if abs(row.load_w - true_w) > LOAD_SHARE * true_w:
            found.append(f"load {row.load_w:.0f} for {true_w:.0f} W")
    return found[:1]

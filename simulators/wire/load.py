"""The benchmark's publisher: pre-encoded readings, their time patched in, paced, QoS 1.

The mix is that of a region whose mains is out: each battery set once a second, 20 meters per plant every ten seconds;
`rate` stretches or presses the whole of it. Every (device, ts) it sends is unique, and registers grow with ts.
"""

from __future__ import annotations

import argparse
import select
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from schemas.readings import Kind
from schemas.registry import Device, Registry, Role, Sector, Site
from schemas.time import HOUR_MS
from schemas.topics import Topic
from simulators.climate import CITIES
from simulators.fleet.fleet import PERIOD_MS, SETS_MAX, Fleet
from simulators.fleet.outages import RegionalOutage
from simulators.wire.connection import NO_PROPERTIES, PublishConnection, remaining_length, string

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ORIGIN_TS = 1_700_000_000_000
"""Registers count 0.1 unit per second from here: 360 kW, 360 m³/h, 360 t/h."""
METERS = ((Kind.ELECTRICITY, 14), (Kind.WATER, 5), (Kind.PRODUCTION, 1))
SECONDS_A_ROUND = 10
"""A round of the mix: batteries ten times, meters once."""
TICK_S = 0.004
DRAIN_S = 10.0
SEED = 7


@dataclass(frozen=True)
class LoadPlan:
    """What to send."""

    url: str
    rate: float
    """Readings per second; 0 is as fast as the broker takes them."""
    seconds: float
    array: int = 1
    """Readings in one message."""
    connections: int = 4
    window: int = 2_000
    """Unacknowledged messages on each connection."""
    sets: int = 7_000
    plants: int = 200
    outage: bool = False
    """Every set carries its site instead of floating."""
    introduce: bool = False
    """Begin with one reading of every device, so that none of them is new to the worker later on."""
    username: str | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What was truly sent. Counts are readings."""

    sent: int
    acknowledged: int
    seconds: float
    """From the first message to the last, without the wait for acknowledgements."""
    readings_per_s: float
    behind_s_max: float
    """Worst distance to the schedule; 0 when there is none."""
    behind_s_end: float
    cpu_us_per_reading: float
    first_ts: int
    last_ts: int
    error: str
    """Why it ended early; empty when it did not."""
    per_device: dict[str, int]
    """Acknowledged readings."""


class Template:
    """A device's readings, encoded but for their time (and register): all in turn, then those from `repeat_from` on."""

    __slots__ = ("_middle", "_repeat_from", "_tails", "_turn", "device", "head", "last_ts")

    def __init__(self, device: Device, register: str, tails: list[bytes], repeat_from: int = 0) -> None:
        self.device = device
        self.head = string(str(Topic(device.site_id, device.kind, device.device_id)))
        self._middle = f',"{register}":'.encode() if register else b""
        self._tails = tails
        self._turn = -1
        self._repeat_from = repeat_from
        self.last_ts = 0

    def reading(self, at_ts: int) -> bytes:
        """One reading at `at_ts`."""
        turn = self._turn + 1
        self._turn = turn = turn if turn < len(self._tails) else self._repeat_from
        if not self._middle:
            return b'{"ts":%d%b' % (at_ts, self._tails[turn])
        whole, part = divmod(at_ts - ORIGIN_TS, 10_000)
        return b'{"ts":%d%b%d.%04d%b' % (at_ts, self._middle, whole, part, self._tails[turn])

    def payload(self, now_ts: int, count: int) -> bytes:
        """Build a payload of `count` readings, evenly over the time since the last one; the newest is now."""
        last = self.last_ts
        now = self.last_ts = max(now_ts, last + count)
        if count == 1:
            return self.reading(now)
        span = now - last
        return b"[%b]" % b",".join([self.reading(last + span * (number + 1) // count) for number in range(count)])


def registry(sets: int = LoadPlan.sets, plants: int = LoadPlan.plants) -> Registry:
    """Everything the load may send as: register it before the run."""
    sites, devices = _plants(plants)
    stations: list[Site] = []
    batteries: list[Device] = []
    for region, count in _regions(sets):
        fleet = _fleet(count)
        stations += [
            site.model_copy(update={"site_id": _in_region(region, site.site_id)}) for site in fleet.sites_registered()
        ]
        batteries += _sets(fleet, region)
    return Registry(sites=[*stations, *sites], devices=[*batteries, *devices])


def run_load(plan: LoadPlan, progress: Callable[[float, int], None] | None = None) -> LoadReport:
    """Send the plan's load and report it; `progress` is told (seconds, readings sent) about twice a second."""
    return _Load(plan).run(progress)


class _Load:
    """Connections, each with its own share of the devices, and one schedule over all of them."""

    def __init__(self, plan: LoadPlan) -> None:
        self._plan = plan
        self._templates = templates(plan.sets, plan.plants, outage=plan.outage)
        address = urlsplit(plan.url)
        if address.scheme != "mqtt" or not address.hostname:
            msg = f"the load goes over plain mqtt://host:port, not {plan.url!r}"
            raise ValueError(msg)
        self._connections = [
            PublishConnection(
                address.hostname,
                address.port or 1883,
                f"fenhe-load-{time.time_ns():x}-{number}",
                window=plan.window,
                username=plan.username,
                password=plan.password,
            )
            for number in range(plan.connections)
        ]
        self._orders = [self._order(number) for number in range(plan.connections)]
        self._acknowledged = Counter[int]()
        self._sent = 0

    def _order(self, connection: int) -> Iterator[int]:
        """Devices of one connection, in the mix's proportions, for ever."""
        step, sets = self._plan.connections, self._plan.sets
        mine = range(connection, len(self._templates), step)
        batteries = [number for number in mine if number < sets]
        meters = [number for number in mine if number >= sets]
        if self._plan.introduce:
            yield from mine
        while True:
            for second in range(SECONDS_A_ROUND):
                yield from batteries
                yield from meters[second::SECONDS_A_ROUND]

    def run(self, progress: Callable[[float, int], None] | None) -> LoadReport:
        plan, cpu, error = self._plan, time.process_time(), ""
        first_ts = time.time_ns() // 1_000_000
        for template in self._templates:
            template.last_ts = first_ts - plan.array  # never before the run: what an earlier one sent ends there
        began = time.perf_counter()
        elapsed = behind = worst = reported = 0.0
        try:
            while elapsed < plan.seconds:
                due = round(plan.rate * elapsed) if plan.rate else self._sent + 20_000
                self._fill(due)
                behind = max(0.0, (due - self._sent - plan.array) / plan.rate) if plan.rate else 0.0
                worst = max(worst, behind)
                self._turn(TICK_S if plan.rate else 0.0)
                elapsed = time.perf_counter() - began
                if progress is not None and elapsed - reported > 0.5:  # noqa: PLR2004 - twice a second
                    reported = elapsed
                    progress(elapsed, self._sent)
            cpu = time.process_time() - cpu
            self._drain()
        except ConnectionError as failure:
            error = str(failure)
        for connection in self._connections:
            connection.close()
        acknowledged = {self._templates[owner].device.device_id: count for owner, count in self._acknowledged.items()}
        return LoadReport(
            sent=self._sent,
            acknowledged=sum(acknowledged.values()) * plan.array,
            seconds=round(elapsed, 3),
            readings_per_s=round(self._sent / elapsed, 1) if elapsed else 0.0,
            behind_s_max=round(worst, 3),
            behind_s_end=round(behind, 3),
            cpu_us_per_reading=round(1e6 * cpu / self._sent, 2) if self._sent else 0.0,
            first_ts=first_ts,
            last_ts=max(template.last_ts for template in self._templates),
            error=error,
            per_device={device: count * plan.array for device, count in sorted(acknowledged.items())},
        )

    def _fill(self, due: int) -> None:
        """Send until `due` readings are sent or every window is full."""
        array = self._plan.array
        wanted = (due - self._sent) // array
        if wanted <= 0:
            return
        now = time.time_ns() // 1_000_000
        share = -(-wanted // len(self._connections))
        for connection, order in zip(self._connections, self._orders, strict=True):
            packets: list[bytes] = []
            for _ in range(min(share, connection.room)):
                owner = next(order)
                packet_id = connection.packet_id(owner)
                if packet_id is None:
                    break
                template = self._templates[owner]
                payload = template.payload(now, array)
                length = remaining_length(len(template.head) + 3 + len(payload))
                packets += (b"\x32", length, template.head, packet_id, NO_PROPERTIES, payload)
                self._sent += array
            if packets:
                connection.send(b"".join(packets))

    def _turn(self, timeout_s: float) -> None:
        """Move bytes both ways, waiting at most `timeout_s` for the next tick."""
        end = time.perf_counter() + timeout_s
        while True:
            for connection in self._connections:
                if connection.wants_write:
                    connection.send(b"")
                self._acknowledged.update(connection.acknowledged())
            left = end - time.perf_counter()
            if left <= 0:
                return
            time.sleep(left)

    def _drain(self) -> None:
        """Wait for the last acknowledgements."""
        deadline = time.perf_counter() + DRAIN_S
        while any(connection.in_flight for connection in self._connections) and time.perf_counter() < deadline:
            writers = [connection.socket for connection in self._connections if connection.wants_write]
            select.select([connection.socket for connection in self._connections], writers, [], TICK_S)
            self._turn(0.0)


def templates(sets: int, plants: int, *, outage: bool = False) -> list[Template]:
    """What every device of the mix sends: battery sets first, then meters. `outage`: every set carries its site."""
    batteries = [_battery_templates(region, count, outage=outage) for region, count in _regions(sets)]
    return [*chain.from_iterable(batteries), *_meter_templates(plants)]


def _regions(sets: int) -> Iterator[tuple[int, int]]:
    """Regions of as many sets as a fleet has at most: number and sets of each. All but their names is the same."""
    for region in range(-(-sets // SETS_MAX)):
        yield region, min(SETS_MAX, sets - region * SETS_MAX)


def _in_region(region: int, name: str) -> str:
    return f"{name}-{region}" if region else name


def _sets(fleet: Fleet, region: int) -> list[Device]:
    return [
        device.model_copy(
            update={
                "site_id": _in_region(region, device.site_id),
                "device_id": _in_region(region, device.device_id),
            }
        )
        for device in fleet.devices_registered()
        if device.kind is Kind.BATTERY
    ]


def _fleet(sets: int, *, outage: bool = False) -> Fleet:
    begin_ts = ORIGIN_TS + 2 * PERIOD_MS
    dark = [RegionalOutage(begin_ts, HOUR_MS, city.name_zh, share=1.0, onset_ts=1) for city in CITIES if outage]
    return Fleet(seed=SEED, sets=sets, start_ts=ORIGIN_TS, regional=dark)


def _battery_templates(region: int, sets: int, *, outage: bool) -> Iterator[Template]:
    """Two believable readings of each set on float; with an outage one, and then two under load for ever."""
    fleet = _fleet(sets, outage=outage)
    tails: dict[str, list[bytes]] = {}
    for message in fleet.generate(ORIGIN_TS + (4 if outage else 2) * PERIOD_MS):
        reading = {name: value for name, value in message.readings[0].items() if name not in {"ts", "seq"}}
        tails.setdefault(_in_region(region, message.device_id), []).append(b"," + orjson.dumps(reading)[1:])
    for device in _sets(fleet, region):
        found = tails[device.device_id]
        yield Template(device, "", [found[0], *found[-2:]] if outage else found[:2], repeat_from=int(outage))


def _meter_templates(plants: int) -> Iterator[Template]:
    values: dict[Kind, tuple[str, dict[str, Any]]] = {
        Kind.ELECTRICITY: (
            "energy_import_kwh",
            {
                "power_kw": 360.0,
                "voltage_v": [5_946.1, 5_939.8, 5_951.2],
                "current_a": [21.24, 21.31, 21.18],
                "power_factor": 0.951,
                "frequency_hz": 50.01,
            },
        ),
        Kind.WATER: ("volume_m3", {"flow_m3_h": 360.0, "pressure_mpa": 0.31, "temperature_c": 15.2, "status": 0}),
        Kind.PRODUCTION: ("mass_t", {"state": "run"}),
    }
    for device in _plants(plants)[1]:
        register, rest = values[device.kind]
        yield Template(device, register, [b"," + orjson.dumps(rest)[1:]])


def _plants(plants: int) -> tuple[list[Site], list[Device]]:
    sites, devices = [], []
    for number in range(1, plants + 1):
        city = CITIES[number % len(CITIES)]
        site_id = f"LOAD{number:03d}"
        sites.append(
            Site(
                site_id=site_id,
                name=f"Load plant {number}",
                name_zh=f"{city.name_zh}压测厂{number}",
                sector=Sector.STEEL,
                city=city.name_zh,
            )
        )
        for kind, count in METERS:
            for meter in range(count):
                main = Role.PRODUCT if kind is Kind.PRODUCTION else Role.CONSUMED
                devices.append(
                    Device(
                        device_id=f"{site_id}-{kind.value[0].upper()}{meter:02d}",
                        site_id=site_id,
                        kind=kind,
                        name=f"{kind.value} {meter}",
                        name_zh=f"{meter}号表",
                        period_s=SECONDS_A_ROUND,
                        role=Role.INTERNAL if meter else main,
                        rated=500,
                    )
                )
    return sites, devices


def main(arguments: list[str] | None = None) -> int:
    """Run from a shell; exit code 1 if anything sent was not acknowledged."""
    parser = argparse.ArgumentParser(prog="python -m simulators.wire.load", description=__doc__)
    parser.add_argument("--url", default="mqtt://127.0.0.1:1883")
    parser.add_argument("--rate", type=float, default=8_000, help="readings per second; 0: as fast as possible")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--array", type=int, default=1, help="readings in one message")
    parser.add_argument("--connections", type=int, default=LoadPlan.connections)
    parser.add_argument("--window", type=int, default=LoadPlan.window, help="unacknowledged messages per connection")
    parser.add_argument("--sets", type=int, default=LoadPlan.sets)
    parser.add_argument("--plants", type=int, default=LoadPlan.plants)
    parser.add_argument("--outage", action="store_true", help="every set carries its site instead of floating")
    parser.add_argument("--introduce", action="store_true", help="begin with one reading of every device")
    parser.add_argument("--username")
    parser.add_argument("--password")
    parser.add_argument("--report", type=Path, help="write the report, with counts per device, as JSON")
    parser.add_argument("--registry", type=Path, help="write the devices' registry as JSON and end")
    options = vars(parser.parse_args(arguments))
    report_path, registry_path = options.pop("report"), options.pop("registry")
    if registry_path is not None:
        devices = registry(options["sets"], options["plants"])
        registry_path.write_text(devices.model_dump_json(indent=1), encoding="utf-8")
        return 0
    report = asdict(run_load(LoadPlan(**options)))
    if report_path is not None:
        report_path.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    del report["per_device"]
    sys.stdout.buffer.write(orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return 0 if report["sent"] == report["acknowledged"] and not report["error"] else 1


if __name__ == "__main__":
    sys.exit(main())

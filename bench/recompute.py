"""`python -m bench.recompute`: how fast a plant's rows are derived again, and what live readings feel of it.

    python -m bench.recompute --days 3 --period 60

A plant of 20 meters is given a past through the engine itself, then derived again step by step as `fenhe recompute`
does it. With `--live` the whole pipeline runs meanwhile, at so many readings a second of 7 000 sets and 200 plants,
and what a reading waits is measured without and beside a recompute.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from bench.__main__ import Bench, Run
from fenhe.garbage import spare_what_stays
from fenhe.local import Postgres, Services, Stack, find_postgres_binaries, scratch_directory
from schemas.readings import Kind
from simulators.wire.load import registry
from storage import recompute as requests
from storage.migrate import migrate
from storage.pool import connect, open_pool
from storage.registry import import_registry
from streams.engine.engine import Engine
from streams.engine.recompute import Recompute
from streams.installed import installed
from tests.support.pipeline import Sent, record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from schemas.registry import Device, Registry

PLANTS = 200
"""Plants that must all be done in a hundredth of the time."""
DAY_S = 86_400
BATCH = 4_000
LIVE_SETS = 7_000


def history(devices: list[Device], begin_ts: int, days: float, period_s: int) -> Iterator[Sent]:
    """Readings of meters at a period: 360 kW, 360 m³/h, 360 t/h each, with the day's swing."""
    for step in range(int(days * DAY_S / period_s)):
        ts = begin_ts + step * period_s * 1000
        for device in devices:
            register = round(step * period_s * 0.1, 4)
            reading: dict[str, object] = {"ts": ts}
            if device.kind is Kind.ELECTRICITY:
                reading |= {"energy_import_kwh": register, "power_kw": 360.0}
            elif device.kind is Kind.WATER:
                reading |= {"volume_m3": register, "flow_m3_h": 360.0}
            else:
                reading |= {"mass_t": register}
            yield Sent(device.site_id, device.kind, device.device_id, reading)


def give_a_past(url: str, readings: Iterable[Sent]) -> int:
    """Put a past through the engine; returns how many readings."""
    engine = Engine(open_pool(url, size=2, name="past"), installed(), "past", 1)
    partition, batch, offset, count = engine.open(0), [], 0, 0
    for item in readings:
        batch.append(item)
        if len(batch) == BATCH:
            engine.apply(partition, [record(offset, batch)])
            batch, offset, count = [], offset + 1, count + len(batch)
    engine.apply(partition, [record(offset, batch)])
    engine.close()
    return count + len(batch)


def measure(days: float, period_s: int) -> None:
    """Recompute alone."""
    world = registry(1, 1)
    binaries = find_postgres_binaries(Services.AUTO)
    spare_what_stays()
    with scratch_directory("recompute") as path, Postgres(path, binaries=binaries) as server:
        url = server.create_database("bench")
        migrate(url)
        devices = prepared(url, world, period_s)
        begin_ts = (time.time_ns() // 1_000_000) // 86_400_000 * 86_400_000 - round((days + 1) * DAY_S * 1000)
        began = time.perf_counter()
        count = give_a_past(url, history(devices, begin_ts, days, period_s))
        past_s = time.perf_counter() - began
        engine = Engine(open_pool(url, size=2, name="recompute"), installed(), "past", 1)
        with engine.begin() as connection:
            (number,) = requests.ask(connection, [devices[0].site_id], reason="bench")
        steps = Recompute(engine)
        taken: list[float] = []
        cpu = time.process_time()
        is_finished = False
        while not is_finished:
            began = time.perf_counter()
            step = steps.step(number)
            taken.append(time.perf_counter() - began)
            is_finished = step is None or step.is_finished
        cpu = time.process_time() - cpu
        engine.close()
    wall = sum(taken)
    times = days * DAY_S / wall
    print(f"{len(devices)} meters every {period_s} s for {days} days, {count:,} readings: stored in {past_s:.1f} s,"
          f" derived again in {wall:.1f} s ({cpu:.1f} s of Python), {len(taken)} steps, the longest {max(taken):.2f} s:"
          f" {1e6 * wall / count:.0f} µs a reading, {times:,.0f} times real time for one plant,"
          f" {times / PLANTS:.0f} for {PLANTS}")  # fmt: skip


def prepared(url: str, world: Registry, period_s: int) -> list[Device]:
    """Register a world's meters with a period of their own, and return them."""
    meters = [device for device in world.devices if device.kind is not Kind.BATTERY]
    devices = [device.model_copy(update={"period_s": period_s}) for device in meters]
    with connect(url, name="bench") as connection:
        import_registry(connection, world.model_copy(update={"devices": devices}))
    return devices


def live(rate: float, seconds: float, days: float, period_s: int) -> None:
    """What a live reading waits, without and beside a recompute."""
    with (
        scratch_directory("recompute") as directory,
        Stack(directory, services="real", partitions=4) as stack,
        Bench(stack, LIVE_SETS, PLANTS, 2) as bench,
    ):
        bench.introduce()
        environment = stack.environment()
        devices = [device for device in registry(1, PLANTS).devices if device.site_id == "LOAD001"]
        begin_ts = (time.time_ns() // 1_000_000) // 86_400_000 * 86_400_000 - round((days + 1) * DAY_S * 1000)
        give_a_past(environment["FENHE_DB_OWNER_URL"], history(devices, begin_ts, days, period_s))
        alone = bench.run(rate, 1, seconds)
        command = [sys.executable, "-m", "fenhe", "recompute", "--site", "LOAD001"]
        with subprocess.Popen(command, env={**environment}, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - ours
            beside = bench.run(rate, 1, seconds)
            still = process.poll() is None
            process.terminate()
        _say("alone", alone)
        _say("beside a recompute" + ("" if still else " (which ended before)"), beside)


def _say(when: str, run: Run) -> None:
    print(f"{when}: {run.sent_per_s:,.0f} readings/s, p50 {run.latency_p50_ms:,.0f} ms,"
          f" p99 {run.latency_p99_ms:,.0f} ms, lost {run.lost}, {run.cores_busy:.2f} cores")  # fmt: skip


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.recompute", description=__doc__)
    parser.add_argument("--days", type=float, default=1.0)
    parser.add_argument("--period", type=int, default=60, help="seconds between two readings of a meter")
    parser.add_argument("--live", type=float, default=0.0, help="readings a second of live work meanwhile; 0: none")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each of the two live runs")
    options = parser.parse_args()
    if options.live:
        live(options.live, options.seconds, options.days, options.period)
    else:
        measure(options.days, options.period)


if __name__ == "__main__":
    main()

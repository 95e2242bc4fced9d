"""`python -m bench.late`: what one late reading costs, by how late it is, where a meter's past is long.

    python -m bench.late --days 365 --period 60

A meter is given a past through the engine itself. Some of its readings are left out: of an hour, a day, a month
and 300 days ago. They come then, each in a transaction of its own.
"""

from __future__ import annotations

import argparse
import random
import time
from typing import TYPE_CHECKING

from bench.recompute import give_a_past, prepared
from fenhe.garbage import spare_what_stays
from fenhe.local import Postgres, Services, find_postgres_binaries, scratch_directory
from schemas.time import DAY_MS, HOUR_MS
from simulators.wire.load import registry
from storage.migrate import migrate
from storage.pool import open_pool
from streams.engine.engine import Engine
from streams.installed import installed
from tests.support.pipeline import Sent, record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.registry import Device

REPEATS = 5
AGES_MS = (HOUR_MS, DAY_MS, 30 * DAY_MS, 300 * DAY_MS)
SPACING = 97
"""So many readings lie between two that come late."""


def history(meter: Device, begin_ts: int, days: float, period_s: int) -> Iterator[Sent]:
    """Readings of a meter whose power goes up and down, as real ones do: 180 to 430 kW."""
    rng, register = random.Random(1), 0.0
    for step in range(int(days * DAY_MS) // (period_s * 1000)):
        power = rng.uniform(180.0, 430.0)
        register += power * period_s * 1000 / HOUR_MS
        values = {"energy_import_kwh": round(register, 2), "power_kw": round(power, 1)}
        yield Sent(meter.site_id, meter.kind, meter.device_id, {"ts": begin_ts + step * period_s * 1000} | values)


def measure(days: float, period_s: int) -> None:
    """Print CPU and time of late readings, in ms: the median of some at each age."""
    binaries = find_postgres_binaries(Services.AUTO)
    spare_what_stays()
    with scratch_directory("late") as path, Postgres(path, binaries=binaries) as server:
        url = server.create_database("bench")
        migrate(url)
        meter = prepared(url, registry(1, 1), period_s)[0]
        begin_ts = time.time_ns() // 1_000_000 // DAY_MS * DAY_MS - round((days + 1) * DAY_MS)
        began = time.perf_counter()
        readings = list(history(meter, begin_ts, days, period_s))
        ages = [age_ms for age_ms in AGES_MS if age_ms < days * DAY_MS]
        places = {age_ms: len(readings) - age_ms // (period_s * 1000) - 1 for age_ms in ages}
        late = {age_ms: [readings[place - SPACING * at] for at in range(REPEATS)] for age_ms, place in places.items()}
        left_out = {id(reading) for own in late.values() for reading in own}
        count = give_a_past(url, (reading for reading in readings if id(reading) not in left_out))
        print(f"{count:,} readings of one meter in {days} days, stored in {time.perf_counter() - began:.0f} s")
        engine = Engine(open_pool(url, size=2, name="late"), installed(), "past", 1)
        partition = engine.open(0)
        for age_ms, own in late.items():
            taken: list[tuple[float, float]] = []
            for reading in own:
                cpu, wall = time.process_time(), time.perf_counter()
                engine.apply(partition, [record(partition.mark.offset, [reading])])
                taken.append((1000 * (time.process_time() - cpu), 1000 * (time.perf_counter() - wall)))
            cpu_ms, wall_ms = sorted(taken)[REPEATS // 2]
            most = max(taken)[0]
            print(
                f"{age_ms / HOUR_MS:8,.0f} h late: {cpu_ms:.1f} ms of CPU (at most {most:.1f}), {wall_ms:.1f} ms in all"
            )
        engine.close()


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.late", description=__doc__)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--period", type=int, default=60, help="seconds between two readings of the meter")
    options = parser.parse_args()
    measure(options.days, options.period)


if __name__ == "__main__":
    main()

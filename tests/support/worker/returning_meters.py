"""A worker's part in meters that come back after days of silence: run alone, as its memory is measured.

    python -m tests.support.worker.returning_meters OWNER_URL METERS SITES SILENT_DAYS

Prints, as JSON, the most memory it held, and what it stored.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.readings import Kind
from schemas.registry import Device, Registry, Role, Sector, Site
from schemas.time import DAY_MS, MINUTE_MS
from schemas.topics import partition_of
from storage.pool import open_pool
from streams.engine.engine import Engine
from streams.installed import installed
from streams.worker.figures import WorkerFigures
from streams.worker.memory import memory_bytes
from streams.worker.shepherd import CONCURRENT_PARTITIONS
from tests.support.pipeline import START_TS, Sent, prepare, record
from tests.support.worker.shepherding import event, make_shepherd, store

if TYPE_CHECKING:
    from collections.abc import Sequence

    import faust

PARTITIONS = 12
_KINDS = (
    (Kind.ELECTRICITY, Role.CONSUMED, ("energy_import_kwh", "reactive_kvarh")),
    (Kind.WATER, Role.CONSUMED, ("volume_m3",)),
    (Kind.ELECTRICITY, Role.INTERNAL, ("energy_import_kwh",)),
    (Kind.GAS, Role.CONSUMED, ("volume_m3",)),
    (Kind.PRODUCTION, Role.PRODUCT, ("mass_t",)),
)


def world(meters: int, sites: int) -> Registry:
    """Plants with as many meters each."""
    return Registry(
        sites=[
            Site(site_id=f"plant-{site}", name=f"Plant {site}", name_zh="厂", sector=Sector.COKING, city="长治")
            for site in range(sites)
        ],
        devices=[
            Device(
                device_id=f"m-{number}",
                site_id=f"plant-{number % sites}",
                kind=_KINDS[number // sites % len(_KINDS)][0],
                role=_KINDS[number // sites % len(_KINDS)][1],
                period_s=60,
            )
            for number in range(meters)
        ],
    )


def said(registry: Registry, ts: int) -> list[Sent]:
    """A reading of every meter at one time."""
    sites = len(registry.sites)
    names = [_KINDS[number // sites % len(_KINDS)][2] for number in range(len(registry.devices))]
    return [
        Sent(
            device.site_id,
            device.kind,
            device.device_id,
            {"ts": ts + number} | dict.fromkeys(names[number], 1_000.0 + (ts - START_TS) / MINUTE_MS),
        )
        for number, device in enumerate(registry.devices)
    ]


def events(sent: Sequence[Sent], offsets: dict[int, int]) -> list[faust.EventT[bytes]]:
    """Records of 200 readings at most, by partition."""
    by_partition: dict[int, list[Sent]] = {}
    for item in sent:
        by_partition.setdefault(partition_of(item.site_id, PARTITIONS), []).append(item)
    found = []
    for partition, own in by_partition.items():
        for start in range(0, len(own), 200):
            offset = offsets[partition] = offsets.get(partition, -1) + 1
            found.append(event(record(offset, own[start : start + 200]), partition))
    return found


def _most_bytes() -> int:
    """Most memory that this process held since its program began.

    Not `ru_maxrss`, which begins with what the process held that started this one.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    msg = "this kernel does not tell VmHWM"
    raise RuntimeError(msg)


def main() -> None:
    """Hear every meter for some minutes, then nothing for days, then every meter again."""
    url, meters, sites, days = sys.argv[1], *map(int, sys.argv[2:4]), float(sys.argv[4])
    registry = world(meters, sites)
    prepare(url, registry)
    pool = open_pool(url, size=CONCURRENT_PARTITIONS + 2, name="test")
    figures = WorkerFigures()
    engine = Engine(pool, installed(), "test", PARTITIONS)
    offsets: dict[int, int] = {}
    before = [item for minute in range(3) for item in said(registry, START_TS + minute * MINUTE_MS)]
    after = [
        item for minute in range(3) for item in said(registry, START_TS + round(days * DAY_MS) + minute * MINUTE_MS)
    ]
    began = time.monotonic()

    async def run() -> int:
        shepherd = make_shepherd(engine, figures)
        await store(shepherd, figures, events(before, offsets))
        quiet_bytes = memory_bytes()
        await store(shepherd, figures, events(after, offsets))
        return quiet_bytes

    quiet_bytes = asyncio.run(run())
    most_bytes = _most_bytes()
    pool.close()
    sys.stdout.write(
        json.dumps(
            {
                "quiet_mib": quiet_bytes // 2**20,
                "most_mib": most_bytes // 2**20,
                "stored": figures.stored_total,
                "transactions": figures.transactions_total,
                "retries": figures.retries_total,
                "seconds": round(time.monotonic() - began, 1),
                "cpu_s": round(time.process_time(), 1),
            }
        )
    )


if __name__ == "__main__":
    main()

"""`python -m bench.water_year`: a year of a water network's flows through the whole derivation, into alarms.

    PG_BIN=/opt/ts/lib/postgresql/15/bin python -m bench.water_year --data ../shared/data/battledim_2018

Registers of the three meters go through the engine as a device would send them: readings, folds, virtual meter, views,
signals, alarms, all in a database of its own. Scored is what an operator would have been told: every raising of an
alarm of zone A (p227 + p235 − PUMP_1), beside as many at random times. Nothing here knows which year it is.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from bench.detection import ABRUPT_DAYS, INCIPIENT_DAYS, LEAK_KINDS, Leak, beside_random, ms
from fenhe.local import Postgres, Services, find_postgres_binaries, scratch_directory
from schemas.readings import Kind
from schemas.registry import Device, Registry, Role, Sector, Site, VirtualMeter, VirtualPart
from tests.support.pipeline import Sent, open_engine, prepare, record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROLES = {"p227": Role.CONSUMED, "p235": Role.CONSUMED, "PUMP_1": Role.EXPORTED}
ZONE = "zone-a"
BY_ZONE = ("seasonal", "drift", "step", "night_flow")
"""Not judged of each inlet: the two share the zone's load, and the zone's virtual meter stands for them."""
STEP_MS = 300_000
DAY_MS = 86_400_000
RECORD = 864
"""Readings in one record: a day of three meters."""
BATCH = 7
"""Records in one transaction."""
LEARNED_DAYS = 21
"""Random alarms are drawn from when detectors may speak at all."""

REGISTRY = Registry(
    sites=[
        Site(
            site_id="network", name="Water network", name_zh="供水管网", sector=Sector.STEEL, city="太原",
            virtual_meters=(
                VirtualMeter(
                    meter_id=ZONE, kind=Kind.WATER, quantity="volume_m3",
                    parts=tuple(
                        VirtualPart(meter_id=name, quantity="volume_m3", sign=-1 if role is Role.EXPORTED else 1)
                        for name, role in ROLES.items()
                    ),
                ),
            ),
        )
    ],
    devices=[
        Device(
            device_id=name, site_id="network", kind=Kind.WATER, role=role, rated=2000, period_s=300,
            detection={detector: {"enabled": False} for detector in BY_ZONE},
        )
        for name, role in ROLES.items()
    ],
)  # fmt: skip


def readings(flows: Path) -> Iterator[Sent]:
    """The meters' registers, every five minutes."""
    registers = dict.fromkeys(ROLES, 1000.0)
    with gzip.open(flows, "rt") as file:
        for row in csv.DictReader(file):
            ts = ms(row["Timestamp"])
            for name, total in registers.items():
                yield Sent("network", Kind.WATER, name, {"ts": ts, "volume_m3": round(total, 4)})
            registers = {name: total + float(row[name]) / 12 for name, total in registers.items()}


def leaks_of(labels: Path) -> list[Leak]:
    """Labelled leaks, and until when an alarm counts as a hit."""
    with labels.open() as file:
        found = []
        for row in csv.DictReader(file):
            begin, abrupt = ms(row["start"]), row["type"] == "abrupt"
            until = begin + (ABRUPT_DAYS if abrupt else INCIPIENT_DAYS) * DAY_MS
            found.append(Leak(row["link"], begin, abrupt, until))
    return found


def feed(owner_url: str, sent: Sequence[Sent]) -> None:
    """Put readings through the engine, a week in a transaction."""
    engine = open_engine(owner_url)
    partition = engine.open(0)
    parts = [sent[at : at + RECORD] for at in range(0, len(sent), RECORD)]
    for first in range(0, len(parts), BATCH):
        batch = parts[first : first + BATCH]
        at_ts = batch[-1][-1].reading["ts"]
        engine.apply(partition, [record(first + at, part, at_ts) for at, part in enumerate(batch)])
    engine.close()


def raisings(owner_url: str) -> list[tuple[str, str, int]]:
    """Device, kind and event time of every raising of an alarm."""
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute(
            "SELECT a.device_id, a.kind, t.event_at FROM alarm_transition t JOIN alarm a USING (alarm_id)"
            " WHERE t.event = 'raise' ORDER BY t.event_at"
        ).fetchall()
    return [(device, kind, round(at.timestamp() * 1000)) for device, kind, at in rows]


def main() -> None:
    """Run a year and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.water_year", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/battledim_2018"))
    parser.add_argument("--days", type=int, default=0, help="only the first days")
    options = parser.parse_args()
    sent = list(readings(options.data / "flows_5min.csv.gz"))
    if options.days:
        sent = sent[: options.days * RECORD]
    start, end = sent[0].reading["ts"], sent[-1].reading["ts"]
    leaks = [leak for leak in leaks_of(options.data / "leak_labels.csv") if leak.start < end]
    began = time.monotonic()
    with scratch_directory("water") as path, Postgres(path, binaries=find_postgres_binaries(Services.AUTO)) as server:
        owner_url = server.create_database("water")
        prepare(owner_url, REGISTRY)
        feed(owner_url, sent)
        found = raisings(owner_url)
    print(f"{len(sent)} readings in {time.monotonic() - began:.0f} s; all alarms: {len(found)}")
    for device, kind, ts in found:
        print(f"  {datetime.fromtimestamp(ts / 1000, UTC):%Y-%m-%d %H:%M} {device} {kind}")
    night, kinds = {LEAK_KINDS[0].value}, {kind.value for kind in LEAK_KINDS}
    armed = start + LEARNED_DAYS * DAY_MS
    for name, of_kinds, devices in (
        ("zone, night flow", night, {ZONE}),
        ("zone, all leak kinds", kinds, {ZONE}),
        ("everything the site is told", {kind for _, kind, _ in found}, {device for device, _, _ in found}),
    ):
        times = [ts for device, kind, ts in found if device in devices and kind in of_kinds]
        print(f"{name:32} {json.dumps(beside_random(times, leaks, armed, end))}", flush=True)


if __name__ == "__main__":
    main()

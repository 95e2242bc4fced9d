"""A real water network's night flow and volumes through the pipeline, beside an independent computation."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
from pathlib import Path

import pytest

from schemas.metrics import NightFlow
from schemas.readings import Kind
from schemas.registry import Device, Registry, Role, Sector, Site
from storage import derived
from storage.pool import connect
from storage.spans import FOREVER_MS, Span
from tests.support.pipeline import Sent, open_engine, prepare, record

FLOWS = Path(__file__).parents[3] / "shared" / "data" / "battledim_2018" / "flows_5min.csv.gz"
LOCAL = dt.timezone(dt.timedelta(hours=8))
STEP_MS = 300_000
ROLES = {"p227": Role.CONSUMED, "p235": Role.CONSUMED, "PUMP_1": Role.EXPORTED}
DAYS = 2

pytestmark = pytest.mark.skipif(not FLOWS.exists(), reason=f"BattLeDIM's flows are not at {FLOWS}")


def flows() -> list[dict[str, float]]:
    """Two days of flows of the three meters, m³/h, five minutes each."""
    with gzip.open(FLOWS, "rt") as file:
        rows = csv.reader(file, delimiter=",")
        header = next(rows)
        at = {name: header.index(name) for name in ROLES}
        taken = [row for _, row in zip(range(288 * DAYS), rows, strict=False)]
    return [{name: float(row[column]) for name, column in at.items()} for row in taken]


def test_night_flow_and_volume_equal_an_independent_computation(empty_database: str) -> None:
    """Zone A is p227 + p235 − PUMP_1: registers in, and the same lowest hour and daily volumes out."""
    measured = flows()
    site = Site(site_id="zone-a", name="Zone A", name_zh="A区", sector=Sector.STEEL, city="太原")
    meters = [
        Device(device_id=name, site_id="zone-a", kind=Kind.WATER, role=role, rated=2000, period_s=300)
        for name, role in ROLES.items()
    ]
    prepare(empty_database, Registry(sites=[site], devices=meters))
    midnight = round(dt.datetime(2018, 1, 1, tzinfo=LOCAL).timestamp() * 1000)
    sent: list[Sent] = []
    registers = dict.fromkeys(ROLES, 1000.0)
    for at, row in enumerate([*measured, dict.fromkeys(ROLES, 0.0)]):
        for name, total in registers.items():
            sent.append(Sent("zone-a", Kind.WATER, name, {"ts": midnight + at * STEP_MS, "volume_m3": total}))
        registers = {name: total + row[name] / 12 for name, total in registers.items()}
    engine = open_engine(empty_database)
    partition = engine.open(0)
    for offset, start in enumerate(range(0, len(sent), 600)):
        engine.apply(partition, [record(offset, sent[start : start + 600])])
    engine.close()

    with connect(empty_database, name="test") as connection:
        found = derived.load(connection, NightFlow, [Span("zone-a", 0, FOREVER_MS)])
        volumes = connection.execute(
            "SELECT increment, quality FROM meter_day WHERE device_id = 'p227' ORDER BY ts"
        ).fetchall()
    zone = [row for row in found if isinstance(row, NightFlow) and not row.meter_id]
    net = [row["p227"] + row["p235"] - row["PUMP_1"] for row in measured]
    for day, night in enumerate(zone[:DAYS]):
        own = net[288 * day : 288 * (day + 1)]
        quarters = [sum(own[start : start + 3]) / 3 for start in range(0, 288, 3)]
        lowest = min(sum(quarters[start : start + 4]) / 4 for start in range(8, 17))
        assert night.points == 96
        assert night.night_flow_m3_h == pytest.approx(lowest, rel=1e-6)
        assert night.volume_m3 == pytest.approx(sum(own) / 12, rel=1e-9)
        inlet = sum(each["p227"] for each in measured[288 * day : 288 * (day + 1)]) / 12
        assert volumes[day] == (pytest.approx(inlet, rel=1e-9), "good")
    assert len(zone) >= DAYS

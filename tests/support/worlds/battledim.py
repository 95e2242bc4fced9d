"""A real water network's year of flows (BattLeDIM 2018), and what a day of its zone A comes to, computed by itself."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.readings import Kind
from schemas.registry import Device, Registry, Role, Sector, Site
from tests.support.pipeline import Sent

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    from psycopg import Connection

FLOWS = Path(__file__).parents[4] / "shared" / "data" / "battledim_2018" / "flows_5min.csv.gz"
ROLES = {"p227": Role.CONSUMED, "p235": Role.CONSUMED, "PUMP_1": Role.EXPORTED}
"""Zone A is p227 + p235 − PUMP_1."""
STEP_MS = 300_000
PER_DAY = 288
BEGIN_TS = round(dt.datetime(2018, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8))).timestamp() * 1000)
REGISTRY = Registry(
    sites=[Site(site_id="zone-a", name="Zone A", name_zh="A区", sector=Sector.STEEL, city="太原")],
    devices=[
        Device(device_id=name, site_id="zone-a", kind=Kind.WATER, role=role, rated=2000, period_s=300)
        for name, role in ROLES.items()
    ],
)


class Day(NamedTuple):
    """A local day; volumes in m³, the flow in m³/h."""

    inlets_m3: tuple[float, ...]
    """Of each meter, as `ROLES` names them."""
    zone_m3: float
    night_m3_h: float
    """Lowest mean of an hour that begins with a quarter from 02:00 on and ends by 05:00."""


def flows(days: int) -> npt.NDArray[np.float64]:
    """Flows of the three meters in m³/h, shape (288 · days, 3)."""
    with gzip.open(FLOWS, "rt") as file:
        rows = islice(csv.DictReader(file), PER_DAY * days)
        return np.array([[float(row[name]) for name in ROLES] for row in rows])


def sent(measured: npt.NDArray[np.float64]) -> Iterator[Sent]:
    """Readings of the meters' registers, from before the first five minutes to behind the last."""
    registers = 1000.0 + np.vstack([np.zeros(len(ROLES)), np.cumsum(measured / 12, axis=0)])
    for at, row in enumerate(registers.tolist()):
        for name, total in zip(ROLES, row, strict=True):
            yield Sent("zone-a", Kind.WATER, name, {"ts": BEGIN_TS + at * STEP_MS, "volume_m3": total})


def expected(measured: npt.NDArray[np.float64]) -> list[Day]:
    """Every whole day by itself, from the flows alone."""
    by_day = measured[: len(measured) // PER_DAY * PER_DAY].reshape(-1, PER_DAY, len(ROLES))
    signs = np.array([-1.0 if role is Role.EXPORTED else 1.0 for role in ROLES.values()])
    zone = by_day @ signs
    quarters = zone.reshape(len(zone), -1, 3).mean(axis=2)
    hours = np.stack([quarters[:, first : first + 4].mean(axis=1) for first in range(8, 17)])
    volumes = by_day.sum(axis=1) / 12
    return [
        Day(tuple(inlets), total, night)
        for inlets, total, night in zip(
            volumes.tolist(), (zone.sum(axis=1) / 12).tolist(), hours.min(axis=0).tolist(), strict=True
        )
    ]


def derived_days(connection: Connection) -> list[Day]:
    """The same days as the pipeline has them; those of which all is known and good."""
    rows = connection.execute(
        "SELECT n.volume_m3, n.night_flow_m3_h,"
        " (SELECT array_agg(m.increment ORDER BY m.device_id <> 'p227', m.device_id <> 'p235')"
        "  FROM meter_day m WHERE m.ts = n.ts AND m.quality = 'good' AND m.device_id = ANY(%s))"
        " FROM night_flow n WHERE n.site_id = 'zone-a' AND n.meter_id = '' AND n.points = 96 ORDER BY n.ts",
        (list(ROLES),),
    ).fetchall()
    return [Day(tuple(inlets), volume, night) for volume, night, inlets in rows]

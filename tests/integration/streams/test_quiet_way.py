"""The quiet way within the engine: what it stores is what the folds by themselves store, in any order of delivery."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from schemas.readings import Kind
from schemas.registry import BatterySet, Device, Registry, Sector, Site
from schemas.time import MINUTE_MS
from tests.support.pipeline import (
    DERIVED,
    MEMORY,
    RAW,
    START_TS,
    Sent,
    open_engine,
    prepare,
    record,
    save_memories,
    snapshot,
)

if TYPE_CHECKING:
    from fenhe.local import Postgres

SETS = 6
NEVER = 1_000_000
WORLD = Registry(
    sites=[Site(site_id="bs-1", name="Base station", name_zh="基站", sector=Sector.BASE_STATION, city="朔州")],
    devices=[
        Device(
            device_id=f"b-{number}",
            site_id="bs-1",
            kind=Kind.BATTERY,
            period_s=20,
            battery=BatterySet(cell_count=16, nominal_ah=100),
        )
        for number in range(SETS)
    ],
)


def _deliveries() -> list[list[Sent]]:
    """Twenty minutes of sets on float, one of them under load for a while; some readings come late, some twice."""
    rng = random.Random(5)
    rounds: list[list[Sent]] = [[] for _ in range(66)]
    for turn in range(60):
        for number in range(SETS):
            ts = START_TS + turn * MINUTE_MS // 3 + number
            load_a = -20.0 if number == 0 and 20 <= turn < 30 else 0.0
            cells = [round((3.2 if load_a else 3.38) + rng.uniform(-0.004, 0.004), 3) for _ in range(16)]
            reading = {
                "ts": ts,
                "pack_voltage_v": round(sum(cells), 2),
                "current_a": round(load_a + rng.uniform(-0.2, 0.2), 2),
                "soc_pct": 100.0,
                "soh_bms_pct": 97.0,
                "cell_voltage_v": cells,
                "temperature_c": [round(rng.uniform(20, 21), 1) for _ in range(4)],
                "ambient_c": 18.0,
            }
            late = rng.choice([0] * 25 + [1, 2, 6])
            for repeat in range(rng.choice([1] * 20 + [2])):
                rounds[min(65, turn + late + repeat)].append(Sent("bs-1", Kind.BATTERY, f"b-{number}", reading))
    return [each for each in rounds if each]


def _stored(url: str, quiet_from: int) -> tuple[dict[str, list[str]], int]:
    """Store all deliveries; what stands then in all tables, and how many states stood on a shelf meanwhile."""
    prepare(url, WORLD)
    shelved = 0
    deliveries = _deliveries()
    for part in (range(40), range(40, len(deliveries))):  # a worker ends, and another one goes on
        engine = open_engine(url, snapshot_ms=7 * MINUTE_MS, save_every=5, quiet_from=quiet_from)
        partition = engine.open(0)
        for offset in part:
            engine.apply(partition, [record(offset, deliveries[offset])])
            shelved += sum(len(shelf.last_ts) for shelf in partition.shelves.by_fold.values())
        engine.close()
    engine = open_engine(url, quiet_from=quiet_from)
    save_memories(engine)
    engine.close()
    return snapshot(url, [*DERIVED, *RAW, *MEMORY]), shelved


def test_what_goes_the_quiet_way_is_stored_as_if_it_had_not(postgres: Postgres) -> None:
    """Rows, states and snapshots are the same, with late readings, doubled ones and a worker that ends on the way."""
    stored = {}
    for quiet_from in (1, NEVER):
        name = f"quiet_{quiet_from}"
        stored[quiet_from], shelved = _stored(postgres.create_database(name), quiet_from)
        postgres.drop_database(name)
        assert (shelved > 0) is (quiet_from == 1)
    assert stored[1] == stored[NEVER]
    assert stored[1]["battery_latest"]

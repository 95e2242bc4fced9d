"""A small world for pipeline tests: a registry, readings of every kind, records of them, and table snapshots."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from ingest.batches import MicroBatchBuilder, Token
from ingest.judgement import JudgedMessage, plain_rows
from schemas.columns.table import COLUMNAR
from schemas.readings import Kind
from schemas.registry import BatterySet, Device, ProductLine, Registry, Role, Sector, Site
from schemas.time import MINUTE_MS
from storage import state
from storage.migrate import migrate
from storage.pool import connect, open_pool
from storage.registry import import_registry
from storage.statements import trusted
from storage.tables import DERIVED_TABLES, READING_TABLES
from streams.engine.engine import Engine
from streams.engine.folding import Folding
from streams.engine.memory import SAVE_EVERY
from streams.engine.standing import StandingRows
from streams.engine.transaction import Transaction
from streams.installed import installed
from streams.intake.decode import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

START_TS = 1_780_000_020_000
"""Device time of the first reading; not on a minute's edge."""


class Sent(NamedTuple):
    """One reading as a device would send it."""

    site_id: str
    kind: Kind
    device_id: str
    reading: dict[str, Any]


REGISTRY = Registry(
    sites=[
        Site(site_id="plant-1", name="Coking plant", name_zh="焦化厂", sector=Sector.COKING, city="长治"),
        Site(
            site_id="plant-2",
            name="Gangue power",
            name_zh="矸石电厂",
            sector=Sector.GANGUE_POWER,
            city="朔州",
            product_unit="MWh",
            product_lines=[ProductLine(product="power_subcritical_300")],
        ),
        Site(site_id="bs-1", name="Base station 1", name_zh="基站1", sector=Sector.BASE_STATION, city="朔州"),
    ],
    devices=[
        Device(device_id="e-1", site_id="plant-1", kind=Kind.ELECTRICITY, role=Role.CONSUMED, rated=5000, period_s=30),
        Device(device_id="e-2", site_id="plant-1", kind=Kind.ELECTRICITY, rated=5000, period_s=120),
        Device(device_id="w-1", site_id="plant-1", kind=Kind.WATER, role=Role.CONSUMED, rated=500, period_s=120),
        Device(device_id="p-1", site_id="plant-1", kind=Kind.PRODUCTION, role=Role.PRODUCT, period_s=60),
        Device(device_id="w-2", site_id="plant-1", kind=Kind.WATER, role=Role.REUSED, rated=500, period_s=120),
        Device(
            device_id="u-1",
            site_id="plant-2",
            kind=Kind.GANGUE_UNIT,
            role=Role.CONSUMED,
            rated=300,
            period_s=60,
            lhv_mj_kg={"gangue_t": 12.6, "coal_t": 21.0},
        ),
        Device(device_id="l-1", site_id="plant-2", kind=Kind.LAB, period_s=3600),
        Device(
            device_id="b-1",
            site_id="bs-1",
            kind=Kind.BATTERY,
            period_s=60,
            battery=BatterySet(cell_count=16, nominal_ah=100),
        ),
        Device(device_id="s-1", site_id="bs-1", kind=Kind.SITE_POWER, period_s=60),
    ],
)


def readings(minutes: int, seed: int = 1) -> list[Sent]:
    """Readings of every device over some minutes, with gaps, a register that falls, and quantities left out."""
    rng = random.Random(seed)
    sent: list[Sent] = []
    end = START_TS + minutes * MINUTE_MS

    def stamps(period_s: int) -> list[int]:
        times = range(START_TS + rng.randrange(20_000), end, period_s * 1000)
        return [ts + rng.randrange(900) for ts in times if rng.random() > 0.05]

    def smokes(ts: int) -> bool:
        return 10 <= (ts - START_TS) // MINUTE_MS % 60 < 17

    energy, water, mass = 1000.0, 50.0, 7.0
    for ts in stamps(30):
        energy = energy + rng.uniform(5, 30) if rng.random() > 0.01 else 3.0
        reading: dict[str, Any] = {"ts": ts, "energy_import_kwh": round(energy, 2), "power_kw": rng.uniform(600, 3600)}
        if rng.random() > 0.3:
            reading["reactive_kvarh"] = round(energy / 3, 2)
        sent.append(Sent("plant-1", Kind.ELECTRICITY, "e-1", reading))
    for ts in stamps(120):
        water += rng.uniform(0, 9)
        sent.append(Sent("plant-1", Kind.WATER, "w-1", {"ts": ts, "volume_m3": round(water, 3), "flow_m3_h": 120.5}))
        sent.append(Sent("plant-1", Kind.WATER, "w-2", {"ts": ts + 7, "volume_m3": round(9 * water, 3)}))
        sent.append(Sent("plant-1", Kind.ELECTRICITY, "e-2", {"ts": ts + 3, "energy_import_kwh": round(8 * water, 2)}))
    for ts in stamps(60):
        mass += rng.uniform(1, 3)
        sent.append(Sent("plant-1", Kind.PRODUCTION, "p-1", {"ts": ts, "mass_t": round(mass, 3)}))
    sent += _battery(stamps(60), rng)
    for ts in stamps(60):
        out = 5 * MINUTE_MS <= ts - START_TS < 9 * MINUTE_MS
        power = {"mains_failed": out, "dc_voltage_v": 53.5, "dc_load_current_a": 45.0, "smoke": smokes(ts)}
        sent.append(Sent("bs-1", Kind.SITE_POWER, "s-1", {"ts": ts} | power))
    sent += _gangue_unit(stamps(60), rng)
    return sorted(sent, key=lambda item: (item.reading["ts"], item.device_id))


def _battery(stamps: Sequence[int], rng: random.Random) -> Iterator[Sent]:
    """A set that charges, carries a load for four minutes and goes on; its last cell comes and goes."""
    for ts in stamps:
        current = round(30 * math.sin(ts / 700_000), 2)
        if 5 * MINUTE_MS <= ts - START_TS < 9 * MINUTE_MS:
            current = -45.0  # a load step
        cells = [round(3.3 + current / 1000 + rng.uniform(-0.005, 0.005), 3) for _ in range(16)]
        if rng.random() > 0.5:
            cells[15] = 0.0
        yield Sent(
            "bs-1",
            Kind.BATTERY,
            "b-1",
            {
                "ts": ts,
                "pack_voltage_v": round(sum(cells), 2),
                "current_a": current,
                "cell_voltage_v": cells,
                "temperature_c": [round(rng.uniform(20, 30), 1) for _ in range(4)],
                "ambient_c": 18.3,
                "soc_pct": 88.8,
                "alarm_words": [0, 3],
            },
        )


def _gangue_unit(stamps: Sequence[int], rng: random.Random) -> list[Sent]:
    """Readings of a unit, and laboratory results: one for what is being burnt, one corrected, one for another fuel."""
    sent: list[Sent] = []
    generated, auxiliary, gangue, coal = 5000.0, 400.0, 3000.0, 100.0
    for ts in stamps:
        generated, auxiliary = generated + rng.uniform(2.8, 3.2), auxiliary + rng.uniform(0.2, 0.3)
        gangue, coal = gangue + rng.uniform(2, 3), coal + rng.uniform(0.1, 0.2)
        values = {"generated_mwh": generated, "auxiliary_mwh": auxiliary, "gangue_t": gangue, "coal_t": coal}
        sent.append(
            Sent("plant-2", Kind.GANGUE_UNIT, "u-1", {"ts": ts} | {key: round(each, 3) for key, each in values.items()})
        )
    results = [("gangue", 12.1, 4), ("coal", 22.5, 9), ("gangue", 12.4, 22), ("gangue", 13.0, 33)]
    for fuel, lhv, minute in results:
        ts = START_TS + minute * MINUTE_MS
        begin = START_TS - 3600_000 if minute < 30 else ts - 10 * MINUTE_MS
        result = {"ts": ts, "sample_from": begin, "sample_to": ts, "fuel": fuel, "lhv_mj_kg": lhv, "ash_pct": 50.0}
        sent.append(Sent("plant-2", Kind.LAB, "l-1", result | {"sulphur_pct": 1.2}))
    return sent


def record(offset: int, sent: Sequence[Sent], received_ts: int = START_TS) -> Record:
    """One Kafka record of some readings, each a message of its own: without tables where the offset is even."""
    batch = MicroBatchBuilder(received_ts)
    for item in sent:
        payload = orjson.dumps(item.reading)
        plain = plain_rows(item.kind, payload) if offset % 2 and item.kind in COLUMNAR else None
        topic = (item.site_id, item.kind.value, item.device_id)
        batch.add(JudgedMessage(*topic, 1, 1, b"[%b]" % payload, (), plain=plain), Token(1, 1), received_ts)
    return Record(offset, received_ts, batch.encode("test"))


def prepare(owner_url: str, registry: Registry = REGISTRY) -> None:
    """Migrate a database and register devices."""
    migrate(owner_url)
    with connect(owner_url, name="test") as connection:
        import_registry(connection, registry)


def open_engine(
    owner_url: str,
    topic: str = "test",
    partitions: int = 1,
    *,
    snapshot_ms: int | None = None,
    save_every: int = SAVE_EVERY,
    quiet_from: int = 1,
) -> Engine:
    """An engine on a database, with all kernels; `snapshot_ms` brings the moments of their snapshots closer.

    Readings go the quiet way wherever they can: the world is too small for it otherwise.
    """
    kernels = installed()
    if snapshot_ms is not None:
        for fold in kernels.folds:
            vars(fold)["snapshot_ms"] = snapshot_ms
    engine = Engine(
        open_pool(owner_url, size=2, name="test"),
        kernels,
        topic,
        partitions,
        save_every=save_every,
        quiet_from=quiet_from,
    )
    _OPEN.append(engine)
    return engine


_OPEN: list[Engine] = []


def close_engines() -> None:
    """Close every engine that a test opened: a pool left to the garbage collector may fail another test."""
    while _OPEN:
        _OPEN.pop().close()


def save_memories(engine: Engine) -> None:
    """Save what a worker of the only partition that starts now remembers of every device, caught up."""
    partition = engine.open(0)
    with engine.begin() as connection:
        devices = engine.session.directory(connection, partition.turn.registry_version).devices
        for fold in engine.session.kernels.readings:
            heard: dict[str, list[int]] = {device_id: [] for name, device_id in partition.memories if name == fold.name}
            Folding(StandingRows(connection), fold, partition.memories, {}, {})._catch_up(devices, {}, heard)
        attempt = Transaction(engine.session, partition)
        memories = [
            (key, memory) for key, memory in partition.memories.items() if memory is not None and memory.unsaved
        ]
        state.save(connection, [attempt._to_save(*key, memory) for key, memory in memories])


DERIVED = sorted(table.name for table in DERIVED_TABLES.values())
RAW = sorted({table.name for table in READING_TABLES.values()})
SPARED = frozenset({"site_doubt", "battery_share_hour", "battery_identity"})
"""Derived tables that this world gives no reason to write: no device of its base station stands alone, no hour of
it is without mains throughout, and no set is exchanged."""
MEMORY = ["entity_state", "entity_snapshot"]


def snapshot(owner_url: str, tables: Sequence[str] = (*DERIVED, *RAW)) -> dict[str, list[str]]:
    """Every row of some tables as text, in order, without the time of arrival."""
    with connect(owner_url, name="test") as connection:
        return {
            name: [
                row[0]
                for row in connection.execute(
                    trusted(f"SELECT (to_jsonb(t) - 'received_at')::text FROM {name} t ORDER BY 1")  # noqa: S608
                )
            ]
            for name in tables
        }


def alarm_history(owner_url: str) -> list[str]:
    """All that detectors' alarms came to, by the devices' time: each as text, with what happened to it in order.

    Silence is left out: it is judged by when readings come, not by what they say. Of a meter that changed the order is
    left out: its event is revised as long as little is known of the register, and what was amended meanwhile depends
    on how many readings came at once.
    """
    with connect(owner_url, name="test") as connection:
        rows = connection.execute(
            "SELECT jsonb_build_array(a.site_id, a.device_id, a.metric, a.kind, a.state, a.occurrences, a.event_at,"
            " a.raised_at, a.cleared_at, CASE WHEN a.kind <> 'meter_changed' THEN array_agg(t.event ORDER BY t.id) END,"
            " CASE WHEN a.kind <> 'meter_changed' THEN array_agg(t.event_at ORDER BY t.id) END,"
            " count(o.id) FILTER (WHERE o.what = 'raised'))::text"
            " FROM alarm a JOIN alarm_transition t USING (alarm_id)"
            " LEFT JOIN notification_outbox o ON o.transition_id = t.id"
            " WHERE a.kind <> 'no_data' GROUP BY a.alarm_id ORDER BY 1"
        )
        return [row[0] for row in rows]

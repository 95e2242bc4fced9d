"""The hunter: hostile messages, stored whole and in pieces, come to the same.

Each seed makes messages of odd but possible values, repeats, completions and contradictions, takes them the whole way
from the collector's judgement to the tables, and looks for what may never be: an error that is no refusal of its own
reading, books that do not close, tables or alarms that depend on how a run was cut.
`FENHE_HUNT_FROM=0 FENHE_HUNT_TO=100` hunts
through so many seeds.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from ingest.batches import MicroBatchBuilder, Token
from ingest.judgement import judge
from schemas.readings import MODELS, Kind
from schemas.registry import Device, Registry, Role, VirtualMeter, VirtualPart
from schemas.time import DAY_MS, HOUR_MS, MINUTE_MS
from storage.books.balance import balance
from storage.pool import connect
from streams.engine.parts import Bounds
from streams.intake.decode import Record
from tests.support.databases import own_database
from tests.support.pipeline import (
    DERIVED,
    MEMORY,
    RAW,
    REGISTRY,
    START_TS,
    open_engine,
    prepare,
    save_memories,
    snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection

    from fenhe.local import Postgres

SEEDS = range(int(os.environ.get("FENHE_HUNT_FROM", "0")), int(os.environ.get("FENHE_HUNT_TO", "3")))
RECEIVED_TS = START_TS + 3 * DAY_MS
BOOKS = ("ledger_entry", "ledger_part", "ledger_total", "quarantine", "field_set_aside", "checkpoint")
ALARMS = ("notification_outbox", "alarm_transition", "alarm")
TOTALS = ("0", "1", "1.5", "7e2", "1e300", "1.7976931348623157e308", "-0.0", "5e-324", "-1")
NUMBERS = ("0", "-0.0", "1", "3.3", "53.5", "0.1", "20", "49.99999999", "327.67", "1e39", "-1e308", "1e308", "5e-324")
ODD = ("null", "true", '"\\u0000"', "[]", "[1,2,3]", '{"a":[{}]}', "NaN", "1" + "0" * 400, '"text"', '"good"')


METERS = (
    Device(device_id="h-1", site_id="plant-1", kind=Kind.HEAT, role=Role.CONSUMED, rated=40, period_s=60),
    Device(device_id="v-1", site_id="plant-1", kind=Kind.STEAM, role=Role.CONSUMED, rated=20, period_s=60),
    Device(device_id="g-1", site_id="plant-1", kind=Kind.GAS, role=Role.CONSUMED, rated=900, period_s=120),
    Device(device_id="e-3", site_id="plant-1", kind=Kind.ELECTRICITY, role=Role.EXPORTED, rated=5000, period_s=60),
    Device(device_id="w-3", site_id="plant-1", kind=Kind.WATER, role=Role.DRAWN, rated=500, period_s=900),
)
"""Meters of kinds and roles that the small world has none of."""
SUM = VirtualMeter(
    meter_id="both",
    kind=Kind.ELECTRICITY,
    quantity="energy_import_kwh",
    parts=(
        VirtualPart(meter_id="e-1", quantity="energy_import_kwh"),
        VirtualPart(meter_id="e-2", quantity="energy_import_kwh", sign=-1),
    ),
)
WORLD = Registry(
    sites=[
        site.model_copy(update={"virtual_meters": (SUM,)}) if site.site_id == "plant-1" else site
        for site in REGISTRY.sites
    ],
    devices=[*REGISTRY.devices, *METERS],
)
LISTS = frozenset({"cell_voltage_v", "temperature_c", "voltage_v", "mains_voltage_v", "alarm_words"})
WORDS = {
    "quality": ('"good"', '"uncertain"', '"bad"'),
    **dict.fromkeys(("state", "grade", "mode", "fuel"), ('"gangue"', '"coal"', '""', '"运行"')),
    **dict.fromkeys(("mains_failed", "smoke", "water", "door"), ("true", "false")),
    "sample_from": tuple(str(START_TS - ms) for ms in (0, HOUR_MS, 40 * DAY_MS)),
    "sample_to": tuple(str(START_TS + HOUR_MS - ms) for ms in (0, HOUR_MS, 40 * DAY_MS)),
    **dict.fromkeys(("seq", "status", "cycles"), ("0", "7", "1e3", "2147483647", "4294967295", "9223372036854775807")),
}


def _value(rng: random.Random, device: Device, field: str) -> str:
    """JSON of a value that a field may have, or that it may not."""
    if rng.random() < 0.1:
        return rng.choice(ODD)
    if field in LISTS or (field == "current_a" and device.kind is Kind.ELECTRICITY):
        return "[" + ",".join(rng.choice((*NUMBERS, "null")) for _ in range(rng.choice((1, 3, 4, 16)))) + "]"
    is_total = field.endswith(("_kwh", "_kvarh", "_t", "_m3", "_mwh", "_gj"))
    return rng.choice(WORDS.get(field, TOTALS if is_total else NUMBERS))


def _message(rng: random.Random, times: Sequence[int]) -> tuple[str, str]:
    """One message of a device: a reading, or an array of some."""
    device = rng.choice(WORLD.devices)
    own = {"ts", "site_id", "device_id", "kind"}
    fields = [name for name in MODELS[device.kind].model_fields if name not in own]

    def reading() -> str:
        chosen = set(rng.sample(fields, rng.randint(1, min(6, len(fields)))))
        chosen |= {"sample_from", "sample_to", "fuel"} & set(fields)
        body = {name: _value(rng, device, name) for name in sorted(chosen)}
        if rng.random() < 0.1:
            body["unheard_of"] = rng.choice(ODD)
        return (
            "{" + ",".join(f'"{name}":{value}' for name, value in ({"ts": str(rng.choice(times))} | body).items()) + "}"
        )

    count = rng.choice((1, 1, 1, 5))
    body = reading() if count == 1 else "[" + ",".join(reading() for _ in range(count)) + "]"
    return f"fenhe/v1/{device.site_id}/{device.kind.value}/{device.device_id}", body


def batches(seed: int) -> list[list[tuple[str, str]]]:
    """A seed's messages, as collectors take them together."""
    rng = random.Random(seed)
    reach = rng.choice((20 * MINUTE_MS, 5 * HOUR_MS, 2 * DAY_MS, 900 * DAY_MS))
    times = sorted(START_TS + rng.randrange(-reach, min(reach, 2 * DAY_MS)) // 1000 * 1000 for _ in range(25))
    sent: list[tuple[str, str]] = []
    for _ in range(rng.randint(20, 60)):
        sent.append(rng.choice(sent) if sent and rng.random() < 0.2 else _message(rng, times))
    taken: list[list[tuple[str, str]]] = []
    while sent:
        size = rng.randint(1, 25)
        taken, sent = [*taken, sent[:size]], sent[size:]
    return taken


def records(messages: Sequence[Sequence[tuple[str, str]]]) -> list[Record]:
    """What collectors write of messages."""
    made: list[Record] = []
    for taken in messages:
        batch = MicroBatchBuilder(RECEIVED_TS)
        for topic, body in taken:
            judgement = judge(topic, body.encode(), RECEIVED_TS, max_bytes=400_000)
            batch.add(judgement, Token(1, 0), RECEIVED_TS)
        made.append(Record(len(made), RECEIVED_TS, batch.encode("test")))
    return made


@pytest.fixture(scope="module")
def urls(postgres: Postgres) -> Iterator[tuple[str, str]]:
    """Two databases: one for whole passes, one for passes that are cut."""
    with own_database(postgres) as one, own_database(postgres) as other:
        found = (postgres.url("fenhe_owner", one), postgres.url("fenhe_owner", other))
        for url in found:
            prepare(url, WORLD)
        yield found


def _alarms(connection: Connection) -> list[str]:
    """Of each condition whether it holds, and when it came and went last: that is all an alarm must tell in any order.

    Which alarm took in which of its times depends on what was open when it was heard of; silence on when it was.
    """
    rows = connection.execute(
        "SELECT DISTINCT ON (site_id, device_id, metric, kind) jsonb_build_array(site_id, device_id, metric, kind,"
        " active, last_raised_at, cleared_at)::text FROM alarm WHERE kind <> 'no_data' AND NOT disproved"
        " ORDER BY site_id, device_id, metric, kind, last_raised_at DESC"
    )
    return [row[0] for row in rows]


def _forget_alarms(connection: Connection) -> None:
    """Take away what no role may, so that the next seed begins with nothing."""
    connection.execute("ALTER TABLE alarm_transition DISABLE TRIGGER USER")
    for table in ALARMS:
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    connection.execute("ALTER TABLE alarm_transition ENABLE TRIGGER USER")


def _held(url: str) -> dict[str, list[str]]:
    """All that a database holds of a pass, but how it was numbered; then it is forgotten."""
    with connect(url, name="test") as connection:
        books = balance(connection)
        assert books.closed
        found = {
            "quarantine": sorted(
                str(row)
                for row in connection.execute(
                    "SELECT reason, detail, topic, device_id, convert_from(payload, 'UTF8') FROM quarantine"
                ).fetchall()
            ),
            "alarm": _alarms(connection),
            **snapshot(url, (*DERIVED, *RAW, *MEMORY, "field_set_aside", "ledger")),
        }
        for table in (*DERIVED, *RAW, *MEMORY, *BOOKS):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        _forget_alarms(connection)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_hostile_readings_come_to_the_same_whole_and_cut_anyhow(urls: tuple[str, str], seed: int) -> None:
    """Nothing raises, the books close, no reading is refused by storage, and no table tells how a run was cut."""
    whole, cut = urls
    run = records(batches(seed))
    engine = open_engine(whole)
    engine.apply(engine.open(0), run)
    save_memories(engine)
    other, rng = open_engine(cut), random.Random(seed)
    partition = other.open(0)
    for record in run:
        if rng.random() < 0.5:
            partition = other.open(0)  # as a worker that has just taken over
        other.apply(partition, [record], Bounds(readings=rng.randint(1, 30), slots=rng.randint(1, 64)))
    save_memories(other)
    ours, theirs = _held(whole), _held(cut)
    assert [row for row in ours["quarantine"] if "storage_rejected" in row] == []
    for table, rows in ours.items():
        assert theirs[table] == rows, table

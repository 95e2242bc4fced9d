"""Whatever is refused costs only itself, stands in the quarantine with its reason, and the books close."""

from __future__ import annotations

import math
import random
import struct

import orjson

from schemas.arrival import Arrival
from schemas.aside import AsideReason, SetAside
from schemas.columns.arrivals import Arrivals
from schemas.columns.table import TableBuilder, encode_tables, plain_row
from schemas.kafka.record import encode_envelope, encode_micro_batch
from schemas.readings import MODELS, BatteryReading, Kind
from schemas.structs import as_struct
from schemas.time import HOUR_MS
from storage import readings as readings_table
from storage.books import ledger
from storage.pool import connect
from storage.statements import trusted
from streams.engine.transaction import SETTLE_EVERY
from streams.intake.decode import Record
from tests.support.engine import SENT, books, differing, feed, reasons, wipe
from tests.support.pipeline import (
    RAW,
    START_TS,
    Sent,
    open_engine,
    record,
    snapshot,
)


def test_what_the_registry_refuses_is_quarantined_with_its_reason(database: str) -> None:
    """Unknown device, wrong site, impossible value, lost clock: one reason each, and the books close."""
    ts = START_TS
    bad = [
        Sent("plant-1", Kind.WATER, "w-99", {"ts": ts, "volume_m3": 1.0}),
        Sent("bs-1", Kind.WATER, "w-1", {"ts": ts, "volume_m3": 1.0}),
        Sent("plant-1", Kind.GAS, "w-1", {"ts": ts, "volume_m3": 1.0}),
        Sent("plant-1", Kind.ELECTRICITY, "e-1", {"ts": ts, "power_kw": 6_001.0}),
        Sent("plant-1", Kind.WATER, "w-1", {"ts": ts, "pressure_mpa": 4.1}),
        Sent("bs-1", Kind.BATTERY, "b-1", {"ts": ts, "soc_pct": 105.0}),
        Sent("bs-1", Kind.BATTERY, "b-1", {"ts": ts, "cycles": 65535}),
        Sent("plant-1", Kind.WATER, "w-1", {"ts": ts // 1000, "volume_m3": 1.0}),
        Sent("plant-1", Kind.WATER, "w-1", {"ts": ts, "volume_m3": -1.0}),
    ]
    feed(database, [[*bad[:4], *SENT[:20], *bad[4:]]])
    assert reasons(database) == {"unknown_device": 1, "identity_mismatch": 2, "out_of_range": 5, "clock_behind": 1}
    found = books(database)
    assert (found.received, found.stored, found.closed) == (29, 20, True)


def test_the_same_key_with_other_values_is_a_conflict(database: str) -> None:
    """The first reading stored stands, within one batch and across batches."""
    first = Sent("plant-1", Kind.WATER, "w-1", {"ts": START_TS, "volume_m3": 1.0})
    other = Sent("plant-1", Kind.WATER, "w-1", {"ts": START_TS, "volume_m3": 2.0})
    feed(database, [[first, other, first], [other, first]])
    assert reasons(database) == {"conflict": 2}
    found = books(database)
    assert (found.stored, found.duplicate, found.quarantined, found.closed) == (1, 2, 2, True)


def test_a_reading_the_database_refuses_costs_one_reading(database: str, ordered: dict[str, list[str]]) -> None:
    """Bisected, quarantined as storage_rejected, and the rest of its batch stored."""
    with connect(database, name="test") as connection:
        connection.execute("ALTER TABLE reading_production ADD CHECK (grade IS DISTINCT FROM 'cursed')")
    ts = START_TS + 1
    cursed = [
        Sent("plant-1", Kind.PRODUCTION, "p-1", {"ts": ts + at, "mass_t": 1.0, "grade": "cursed"}) for at in range(2)
    ]
    found_there = feed(database, [[*SENT[:70], cursed[0], *SENT[70:90], cursed[1], *SENT[90:]]])
    assert reasons(database) == {"storage_rejected": 2}
    assert found_there == ordered
    assert books(database).closed


def test_a_refused_reading_of_an_array_costs_none_behind_it(database: str) -> None:
    """Only the one that the database refuses goes to the quarantine."""
    with connect(database, name="test") as connection:
        connection.execute("ALTER TABLE reading_production ADD CHECK (grade IS DISTINCT FROM 'cursed')")
    grades = ("fine", "cursed", "fine", "fine")
    body = orjson.dumps([{"ts": START_TS + at, "mass_t": 1.0, "grade": grade} for at, grade in enumerate(grades)])
    envelope = encode_envelope("plant-1", "production", "p-1", START_TS, body)
    engine = open_engine(database)
    engine.apply(engine.open(0), [Record(0, START_TS, encode_micro_batch("test", {"p-1": 4}, [envelope], []))])
    assert reasons(database) == {"storage_rejected": 1}
    assert (books(database).stored, books(database).closed) == (3, True)


def test_a_message_that_cannot_be_read_costs_neither_its_neighbours_nor_the_books(database: str) -> None:
    """The rest of its record is stored, its own readings are in quarantine under their device."""
    good = orjson.loads(record(0, SENT[:10]).value)
    good["messages"].append({"site_id": "plant-1", "kind": "electricity", "device_id": "e-1", "received_ms": START_TS})
    good["messages"][-1]["readings"] = [{"ts": "never"}, {"ts": START_TS - 1}]
    good["received"]["e-1"] = good["received"].get("e-1", 0) + 2
    engine = open_engine(database)
    engine.apply(engine.open(0), [record(0, [])._replace(value=orjson.dumps(good))])
    assert reasons(database) == {"malformed": 2}
    assert books(database).closed
    assert (books(database).received, books(database).stored) == (12, 10)


def test_an_unreadable_record_costs_itself(database: str) -> None:
    """Foreign bytes or a newer version on the topic stop nothing."""
    engine = open_engine(database)
    partition = engine.open(0)
    foreign = record(0, [])._replace(value=b"\x00rubbish")
    newer = record(1, [])._replace(value=b'{"version": 3, "what": "ever"}')
    engine.apply(partition, [foreign, newer, record(2, SENT[:10])])
    assert reasons(database) == {"malformed": 1, "unsupported_version": 1}
    found = books(database)
    assert (found.received, found.stored, found.quarantined, found.closed) == (12, 10, 2, True)


def test_books_that_do_not_close_are_seen(database: str) -> None:
    """A balance that cannot fail is none: a row taken away, a count changed, a loss."""
    feed(database, [SENT])
    assert books(database).closed
    with connect(database, name="test") as connection:
        connection.execute("DELETE FROM reading_battery WHERE ts = (SELECT max(ts) FROM reading_battery)")
    assert [item.what for item in books(database).discrepancies] == ["stored ≠ rows in the tables"]
    with connect(database, name="test") as connection:
        ledger.settle(connection, 0)
        connection.execute("UPDATE ledger_entry SET received = received + 1 WHERE device_id = 'w-1'")
    found = books(database).discrepancies
    assert {item.device_id for item in found} == {"b-1", "w-1", ""}
    assert {item.what for item in found if not item.device_id} == {"totals of the hour ≠ sum over devices"}


def test_the_books_are_as_true_between_two_times_they_are_added_up(database: str) -> None:
    """What a transaction booked counts at once, and adding up changes no count."""
    engine = open_engine(database)
    partition = engine.open(0)
    parts = []
    for offset in range(SETTLE_EVERY + 3):
        engine.apply(partition, [record(offset, SENT[offset * 3 : offset * 3 + 4])])  # one in four comes again
        with connect(database, name="test") as connection:
            parts.append(connection.execute("SELECT count(*) FROM ledger_part").fetchone())
        if offset % 5 == 0:
            found = books(database)
            assert (found.closed, found.received) == (True, 4 * (offset + 1))
    assert parts[-4:] == [(0,), (1,), (2,), (3,)]
    before = snapshot(database, ["ledger", "books"])
    with connect(database, name="test") as connection:
        ledger.settle(connection, 0)
    assert snapshot(database, ["ledger", "books"]) == before
    assert snapshot(database, ["ledger_entry"])["ledger_entry"] == before["ledger"]


def test_a_reading_that_was_taken_for_new_and_stands_already_is_a_duplicate(database: str) -> None:
    """Whoever stored it: where a reading newer than all that is remembered is there, each is looked for."""
    engine = open_engine(database)
    partition = engine.open(0)
    meter = [item for item in SENT if item.device_id == "w-1"]
    engine.apply(partition, [record(0, meter[:5])])
    with connect(database, name="test") as connection:
        columns = "device_id, received_at, volume_m3, flow_m3_h"
        connection.execute(
            trusted(
                f"INSERT INTO reading_flow (ts, {columns})"  # noqa: S608 - own names
                f" SELECT 'epoch'::timestamptz + %s * interval '1 ms', device_id, received_at, %s, flow_m3_h"
                " FROM reading_flow LIMIT 1"
            ),
            (meter[5].reading["ts"], meter[5].reading["volume_m3"]),
        )
    outcome = engine.apply(partition, [record(1, meter[5:8])])
    assert (outcome.stored, outcome.duplicate, outcome.quarantined) == (2, 1, 0)


def test_readings_that_are_surely_new_are_stored_as_all_others(database: str) -> None:
    """Copied or inserted, every kind's rows are the same, with every value there or not."""
    rng = random.Random(3)
    arrivals: dict[Kind, list[Arrival]] = {}
    for item in SENT:
        kept = {
            name: value
            for name, value in item.reading.items()
            if item.kind is Kind.LAB or name == "ts" or rng.random() > 0.2
        }
        for name in ("cell_voltage_v", "temperature_c"):
            if name in kept and rng.random() > 0.5:
                kept[name] = [value if rng.random() > 0.3 else None for value in kept[name]]
        reading = MODELS[item.kind].model_validate(kept | {"seq": 2**40} if rng.random() > 0.5 else kept)
        apart = {"soc_pct": SetAside(next(iter(AsideReason)), 101)} if rng.random() > 0.9 else {}
        arrivals.setdefault(item.kind, []).append(Arrival(item.device_id, START_TS, reading, apart))
    stored: list[dict[str, list[str]]] = []
    for newest in (readings_table.nothing_known, lambda _: 0):
        wipe(database)
        with connect(database, name="test") as connection:
            for kind, own in arrivals.items():
                assert len(readings_table.store(connection, Arrivals.of_each(kind, own), newest).fresh) == len(own)
        stored.append(snapshot(database, RAW))
    assert differing(*stored) == {}


def test_tables_that_cannot_be_read_hold_no_partition_up(database: str) -> None:
    """No reading of theirs is stored, nothing is lost of what stands beside them, and the books close."""
    readings = [BatteryReading(ts=START_TS + at, cycles=7, current_a=1.0) for at in range(3)]
    tables = []
    for reading in readings:
        builder = TableBuilder(Kind.BATTERY)
        builder.add("bs-1", "b-1", START_TS, [plain_row(Kind.BATTERY, as_struct(Kind.BATTERY, reading)) or ()])
        tables.append(builder.table())
    for table, cycles in zip(tables, (math.inf, 1.5), strict=False):
        table.figures["cycles"] = struct.pack("<d", cycles)
    records = [
        encode_tables("other", [tables[0], TableBuilder(Kind.WATER).table(), *tables[1:]], record(0, SENT[:10]).value),
        encode_tables("other", [TableBuilder(Kind.BATTERY).table()], b""),
        encode_tables("other", [tables[1]], b""),
    ]
    engine = open_engine(database)
    partition = engine.open(0)
    outcome = engine.apply(partition, [Record(at, START_TS + HOUR_MS, value) for at, value in enumerate(records)])
    assert (partition.next_offset, outcome.stored) == (3, 11)
    assert reasons(database) == {"malformed": 3}
    assert (books(database).received, books(database).stored, books(database).closed) == (14, 11, True)

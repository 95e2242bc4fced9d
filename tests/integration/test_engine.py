"""The transaction engine on a real database: once, in any order, and whatever is refused costs only itself."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from schemas.arrival import Arrival
from schemas.aside import AsideReason, SetAside
from schemas.readings import MODELS, Kind
from schemas.registry import Registry
from schemas.time import MINUTE_MS
from schemas.topics import partition_of
from storage import ledger, state
from storage import readings as readings_table
from storage.balance import balance
from storage.errors import CheckpointMovedError
from storage.pool import connect
from storage.registry import import_registry
from storage.statements import trusted
from streams.engine.engine import GapError
from streams.engine.memory import SAVE_EVERY
from streams.engine.transaction import SETTLE_EVERY
from streams.installed import installed
from tests.support.pipeline import (
    DERIVED,
    MEMORY,
    RAW,
    REGISTRY,
    SPARED,
    START_MS,
    Sent,
    open_engine,
    prepare,
    readings,
    record,
    save_memories,
    snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fenhe.local import Postgres
    from storage.balance import Balance

SENT = readings(40)
SNAPSHOT_MS = 7 * 60_000
"""Several of them within the readings."""
EVERYTHING = [*DERIVED, *RAW, *MEMORY]
REFITTED = {Kind.ELECTRICITY, Kind.WATER, Kind.PRODUCTION}
"""Kinds of meters that a test has been fitted with other periods and ratings."""


@pytest.fixture
def database(own_url: str) -> str:
    """A migrated database with the test registry."""
    prepare(own_url)
    return own_url


@pytest.fixture(scope="module")
def shared(postgres: Postgres) -> Iterator[str]:
    """A database that examples of one property share, each under a topic of its own."""
    url = postgres.create_database("engine_order")
    prepare(url)
    yield url
    postgres.drop_database("engine_order")


def books(url: str) -> Balance:
    """The books of a database."""
    with connect(url, name="test") as connection:
        return balance(connection)


def reasons(url: str) -> dict[str, int]:
    """How many items the quarantine holds by reason."""
    with connect(url, name="test") as connection:
        return dict(connection.execute("SELECT reason, count(*) FROM quarantine GROUP BY reason").fetchall())


def wipe(url: str) -> None:
    """Forget everything but the registry."""
    with connect(url, name="test") as connection:
        for table in [
            *DERIVED,
            *RAW,
            *MEMORY,
            "ledger_entry",
            "ledger_part",
            "ledger_total",
            "quarantine",
            "checkpoint",
        ]:
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


def feed(
    url: str, batches: Sequence[Sequence[Sent]], *, snapshot_ms: int | None = SNAPSHOT_MS, save_every: int = SAVE_EVERY
) -> dict[str, list[str]]:
    """Apply batches as records of one partition, and return what the database then holds."""
    engine = open_engine(url, snapshot_ms=snapshot_ms, save_every=save_every)
    partition = engine.open(0)
    for offset, batch in enumerate(batches):
        engine.apply(partition, [record(offset, batch)])
    engine.close()
    return held(url)


def held(url: str) -> dict[str, list[str]]:
    """What the database holds, with all that a worker that starts now would remember."""
    engine = open_engine(url)
    save_memories(engine)
    engine.close()
    return snapshot(url, EVERYTHING)


def newest_and_saved(url: str) -> dict[str, tuple[int, int]]:
    """Per device with readings: time of its newest reading, and up to where the oldest of its states was saved."""
    with connect(url, name="test") as connection:
        saved: dict[str, int] = {}
        kinds = {device.device_id: device.kind for device in REGISTRY.devices}
        readers = {fold.name for fold in installed().readings}
        for item in state.load(connection, list(kinds)):
            if item.kernel in readers:
                saved[item.entity_id] = min(item.last_ts, saved.get(item.entity_id, item.last_ts))
        newest = readings_table.newest_since(connection, [(kinds[name], name, 0) for name in saved])
    return {name: (newest[name], ts) for name, ts in saved.items()}


@pytest.fixture(scope="module")
def ordered(shared: str) -> dict[str, list[str]]:
    """What one clean ordered pass leaves behind."""
    wipe(shared)
    found_there = feed(shared, [SENT])
    assert {name for name in DERIVED if not found_there[name]} <= SPARED
    return found_there


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[Sent]]:
    """The same readings shuffled, some delayed, some twice or more, split into records of any size."""
    again = draw(st.lists(st.sampled_from(SENT), max_size=40))
    how = draw(st.sampled_from(["shuffled", "delayed", "reversed"]))
    if how == "shuffled":
        order = draw(st.permutations([*SENT, *again]))
    elif how == "delayed":
        late = draw(st.sets(st.integers(0, len(SENT) - 1), max_size=30))
        order = [item for at, item in enumerate(SENT) if at not in late] + [SENT[at] for at in late] + again
    else:
        order = [*again, *reversed(SENT)]
    cuts = sorted(draw(st.sets(st.integers(1, len(order) - 1), max_size=8)))
    return [order[start:end] for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True)]


@pytest.mark.parametrize("save_every", [1, 7, 32])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(batches=deliveries())
def test_any_order_of_delivery_ends_in_the_same_tables(
    shared: str, ordered: dict[str, list[str]], save_every: int, batches: list[list[Sent]]
) -> None:
    """Order does not matter: every shuffle, duplicate, delay and split equals the ordered pass, to the last bit."""
    wipe(shared)
    found_there = feed(shared, batches, save_every=save_every)
    assert differing(found_there, ordered) == {}
    found = books(shared)
    assert found.closed
    assert found.received == sum(len(batch) for batch in batches)


def differing(found: dict[str, list[str]], want: dict[str, list[str]]) -> dict[str, set[str]]:
    """Rows that only one side has, by table."""
    return {table: set(rows) ^ set(found[table]) for table, rows in want.items() if found[table] != rows}


@pytest.mark.parametrize("save_every", [1, 7, 32])
def test_a_worker_that_dies_between_two_saves_loses_nothing(database: str, save_every: int) -> None:
    """Whoever takes over folds in what was stored since states were saved, late readings among it or not."""
    late = SENT[20::17]
    on_time = [item for item in SENT if item not in late]
    want = feed(database, [SENT], snapshot_ms=None)
    wipe(database)
    batches = [on_time[start : start + 11] for start in range(0, len(on_time), 11)]
    for number, item in enumerate(late):
        batches[min(len(batches) - 1, 3 + 2 * number)].append(item)
    behind = 0
    for offset, batch in enumerate(batches):
        partition = (engine := open_engine(database, save_every=save_every)).open(0)
        engine.apply(partition, [record(offset, batch)])
        engine.close()  # and whatever it remembered is gone
        behind += sum(saved < newest for newest, saved in newest_and_saved(database).values())
    assert (behind > 0) == (save_every > 1)
    assert differing(held(database), want) == {}


def test_what_came_under_one_registry_is_saved_before_the_next_one_counts(database: str) -> None:
    """A change of the registry finds the same memory however seldom it is saved."""
    refitted = [device.model_copy(update={"period_s": 5}) for device in REGISTRY.devices if device.kind in REFITTED]
    came_to = []
    for save_every in (1, 1000):
        wipe(database)
        with connect(database, name="test") as connection:
            import_registry(connection, REGISTRY)
        engine = open_engine(database, save_every=save_every)
        partition = engine.open(0)
        for offset, start in enumerate(range(0, 120, 10)):
            engine.apply(partition, [record(offset, SENT[start : start + 10])])
        if save_every > 1:
            assert any(saved < newest for newest, saved in newest_and_saved(database).values())
        with connect(database, name="test") as connection:
            import_registry(connection, Registry(sites=REGISTRY.sites, devices=refitted))
        engine.apply(partition, [record(partition.next_offset, [])])
        assert all(saved == newest for newest, saved in newest_and_saved(database).values())
        engine.apply(partition, [record(partition.next_offset, SENT[120:])])
        engine.close()
        came_to.append(held(database))
    assert differing(*came_to) == {}


def test_what_another_partition_saved_of_a_device_is_not_saved_over(database: str) -> None:
    """A worker that had the device before writes what it remembers only where that goes further."""
    with connect(database, name="test") as connection:
        newer = state.SavedState("e-1", "k", 1, START_MS + 10, "{}")
        state.save(connection, [newer])
        state.carry_on(connection, [newer._replace(last_ts=START_MS + 10, state="[1]")])
        state.carry_on(connection, [newer._replace(last_ts=START_MS + 20, version=2)])
        state.carry_on(connection, [newer._replace(entity_id="e-2")])
        assert state.load(connection, ["e-1", "e-2"]) == [newer]
        state.carry_on(connection, [newer._replace(last_ts=START_MS + 20, state="[2]")])
        assert [item.state for item in state.load(connection, ["e-1"])] == ["[2]"]


def test_a_late_reading_leaves_standing_what_later_ones_have_ended(database: str) -> None:
    """A discharge begins behind it and ends behind the snapshot from which on nothing differs: it stays ended."""
    sent = [_of_set(START_MS + minute * MINUTE_MS, loaded=130 <= minute < 170) for minute in range(240)]
    want = feed(database, [sent])
    assert any('"kind": "discharge"' in row and '"ended_at": null' not in row for row in want["battery_episode"])
    for late in (10, 100):
        wipe(database)
        found_there = feed(database, [sent[:late] + sent[late + 1 :], sent[late : late + 1]])
        assert differing(found_there, want) == {}


@pytest.mark.parametrize("late", [3, 20, 70, 110])
def test_a_late_reading_of_a_level_on_trial_ends_in_the_same_tables(database: str, late: int) -> None:
    """A meter begins with another's counting, and leaves it: whatever comes late, before or behind, is no other end."""
    shown = [5_000.0 + 7.03 * number if number < 90 else 100.0 + 1.01 * number for number in range(150)]
    sent = [_of_meter(START_MS + number * 2 * MINUTE_MS, round(value, 2)) for number, value in enumerate(shown)]
    want = feed(database, [sent])
    assert all('"good"' not in row for row in want["meter_minute"])
    for batches in (
        [sent[:late] + sent[late + 1 :], sent[late : late + 1]],
        [sent[:late] + sent[late + 1 : 130], sent[late : late + 1], sent[130:]],
    ):
        wipe(database)
        assert differing(feed(database, batches), want) == {}


def _of_meter(ts: int, energy_kwh: float) -> Sent:
    return Sent("plant-1", Kind.ELECTRICITY, "e-2", {"ts": ts, "energy_import_kwh": energy_kwh})


def _of_set(ts: int, *, loaded: bool) -> Sent:
    volts, amps = (51.2, -20.0) if loaded else (54.0, 0.0)
    reading = {"ts": ts, "pack_voltage_v": volts, "current_a": amps, "cell_voltage_v": [round(volts / 16, 3)] * 16}
    return Sent("bs-1", Kind.BATTERY, "b-1", reading)


def test_a_redelivered_record_changes_nothing(database: str) -> None:
    """Records below the stored offset are skipped."""
    engine = open_engine(database)
    partition = engine.open(0)
    engine.apply(partition, [record(0, SENT[:50]), record(1, SENT[50:100])])
    before = snapshot(database)
    assert engine.apply(partition, [record(0, SENT[:50]), record(1, SENT[50:100])]).records == 0
    assert snapshot(database) == before
    assert books(database).received == 100


def test_a_worker_that_was_replaced_cannot_store(database: str) -> None:
    """The zombie's compare-and-set fails, its transaction leaves nothing, and after opening again it goes on."""
    zombie, worker = open_engine(database), open_engine(database)
    stale, owned = zombie.open(0), worker.open(0)
    worker.apply(owned, [record(0, SENT[:50])])
    before = snapshot(database)
    with pytest.raises(CheckpointMovedError):
        zombie.apply(stale, [record(0, SENT[:60])])
    assert snapshot(database) == before
    fresh = zombie.open(0)
    assert fresh.next_offset == 1
    zombie.apply(fresh, [record(0, SENT[:50]), record(1, SENT[50:])])
    assert books(database).closed
    assert books(database).stored == len(SENT)


def test_a_gap_in_the_offsets_is_never_committed_past(database: str) -> None:
    """A record that does not follow is refused until the missing one is there."""
    engine = open_engine(database)
    partition = engine.open(0)
    with pytest.raises(GapError) as gap:
        engine.apply(partition, [record(0, SENT[:10]), record(2, SENT[20:30])])
    assert (gap.value.expected, gap.value.found) == (1, 2)
    with pytest.raises(GapError):
        engine.apply(partition, [record(5, SENT[:10])])
    assert books(database).received == 0


def test_memory_survives_a_restart(database: str, ordered: dict[str, list[str]]) -> None:
    """A worker that starts in the middle ends where one that never stopped does."""
    for offset, start in enumerate(range(0, len(SENT), 40)):
        engine = open_engine(database, snapshot_ms=SNAPSHOT_MS)
        partition = engine.open(0)
        assert start == 0 or partition.memories
        engine.apply(partition, [record(offset, SENT[start : start + 40])])
        engine.close()
    assert held(database) == ordered


def test_lost_memory_is_rebuilt_from_raw_readings(database: str, ordered: dict[str, list[str]]) -> None:
    """State is a convenience: without it the raw readings give the same rows."""
    engine = open_engine(database, snapshot_ms=SNAPSHOT_MS)
    partition = engine.open(0)
    engine.apply(partition, [record(0, SENT[:90])])
    with connect(database, name="test") as connection:
        connection.execute("DELETE FROM entity_state")
        connection.execute("DELETE FROM entity_snapshot")
    partition = engine.open(0)
    assert not partition.memories
    engine.apply(partition, [record(1, SENT[90:])])
    found, wanted = held(database), dict(ordered)
    remembered, all_remembered = set(found.pop("entity_state")), set(wanted.pop("entity_state"))
    assert found == wanted
    # What is folded from rows is remembered again with the next row: none of a state of health came after the loss.
    assert remembered <= all_remembered
    assert {json.loads(state)["kernel"] for state in all_remembered - remembered} == {"set_changes"}


def test_a_rebuild_from_raw_readings_changes_nothing(database: str, ordered: dict[str, list[str]]) -> None:
    """All rows of all devices again, from the middle on, while a worker owns the partition: it notices and goes on."""
    engine = open_engine(database, snapshot_ms=SNAPSHOT_MS)
    partition = engine.open(0)
    engine.apply(partition, [record(0, SENT[:90])])
    with connect(database, name="test") as connection:
        connection.execute("UPDATE meter_minute SET increment = 0")
        connection.execute("DELETE FROM battery_quarter")
    other = open_engine(database, snapshot_ms=SNAPSHOT_MS)
    assert other.rebuild(0, [device.device_id for device in REGISTRY.devices], START_MS) > 0
    engine.apply(partition, [record(1, SENT[90:])])
    assert held(database) == ordered


def test_a_rebuild_in_parts_while_live_work_goes_on_ends_in_the_same_tables(
    database: str, ordered: dict[str, list[str]]
) -> None:
    """Bounded steps between a worker's batches, late readings among them, equal one ordered pass."""
    late = SENT[30:110:9]
    on_time = [item for item in SENT if item not in late]
    middle = len(on_time) // 2
    engine = open_engine(database, snapshot_ms=SNAPSHOT_MS)
    partition = engine.open(0)
    engine.apply(partition, [record(0, on_time[:middle])])
    with connect(database, name="test") as connection:
        connection.execute("UPDATE meter_minute SET increment = 0")
        connection.execute("DELETE FROM battery_quarter")
        connection.execute("DELETE FROM gangue_sum")
    other = open_engine(database, snapshot_ms=SNAPSHOT_MS)
    devices = [device.device_id for device in REGISTRY.devices]
    live = [late, *(on_time[start : start + 40] for start in range(middle, len(on_time), 40))]
    begin = START_MS - START_MS % SNAPSHOT_MS - SNAPSHOT_MS
    for step in range(2 + 50 * MINUTE_MS // SNAPSHOT_MS):
        other.rebuild(0, devices, begin + step * SNAPSHOT_MS, begin + (step + 1) * SNAPSHOT_MS)
        if live:
            engine.apply(partition, [record(partition.next_offset, live.pop(0))])
    while live:
        engine.apply(partition, [record(partition.next_offset, live.pop(0))])
    assert differing(held(database), ordered) == {}


def test_a_rebuild_in_parts_carries_what_it_remembers_from_part_to_part(database: str) -> None:
    """After a change that makes states differ, bounded steps equal one pass that had it from the beginning."""
    changed = Registry(
        sites=REGISTRY.sites,
        devices=[
            device.model_copy(update={"period_s": 5, "rated": None}) if device.kind in REFITTED else device
            for device in REGISTRY.devices
        ],
    )
    with connect(database, name="test") as connection:
        import_registry(connection, changed)
    want = feed(database, [SENT])
    wipe(database)
    with connect(database, name="test") as connection:
        import_registry(connection, REGISTRY)
    assert feed(database, [SENT]) != want
    with connect(database, name="test") as connection:
        import_registry(connection, changed)
    engine = open_engine(database, snapshot_ms=SNAPSHOT_MS)
    devices = [device.device_id for device in REGISTRY.devices]
    begin = START_MS - START_MS % SNAPSHOT_MS
    for from_ms in range(begin, SENT[-1].reading["ts"] + 1, SNAPSHOT_MS):
        engine.rebuild(0, devices, from_ms, from_ms + SNAPSHOT_MS)
    assert differing(held(database), want) == {}


def test_a_device_that_moves_and_comes_back_is_folded_from_its_newest_state(database: str) -> None:
    """After a change of the registry the database is asked again what is remembered."""
    meter = [item for item in SENT if item.device_id == "p-1"]
    elsewhere = Registry(
        sites=REGISTRY.sites,
        devices=[
            device.model_copy(update={"site_id": "bs-1"}) if device.device_id == "p-1" else device
            for device in REGISTRY.devices
        ],
    )
    engine = open_engine(database, partitions=5)
    home, away = (engine.open(partition_of(site, 5)) for site in ("plant-1", "bs-1"))
    assert home.position != away.position
    third = len(meter) // 3
    engine.apply(home, [record(0, meter[:third])])
    with connect(database, name="test") as connection:
        import_registry(connection, elsewhere)
    moved = [item._replace(site_id="bs-1") for item in meter[third : 2 * third]]
    engine.apply(away, [record(0, moved)])
    with connect(database, name="test") as connection:
        import_registry(connection, REGISTRY)
    engine.apply(home, [record(1, meter[2 * third :])])
    with connect(database, name="test") as connection:
        worst = connection.execute("SELECT count(*) FROM meter_minute WHERE quality = 'unknown'").fetchone()
        memory = home.memories["register_metering", "p-1"]
    assert worst == (0,)
    assert memory is not None
    assert memory.last_ts == meter[-1].reading["ts"]
    assert books(database).closed


def test_what_the_registry_refuses_is_quarantined_with_its_reason(database: str) -> None:
    """Unknown device, wrong site, impossible value, lost clock: one reason each, and the books close."""
    ts = START_MS
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
    first = Sent("plant-1", Kind.WATER, "w-1", {"ts": START_MS, "volume_m3": 1.0})
    other = Sent("plant-1", Kind.WATER, "w-1", {"ts": START_MS, "volume_m3": 2.0})
    feed(database, [[first, other, first], [other, first]])
    assert reasons(database) == {"conflict": 2}
    found = books(database)
    assert (found.stored, found.duplicate, found.quarantined, found.closed) == (1, 2, 2, True)


def test_a_reading_the_database_refuses_costs_one_reading(database: str, ordered: dict[str, list[str]]) -> None:
    """Bisected, quarantined as storage_rejected, and the rest of its batch stored."""
    with connect(database, name="test") as connection:
        connection.execute("ALTER TABLE reading_production ADD CHECK (grade IS DISTINCT FROM 'cursed')")
    ts = START_MS + 1
    cursed = [
        Sent("plant-1", Kind.PRODUCTION, "p-1", {"ts": ts + at, "mass_t": 1.0, "grade": "cursed"}) for at in range(2)
    ]
    found_there = feed(database, [[*SENT[:70], cursed[0], *SENT[70:90], cursed[1], *SENT[90:]]])
    assert reasons(database) == {"storage_rejected": 2}
    assert found_there == ordered
    assert books(database).closed


def test_a_message_that_cannot_be_read_costs_neither_its_neighbours_nor_the_books(database: str) -> None:
    """The rest of its record is stored, its own readings are in quarantine under their device."""
    good = orjson.loads(record(0, SENT[:10]).value)
    good["messages"].append({"site_id": "plant-1", "kind": "electricity", "device_id": "e-1", "received_ms": START_MS})
    good["messages"][-1]["readings"] = [{"ts": "never"}, {"ts": START_MS - 1}]
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
    newer = record(1, [])._replace(value=b'{"version": 2, "what": "ever"}')
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
        arrivals.setdefault(item.kind, []).append(Arrival(item.device_id, START_MS, reading, apart))
    stored: list[dict[str, list[str]]] = []
    for newest in (readings_table.nothing_known, lambda _: 0):
        wipe(database)
        with connect(database, name="test") as connection:
            for kind, own in arrivals.items():
                assert len(readings_table.store(connection, kind, own, newest).fresh) == len(own)
        stored.append(snapshot(database, RAW))
    assert differing(*stored) == {}

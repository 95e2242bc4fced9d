"""What the engine remembers between records: saved now and then, lost, rebuilt, and always the same in the end."""

from __future__ import annotations

import json

import psycopg
import pytest

from schemas.registry import Registry
from schemas.time import MINUTE_MS
from schemas.topics import partition_of
from storage import readings as readings_table
from storage import state
from storage.books import quarantine
from storage.pool import connect
from storage.registry import import_registry
from streams.installed import installed
from tests.support.engine import REFITTED, SENT, SNAPSHOT_MS, books, differing, feed, held, wipe
from tests.support.pipeline import (
    REGISTRY,
    START_TS,
    open_engine,
    record,
)


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


def _fail(*_: object) -> None:
    raise psycopg.OperationalError


@pytest.mark.parametrize("fails", [False, True])
def test_what_came_under_one_registry_is_saved_before_the_next_one_counts(
    database: str, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    """A change finds the same memory however seldom it is saved, and where the first transaction after it fails."""
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
        if fails:
            with monkeypatch.context() as patched:
                patched.setattr(quarantine, "add", _fail)
                with pytest.raises(psycopg.OperationalError):
                    engine.apply(partition, [record(partition.next_offset, [])])
        engine.apply(partition, [record(partition.next_offset, [])])
        assert all(saved == newest for newest, saved in newest_and_saved(database).values())
        engine.apply(partition, [record(partition.next_offset, SENT[120:])])
        engine.close()
        came_to.append(held(database))
    assert differing(*came_to) == {}


def test_what_another_partition_saved_of_a_device_is_not_saved_over(database: str) -> None:
    """A worker that had the device before writes what it remembers only where that goes further."""
    with connect(database, name="test") as connection:
        newer = state.SavedState("e-1", "k", 1, START_TS + 10, "{}")
        state.save(connection, [newer])
        state.carry_on(connection, [newer._replace(last_ts=START_TS + 10, state="[1]")])
        state.carry_on(connection, [newer._replace(last_ts=START_TS + 20, version=2)])
        state.carry_on(connection, [newer._replace(entity_id="e-2")])
        assert state.load(connection, ["e-1", "e-2"]) == [newer]
        state.carry_on(connection, [newer._replace(last_ts=START_TS + 20, state="[2]")])
        assert [item.state for item in state.load(connection, ["e-1"])] == ["[2]"]


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
    assert other.rebuild(0, [device.device_id for device in REGISTRY.devices], START_TS) > 0
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
    begin = START_TS - START_TS % SNAPSHOT_MS - SNAPSHOT_MS
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
    begin = START_TS - START_TS % SNAPSHOT_MS
    for from_ts in range(begin, SENT[-1].reading["ts"] + 1, SNAPSHOT_MS):
        engine.rebuild(0, devices, from_ts, from_ts + SNAPSHOT_MS)
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

"""Recompute on a real database: the same rows again, step by step, beside live work, shared and resumable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from schemas.readings import Kind
from schemas.registry import ProductLine, Registry
from schemas.time import MINUTE_MS
from storage import recompute as requests
from storage.pool import connect
from storage.reference import load_reference
from storage.registry import import_registry
from streams.engine import recompute
from streams.engine.recompute import Recompute
from streams.kernels.plant.reference import reference
from tests.support.pipeline import REGISTRY, START_TS, open_engine, prepare, readings, record, snapshot

if TYPE_CHECKING:
    from storage.recompute import Request

SENT = readings(40)
SITE = "plant-1"
REBUILT = ("meter_quarter", "plant_hour", "plant_day", "plant_rolling", "water_day", "plant_window")
DERIVED_HERE = ("meter_minute", *REBUILT)


@pytest.fixture
def database(own_url: str) -> str:
    """A migrated database with the test registry."""
    prepare(own_url)
    return own_url


def ask(url: str, *sites: str, from_ts: int = 0) -> list[int]:
    """Ask for sites."""
    with connect(url, name="test") as connection:
        return requests.ask(connection, sites, reason="test", from_ts=from_ts)


def open_requests(url: str) -> dict[str, str]:
    """Site and reason of what is still to be done."""
    with connect(url, name="test") as connection:
        return dict(
            connection.execute("SELECT site_id, reason FROM recompute_request WHERE finished_at IS NULL").fetchall()
        )


def look(url: str, number: int) -> Request:
    """A request."""
    with connect(url, name="test") as connection:
        return requests.read(connection, number)


def spoil(url: str) -> None:
    """Make derived rows of every kind wrong or absent."""
    with connect(url, name="test") as connection:
        connection.execute("UPDATE meter_minute SET increment = 7 WHERE site_id = %s", (SITE,))
        for table in REBUILT:
            connection.execute(sql.SQL("DELETE FROM {} WHERE site_id = %s").format(sql.Identifier(table)), (SITE,))


def test_a_request_is_done_in_steps_beside_live_work_and_gives_the_same_rows(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small step is a device or two; between the steps a worker stores new and late readings."""
    monkeypatch.setattr(recompute, "STEP_READINGS", 300)
    late = SENT[20:120:11]
    on_time = [item for item in SENT if item not in late]
    engine = open_engine(database)
    partition = engine.open(0)
    engine.apply(partition, [record(0, on_time[:150])])
    spoil(database)
    (number,) = ask(database, SITE)
    live = [late, on_time[150:200], on_time[200:]]
    other = Recompute(open_engine(database))
    steps = 0
    while (progress := other.step()) is not None and not progress.is_finished:
        steps += 1
        if live:
            engine.apply(partition, [record(partition.next_offset, live.pop(0))])
    for batch in live:
        engine.apply(partition, [record(partition.next_offset, batch)])
    assert steps >= 3
    assert other.step() is None
    assert look(database, number).finished_ts is not None
    held = snapshot(database, DERIVED_HERE)
    with connect(database, name="test") as connection:
        for table in (*DERIVED_HERE, "entity_state", "entity_snapshot"):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    fresh = open_engine(database)
    fresh.rebuild(0, [device.device_id for device in REGISTRY.devices], START_TS)
    assert snapshot(database, DERIVED_HERE) == held


def test_what_follows_is_derived_again_though_no_reading_says_anything_new(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a change of roles: rows of all devices stand as they were, and only what follows from them does not."""
    monkeypatch.setattr(recompute, "STEP_READINGS", 300)
    engine = open_engine(database)
    engine.apply(engine.open(0), [record(0, SENT)])
    held = snapshot(database, DERIVED_HERE)
    with connect(database, name="test") as connection:
        for table in REBUILT:
            connection.execute(
                sql.SQL("UPDATE {} SET coverage = 0.123 WHERE site_id = %s").format(sql.Identifier(table)), (SITE,)
            )
    assert snapshot(database, DERIVED_HERE) != held
    ask(database, SITE)
    steps = Recompute(engine)
    while (progress := steps.step()) is not None and not progress.is_finished:
        pass
    assert snapshot(database, DERIVED_HERE) == held


def test_a_step_that_fails_leaves_nothing_and_is_done_again(database: str) -> None:
    """Progress is in the step's own transaction."""
    engine = open_engine(database)
    engine.apply(engine.open(0), [record(0, SENT)])
    (number,) = ask(database, SITE)
    with connect(database, name="test") as connection:
        connection.execute("ALTER TABLE plant_hour ADD CHECK (energy_kgce IS DISTINCT FROM 1) NOT VALID")
        connection.execute("UPDATE plant_hour SET coverage = 0.5")
        connection.execute("ALTER TABLE plant_hour RENAME TO plant_hour_away")
    with pytest.raises(Exception, match="plant_hour"):
        Recompute(engine).step()
    assert look(database, number).next_ts is None
    with connect(database, name="test") as connection:
        connection.execute("ALTER TABLE plant_hour_away RENAME TO plant_hour")
    while (progress := Recompute(engine).step(number)) is not None and not progress.is_finished:
        pass
    with connect(database, name="test") as connection:
        worst = connection.execute("SELECT count(*) FROM plant_hour WHERE coverage = 0.5 AND site_id = %s", (SITE,))
        assert worst.fetchone() == (0,)


def test_a_request_in_another_hand_is_left_alone(database: str) -> None:
    """Two workers share requests: one holds one, the other takes the next."""
    engine = open_engine(database)
    engine.apply(engine.open(0), [record(0, SENT)])
    first, second = ask(database, SITE, "plant-2")
    with connect(database, name="test") as connection, connection.transaction():
        claimed = requests.claim(connection)
        assert claimed is not None
        assert claimed.id == first
        step = Recompute(engine).step()
        assert step is not None
        assert step.request_id == second


def test_a_changed_registry_marks_the_plants_it_touches(database: str) -> None:
    """A new role, product or rollover marks; a new name or a new device does not."""
    renamed = [device.model_copy(update={"name_zh": "新名"}) for device in REGISTRY.devices]
    with connect(database, name="test") as connection:
        import_registry(connection, Registry(sites=REGISTRY.sites, devices=renamed))
    assert open_requests(database) == {}
    rolled = [
        device.model_copy(update={"rollover": {"mass_t": 1000.0}}) if device.kind is Kind.PRODUCTION else device
        for device in renamed
    ]
    held = [
        site.model_copy(update={"product_lines": [ProductLine(product="power_super_high_200")]})
        if site.site_id == "plant-2"
        else site
        for site in REGISTRY.sites
    ]
    with connect(database, name="test") as connection:
        import_registry(connection, Registry(sites=held, devices=rolled))
    assert open_requests(database) == {"plant-1": "registry", "plant-2": "registry"}


def test_new_reference_data_marks_every_plant_and_waits_for_workers_that_speak_it(database: str) -> None:
    """The first version marks nothing; a worker of an older version does not touch what the newer one is to do."""
    engine = open_engine(database)
    engine.apply(engine.open(0), [record(0, SENT)])
    newer = reference().model_copy(update={"version": "next"})
    with connect(database, name="test") as connection:
        load_reference(connection, reference())
        assert open_requests(database) == {}
        load_reference(connection, newer)
    assert open_requests(database) == {"plant-1": "reference next", "plant-2": "reference next"}
    assert Recompute(engine).step() is None
    with connect(database, name="test") as connection:
        load_reference(connection, reference())
    assert Recompute(engine).step() is not None


def test_a_site_without_readings_is_finished_at_once(database: str) -> None:
    """Nothing to derive is done."""
    (number,) = ask(database, "bs-1", from_ts=START_TS + 5 * MINUTE_MS)
    step = Recompute(open_engine(database)).step(number)
    assert step is not None
    assert step.is_finished


def fail_at(url: str, site: str) -> None:
    """Make PostgreSQL refuse derived rows of a site."""
    with connect(url, name="test") as connection:
        connection.execute(
            sql.SQL("ALTER TABLE meter_minute ADD CONSTRAINT refused CHECK (site_id <> {}) NOT VALID").format(site)
        )


def test_a_request_that_fails_says_why_and_holds_up_no_other(database: str) -> None:
    """It comes behind the others and not before its time; asked for by its number it is taken at once."""
    engine = open_engine(database)
    engine.apply(engine.open(0), [record(0, SENT)])
    spoil(database)
    fail_at(database, SITE)
    (failing,) = ask(database, SITE)
    (other,) = ask(database, "plant-2")
    steps = Recompute(engine)
    with pytest.raises(psycopg.errors.CheckViolation):
        steps.step()
    assert look(database, failing).error.startswith("failed: CheckViolation: new row")
    while (step := steps.step()) is not None:
        assert step.request_id == other
    assert look(database, other).finished_ts is not None
    for _ in range(2):
        with pytest.raises(psycopg.errors.CheckViolation):
            steps.step(failing)
    with connect(database, name="test") as connection:
        row = connection.execute(
            "SELECT failures, due_at - clock_timestamp() BETWEEN '10 s' AND '20 s' FROM recompute_request"
            " WHERE id = %s",
            (failing,),
        ).fetchone()
        assert row == (3, True)
        connection.execute("ALTER TABLE meter_minute DROP CONSTRAINT refused")
        connection.execute("UPDATE recompute_request SET due_at = clock_timestamp()")
    while steps.step() is not None:
        pass
    done = look(database, failing)
    assert (done.error, done.finished_ts is not None) == ("", True)


def test_a_failure_is_not_booked_on_a_step_that_somebody_else_has_done(database: str) -> None:
    """A failed worker writes it down after its transaction: the request may have gone on by then."""
    engine = open_engine(database)
    engine.apply(engine.open(0), [record(0, SENT)])
    (number,) = ask(database, SITE)
    before = look(database, number)
    assert Recompute(engine).step() is not None
    with connect(database, name="test") as connection:
        requests.put_off(connection, before, "failed: too late")
    assert look(database, number).error == ""


def test_a_failure_is_written_down_whatever_its_text_holds(database: str) -> None:
    """PostgreSQL stores no NUL and no half of a character; unwritten, the request held up all others in silence."""
    (number,) = ask(database, SITE)
    with connect(database, name="test") as connection:
        requests.put_off(connection, requests.read(connection, number), "failed: name '\0' or '\udcff'")
    assert look(database, number).error == "failed: name '\\0' or '\\udcff'"
    assert Recompute(open_engine(database)).step() is None

"""A life in years: what is older than it is kept goes, and nothing reaches behind it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, LiteralString

import pytest
from psycopg.errors import InsufficientPrivilege
from typer.testing import CliRunner

from fenhe.cli import app
from schemas.kafka.quarantine import Quarantined, Reason
from schemas.readings import Kind
from schemas.time import DAY_MS
from storage import recompute as requests
from storage import retention
from storage.books import quarantine
from storage.books.balance import balance
from storage.pool import connect
from storage.statements import trusted
from streams.engine.recompute import Recompute
from tests.support.pipeline import START_TS, Sent, open_engine, prepare, record, snapshot

if TYPE_CHECKING:
    from fenhe.local import Postgres

DAYS = 500


def count(url: str, statement: LiteralString) -> int:
    """One number."""
    with connect(url, name="test") as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return int(row[0])


def months_of_readings(url: str) -> list[Sent]:
    """A meter's reading every eight days, over more than a year: too far apart to be spread over minutes."""
    prepare(url)
    sent = [
        Sent("plant-1", Kind.PRODUCTION, "p-1", {"ts": START_TS + day * DAY_MS, "mass_t": float(day)})
        for day in range(0, DAYS, 8)
    ]
    engine = open_engine(url)
    engine.apply(engine.open(0), [record(0, sent)])
    return sent


def keep_to(url: str, at_ts: int) -> list[str]:
    """Have the policy do its work as at some moment; returns what it says."""
    done: list[str] = []
    with connect(url, name="test", autocommit=True) as connection:
        now = dt.datetime.fromtimestamp(at_ts / 1000, dt.UTC)
        while row := connection.execute("SELECT retention_step(20000, %s)", (now,)).fetchone():
            if row[0] is None:
                break
            done.append(row[0])
    return done


def derived_of_what_is_gone(url: str) -> dict[str, list[str]]:
    """Rows that are of readings which are not kept any more."""
    with connect(url, name="test") as connection:
        kept = "(SELECT kept_from FROM retention_policy WHERE table_name = 'reading_production')"
        return {
            name: [
                row[0]
                for row in connection.execute(
                    trusted(f"SELECT to_jsonb(t)::text FROM {name} t WHERE ts < {kept} ORDER BY 1")  # noqa: S608
                )
            ]
            for name in ("meter_minute", "meter_quarter", "plant_hour", "plant_day", "meter_event", "plant_window")
        }


def test_raw_readings_go_after_thirteen_months_and_hours_stay(own_url: str) -> None:
    """What goes is older than it is kept; what is newer stays, and so do all hours and the books."""
    months_of_readings(own_url)
    hours = snapshot(own_url, ["plant_hour", "plant_day"])
    done = keep_to(own_url, START_TS + DAYS * DAY_MS)
    assert any(what.startswith("reading_production: ") for what in done)
    with connect(own_url, name="test") as connection:
        row = connection.execute("SELECT min(ts), max(ts), count(*) FROM reading_production").fetchone()
        kept = {policy.table: policy for policy in retention.policies(connection)}
    assert row is not None
    end = dt.datetime.fromtimestamp(START_TS / 1000 + DAYS * 86_400, dt.UTC)
    assert dt.timedelta(days=386) <= end - row[0] <= dt.timedelta(days=404), "13 months, to the day or the chunk"
    assert row[1] >= end - dt.timedelta(days=9)
    assert kept["reading_production"].kept_from is not None
    assert kept["plant_window"].kept_from is None, "three years have not passed"
    assert snapshot(own_url, ["plant_hour", "plant_day"]) == hours
    assert keep_to(own_url, START_TS + DAYS * DAY_MS) == [], "and then nothing is left to do"


def test_a_lost_turn_does_not_end_retention(own_url: str) -> None:
    """Whose turn it is stands in a row; where a restore left it out, a step makes it anew."""
    prepare(own_url)
    with connect(own_url, name="test") as connection:
        connection.execute("TRUNCATE turn")
        quarantine.add(
            connection, [Quarantined(reason=Reason.MALFORMED, topic="t", payload=b"{", size=1, received_ts=0)]
        )
    assert any(what.startswith("quarantine: ") for what in keep_to(own_url, START_TS + DAYS * DAY_MS))


def test_a_recompute_begins_where_readings_are_kept_and_says_so(own_url: str) -> None:
    """Rows whose readings are gone are never derived again: they stay as they were when there were readings."""
    months_of_readings(own_url)
    keep_to(own_url, START_TS + DAYS * DAY_MS)
    before = derived_of_what_is_gone(own_url)
    assert any(before.values())
    engine = open_engine(own_url)
    with connect(own_url, name="test") as connection:
        kept_ts = retention.derivable_from_ts(connection)
        assert kept_ts is not None
        (number,) = requests.ask(connection, ["plant-1"], reason="test", to_ts=kept_ts + 2 * DAY_MS)
    work = Recompute(engine)
    while (progress := work.step(number)) is not None and not progress.is_finished:
        pass
    with connect(own_url, name="test") as connection:
        done = requests.read(connection, number)
    assert progress is not None
    assert progress.from_ts >= kept_ts - DAY_MS // 4
    assert "older readings are not kept" in done.error
    assert derived_of_what_is_gone(own_url) == before


def test_the_quarantine_is_bounded_by_site_and_says_what_went(own_url: str) -> None:
    """Of each site the newest are kept, those not replayed first; what went is counted, and the books stay closed."""
    prepare(own_url)
    with connect(own_url, name="test", autocommit=True) as connection:
        connection.execute("UPDATE quarantine_limit SET bytes_a_site = 1000000")
        connection.execute(
            "INSERT INTO quarantine"
            " (received_at, reason, detail, topic, site_id, kind, device_id, payload, size, replayed_at)"
            " SELECT now(), 'malformed', n::text, 't', CASE WHEN n <= 30 THEN 'noisy' ELSE 'quiet' END, '', '',"
            " convert_to(repeat('x', 100000), 'UTF8'), 100000, CASE WHEN n > 25 THEN now() END"
            " FROM generate_series(1, 35) AS n"
        )
        assert retention.step(connection) == "quarantine: 20"
        assert retention.step(connection) is None
        left = connection.execute("SELECT site_id, array_agg(id ORDER BY id) FROM quarantine GROUP BY 1 ORDER BY 1")
        assert [(site, len(ids)) for site, ids in left] == [("noisy", 10), ("quiet", 5)]
        assert connection.execute("SELECT count(*) FROM quarantine WHERE replayed_at IS NULL").fetchone() == (10,)
        dropped = connection.execute("SELECT site_id, messages, bytes FROM quarantine_dropped").fetchall()
        assert dropped == [("noisy", 20, 2_000_000)]
        assert balance(connection) is not None


def test_a_worker_keeps_to_the_policy_and_cannot_change_it(own_url: str, postgres: Postgres) -> None:
    """It may have done what the policy says, at the time it is; nothing sooner."""
    months_of_readings(own_url)
    writer = postgres.url("fenhe_writer", own_url.rpartition("/")[2])
    with connect(writer, name="test", autocommit=True) as connection:
        for statement in (
            b"UPDATE retention_policy SET keep = '60 days'",
            b"SELECT retention_set('reading_flow', '60 days')",
            b"SELECT retention_step(100, now() + interval '9 years')",
            b"SELECT retention_drop('reading_flow', 'ts', now(), 100)",
            b"SELECT quarantine_shrink()",
        ):
            with pytest.raises(InsufficientPrivilege):
                connection.execute(statement)
        while retention.step(connection):
            pass
    now_ts = dt.datetime.now(dt.UTC).timestamp() * 1000
    expected = sum(START_TS + day * DAY_MS >= now_ts - 400 * DAY_MS for day in range(0, DAYS, 8))
    assert abs(count(own_url, "SELECT count(*) FROM reading_production") - expected) <= 4


def test_what_is_kept_is_said_and_set_by_a_command(own_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`fenhe retention` shows, sets and runs; less than 60 days is refused."""
    prepare(own_url)
    monkeypatch.setenv("FENHE_DB_OWNER_URL", own_url)
    runner = CliRunner()
    assert "reading_battery: 1 year 1 mon" in runner.invoke(app, ["retention", "show"]).output
    assert runner.invoke(app, ["retention", "set", "meter_minute", "5 years"]).exit_code == 0
    assert "meter_minute: 5 years" in runner.invoke(app, ["retention", "show"]).output
    assert runner.invoke(app, ["retention", "set", "meter_minute", "9 days"]).exit_code == 2
    assert runner.invoke(app, ["retention", "set", "no_such", "9 years"]).exit_code == 2
    assert "nothing is older" in runner.invoke(app, ["retention", "run"]).output


def test_a_table_that_cannot_be_cleared_holds_up_no_other_and_says_so(own_url: str) -> None:
    """Those behind it in the alphabet go as the policy says; the next time that all goes well the word is gone."""
    months_of_readings(own_url)
    with connect(own_url, name="test") as connection:
        connection.execute("UPDATE retention_policy SET keep = '13 months' WHERE table_name = 'meter_quarter'")
        connection.execute(
            "ALTER FUNCTION retention_drop RENAME TO retention_drop_kept;"
            " CREATE FUNCTION retention_drop(p_table text, p_clock text, p_before timestamptz, p_rows int)"
            " RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN"
            " IF p_table = 'meter_quarter' THEN RAISE EXCEPTION 'chunk 7 is broken'; END IF;"
            " RETURN retention_drop_kept(p_table, p_clock, p_before, p_rows); END $$"
        )
        connection.execute(
            "ALTER FUNCTION quarantine_shrink RENAME TO quarantine_shrink_kept;"
            " CREATE FUNCTION quarantine_shrink(p_rows int) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE EXCEPTION 'page 3 is broken'; END $$"
        )
    done = keep_to(own_url, START_TS + DAYS * DAY_MS)
    assert any(said.startswith("reading_production: ") for said in done)
    with connect(own_url, name="test") as connection:
        said = {policy.table: policy.error for policy in retention.policies(connection) if policy.error}
    assert set(said) == {"meter_quarter", "quarantine"}
    assert said["meter_quarter"].startswith("failed: chunk 7 is broken; the other tables go on")
    assert said["meter_quarter"].endswith("fenhe retention run tries at once")
    result = CliRunner().invoke(app, ["retention", "run"], env={"FENHE_DB_OWNER_URL": own_url})
    assert result.exit_code == 1
    assert "meter_quarter: failed: chunk 7 is broken" in result.output
    assert (
        "failed: page 3 is broken"
        in CliRunner().invoke(app, ["retention", "show"], env={"FENHE_DB_OWNER_URL": own_url}).output
    )
    with connect(own_url, name="test") as connection:
        connection.execute("DROP FUNCTION retention_drop; ALTER FUNCTION retention_drop_kept RENAME TO retention_drop")
        connection.execute(
            "DROP FUNCTION quarantine_shrink; ALTER FUNCTION quarantine_shrink_kept RENAME TO quarantine_shrink"
        )
    keep_to(own_url, START_TS + DAYS * DAY_MS)
    with connect(own_url, name="test") as connection:
        assert not any(policy.error for policy in retention.policies(connection))


def test_what_is_kept_for_ever_does_not_fail(own_url: str) -> None:
    """Nobody clears a table of which nothing goes: what was said of it stood for ever, and had the alert fire."""
    prepare(own_url)
    env = {"FENHE_DB_OWNER_URL": own_url}
    with connect(own_url, name="test") as connection:
        connection.execute("UPDATE retention_policy SET error = 'failed: x' WHERE table_name = 'meter_minute'")
    runner = CliRunner()
    assert runner.invoke(app, ["retention", "set", "meter_minute", "for ever"], env=env).exit_code == 0
    assert "failed" not in runner.invoke(app, ["retention", "show"], env=env).output
    assert runner.invoke(app, ["retention", "run"], env=env).exit_code == 0

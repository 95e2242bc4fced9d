"""What each role of the database may do, and what it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from schemas.kafka.quarantine import Quarantined, Reason
from storage.alarm_tables import notifications, operator, silence
from storage.books import quarantine
from storage.pool import connect
from storage.statements import trusted
from tests.support.pipeline import open_engine, prepare, readings, record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fenhe.local import Postgres

SAFETY, PLAIN = "s" * 32, "p" * 32


@pytest.fixture(scope="module")
def url(postgres: Postgres) -> Iterator[dict[str, str]]:
    """Where each role connects: a database with some readings, and an alarm of safety and another."""
    name = "rights"
    owner = postgres.create_database(name)
    prepare(owner)
    engine = open_engine(owner)
    engine.apply(engine.open(0), [record(0, readings(5))])
    with connect(owner, name="test") as connection:
        for alarm_id, kind, safety in ((SAFETY, "smoke", True), (PLAIN, "step", False)):
            connection.execute(
                "INSERT INTO alarm (alarm_id, site_id, device_id, metric, kind, severity, safety, event_at, raised_at,"
                " group_id) VALUES (%s, 'bs-1', 's-1', '', %s, 'high', %s, 'epoch', 'epoch', %s)",
                (alarm_id, kind, safety, alarm_id),
            )
            connection.execute("SELECT alarm_apply(%s, 'raise', 'fenhe', 'test')", (alarm_id,))
    roles = ("fenhe_writer", "fenhe_reader", "fenhe_operator", "fenhe_notifier")
    yield {role: postgres.url(role, name) for role in roles} | {"owner": owner}
    postgres.drop_database(name)


def refused(url: str, *statements: str) -> None:
    """Each statement is refused for want of a right, also by a session that lifts its own read-only setting."""
    with connect(url, name="test", autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        for statement in statements:
            with pytest.raises(InsufficientPrivilege):
                connection.execute(trusted(statement))


def test_a_worker_takes_nothing_away(url: dict[str, str]) -> None:
    """Raw readings, books, losses, quarantine and the alarms' history are appended to, and nothing else."""
    refused(
        url["fenhe_writer"],
        "DELETE FROM reading_electricity",
        "UPDATE reading_battery SET soc_pct = 1",
        "TRUNCATE reading_flow",
        "DELETE FROM ledger_entry",
        "UPDATE ledger_entry SET device_id = 'x'",
        "DELETE FROM ledger_total",
        "DELETE FROM log_loss",
        "UPDATE log_loss SET what = ''",
        "DELETE FROM quarantine",
        "UPDATE quarantine SET replayed_at = now()",
        "DELETE FROM alarm",
        "DELETE FROM alarm_transition",
        "UPDATE alarm_transition SET actor = 'x'",
        "DELETE FROM checkpoint",
    )


def test_a_worker_has_no_hand_on_registry_settings_and_notices(url: dict[str, str]) -> None:
    """The registry and the reference data are the owner's, thresholds the operators', notices the notifier's."""
    refused(
        url["fenhe_writer"],
        "DELETE FROM device",
        "UPDATE site SET name = ''",
        "INSERT INTO reference_version SELECT * FROM reference_version",
        "INSERT INTO alarm_setting_change (kind, site_id, device_id, metric, parameter, actor, reason)"
        " VALUES ('step', '', '', '', 'low', 'Wang', 'x')",
        "DELETE FROM notification",
        "UPDATE notification_outbox SET planned_at = now()",
        "DELETE FROM schema_migration",
    )


def test_a_worker_cannot_act_as_a_person(url: dict[str, str]) -> None:
    """By whatever way: not with a person's name, and not with what only persons do."""
    refused(
        url["fenhe_writer"],
        f"SELECT alarm_apply('{PLAIN}', 'acknowledge', 'Wang', 'seen')",
        f"SELECT alarm_apply('{PLAIN}', 'acknowledge', 'fenhe', 'seen')",
        f"SELECT alarm_apply('{PLAIN}', 'amend', 'Wang', 'seen')",
        "UPDATE alarm SET acknowledged_by = 'Wang'",
        "INSERT INTO alarm_transition (alarm_id, event, from_state, to_state, presented, actor, reason)"
        " SELECT alarm_id, 'comment', state, state, false, 'Wang', 'x' FROM alarm",
    )


def test_a_worker_works_with_what_it_has(url: dict[str, str]) -> None:
    """The whole pipeline runs as the writer: readings, late ones, conflicts, alarms."""
    engine = open_engine(url["fenhe_writer"])
    later = [item._replace(reading=item.reading | {"ts": item.reading["ts"] + 3_600_000}) for item in readings(40, 2)]
    outcome = engine.apply(engine.open(0), [record(1, later[20:]), record(2, later[:20]), record(3, readings(5))])
    assert outcome.stored == len(later)
    assert outcome.duplicate > 0


def test_the_notifier_plans_notices_and_nothing_else(url: dict[str, str]) -> None:
    """It reads alarms; it changes none, and no reading."""
    refused(
        url["fenhe_notifier"],
        f"SELECT alarm_apply('{PLAIN}', 'acknowledge', 'fenhe', 'seen')",
        "UPDATE alarm SET state = 'normal'",
        "SELECT * FROM reading_battery",
        "DELETE FROM notification_outbox",
    )
    with connect(url["fenhe_notifier"], name="test") as connection:
        assert connection.execute("SELECT count(*) FROM notification_outbox").fetchone() is not None


def test_the_reader_writes_nowhere(url: dict[str, str]) -> None:
    """Lifting its read-only setting gives it no table, no temporary table and no schema to write to."""
    refused(
        url["fenhe_reader"],
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE TABLE mine (id int)",
        "DELETE FROM quarantine",
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'x')",
    )


def test_the_reader_holds_nobody_up(url: dict[str, str]) -> None:
    """Whatever locks it can take, those who work do not wait for them."""
    with connect(url["owner"], name="test") as connection:
        connection.execute("SELECT take_turn('channel desk')")
    held = (
        "SELECT pg_advisory_lock(hashtext('fenhe channel'), hashtext('desk'))",
        "SELECT pg_advisory_lock(hashtext('fenhe region'), hashtext('太原'))",
        "SELECT pg_advisory_lock(hashtext('fenhe retention'))",
    )
    with connect(url["fenhe_reader"], name="test", autocommit=True) as reader:
        for lock in held:
            reader.execute(trusted(lock))
        refused(
            url["fenhe_reader"],
            "SELECT take_turn('channel desk')",
            "SELECT * FROM turn FOR SHARE",
            "DO $$ BEGIN LOCK TABLE turn IN ROW SHARE MODE; END $$",
            "DO $$ BEGIN LOCK TABLE notification_outbox IN ROW SHARE MODE; END $$",
        )
        with connect(url["fenhe_notifier"], name="test") as notifier:
            notifier.execute("SET statement_timeout = '5s'")
            notifications.hold_channel(notifier, "desk")
        with connect(url["fenhe_writer"], name="test") as writer:
            writer.execute("SET statement_timeout = '5s'")
            silence.count_silent(writer, ["太原"])
            writer.execute("UPDATE entity_state SET last_ts = last_ts WHERE false")
        with connect(url["owner"], name="test") as owner:
            quarantine.add(
                owner, [Quarantined(reason=Reason.MALFORMED, topic="t", payload=b"{", size=1, received_ts=0)]
            )
            taken = owner.execute("SELECT retention_step(20000, clock_timestamp())").fetchone()
    assert taken is not None
    assert taken[0] is not None


def test_every_act_of_a_person_names_the_role_that_signed_in(url: dict[str, str]) -> None:
    """Beside the name that was given stands the session's role, which nobody gives."""
    with connect(url["fenhe_operator"], name="test", autocommit=True) as connection:
        operator.call(connection, "alarm_comment", PLAIN, "\u200bWang\u00a0 Wei\u2060", "looked at it")
        operator.call(connection, "alarm_set_threshold", "step", "", "", "", "realarm_h", 4.0, "Wang", "too often")
    with connect(url["owner"], name="test") as connection:
        acts = connection.execute("SELECT actor, session_role FROM alarm_transition WHERE event = 'comment'").fetchall()
        changes = connection.execute("SELECT actor, session_role FROM alarm_setting_change").fetchall()
    assert acts == [("Wang Wei", "fenhe_operator")]
    assert changes == [("Wang", "fenhe_operator")]


@pytest.mark.parametrize(
    "name", ["\u200b", " \u3000\u00a0", "fenhe", "fe\u200bnhe", "ｆｅｎｈｅ", "fеnhе", "\u2063fenhe\u180e"]
)
def test_a_name_that_cannot_be_seen_or_is_ours_is_refused(url: dict[str, str], name: str) -> None:
    """Zero-width letters, look-alike spaces and look-alike letters make no other name."""
    with (
        connect(url["fenhe_operator"], name="test") as connection,
        pytest.raises(psycopg.errors.InvalidParameterValue),
    ):
        operator.call(connection, "alarm_comment", PLAIN, name, "x")


def test_a_safety_alarm_is_not_taken_out_of_service(url: dict[str, str]) -> None:
    """Out of service has no end; shelving has one. That holds before it comes up, too."""
    with connect(url["fenhe_operator"], name="test", autocommit=True) as connection:
        for device, kind in (("s-1", "smoke"), ("b-1", "over_temperature")):
            with pytest.raises(InsufficientPrivilege, match="shelve it"):
                operator.call(connection, "alarm_out_of_service", "bs-1", device, "", kind, "Wang", "noise")
        assert operator.call(connection, "alarm_shelve", SAFETY, 8, "Wang", "smoke test") == "shelved"

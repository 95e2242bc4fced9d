"""The operator's hand on a real database: who may do what, one rule set, and a history nobody rewrites."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from dashboards.preview.operators.alarm_figures import earlier
from dashboards.preview.view import View
from fenhe.cli import app
from schemas.alarms import AlarmEvent, AlarmState, alarm_id
from schemas.words import Language
from storage.alarm_tables import operator
from storage.migrate import migrate
from storage.pool import connect
from streams.kernels.alarms.machine import TRANSITIONS, ImpossibleEventError, presents, step
from tests.support.pipeline import REGISTRY, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection

    from fenhe.local import Postgres

E = AlarmEvent


class Database(NamedTuple):
    """Where the three roles connect."""

    owner: str
    writer: str
    operator: str


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Iterator[Database]:
    """A migrated database with the test registry."""
    name = "alarm_operator"
    owner = postgres.create_database(name)
    prepare(owner, REGISTRY)
    yield Database(owner, postgres.url("fenhe_writer", name), postgres.url("fenhe_operator", name))
    postgres.drop_database(name)


def new_alarm(connection: Connection, number: int, *, safety: bool = False) -> str:
    """An alarm row that nothing has happened to yet."""
    name = alarm_id("w-1", f"metric_{number}", "step", number)
    connection.execute(
        "INSERT INTO alarm (alarm_id, site_id, device_id, metric, kind, severity, safety, event_at, raised_at,"
        " group_id)"
        " VALUES (%s, 'plant-1', 'w-1', %s, 'step', 'medium', %s, 'epoch', 'epoch', %s)",
        (name, f"metric_{number}", safety, name),
    )
    return name


def apply(connection: Connection, name: str, *events: AlarmEvent) -> None:
    """Have things happen, as the worker does."""
    for event in events:
        connection.execute("SELECT alarm_apply(%s, %s, 'fenhe', 'test')", (name, event))


@pytest.fixture
def raised(database: Database, request: pytest.FixtureRequest) -> str:
    """An alarm that was just raised."""
    with connect(database.writer, name="test") as connection:
        name = new_alarm(connection, abs(hash(request.node.name)) % 10**9)
        apply(connection, name, E.RAISE)
    return name


def test_the_database_holds_the_table_of_the_machine(database: Database) -> None:
    """Worker and operators go by one rule set."""
    with connect(database.owner, name="test") as connection:
        rows = connection.execute("SELECT state, event, next_state FROM alarm_rule").fetchall()
    assert {(AlarmState(a), AlarmEvent(b)): AlarmState(c) for a, b, c in rows} == TRANSITIONS


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(events=st.lists(st.sampled_from(AlarmEvent), min_size=1, max_size=14), number=st.integers(10**9, 10**12))
def test_the_database_takes_events_as_the_machine_does(
    database: Database, events: Sequence[AlarmEvent], number: int
) -> None:
    """Any sequence ends in the same state, refuses the same, and its history replays to it."""
    state, active, shown = AlarmState.NORMAL, False, 0
    with connect(database.owner, name="test") as connection:
        name = new_alarm(connection, number)
        for event in [AlarmEvent.RAISE, *events]:
            try:
                after = step(state, event, active=active)
            except ImpossibleEventError:
                with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState), connection.transaction():
                    apply(connection, name, event)
                continue
            apply(connection, name, event)
            shown += presents(state, event)
            state, active = after
        row = connection.execute("SELECT state, active FROM alarm WHERE alarm_id = %s", (name,)).fetchone()
        history = operator.history(connection, name).transitions
        stored = connection.execute(
            "SELECT count(*) FROM notification_outbox WHERE alarm_id = %s AND what = 'raised'", (name,)
        ).fetchone()
        connection.rollback()
    assert row == (state, active)
    assert stored == (shown,)
    replayed, holds = AlarmState.NORMAL, False
    for item in history:
        assert item["from_state"] == replayed
        replayed, holds = step(replayed, AlarmEvent(item["event"]), active=holds)
        assert item["to_state"] == replayed
    assert (replayed, holds) == (state, active)


def test_one_condition_has_one_open_alarm(database: Database, raised: str) -> None:
    """The database refuses a second one, by whatever way."""
    with connect(database.owner, name="test") as connection:
        connection.execute("CREATE TEMP TABLE twin AS SELECT * FROM alarm WHERE alarm_id = %s", (raised,))
        connection.execute("UPDATE twin SET alarm_id = 'twin'")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO alarm SELECT * FROM twin")


@pytest.mark.parametrize("role", ["owner", "writer"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE alarm_transition SET actor = 'nobody'",
        "DELETE FROM alarm_transition",
        "TRUNCATE alarm_transition CASCADE",
        "DELETE FROM alarm_setting_change",
    ],
)
def test_history_is_written_once(database: Database, raised: str, role: str, statement: str) -> None:
    """Not even the owner changes it by an ordinary statement."""
    assert raised
    with (
        connect(getattr(database, role), name="test") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_an_operator_works_by_functions_only(database: Database, raised: str) -> None:
    """The role reads alarms and changes them by functions; nothing else, and the writer has none of them."""
    with connect(database.operator, name="test") as connection:
        assert operator.call(connection, "alarm_acknowledge", raised, "王敏", "已派人") == "active_acknowledged"
        for statement in (
            "UPDATE alarm SET state = 'normal', active = false",
            "DELETE FROM maintenance",
            "SELECT alarm_apply('x', 'clear', 'fenhe', 'x')",
            "SELECT alarm_resume('x', ARRAY['shelved'], 'a', 'b')",
            "SELECT * FROM reading_water",
            "SELECT * FROM notification_outbox",
        ):
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable)):
                connection.execute(statement.encode())
            connection.rollback()
    with (
        connect(database.writer, name="test") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        operator.call(connection, "alarm_acknowledge", raised, "worker", "x")
    with connect(database.owner, name="test") as connection:
        last = operator.history(connection, raised).transitions[-1]
    assert (last["actor"], last["reason"]) == ("王敏", "已派人")


@pytest.mark.parametrize(
    ("user", "reason"), [("", "x"), ("  ", "x"), ("a", ""), (None, "x"), ("fenhe", "x"), ("a", None)]
)
def test_a_name_and_a_reason_are_required(
    database: Database, raised: str, user: str | None, reason: str | None
) -> None:
    """Nothing anonymous, nothing unexplained, and nobody passes for the worker."""
    with connect(database.operator, name="test") as connection:
        for function, more in (("alarm_acknowledge", ()), ("alarm_shelve", (1.0,)), ("alarm_comment", ())):
            with pytest.raises(psycopg.errors.InvalidParameterValue):
                operator.call(connection, function, raised, *more, user, reason)


def test_shelving_has_an_end(database: Database) -> None:
    """Not for ever, and only for hours where people are in danger."""
    with connect(database.owner, name="test") as connection:
        plain, danger = new_alarm(connection, 1), new_alarm(connection, 2, safety=True)
        for name in (plain, danger):
            apply(connection, name, E.RAISE)
    with connect(database.operator, name="test", autocommit=True) as connection:
        for hours in (0, -1, 169, float("nan"), None):
            with pytest.raises(psycopg.errors.InvalidParameterValue):
                operator.call(connection, "alarm_shelve", plain, hours, "a", "b")
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            operator.call(connection, "alarm_shelve", danger, 9, "a", "b")
        assert operator.call(connection, "alarm_shelve", danger, 8, "a", "b") == "shelved"
        row = connection.execute(
            "SELECT shelved_until - now() BETWEEN '7.9 h' AND '8 h' FROM alarm WHERE alarm_id = %s", (danger,)
        ).fetchone()
        assert row == (True,)
        assert operator.call(connection, "alarm_unshelve", danger, "a", "b") == "active_unacknowledged"
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            operator.call(connection, "alarm_unshelve", danger, "a", "b")


def test_an_active_alarm_cannot_be_closed(database: Database, raised: str) -> None:
    """What still holds is acknowledged or shelved; closed is what is over."""
    with connect(database.operator, name="test", autocommit=True) as connection:
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="its condition holds"):
            operator.call(connection, "alarm_close", raised, "a", "b")
        with connect(database.writer, name="test") as worker:
            apply(worker, raised, E.CLEAR)
        assert operator.call(connection, "alarm_close", raised, "a", "b") == "normal"


def test_a_condition_is_taken_out_of_service_before_it_alarms(database: Database) -> None:
    """It never comes up until taken back, and then as what it is by that time."""
    with connect(database.operator, name="test", autocommit=True) as connection:
        name = operator.call(connection, "alarm_out_of_service", "bs-1", "b-1", "", "no_data", "a", "removed")
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            operator.call(connection, "alarm_out_of_service", "bs-1", "b-1", "", "no_data", "a", "again")
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            operator.call(connection, "alarm_out_of_service", "plant-1", "b-1", "", "no_data", "a", "b")
        with connect(database.writer, name="test") as worker:
            apply(worker, name, E.RAISE)
        assert operator.call(connection, "alarm_return_to_service", name, "a", "b") == "active_unacknowledged"


def test_thresholds_are_set_with_a_history(database: Database) -> None:
    """Old and new value, who and why; safety limits are nobody's to set."""
    with connect(database.operator, name="test", autocommit=True) as connection:

        def put(kind: str, parameter: str, value: float | None) -> None:
            operator.call(connection, "alarm_set_threshold", kind, "plant-1", "", "", parameter, value, "a", "b")

        for value in (90.0, 95.0, None):
            put("night_flow", "high", value)
        changes = connection.execute("SELECT before, after, actor FROM alarm_setting_change ORDER BY id").fetchall()
        assert changes == [(None, 90.0, "a"), (90.0, 95.0, "a"), (95.0, None, "a")]
        assert connection.execute("SELECT count(*) FROM alarm_setting").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="safety"):
            put("smoke", "on_delay_samples", 4.0)
        for parameter, value in (("on_delay_samples", 1.5), ("on_delay_samples", 5), ("realarm_h", -1), ("x", 1)):
            with pytest.raises(psycopg.Error):
                put("night_flow", parameter, value)


def test_the_operators_functions_cannot_be_led_astray(database: Database) -> None:
    """Each that runs with the owner's rights has a search path of its own, and is closed to the public."""
    with connect(database.owner, name="test") as connection:
        rows = connection.execute(
            "SELECT proname, proconfig, prosecdef, proacl::text FROM pg_proc"
            " WHERE pronamespace = 'public'::regnamespace AND (proname LIKE 'alarm%' OR proname LIKE 'maintenance%')"
        ).fetchall()
    assert len([row for row in rows if row[2]]) == 10
    for name, config, definer, rights in rows:
        assert not definer or config == ["search_path=pg_catalog, public, pg_temp"], name
        assert "{=" not in rights, name
        assert ",=" not in rights, name
        assert not definer or "fenhe_operator=X" in rights, name


def test_migrating_again_changes_nothing(database: Database) -> None:
    """Roles and rules are there already."""
    assert migrate(database.owner) == []


def test_the_command_line_is_an_operator(database: Database, raised: str) -> None:
    """List, acknowledge, show: with a name, and in clear words where it is refused."""
    environment = {"FENHE_DB_OPERATOR_URL": database.operator, "COLUMNS": "200", "TERM": "dumb"}

    def fenhe(*words: str) -> str:
        done = CliRunner().invoke(app, ["alarms", *words], env=environment)
        assert done.exit_code == 0, done.output
        return done.output

    assert raised in [item["alarm_id"] for item in json.loads(fenhe("list", "--json"))]
    assert fenhe("ack", raised[:12], "--user", "李雷") == f"{raised[:8]} active_acknowledged\n"
    shown = json.loads(fenhe("show", raised, "--json"))
    assert [item["event"] for item in shown["transitions"]] == ["raise", "acknowledge"]
    assert raised[:8] in fenhe("list")
    planned = fenhe(
        "maintenance", "plan", "bs-1", "2030-01-01T00:00:00", "2030-01-01T04:00:00", "--user", "a", "--reason", "b"
    )
    listed = fenhe("maintenance", "list")
    assert "2030-01-01 00:00:00+08:00" in listed
    assert "2030-01-01 04:00:00+08:00" in listed
    fenhe("maintenance", "cancel", planned.split()[1], "--user", "a", "--reason", "b")
    refused = CliRunner().invoke(app, ["alarms", "close", raised, "--user", "a", "--reason", "b"], env=environment)
    assert refused.exit_code == 1
    assert "its condition holds" in refused.output
    assert CliRunner().invoke(app, ["alarms", "show", "nonesuch"], env=environment).exit_code == 1


def test_acts_on_many_reach_the_device_or_the_kind_and_never_another_safety_alarm(database: Database) -> None:
    """Companions are the same device's, alike the same kind's; neither is the alarm itself, nor one that is over."""
    with connect(database.writer, name="test") as connection:
        own, other, safety, over = (
            new_alarm(connection, number, safety=number == 900_003) for number in range(900_001, 900_005)
        )
        for name in (own, other, safety):
            apply(connection, name, E.RAISE)
    with connect(database.operator, name="test") as connection:
        alarm = operator.history(connection, own).alarm
        beside = {each["alarm_id"] for each in operator.companions(connection, alarm)}
        assert {other, safety} <= beside
        assert not {own, over} & beside
        alike = {each["alarm_id"] for each in operator.alike(connection, alarm)}
        assert other in alike
        assert not {own, safety, over} & alike
        assert operator.alike(connection, operator.history(connection, safety).alarm) == []


def test_what_it_was_before_is_found_with_the_last_word_on_it(database: Database) -> None:
    """Past alarms of the kind, the same device's first; not what stands, was none, or is out of sight."""
    with connect(database.owner, name="test", autocommit=True) as connection:
        past, elsewhere, standing, disproved, later, now = (new_alarm(connection, number) for number in range(900, 906))
        for name in (standing, now):
            apply(connection, name, E.RAISE)
        moved = "UPDATE alarm SET event_at = %s, kind = 'leak_again', disproved = %s WHERE alarm_id = %s"
        for name, at, wrong in (
            (past, "2026-01-02 00:00+00", False),
            (elsewhere, "2026-01-03 00:00+00", False),
            (standing, "2026-01-02 00:00+00", False),
            (disproved, "2026-01-02 00:00+00", True),
            (later, "2026-03-01 00:00+00", False),
            (now, "2026-02-01 00:00+00", False),
        ):
            connection.execute(moved, (at, wrong, name))
        ended = "UPDATE alarm SET device_id = 'e-1', ended_at = event_at + interval '3 h' WHERE alarm_id = %s"
        connection.execute(ended, [elsewhere])
        connection.execute("SELECT alarm_comment(%s, '李', 'a valve')", [past])
        connection.execute("SELECT alarm_comment(%s, '李', 'a seal')", [past])
        alarm = operator.history(connection, now).alarm
        found = operator.earlier(connection, alarm)
        assert [(each["alarm_id"], each["actor"], each["reason"]) for each in found] == [
            (past, "李", "a seal"),
            (elsewhere, None, None),
        ]
        assert found[1]["over_at"] - found[1]["event_at"] == 3 * 3_600_000
        connection.execute(
            'UPDATE site SET virtual_meters = \'[{"meter_id": "v-1", "name": "Both", "name_zh": "合计"}]\''
            " WHERE site_id = 'plant-1'"
        )
        connection.execute("UPDATE alarm SET device_id = 'v-1' WHERE alarm_id = %s", [past])
        of_region = "UPDATE alarm SET site_id = '', device_id = '太原', region = '太原' WHERE alarm_id = %s"
        connection.execute(of_region, [elsewhere])
        found = operator.earlier(connection, alarm)
        assert [(each["site_en"], each["device_zh"], each["region"]) for each in found] == [
            (found[0]["site_en"], "合计", ""),
            ("", None, "太原"),
        ]
        listed = earlier(found, View("alarms", Language.EN))
        assert "Both" in listed
        assert "Taiyuan" in listed
        connection.execute("UPDATE site SET virtual_meters = '[]' WHERE site_id = 'plant-1'")
        assert operator.earlier(connection, alarm, operator.VisibleSites(["another"], [])) == []

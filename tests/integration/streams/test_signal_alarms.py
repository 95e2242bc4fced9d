"""Verdicts into alarms on a real database: once, in any order, and amended where late readings say otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from schemas.alarms import AlarmEvent, AlarmState
from schemas.metrics import Signal
from schemas.metrics.signal import Severity, SignalKind
from schemas.readings import Kind
from schemas.time import MINUTE_MS, Span
from storage import derived
from storage.alarm_tables import operator
from storage.checkpoint import Position
from storage.pool import connect
from streams.alarms.signals import SignalAlarms
from streams.engine.stage import Written
from streams.intake.admission import Directory
from streams.kernels.alarms.machine import step
from tests.support.pipeline import REGISTRY, Sent, open_engine, prepare, record
from tests.unit.streams.kernels.alarms.verdicts import START_TS, verdict, verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection

    from fenhe.local import Postgres

DIRECTORY = Directory(1, REGISTRY)


@pytest.fixture(scope="module")
def owner_url(postgres: Postgres) -> Iterator[str]:
    """A database that tests share; each rolls its work back."""
    url = postgres.create_database("signal_alarms")
    prepare(url)
    yield url
    postgres.drop_database("signal_alarms")


@pytest.fixture
def connection(owner_url: str) -> Iterator[Connection]:
    """A transaction that leaves nothing behind."""
    with connect(owner_url, name="test") as opened:
        opened.execute("SELECT")  # the operator's functions commit what they began themselves
        yield opened
        opened.rollback()


def say(connection: Connection, *signals: Signal, gone: Sequence[Signal] = ()) -> None:
    """Write verdicts and take others away, and have alarms follow, as one transaction of a worker does."""
    derived.write(connection, signals)
    if gone:
        spans = [Span(item.device_id, item.ts, item.ts + 1) for item in gone]
        derived.withdraw(connection, Signal, spans, [])
    SignalAlarms().run(
        Written(
            connection,
            DIRECTORY,
            standing={Signal: {"plant-1": signals}},
            gone={Signal: {"plant-1": gone}},
            position=Position("test", 0),
            partitions=1,
            record_ts=None,
            late=(),
            newest_ts=dict,
        )
    )


def alarms(connection: Connection) -> list[dict[str, Any]]:
    """All alarms, in order of their beginning."""
    with connection.cursor(row_factory=dict_row, binary=True) as cursor:
        return cursor.execute("SELECT * FROM alarm ORDER BY raised_at, alarm_id").fetchall()


def events(connection: Connection, alarm: str) -> list[str]:
    """What happened to an alarm."""
    return [item["event"] for item in operator.history(connection, alarm).transitions]


def minute(number: int) -> int:
    """Device time of a minute of the pictures."""
    return START_TS + number * MINUTE_MS


def test_a_condition_that_holds_is_raised_once_and_cleared(connection: Connection) -> None:
    """With its evidence, in event time, and one notification each way."""
    for signal in verdicts("..######...."):
        say(connection, signal)
    (alarm,) = alarms(connection)
    assert (alarm["state"], alarm["event_at"], alarm["raised_at"], alarm["cleared_at"]) == (
        "returned_unacknowledged", minute(2), minute(3), minute(8),
    )  # fmt: skip
    assert (alarm["region"], alarm["severity"], alarm["baseline"], alarm["cost"]) == ("长治", "medium", 10.0, 3.0)
    assert alarm["evidence"]["threshold"] == 3
    assert events(connection, alarm["alarm_id"]) == ["raise", "clear"]
    outbox = connection.execute("SELECT what FROM notification_outbox ORDER BY id").fetchall()
    assert outbox == [("raised",), ("returned",)]


def test_it_comes_again_to_the_same_alarm_until_it_is_dealt_with(connection: Connection) -> None:
    """Nobody gets a second alarm of a condition whose first they have not seen."""
    picture = verdicts("..##...##...##...")
    for signal in picture:
        say(connection, signal)
    (alarm,) = alarms(connection)
    assert alarm["occurrences"] == 3
    operator.call(connection, "alarm_acknowledge", alarm["alarm_id"], "a", "b")
    for signal in [verdict(30, active=True, samples=1), verdict(31, active=True, samples=2)]:
        say(connection, signal)
    first, second = alarms(connection)
    assert (first["state"], second["state"]) == ("normal", "active_unacknowledged")


def test_late_readings_that_disprove_an_alarm_amend_it(connection: Connection) -> None:
    """It is not forgotten: it says that it was disproved, and from what to what."""
    said = verdicts("..####")
    say(connection, *said)
    say(connection, gone=[signal for signal in said if signal.active])
    (alarm,) = alarms(connection)
    assert (alarm["disproved"], alarm["amended"], alarm["state"]) == (True, True, "returned_unacknowledged")
    last = operator.history(connection, alarm["alarm_id"]).transitions
    assert [item["event"] for item in last] == ["raise", "amend", "clear"]
    assert last[1]["detail"] == {"before": {"disproved": False}, "after": {"disproved": True}}


def test_late_readings_that_move_an_alarm_amend_it(connection: Connection) -> None:
    """Onset and sample are the true ones afterwards, the old ones stand in the history."""
    say(connection, *verdicts("....####"))
    before = alarms(connection)[0]
    now = verdicts("..######")
    say(connection, *now, gone=[item for item in verdicts("....####") if item.ts > now[-1].ts])
    (alarm,) = alarms(connection)
    assert alarm["alarm_id"] == before["alarm_id"]
    assert (alarm["event_at"], alarm["raised_at"], alarm["amended"]) == (minute(2), minute(3), True)
    amended = operator.history(connection, alarm["alarm_id"]).transitions[-1]
    assert amended["detail"]["before"] == {"event_ms": minute(4), "raised_ms": minute(5)}


@pytest.mark.parametrize("is_gone_first", [False, True])
def test_a_disproved_alarm_stands_for_what_held_before(connection: Connection, *, is_gone_first: bool) -> None:
    """Late readings show that it was not so, but earlier: somebody must still hear of that."""
    said = verdicts("........####")
    say(connection, *said)
    gone = [signal for signal in said if signal.active]
    if is_gone_first:
        say(connection, gone=gone)
        gone = []
    say(connection, *verdicts("..###......."), gone=gone)
    (alarm,) = alarms(connection)
    assert (alarm["disproved"], alarm["state"]) == (False, "returned_unacknowledged")
    assert (alarm["raised_at"], alarm["last_raised_at"], alarm["cleared_at"]) == (minute(3), minute(3), minute(5))


def test_an_alarm_that_gets_worse_comes_up_again(connection: Connection) -> None:
    """Acknowledged as low is not acknowledged as high."""
    say(connection, verdict(0, active=True, samples=2, severity=Severity.LOW))
    (alarm,) = alarms(connection)
    operator.call(connection, "alarm_acknowledge", alarm["alarm_id"], "a", "b")
    say(connection, verdict(1, active=True, samples=3, severity=Severity.HIGH))
    (alarm,) = alarms(connection)
    assert (alarm["state"], alarm["severity"]) == ("active_unacknowledged", "high")
    say(connection, verdict(2, active=True, samples=4, severity=Severity.LOW))
    assert alarms(connection)[0]["severity"] == "high"


def test_shelved_and_out_of_service_follow_silently(connection: Connection) -> None:
    """The condition comes and goes; nobody is told until it is taken back."""
    name = operator.call(connection, "alarm_out_of_service", "plant-1", "w-1", "flow_m3_h", "seasonal", "a", "b")
    say(connection, *verdicts("..####"))
    (alarm,) = alarms(connection)
    assert (alarm["alarm_id"], alarm["state"], alarm["active"]) == (name, "out_of_service", True)
    assert connection.execute("SELECT count(*) FROM notification_outbox").fetchone() == (0,)


def test_planned_maintenance_keeps_back_all_but_safety(connection: Connection) -> None:
    """What is expected is suppressed and says by what; smoke is never expected."""
    connection.execute(
        "INSERT INTO maintenance (site_id, starts_at, ends_at, planned_by, reason)"
        " VALUES ('plant-1', to_timestamp(0), '2100-01-01', 'a', 'b')"
    )
    say(connection, *verdicts("..####"), *verdicts("..####", SignalKind.SMOKE))
    found = {alarm["kind"]: alarm for alarm in alarms(connection)}
    assert found["seasonal"]["state"] == "suppressed"
    assert found["seasonal"]["suppressed_by"].startswith("maintenance:")
    assert found["smoke"]["state"] == "active_unacknowledged"


def test_alarms_of_one_site_are_grouped_under_the_first_out(connection: Connection) -> None:
    """Within ten minutes of the first one; later ones are a group of their own."""
    for kind, start in ((SignalKind.SEASONAL, 3), (SignalKind.LIMIT, 8), (SignalKind.SPIKE, 30)):
        say(connection, *verdicts("." * start + "##", kind))
    first, second, third = alarms(connection)
    assert first["group_id"] == first["alarm_id"] == second["group_id"]
    assert third["group_id"] == third["alarm_id"]


def test_what_watches_one_and_the_same_is_one_group_however_late(connection: Connection) -> None:
    """One leak, seen in the hour, over days and at night: one thing to deal with, until none of them is open."""
    say(connection, *verdicts("..." + "#" * 60, SignalKind.SEASONAL))
    say(connection, *verdicts("." * 30 + "##", SignalKind.NIGHT_FLOW), *verdicts("." * 45 + "##", SignalKind.DRIFT))
    first, *others = alarms(connection)
    assert {alarm["kind"] for alarm in others} == {"night_flow", "drift"}
    assert {alarm["group_id"] for alarm in others} == {first["alarm_id"]}


def test_a_fleet_s_concern_is_one_group_of_its_region(connection: Connection) -> None:
    """Sets of 朔州 that fall short on one day are told together, whatever their sites; those of 长治 are not theirs."""
    verdicts_of = {
        site_id: [
            item._replace(site_id=site_id, device_id=f"{site_id}-b")
            for item in verdicts("." * start + "##", SignalKind.BACKUP)
        ]
        for site_id, start in (("plant-2", 3), ("bs-1", 5), ("plant-1", 4))
    }
    say(connection, *verdicts_of["plant-2"])
    say(connection, *verdicts_of["bs-1"], *verdicts_of["plant-1"])
    found = {alarm["site_id"]: alarm for alarm in alarms(connection)}
    assert found["bs-1"]["group_id"] == found["plant-2"]["alarm_id"]
    assert found["plant-1"]["group_id"] == found["plant-1"]["alarm_id"]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(pictures=st.lists(st.text(alphabet="#.", min_size=8, max_size=24), min_size=1, max_size=5), data=st.data())
def test_whatever_is_rewritten_alarms_end_where_the_verdicts_do(
    owner_url: str, pictures: list[str], data: st.DataObject
) -> None:
    """No two open alarms, none lost, whatever late readings and operators do, and history replays to the present."""
    with connect(owner_url, name="test") as connection:
        standing: dict[int, Signal] = {}
        for picture in pictures:
            now = {signal.ts: signal for signal in verdicts(picture)}
            changed = [signal for ts, signal in now.items() if standing.get(ts) != signal]
            gone = [signal for ts, signal in standing.items() if ts not in now]
            if changed or gone:
                say(connection, *changed, gone=gone)
            standing = now
            for alarm in alarms(connection):
                if alarm["state"] in {"active_unacknowledged", "returned_unacknowledged"} and data.draw(st.booleans()):
                    operator.call(connection, "alarm_acknowledge", alarm["alarm_id"], "a", "b")
            found = alarms(connection)
            last = verdicts(picture)
            holds = _holds(picture)
            assert last or not holds
            assert sum(alarm["state"] != "normal" for alarm in found) <= 1
            assert any(alarm["active"] for alarm in found) is holds
        for alarm in alarms(connection):
            state, active = AlarmState.NORMAL, False
            for event in events(connection, alarm["alarm_id"]):
                state, active = step(state, AlarmEvent(event), active=active)
            assert (state, active) == (alarm["state"], alarm["active"])
        connection.rollback()


def _holds(picture: str) -> bool:
    """Whether an alarm is due at a picture's end: two on raise it, three off end it."""
    raised = False
    for at in range(len(picture)):
        if picture[: at + 1].endswith("##"):
            raised = True
        elif picture[: at + 1].endswith("..."):
            raised = False
    return raised


def test_smoke_goes_through_the_engine_to_an_alarm(own_url: str) -> None:
    """Reading, detector, alarm: one transaction; delivered again it changes nothing."""
    prepare(own_url)
    engine = open_engine(own_url)
    partition = engine.open(0)
    sent = [Sent("bs-1", Kind.SITE_POWER, "s-1", {"ts": minute(at), "smoke": at == 3}) for at in range(6)]
    engine.apply(partition, [record(0, sent[:4])])
    engine.apply(partition, [record(0, sent[:4]), record(1, sent)])
    with connect(own_url, name="test") as connection:
        (alarm,) = alarms(connection)
        assert (alarm["kind"], alarm["safety"], alarm["severity"], alarm["event_at"]) == (
            "smoke", True, "critical", minute(3),
        )  # fmt: skip
        assert events(connection, alarm["alarm_id"]) == ["raise"]
        engine.apply(partition, [record(2, [Sent("bs-1", Kind.SITE_POWER, "s-1", {"ts": minute(7), "smoke": False})])])
        assert events(connection, alarm["alarm_id"]) == ["raise", "clear_latched"]
    engine.close()


@pytest.mark.parametrize("together", [False, True])
def test_a_second_leak_on_top_of_the_first_is_put_before_the_operator(
    connection: Connection, *, together: bool
) -> None:
    """The same alarm comes again, and says that it came on top; delivered one by one or at once."""
    samples = [1, 2, 3, 1, 2]
    signals = [verdict(at, active=True, samples=each, kind=SignalKind.NIGHT_FLOW) for at, each in enumerate(samples)]
    if together:
        say(connection, *signals)
    else:
        for signal in signals:
            say(connection, signal)
    (alarm,) = alarms(connection)
    assert (alarm["state"], alarm["occurrences"], alarm["raised_at"]) == ("active_unacknowledged", 2, minute(0))
    assert events(connection, alarm["alarm_id"]) == ["raise", "clear", "raise"]

"""The notifier on a real database with a real HTTP sink: none lost, doubles only within the lease."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from fenhe.cli import app
from fenhe.local import Process, wait_until
from fenhe.local.services import project_root
from notify.routing import is_worth_telling
from notify.sending import send
from notify.service import Notifier
from schemas.metrics.signal import Severity
from schemas.notifications import Channel, Route, Routing
from schemas.words import Language
from storage.alarm_tables.notifications import waiting
from storage.pool import connect, open_pool
from tests.support import dying_notifier
from tests.support.pipeline import prepare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from psycopg import Connection
    from psycopg_pool import ConnectionPool


class Sink:
    """A webhook's receiver; may refuse, or hold its answer back."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.status = 200
        self.go = threading.Event()
        self.go.set()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if sink.status == 200:
                    sink.taken.append(body)
                sink.go.wait(20)
                self.send_response(sink.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://127.0.0.1:{self._server.server_port}/alarms"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self.go.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A receiver."""
    made = Sink()
    yield made
    made.close()


@pytest.fixture
def database(own_url: str) -> str:
    """A migrated database with the test registry."""
    prepare(own_url)
    return own_url


@pytest.fixture
def pool(database: str) -> Iterator[ConnectionPool]:
    """Connections to it."""
    with open_pool(database, size=2, name="test") as opened:
        yield opened


def routing(url: str, **channel: Any) -> Routing:  # noqa: ANN401 - a channel's fields
    """Everything to one channel, in English, without waiting."""
    return Routing(
        channels=[Channel(name="desk", url=url, language=Language.EN, **channel)],
        routes=[Route(channels=["desk"])],
        group_wait_s=0,
    )


def raise_alarms(database: str, count: int, *, group: str | None = None, severity: Severity = Severity.MEDIUM) -> None:
    """Raise alarms as a worker does."""
    with connect(database, name="test") as connection:
        row = connection.execute("SELECT count(*) FROM alarm").fetchone()
        assert row is not None
        for number in range(row[0], row[0] + count):
            connection.execute(
                "INSERT INTO alarm (alarm_id, site_id, device_id, metric, kind, region, severity, event_at, raised_at,"
                " group_id, value, unit)"
                " VALUES (%s, 'plant-1', 'w-1', %s, 'night_flow', '长治', %s, now(), now(), %s, 12, 'm3/h')",
                (f"alarm-{number}", f"m{number}", severity, group or f"alarm-{number}"),
            )
            connection.execute("SELECT alarm_apply(%s, 'raise', 'fenhe', 'test')", (f"alarm-{number}",))


def drain(notifier: Notifier) -> None:
    """Plan and send until nothing is left to do now."""
    while notifier.plan() + notifier.send_next():
        pass


def test_an_alarm_that_flaps_all_day_is_a_handful_of_notices(database: str, pool: ConnectionPool, sink: Sink) -> None:
    """Sixty times on and off is one alarm; its coming is told three times and at the 30th, its going twice."""
    notifier = Notifier(pool, routing(sink.url, per_10_min=1_000), send)
    raise_alarms(database, 1)
    drain(notifier)
    with connect(database, name="test") as connection:
        for _ in range(59):
            for event in ("clear", "raise"):
                connection.execute("SELECT alarm_apply('alarm-0', %s, 'fenhe', 'test')", (event,))
                connection.commit()
                drain(notifier)
        assert connection.execute("SELECT count(*) FROM alarm").fetchone() == (1,)
    taken = [item["title"].split("] ")[1].split(" ")[0] for item in sink.taken]
    assert (taken.count("alarm"), taken.count("returned")) == (4, 2)
    assert [item for item in sink.taken if "chatters" in item["message"]] == [sink.taken[4], sink.taken[5]]


@pytest.mark.parametrize(
    ("minutes", "most"),
    [(2.404, 6), (5.0, 6), (24.5, 8), (60.0, 10), (300.0, 3 + 17), (719.0, 3 + 40), (721.0, 80)],
)
def test_an_input_that_flaps_with_any_period_is_a_handful_of_notices_a_day(
    database: str, minutes: float, most: int
) -> None:
    """Eighty comings: three are told, then the 30th, and one a day; one that pauses for 12 hours comes anew."""
    raise_alarms(database, 1)
    with connect(database, name="test") as connection:
        for _ in range(79):
            for event in ("clear", "raise"):
                connection.execute("SELECT alarm_apply('alarm-0', %s, 'fenhe', 'test')", (event,))
        connection.execute(
            "UPDATE notification_outbox o SET created_at = clock_timestamp() + n.number * %s * interval '30 s'"
            " FROM (SELECT id, row_number() OVER (ORDER BY id) - 200 AS number FROM notification_outbox) AS n"
            " WHERE n.id = o.id",
            (minutes,),
        )
        comings = [each for each in waiting(connection, group_wait_s=-1e9) if each.what == "raised"]
    assert len(comings) == 80
    assert sum(is_worth_telling(each) for each in comings) <= most


def test_an_alarm_reaches_a_channel_once(database: str, pool: ConnectionPool, sink: Sink) -> None:
    """Raised and returned, each once, however often one looks."""
    notifier = Notifier(pool, routing(sink.url), send)
    raise_alarms(database, 1)
    for _ in range(3):
        drain(notifier)
    with connect(database, name="test") as connection:
        connection.execute("SELECT alarm_apply('alarm-0', 'clear', 'fenhe', 'test')")
    for _ in range(3):
        drain(notifier)
    assert [item["title"] for item in sink.taken] == [
        "汾河 fenhe [medium] alarm Coking plant w-1 night flow risen (leak?)",
        "汾河 fenhe [medium] returned Coking plant w-1 night flow risen (leak?)",
    ]
    assert "12 m3/h" in sink.taken[0]["message"]


def test_a_group_is_one_message_and_a_flood_one_digest(database: str, pool: ConnectionPool, sink: Sink) -> None:
    """A desk gets what it can read; what is urgent is not held up."""
    notifier = Notifier(pool, routing(sink.url, per_10_min=2), send)
    raise_alarms(database, 5, group="alarm-0")
    drain(notifier)
    assert [item["title"] for item in sink.taken] == [
        "汾河 fenhe group Coking plant: 5 alarms, night flow risen (leak?)"
    ]
    raise_alarms(database, 30)
    raise_alarms(database, 1, severity=Severity.CRITICAL)
    drain(notifier)
    assert len(sink.taken) == 3
    assert any("[critical]" in item["title"] for item in sink.taken)
    with connect(database, name="test") as connection:
        connection.execute("UPDATE notification SET due_at = now() WHERE digest")
    drain(notifier)
    assert sink.taken[-1]["title"] == "汾河 fenhe digest Coking plant: 29 alarms, night flow risen (leak?)"


def test_a_channel_that_is_down_loses_nothing(database: str, pool: ConnectionPool, sink: Sink) -> None:
    """It is tried again until it takes the message, which then comes once."""
    notifier = Notifier(pool, routing(sink.url), send)
    sink.status = 503
    raise_alarms(database, 2)
    drain(notifier)
    assert (sink.taken, notifier.failed) == ([], 2)
    sink.status = 200
    with connect(database, name="test") as connection:
        errors = connection.execute("SELECT last_error FROM notification").fetchall()
        connection.execute("UPDATE notification SET due_at = now()")
    assert all("did not take it" in error for (error,) in errors)
    drain(notifier)
    assert len(sink.taken) == 2


def test_a_message_that_cannot_be_sent_is_put_off_and_the_others_go(
    database: str, pool: ConnectionPool, sink: Sink
) -> None:
    """What raises at one message would end the notifier, and again after each start, before any other is sent."""

    def refuse_the_first(channel: Channel, title: str, body: str) -> str | None:
        with pool.connection() as connection:
            under_way = connection.execute(
                "SELECT min(id) = min(id) FILTER (WHERE leased_until IS NOT NULL) FROM notification"
            ).fetchone()
        if under_way == (True,):
            raise KeyError(title)
        return send(channel, title, body)

    raise_alarms(database, 2)
    notifier = Notifier(pool, routing(sink.url), refuse_the_first)
    drain(notifier)
    assert (len(sink.taken), notifier.failed) == (1, 1)
    with connect(database, name="test") as connection:
        left = connection.execute("SELECT last_error FROM notification WHERE sent_at IS NULL").fetchall()
    assert [error.split(" (")[0] for (error,) in left] == ["failed: KeyError"]


def test_what_a_parent_accounts_for_meanwhile_is_not_told(database: str, pool: ConnectionPool, sink: Sink) -> None:
    """A child that was suppressed while it waited for its group is told with the parent only."""
    raise_alarms(database, 1)
    with connect(database, name="test") as connection:
        connection.execute("SELECT alarm_apply('alarm-0', 'suppress', 'fenhe', 'test')")
    drain(Notifier(pool, routing(sink.url), send))
    assert sink.taken == []


def test_a_notifier_that_is_killed_while_it_sends_doubles_at_most_that_message(
    database: str, sink: Sink, scratch: Path
) -> None:
    """Killed after the channel took it, before that was noted: it comes again after the lease, all others once."""
    file = scratch / "notify.yaml"
    file.write_text(json.dumps(routing(sink.url).model_dump(mode="json")))
    raise_alarms(database, 4)
    sink.go.clear()
    environment = {"FENHE_DB_NOTIFIER_URL": database, "FENHE_NOTIFY_FILE": str(file)}

    def start(name: str) -> Process:
        process = Process(
            name,
            [sys.executable, "-m", "fenhe", "notify", "run"],
            log=scratch / f"{name}.log",
            environment=environment,
            directory=project_root(),
        )
        process.start()
        return process

    first = start("first")
    first.wait_until(lambda: len(sink.taken) == 1, what="a message at the channel", timeout=60)
    first.kill()
    sink.go.set()
    with connect(database, name="test") as connection:  # what a minute of waiting would bring about
        leased = connection.execute(
            "UPDATE notification SET leased_until = now() WHERE leased_until > now() RETURNING id"
        ).fetchall()
    assert len(leased) == 1
    second = start("second")
    second.wait_until(lambda: len(sink.taken) >= 5, what="the other messages", timeout=60)

    def all_sent() -> bool:
        with connect(database, name="test") as connection:
            return connection.execute("SELECT count(*) FROM notification WHERE sent_at IS NULL").fetchone() == (0,)

    wait_until(all_sent, what="everything to be noted as sent")
    assert second.terminate(timeout=30) == 0
    bodies = [item["message"] for item in sink.taken]
    assert len(bodies) == 5
    assert len(set(bodies)) == 4


def _is_connected(connection: Connection, program: str) -> bool:
    """Whether PostgreSQL still serves a program: it may hold locks for a moment after its client has been killed."""
    served = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()"
    return connection.execute(served, (program,)).fetchone() is not None


def test_a_notifier_killed_anywhere_loses_nothing_and_doubles_only_what_it_had_just_sent(
    database: str, pool: ConnectionPool, sink: Sink
) -> None:
    """Before and after each of its statements: the next one tells what is left, and again only what was not noted."""
    one = routing(sink.url)
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload([dying_notifier.__name__])
    doubled: list[int] = []
    for place in itertools.count():
        sink.taken.clear()
        raise_alarms(database, 1, severity=Severity.CRITICAL)  # is not counted against the channel's ten
        process = forks.Process(target=dying_notifier.run, args=(database, one.model_dump_json(), place))
        process.start()
        process.join(60)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        taken = len(sink.taken)
        with connect(database, name="test", autocommit=True) as connection:
            wait_until(lambda: not _is_connected(connection, "fenhe-dying"), what="its locks to be gone")
            # What a minute of waiting would bring about.
            connection.execute("UPDATE notification SET leased_until = now() WHERE leased_until > now()")
        drain(Notifier(pool, one, send))
        assert len(sink.taken) >= 1, f"lost at {place}"
        assert len(sink.taken) <= 1 + taken, f"doubled at {place} without need"
        if len(sink.taken) > 1:
            doubled.append(place)
    assert place >= 16, "plan: five statements, send: three"
    assert len(doubled) == 2, "before the note that it was sent, and before that was committed"


def test_a_try_says_which_channel_works(sink: Sink, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And names the variable's channel where it does not, without its secret."""
    monkeypatch.delenv("NO_SUCH_URL", raising=False)
    file = scratch / "notify.yaml"
    both = Routing(
        channels=[Channel(name="desk", url=sink.url), Channel(name="other", url="dingtalk://${NO_SUCH_URL}")],
        routes=[Route(channels=["desk"])],
    )
    file.write_text(json.dumps(both.model_dump(mode="json")))
    done = CliRunner().invoke(app, ["notify", "test"], env={"FENHE_NOTIFY_FILE": str(file)})
    assert done.exit_code == 1
    assert done.output == "desk: taken\nchannel other: a variable of its url is not set\n"
    assert [item["message"] for item in sink.taken] == ["测试消息：通知渠道正常。"]


def test_a_channel_may_say_whatever_it_likes(database: str, pool: ConnectionPool) -> None:
    """Also what PostgreSQL cannot store: the notifier ended of it, and began anew with the same message."""
    notifier = Notifier(pool, routing("json://127.0.0.1:9/"), lambda *_: "nothing\0at all\udcff")
    raise_alarms(database, 2)
    drain(notifier)
    with connect(database, name="test") as connection:
        assert connection.execute("SELECT DISTINCT last_error FROM notification").fetchall() == [
            ("nothing\\0at all\\udcff",)
        ]

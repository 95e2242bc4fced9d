"""`fenhe demo`: everything on this machine, with a simulated world, from one command."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import threading
import time
import urllib.request
import webbrowser
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from rich.console import Console
from rich.live import Live
from rich.table import Table

from fenhe.books import print_balance, read_balance
from fenhe.commands.reference import load as load_reference_data
from fenhe.local import MockKafka, Process, Stack, default_directory, wait_until
from fenhe.simulation import ProgressBar, now_ms, progress_bar, truth_of
from schemas.settings import MqttSettings
from schemas.time import HOUR_MS
from simulators.scenes.run import Pace, simulate
from simulators.scenes.scenario import load
from simulators.wire.publisher import MqttPublisher
from storage.latency import commit_latency
from storage.migrate import migrate
from storage.pool import connect
from storage.registry import import_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulators.scenes.scene import Scene
    from storage.balance import Balance
    from storage.latency import Latency

READY_S = 60.0
DRAIN_S = 60.0
"""How long the end of a demo waits for the last readings to be stored."""
SETTLE_MS = 5_000
"""Live readings of the first seconds queue behind the history's last; latency is measured after them."""
PARTITIONS = 6
WORLD_FILE = "world.json"
TRUTH_FILE = "truth.sqlite"
HISTORY_READINGS_PER_S = 3_000
"""How fast history is published and stored on a small machine; only decides when the first thing happens."""
WORKER_ENVIRONMENT = {"FENHE_SESSION_TIMEOUT_S": "3"}
"""A killed worker's partitions move after this; on one machine nothing argues for waiting longer."""

console = Console(stderr=True)


@dataclass(frozen=True)
class DemoOptions:
    """What the command line said."""

    scenario: str
    sets: int | None
    """None: as many as the scenario has."""
    history_h: float | None
    """None: as much as the scenario has."""
    seed: int
    duration_s: float | None
    report: Path | None
    port: int
    directory: Path | None
    services: str
    fresh: bool
    browser: bool


class Outcome(NamedTuple):
    """What was published, and when it was live."""

    published: int
    live_from_ms: int
    live_to_ms: int


class World(NamedTuple):
    """The simulated world a demo directory belongs to."""

    scenario: str
    sets: int
    seed: int
    start_ms: int
    has_past: bool
    """Whether the scenario's long past came before its history."""
    live_ms: int
    """When it went live first: what is planned happens relative to this."""
    last_ms: int
    """Device time up to which readings were published."""


def run_demo(options: DemoOptions) -> int:
    """Run the demo until Ctrl-C or its duration is over.

    Returns 0 if everything published is in the books and they close, 1 if not, 2 if it could not start.
    """
    directory = options.directory or default_directory()
    if options.fresh and directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    world = _earlier_world(directory)
    if world is not None and not _is_the_same(world, options):
        console.print(
            f"{directory} holds a demo of scenario {world.scenario}, {world.sets} sets, seed {world.seed}:"
            " ask for the same, or add --fresh to forget it"
        )
        return 2
    console.print("[bold]fenhe 汾河[/] starting broker, Kafka and PostgreSQL …")
    with Stack(directory, services=options.services, partitions=PARTITIONS) as stack:
        console.print(f"  {stack.describe()}")
        if isinstance(stack.kafka, MockKafka):
            console.print("  Kafka is librdkafka's mock cluster: for trying out, never for production")
        return _Demo(stack, options, world, stop).run()


def _earlier_world(directory: Path) -> World | None:
    """The world of an earlier run on this directory."""
    path = directory / WORLD_FILE
    if not path.exists():
        return None
    return World(**{"scenario": "", "has_past": False, "live_ms": 0} | json.loads(path.read_text()))


def _is_the_same(world: World, options: DemoOptions) -> bool:
    """Whether a demo that is asked for goes on with an earlier world."""
    sets = load(options.scenario).fleet.sets if options.sets is None else options.sets
    return (world.scenario, world.sets, world.seed) == (options.scenario, sets, options.seed)


class _Demo:
    """One run on a started stack."""

    def __init__(self, stack: Stack, options: DemoOptions, earlier: World | None, stop: threading.Event) -> None:
        self._stack = stack
        self._options = options
        self._earlier = earlier
        self._scenario = load(options.scenario)
        self._stop = stop
        self._directory = stack.directory
        self._environment = stack.environment()
        self._reader = self._environment["FENHE_DB_READER_URL"]
        self._address = f"http://127.0.0.1:{options.port}/"

    def run(self) -> int:
        """Play the world through the pipeline, then close the books."""
        migrate(self._environment["FENHE_DB_OWNER_URL"])
        load_reference_data(self._environment["FENHE_DB_OWNER_URL"])
        before = _counts(self._reader).received
        with self._pipeline():
            console.print(f"  page: [link={self._address}]{self._address}[/link]  (Ctrl-C stops everything)")
            if self._options.browser and sys.stdout.isatty():
                webbrowser.open(self._address)
            outcome = self._play(self._begin() if self._earlier is None else self._go_on(self._earlier))
            with contextlib.suppress(TimeoutError):
                wait_until(
                    lambda: _counts(self._reader).received - before >= outcome.published,
                    what="the last readings to be stored",
                    timeout=DRAIN_S,
                )
        return self._close(outcome, before)

    @contextlib.contextmanager
    def _pipeline(self) -> Iterator[None]:
        """Collector, worker and preview as processes of their own: ready on entry, watched, drained on exit."""
        directory = self._directory
        services: list[tuple[str, list[str]]] = [
            ("worker", ["work", "--ready-file", str(directory / "worker.ready")]),
            ("collector", ["collect", "--ready-file", str(directory / "collector.ready")]),
            ("preview", ["preview", "--port", str(self._options.port)]),
            ("guard", ["guard"]),
        ]
        if os.environ.get("FENHE_NOTIFY_URL"):  # somebody to tell; otherwise alarms wait in the outbox
            services.append(("notifier", ["notify", "run"]))
        with contextlib.ExitStack() as stack:
            running: dict[str, Process] = {}
            for name, arguments in services:
                (directory / f"{name}.ready").unlink(missing_ok=True)
                running[name] = stack.enter_context(
                    Process(
                        name,
                        [sys.executable, "-m", "fenhe", *arguments],
                        log=directory / f"{name}.log",
                        environment={**self._environment, **WORKER_ENVIRONMENT},
                        death_signal=signal.SIGTERM,
                    )
                )
            for name in ("worker", "collector"):
                running[name].wait_until((directory / f"{name}.ready").exists, what=f"the {name}", timeout=READY_S)
            running["preview"].wait_until(lambda: _answers(self._address), what="the page", timeout=READY_S)
            done = threading.Event()
            guard = threading.Thread(target=_keep_running, args=(list(running.values()), done), daemon=True)
            guard.start()
            try:
                yield
            finally:
                done.set()
                guard.join()

    def _begin(self) -> World:
        """A new world, whose history ends about when it will be published: what is planned is seen planned_event."""
        options, scenario, now = self._options, self._scenario, now_ms()
        history_ms = (scenario.history or 0) if options.history_h is None else round(options.history_h * HOUR_MS)
        sets = scenario.fleet.sets if options.sets is None else options.sets
        start = now - history_ms
        has_past = options.history_h is None
        scene = scenario.scene(seed=options.seed, start_ms=start, sets=sets, with_past=has_past)
        live = now + round(1_000 * scene.readings_until(now) / HISTORY_READINGS_PER_S)
        world = World(options.scenario, sets, options.seed, start, has_past, live, scene.start_ms)
        self._remember(world)
        return world

    def _go_on(self, world: World) -> World:
        away_h = (now_ms() - world.last_ms) / HOUR_MS
        console.print(f"going on where the last demo stopped, {away_h:.1f} h ago (--fresh starts anew)")
        return world

    def _remember(self, world: World) -> None:
        (self._directory / WORLD_FILE).write_text(json.dumps(world._asdict()))

    def _play(self, world: World) -> Outcome:
        """Publish history, then live, until the duration is over or we are told to stop."""
        scene = self._scenario.scene(
            seed=world.seed,
            start_ms=world.start_ms,
            live_ms=world.live_ms,
            sets=world.sets,
            with_past=world.has_past,
        )
        with connect(self._environment["FENHE_DB_OWNER_URL"], name="demo") as connection:
            import_registry(connection, scene.registry())
        with truth_of(scene, self._scenario, self._directory / TRUTH_FILE):
            return self._publish(scene, world)

    def _publish(self, scene: Scene, world: World) -> Outcome:
        scene.skip(world.last_ms)  # an earlier run published this
        settings = MqttSettings(mqtt_url=self._environment["FENHE_MQTT_URL"])
        with MqttPublisher(settings) as publisher:
            with progress_bar() as bar:
                simulate(scene, publisher, Pace(live=False), stop=self._stop, progress=ProgressBar(bar))
            history = publisher.report()["published_total"]
            console.print(f"  history: {history:,} readings published; now live")
            live_from = now_ms()
            done = threading.Event()
            summary = threading.Thread(target=self._summarise, args=(publisher, done), daemon=True)
            summary.start()
            simulate(scene, publisher, Pace(live_s=self._options.duration_s), stop=self._stop)
            done.set()
            summary.join()
            publisher.flush()
            published = publisher.report()["published_total"]
        self._remember(world._replace(last_ms=scene.event_ms))
        return Outcome(published, live_from, scene.event_ms)

    def _summarise(self, publisher: MqttPublisher, done: threading.Event) -> None:
        """Keep a summary in the terminal up to date."""
        started = time.monotonic()
        with Live(console=console, refresh_per_second=2, transient=True) as live:
            while not done.wait(1.0):
                published = publisher.report()["published_total"]
                try:
                    counts = _counts(self._reader)
                except psycopg.Error:
                    continue  # the database is away for a moment
                table = Table("running", "published here", "stored in all", "duplicate", "quarantined")
                running = f"{time.monotonic() - started:.0f} s"
                figures = (published, counts.stored, counts.duplicate, counts.quarantined)
                table.add_row(running, *(f"{figure:,}" for figure in figures))
                table.title = self._address
                live.update(table)

    def _close(self, outcome: Outcome, before: int) -> int:
        """Count the books, print and write the report."""
        books = read_balance(self._reader)
        missing = outcome.published - (books.received - before)
        since = min(outcome.live_from_ms + SETTLE_MS, outcome.live_to_ms)
        with connect(self._reader, name="demo") as connection:
            latency = commit_latency(connection, since, outcome.live_to_ms)
        print_balance(books, as_json=False)
        if missing > 0:
            console.print(f"[bold red]{missing:,} readings were published and never came into the books[/]")
        if latency.p50 is not None and latency.p99 is not None:
            console.print(
                f"publication to commit, {latency.readings:,} live readings:"
                f" p50 {latency.p50:.0f} ms, p99 {latency.p99:.0f} ms"
            )
        closed = books.closed and missing <= 0
        if self._options.report is not None:
            self._write_report(self._options.report, outcome, books, latency, closed=closed)
        return 0 if closed else 1

    def _write_report(self, path: Path, outcome: Outcome, books: Balance, latency: Latency, *, closed: bool) -> None:
        stack = self._stack
        timescaledb = stack.postgres.timescaledb_version()
        report: dict[str, Any] = {
            "published": outcome.published,
            "stored": books.stored,
            "duplicate": books.duplicate,
            "quarantined": books.quarantined,
            "books_closed": closed,
            "latency_ms": {"p50": latency.p50, "p99": latency.p99},
            "engine": f"postgresql {stack.postgres.version}" + (f" + timescaledb {timescaledb}" if timescaledb else ""),
            "broker": f"{stack.mqtt.kind} {stack.mqtt.version} · {stack.kafka.kind} {stack.kafka.version}",
        }
        path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _keep_running(processes: list[Process], done: threading.Event) -> None:
    """Start a process again that has died, as a supervisor would: killing one costs a moment, never a reading."""
    while not done.wait(0.5):
        for process in processes:
            if not process.running:
                console.print(f"  [yellow]{process.name} ended ({process.returncode}); starting it again[/]")
                process.start()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}healthz", timeout=2) as answer:  # noqa: S310 - our own page
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


class _Counts(NamedTuple):
    received: int
    stored: int
    duplicate: int
    quarantined: int


def _counts(url: str) -> _Counts:
    """Totals of the books; cheap, where `balance` counts the tables themselves."""
    with connect(url, name="summary") as connection:
        row = connection.execute(
            "SELECT coalesce(sum(received), 0)::bigint, coalesce(sum(stored), 0)::bigint,"
            " coalesce(sum(duplicate), 0)::bigint, coalesce(sum(quarantined), 0)::bigint FROM ledger_total"
        ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    return _Counts._make(row)

"""`fenhe demo`: everything on this machine, with a simulated world, from one command."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import webbrowser
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from rich.console import Console
from rich.live import Live

from fenhe.baselines import fit_the_past
from fenhe.clear_errors import PlainError
from fenhe.demo.ending import DemoOutcome, Ending, check_report
from fenhe.demo.estimate import Machine, PastToStore
from fenhe.demo.figures import counted, summary
from fenhe.demo.forecast import forecast
from fenhe.demo.planned import plan_tests
from fenhe.demo.world import DemoWorld, earlier_world, remember
from fenhe.local import MockKafka
from fenhe.pipeline import (
    Interrupts,
    check_port,
    local_stack,
    open_directory,
    page_address,
    pipeline,
    prepare_database,
    write_environment,
)
from fenhe.progress import Feeding, StoredCount, in_words
from fenhe.simulation import now_ts, truth_of
from schemas.registry import Sector
from schemas.settings import MqttSettings
from schemas.time import DAY_MS, HOUR_MS
from simulators.scenes.run import SendingPace, simulate
from simulators.scenes.scenario import load
from simulators.wire.publisher import MqttPublisher
from storage.pool import connect
from storage.registry import import_registry
from storage.retention import measure
from storage.weather import record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fenhe.local import Stack
    from simulators.scenes.scenario import Scenario
    from simulators.scenes.scene import Scene

PARTITIONS = 6
TRUTH_FILE = "truth.sqlite"
CAUGHT_UP_S = 3.0
"""Live readings of so many seconds may still be on their way when the past counts as stored."""
SKIPPED_MS = HOUR_MS
"""Drawn of an earlier run's world between two looks whether somebody wants to leave."""
LEAVE_S = 3.0
"""How long the end waits for what is told in the terminal."""
LONG_S = 150.0
"""A past that takes longer to store is announced."""
LONGEST_S = 6 * 3_600.0
"""What is planned for going live waits no longer than this, however long the past takes."""
TELL_S = 30.0
"""How often live figures are told without a terminal."""

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


def run_demo(options: DemoOptions) -> int:
    """Run the demo until Ctrl-C or its duration is over.

    Returns 0 if everything published is in the books and they close, or waits in Kafka; 1 if not. Raises PlainError
    where it cannot start.
    """
    check_port(options.port)
    if options.report is not None:
        check_report(options.report)
    scenario = _scenario(options)
    directory = open_directory(options.directory, "demo", fresh=options.fresh)
    interrupts = Interrupts.heeded()
    world = earlier_world(directory)
    if world is not None and not _is_the_same(world, options, scenario):
        msg = (
            f"{directory} holds a demo of scenario {world.scenario}, {world.sets} sets, seed {world.seed}:"
            " ask for the same, or add --fresh to forget it"
        )
        raise PlainError(msg)
    machine = Machine.now()  # before our own services make it busy
    console.print("[bold]fenhe 汾河[/] starting broker, Kafka and PostgreSQL …")
    with local_stack(directory, options.services, PARTITIONS) as stack:
        console.print(f"  {stack.describe()}", soft_wrap=True)
        if isinstance(stack.kafka, MockKafka):
            console.print("  Kafka is librdkafka's mock cluster: for trying out, never for production")
        return _Demo(stack, options, scenario, world, interrupts, machine=machine).run()


def _scenario(options: DemoOptions) -> Scenario:
    """The scenario as it is watched, with the history and the sets that were asked for. Raises PlainError."""
    try:
        scenario = load(options.scenario).watched()
    except ValueError as error:
        raise PlainError(str(error)) from None
    if options.history_h is not None:
        scenario = scenario.model_copy(update={"history": round(options.history_h * HOUR_MS)})
    sets = scenario.fleet.sets if options.sets is None else options.sets
    try:
        scenario.scene(seed=options.seed, start_ts=now_ts(), sets=sets)
    except ValueError as error:
        msg = f"scenario {options.scenario} cannot be shown with {sets} sets ({error}): ask for more with --sets"
        raise PlainError(msg) from None
    return scenario


def _is_the_same(world: DemoWorld, options: DemoOptions, scenario: Scenario) -> bool:
    """Whether a demo that is asked for goes on with an earlier world."""
    sets = scenario.fleet.sets if options.sets is None else options.sets
    return (world.scenario, world.sets, world.seed) == (options.scenario, sets, options.seed)


class _Demo:
    """One run on a started stack."""

    def __init__(
        self,
        stack: Stack,
        options: DemoOptions,
        scenario: Scenario,
        earlier: DemoWorld | None,
        interrupts: Interrupts,
        *,
        machine: Machine,
    ) -> None:
        self._stack = stack
        self._options = options
        self._earlier = earlier
        self._scenario = scenario
        self._machine = machine
        self._interrupts = interrupts
        self._stop = interrupts.stop
        self._directory = stack.directory
        self._environment = stack.environment()
        self._reader = self._environment["FENHE_DB_READER_URL"]
        self._address = page_address(options.port)
        self._began = time.monotonic()
        self._is_over = False
        """Whether the duration ended it, not somebody."""
        self._ready_ts: int | None = None

    def run(self) -> int:
        """Play the world through the pipeline, then close the books."""
        prepare_database(self._stack)
        before = counted(self._reader).received
        with pipeline(self._stack, self._options.port, lambda text: console.print(f"  {text}"), self._stop):
            if self._stop.is_set():
                console.print("  stopped before anything was sent")
                return 0
            console.print(f"  page: [link={self._address}]{self._address}[/link]  (Ctrl-C stops everything)")
            console.print(f"  other commands: . {write_environment(self._stack)}", soft_wrap=True, highlight=False)
            if self._options.browser and sys.stdout.isatty():
                webbrowser.open(self._address)
            world = self._begin() if self._earlier is None else self._go_on(self._earlier)
            outcome = self._play(world, before)
            ending = Ending(
                self._stack, self._reader, self._interrupts, before, is_over=self._is_over, report=self._options.report
            )
            ending.drain(outcome)
        return ending.close(outcome)

    def _begin(self) -> DemoWorld:
        """A new world, whose history ends about when it will be stored: what is planned is seen happening."""
        options, scenario, now = self._options, self._scenario, now_ts()
        sets = scenario.fleet.sets if options.sets is None else options.sets
        start = now - (scenario.history or 0)
        scene = scenario.scene(seed=options.seed, start_ts=start, sets=sets)
        readings = scene.readings_until(now)
        past = PastToStore(readings, _plant_days(scenario), scene.readings_per_s)
        lasts_s = min(self._machine.seconds(past), LONGEST_S)
        console.print(f"  {self._machine.tell(past)}", soft_wrap=True, highlight=False)
        if lasts_s > LONG_S:
            console.print("  (--history 0.1 makes it shorter; the page fills meanwhile, plants first)")
        world = DemoWorld(options.scenario, sets, options.seed, start, now + round(lasts_s * 1_000), scene.start_ts, 0)
        remember(self._directory, world)
        return world

    def _go_on(self, world: DemoWorld) -> DemoWorld:
        ago = in_words(max(0.0, (now_ts() - world.last_ts) / 1_000))
        console.print(f"  going on with the last demo, whose readings reach to {ago} ago (--fresh starts anew)")
        if world.waiting and self._stack.kafka.durable:
            console.print(f"  {world.waiting:,} readings of then wait in Kafka and are stored first")
        console.print("  drawing the simulated world up to there …")
        return world

    def _play(self, world: DemoWorld, before: int) -> DemoOutcome:
        """Publish history, then live, until the duration is over or we are told to stop."""
        scene = self._scenario.scene(seed=world.seed, start_ts=world.start_ts, live_ts=world.live_ts, sets=world.sets)
        with connect(self._environment["FENHE_DB_OWNER_URL"], name="demo") as connection:
            import_registry(connection, scene.registry())
            plan_tests(connection, scene)
            record(connection, forecast(world.seed, scene.registry().sites, now_ts()))
        with truth_of(scene, self._scenario, self._directory / TRUTH_FILE):
            return self._publish(scene, world, before)

    def _publish(self, scene: Scene, world: DemoWorld, before: int) -> DemoOutcome:
        while scene.event_ts < world.last_ts and not self._stop.is_set():  # an earlier run published this
            scene.skip(min(world.last_ts, scene.event_ts + SKIPPED_MS))
        settings = MqttSettings(mqtt_url=self._environment["FENHE_MQTT_URL"])
        waiting = world.waiting if self._stack.kafka.durable else 0
        with MqttPublisher(settings) as publisher:

            def published() -> int:
                return waiting + int(publisher.report()["published_total"])

            is_live, done = threading.Event(), threading.Event()
            past = round(scene.readings_until(now_ts()))
            if scene.event_ts > scene.start_ts:  # an earlier run published the long past
                past -= round(scene.readings_until(max(scene.event_ts, scene.whole_ts)))
            arguments = scene, published, before, is_live, done
            tell = threading.Thread(target=self._tell, args=arguments, kwargs={"past": past}, daemon=True)
            tell.start()
            simulate(scene, publisher, SendingPace(live=False), stop=self._stop)
            live_from = now_ts()
            is_live.set()
            if not self._stop.is_set():
                simulate(scene, publisher, SendingPace(), stop=self._stop)
            done.set()
            tell.join(LEAVE_S)
            total = published()
        return DemoOutcome(total, self._ready_ts or live_from, scene.event_ts)

    def _tell(
        self,
        scene: Scene,
        published: Callable[[], int],
        before: int,
        is_live: threading.Event,
        done: threading.Event,
        *,
        past: int,
    ) -> None:
        """Say how far the past of about `past` readings is stored, then that all is there, then what goes on."""
        feeding = Feeding(console)
        slack = round(CAUGHT_UP_S * scene.readings_per_s) + 50
        try:
            while not done.wait(1.0):
                with contextlib.suppress(psycopg.Error):  # the database is away for a moment
                    stored, sent = counted(self._reader).received - before, published()
                    if is_live.is_set() and sent - stored <= slack:
                        break
                    feeding(StoredCount(stored, sent if is_live.is_set() else max(past, sent)))
        finally:
            feeding.close()
        if not done.is_set():
            self._get_ready(scene)
            self._summarise(published, before, done)

    def _get_ready(self, scene: Scene) -> None:
        """Do what an operator would once the past is in: fit energy baselines; then say what there is to see."""
        sites = [site.site_id for site in scene.registry().sites if site.sector is not Sector.BASE_STATION]
        with contextlib.suppress(psycopg.Error):
            fitted, refused = fit_the_past(self._environment["FENHE_DB_WRITER_URL"], sites, now_ts())
            if fitted:
                console.print(f"  energy baselines fitted to the past: {len({line.site_id for line in fitted})} plants")
            for line, why in refused.items():
                console.print(f"  no baseline of {line.site_id} {line.line_id}: {why}", style="dim")
        with contextlib.suppress(psycopg.Error), connect(self._environment["FENHE_DB_OWNER_URL"], name="demo") as owner:
            measure(owner)
        self._ready_ts = now_ts()
        console.print(f"  [bold]everything is there[/] after {time.monotonic() - self._began:.0f} s; live from here on")
        is_chinese = os.environ.get("LANG", "").startswith("zh")
        look = f"看点：{self._scenario.look_zh}" if is_chinese else f"look at: {self._scenario.look.strip()}"
        console.print(f"  {look}", soft_wrap=True, highlight=False)

    def _summarise(self, published: Callable[[], int], before: int, done: threading.Event) -> None:
        """Keep a summary in the terminal up to date; without one, tell it now and then. Ends the run in time."""
        started, reported = time.monotonic(), 0.0
        screen = Live(console=console, refresh_per_second=2, transient=True) if console.is_terminal else None
        with screen or contextlib.nullcontext():
            while not done.wait(1.0):
                ran = time.monotonic() - started
                if self._options.duration_s is not None and ran >= self._options.duration_s:
                    self._is_over = True
                    self._stop.set()
                    return
                with contextlib.suppress(psycopg.Error):  # the database is away for a moment
                    counts = counted(self._reader)
                    waiting = max(0, published() - (counts.received - before))
                    if screen is not None:
                        screen.update(summary(self._address, ran, counts, waiting))
                    elif ran - reported >= TELL_S:
                        reported = ran
                        console.print(
                            f"  live for {in_words(ran)}: {counts.stored:,} stored in all, {waiting:,} on their way"
                        )


def _plant_days(scenario: Scenario) -> float:
    """Days of whole plants in a scenario's past."""
    past_ms = 0 if scenario.past is None else scenario.past.plants
    return sum(scenario.plants.values()) * (past_ms + (scenario.history or 0)) / DAY_MS

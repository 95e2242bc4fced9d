"""A simulated world, published over MQTT as devices would."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from schemas.settings import MqttSettings
from simulators.scenes.run import SendingPace, simulate
from simulators.scenes.scenario import Scenario, load, quiet
from simulators.truth import TruthRun, TruthWriter
from simulators.wire.publisher import MqttPublisher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulators.scenes.run import RunProgress
    from simulators.scenes.scene import Scene

QUIET_SETS = 300
"""Battery sets of a world that no scenario describes."""


def now_ts() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class SimulateOptions:
    """What the command line said."""

    scenario: str | None
    seed: int
    sets: int | None
    plants: bool
    history_h: float
    speed: float
    duration_s: float | None
    report: Path | None
    truth: Path | None

    def world(self) -> Scenario:
        """The scenario that was named, or a world in which nothing is planned. Raises ValueError for an unknown one."""
        if self.scenario is not None:
            return load(self.scenario)
        return quiet(sets=QUIET_SETS if self.sets is None else self.sets, history_h=self.history_h, plants=self.plants)


def write_registry(path: Path, options: SimulateOptions) -> None:
    """Write the registry of a world, for `fenhe registry import`."""
    world = options.world()
    registry = world.scene(seed=options.seed, start_ts=world.start_ts(now_ts()), sets=options.sets).registry()
    path.write_text(
        yaml.safe_dump(registry.model_dump(mode="json", exclude_defaults=True), allow_unicode=True, sort_keys=False),
        encoding="utf-8",
    )


@contextlib.contextmanager
def truth_of(scene: Scene, scenario: Scenario, path: Path | None) -> Iterator[None]:
    """Write the truth of a run to `path`, if there is one: labels on entry, states as the scene advances."""
    if path is None:
        yield
        return
    with TruthWriter(path, TruthRun(scenario.name, scene.seed, scene.start_ts)) as truth:
        scene.record(truth, step_ms=scenario.step, until_ts=scenario.end_ts(scene.whole_ts))
        yield


class ProgressBar:
    """Shows how far a run is; used as its progress callback."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("history", total=None)

    def __call__(self, step: RunProgress) -> None:
        """Show one step."""
        self._progress.update(
            self._task, description=step.phase.value, completed=step.done_readings, total=step.total_estimate
        )


def progress_bar() -> Progress:
    """A bar for readings."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("readings"),
        TimeRemainingColumn(),
        transient=True,
    )


def run_simulation(options: SimulateOptions) -> dict[str, Any]:
    """Publish a world until it or the duration is over, or Ctrl-C; returns the publisher's report."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    world = options.world()
    scene = world.scene(seed=options.seed, start_ts=world.start_ts(now_ts()), sets=options.sets)
    pace = SendingPace(
        speed=None if options.speed == 1.0 else options.speed,
        live_s=options.duration_s,
        until_ts=None if options.scenario is None else world.end_ts(scene.whole_ts),
    )
    settings = MqttSettings()
    with (
        MqttPublisher(settings) as publisher,
        truth_of(scene, world, options.truth),
        progress_bar() as bar,
    ):
        return simulate(scene, publisher, pace, stop=stop, progress=ProgressBar(bar), report_path=options.report)

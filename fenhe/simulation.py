"""A simulated world, published over MQTT as devices would."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import yaml
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from schemas.settings import MqttSettings
from simulators.publisher import MqttPublisher
from simulators.run import Pace, simulate
from simulators.scene import Scene

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.run import Progress as RunProgress

HOUR_MS = 3_600_000


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def write_registry(path: Path, *, sets: int, seed: int, plants: bool) -> None:
    """Write the registry of a world, for `fenhe registry import`."""
    registry = Scene(seed=seed, sets=sets, plants=plants, start_ms=now_ms()).registry()
    path.write_text(
        yaml.safe_dump(registry.model_dump(mode="json", exclude_defaults=True), allow_unicode=True, sort_keys=False),
        encoding="utf-8",
    )


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


def run_simulation(
    *,
    sets: int,
    seed: int,
    plants: bool,
    history_h: float,
    speed: float,
    duration_s: float | None,
    report: Path | None,
) -> dict[str, Any]:
    """Publish a world until the duration is over or Ctrl-C; returns the publisher's report."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    start = now_ms() - round(history_h * HOUR_MS)
    scene = Scene(seed=seed, sets=sets, plants=plants, start_ms=start)
    pace = Pace(speed=None if speed == 1.0 else speed, live_s=duration_s)
    settings = MqttSettings()
    with MqttPublisher(settings) as publisher, progress_bar() as bar:
        return simulate(scene, publisher, pace, stop=stop, progress=ProgressBar(bar), report_path=report)

"""The commands that run for as long as the machine does, by themselves.

A worker is to be back within seconds. So no other command is loaded beside it, and Kafka is asked for the topic while
the rest is.
"""

from __future__ import annotations

import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from fenhe import logging
from fenhe.clear_errors import ClearGroup
from fenhe.clear_errors import clear_errors as _clear_errors

app = typer.Typer(cls=ClearGroup, no_args_is_help=True, add_completion=False)

SWITCH_S = 0.0005
"""A worker's threads wait for the database in turns: with Python's 5 ms every answer waits for a computing thread."""

ReadyFileOption = Annotated[Path | None, typer.Option(help="File that exists while the process is ready.")]


@app.command()
def collect(ready_file: ReadyFileOption = None) -> None:
    """Run one MQTT collector until SIGTERM, then drain."""
    from fenhe import metrics
    from fenhe.clear_log_errors import clear_log_errors
    from fenhe.garbage import spare_what_stays
    from fenhe.ready import ReadyFile
    from ingest.collector import Collector
    from schemas.settings import CollectorSettings
    from storage.topics import ensure_topic

    logging.configure()
    with _clear_errors():
        settings = CollectorSettings()
    ready = ReadyFile(ready_file)
    with clear_log_errors():
        ensure_topic(settings)
    spare_what_stays()
    collector = Collector(settings, on_ready=ready.set, on_lost=ready.clear)
    metrics.serve(settings.metrics_port, "fenhe_collector", collector.figures)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: collector.stop())
    with clear_log_errors():
        collector.run()
    ready.clear()


@app.command()
def work(ready_file: ReadyFileOption = None) -> None:
    """Run one stream worker until SIGTERM."""
    from fenhe.garbage import look_for_none, spare_what_stays

    look_for_none()  # until it is ready
    from fenhe.clear_log_errors import clear_log_errors
    from schemas.settings import WorkerSettings
    from storage.topics import ensure_session, ensure_topic

    logging.configure()
    with _clear_errors():
        settings = WorkerSettings()
    with ThreadPoolExecutor(1) as beside:
        has_topic = beside.submit(ensure_topic, settings)
        has_session = beside.submit(ensure_session, settings, settings.session_timeout_s)
        from fenhe import metrics
        from fenhe.ready import ReadyFile
        from streams.worker.app import run_worker
        from streams.worker.figures import WorkerFigures

        with clear_log_errors():
            has_topic.result()
            has_session.result()
    ready = ReadyFile(ready_file)
    figures = WorkerFigures()
    metrics.serve(settings.metrics_port, "fenhe_worker", figures.as_dict)

    once = iter((spare_what_stays,))

    def on_ready() -> None:
        next(once, lambda: None)()
        ready.set()

    sys.setswitchinterval(SWITCH_S)

    run_worker(settings, figures, on_ready=on_ready, on_lost=ready.clear)


@app.command()
def guard(ready_file: ReadyFileOption = None) -> None:
    """Run one guard: battery safety from the log of readings to the log of alarms, without the database."""
    from fenhe import metrics
    from fenhe.clear_log_errors import clear_log_errors
    from fenhe.ready import ReadyFile
    from schemas.settings import GuardSettings
    from schemas.time import DAY_MS
    from storage.topics import ensure_named_topic, ensure_topic
    from streams.guard.service import Guard
    from streams.guard.watch import SafetyWatch
    from streams.installed import installed

    logging.configure()
    with _clear_errors():
        settings = GuardSettings()
    ready = ReadyFile(ready_file)
    compacted = {"cleanup.policy": "compact", "segment.ms": str(DAY_MS), "min.cleanable.dirty.ratio": "0.1"}
    with clear_log_errors():
        ensure_topic(settings)
        # An alarm that holds must be known to the next guard, however long it has held.
        ensure_named_topic(settings, settings.kafka_alarm_topic, 1, config={"retention.ms": "-1"})
        ensure_named_topic(settings, settings.kafka_guard_topic, 1, config=compacted)
    running = Guard(settings, SafetyWatch(installed().readings), on_ready=ready.set)
    metrics.serve(settings.metrics_port, "fenhe_guard", running.figures)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: running.stopping.set())
    running.run()
    ready.clear()

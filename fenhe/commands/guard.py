"""`fenhe guard`: the safety path."""

from __future__ import annotations

import signal
from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import Annotated

import typer

from fenhe import logging
from fenhe.clear_errors import clear_errors
from schemas.settings import GuardSettings
from schemas.time import DAY_MS


def guard(
    ready_file: Annotated[Path | None, typer.Option(help="File that exists while the process is ready.")] = None,
) -> None:
    """Run one guard: battery safety from the log of readings to the log of alarms, without the database."""
    from fenhe import metrics
    from fenhe.ready import ReadyFile
    from ingest.log import ensure_named_topic
    from streams.guard.service import Guard
    from streams.guard.watch import SafetyWatch
    from streams.installed import installed

    logging.configure()
    with clear_errors():
        settings = GuardSettings()
    ready = ReadyFile(ready_file)
    ensure_named_topic(settings, settings.kafka_topic, settings.kafka_partitions)
    # An alarm that holds must be known to the next guard, however long it has held.
    ensure_named_topic(settings, settings.kafka_alarm_topic, 1, config={"retention.ms": "-1"})
    compacted = {"cleanup.policy": "compact", "segment.ms": str(DAY_MS), "min.cleanable.dirty.ratio": "0.1"}
    ensure_named_topic(settings, settings.kafka_guard_topic, 1, config=compacted)
    running = Guard(settings, SafetyWatch(installed().readings), on_ready=ready.set)
    metrics.serve(settings.metrics_port, "fenhe_guard", running.figures)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: running.stopping.set())
    running.run()
    ready.clear()

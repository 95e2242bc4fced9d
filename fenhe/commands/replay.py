"""`fenhe replay`: recorded data through the same pipeline as a device's."""

from __future__ import annotations

import json
import signal
import threading
import time
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Self

import typer

from fenhe.moments import WRITTEN, moment_ts

if TYPE_CHECKING:
    from simulators.replay.mapping import Mapping
    from simulators.replay.recording import Survey


def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, also gzipped.")],
    *,
    mapping: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="What its columns are (YAML).")],
    speed: Annotated[float | None, typer.Option(help="Times real time; none: as fast as the broker takes it.")] = None,
    starts_at: Annotated[str | None, typer.Option(help=f"Move times so that the first is at this: {WRITTEN}.")] = None,
    ends_at: Annotated[str | None, typer.Option(help="Move times so that the last is at this, or `now`.")] = None,
    array: Annotated[int, typer.Option(min=1, help="Most readings in one message.")] = 50,
    duplicates: Annotated[float, typer.Option(help="Share of messages sent twice.")] = 0.0,
    late: Annotated[float, typer.Option(help="Share of messages that come late.")] = 0.0,
    late_by: Annotated[float, typer.Option(help="Seconds by which they are late, at most.")] = 3_600.0,
    shuffle: Annotated[float, typer.Option(help="Shuffle messages within windows of so many seconds.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Of duplicates, lateness and shuffling.")] = 1,
    report: Annotated[Path | None, typer.Option(help="Write what was published, per device, as JSON.")] = None,
    registry: Annotated[Path | None, typer.Option(help="Write the registry as YAML and stop.")] = None,
) -> None:
    """Publish a recorded file as its devices' readings, over MQTT, at any speed."""
    from fenhe import logging
    from schemas.settings import MqttSettings
    from simulators.replay.play import Tempo, play
    from simulators.replay.recording import Recording, RecordingError
    from simulators.wire.disorder import Disorder
    from simulators.wire.publisher import MqttPublisher

    logging.configure()
    what = _mapping(mapping)
    if registry is not None:
        registry.write_text(what.registry().as_yaml(), encoding="utf-8")
        return
    recording = Recording(file, what)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        disorder = Disorder(duplicates=duplicates, late=late, late_by_s=late_by, shuffle_s=shuffle, seed=seed)
        survey = recording.survey()
        tempo = Tempo(speed=speed, array=array, shift_ms=_shift_ms(survey, starts_at, ends_at))
        total = round(survey.rows * len(what.devices) * (1 + duplicates))
        with MqttPublisher(MqttSettings()) as publisher, _Bar(total) as bar:
            sent = play(recording, publisher, tempo, disorder, stop=stop, progress=bar.show)
    except (RecordingError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{sent['published_total']:,} readings of {len(sent['per_device'])} devices published")
    for column, count in sent["unreadable_cells"].items():
        typer.echo(f"column {column}: {count} cells unreadable, {sent['unreadable_examples'][column]}", err=True)
    if report is not None:
        report.write_text(json.dumps(sent, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    raise typer.Exit(0 if sent["flushed"] and not sent["refused"] else 1)


def _mapping(path: Path) -> Mapping:
    from simulators.replay.mapping import read_mapping

    try:
        return read_mapping(path)
    except ValueError as error:
        typer.echo(f"{path}: {error}", err=True)
        raise typer.Exit(2) from None


def _shift_ms(survey: Survey, starts_at: str | None, ends_at: str | None) -> int:
    """How far device times are moved. Raises ValueError where both ends are given."""
    if starts_at is not None and ends_at is not None:
        msg = "give --starts-at or --ends-at: the recording's length settles the other"
        raise ValueError(msg)
    if starts_at is not None:
        return moment_ts(starts_at) - survey.first_ts
    if ends_at is not None:
        end = time.time_ns() // 1_000_000 if ends_at == "now" else moment_ts(ends_at)
        return end - survey.last_ts
    return 0


class _Bar:
    """A bar over readings."""

    def __init__(self, total: int) -> None:
        from fenhe.simulation import progress_bar

        self._bar = progress_bar()
        self._task = self._bar.add_task("replay", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, done: int) -> None:
        """Show how many readings were handed over."""
        self._bar.update(self._task, completed=done)

"""The command that derives a site's rows again from its raw readings."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - typer reads annotations
import time
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from fenhe.clear_errors import clear_errors
from fenhe.moments import WRITTEN, moment
from schemas.time import HOUR_MS
from schemas.words import rederive

if TYPE_CHECKING:
    from streams.engine.engine import Engine
    from streams.engine.recompute import Recompute, RecomputeProgress

WAIT_S = 0.2
"""Between two looks at a request whose steps a worker does."""


def recompute(
    site: Annotated[list[str], typer.Option(help="Site to derive again; may be given several times.")],
    from_: Annotated[
        dt.datetime | None, typer.Option("--from", parser=moment, help=f"Begin: {WRITTEN}; none: the first reading.")
    ] = None,
    to: Annotated[
        dt.datetime | None, typer.Option(parser=moment, help="End, written likewise; none: the newest reading.")
    ] = None,
    *,
    wait: Annotated[bool, typer.Option(help="Do it here and show progress; else leave it to the workers.")] = True,
) -> None:
    """Derive everything of some sites again from their raw readings, while workers go on."""
    import psycopg

    from fenhe.garbage import spare_what_stays
    from schemas.settings import WorkerSettings
    from schemas.time import FOREVER_TS, LONG_AGO_TS
    from storage import recompute as requests
    from storage.pool import open_pool
    from streams.engine.engine import Engine
    from streams.engine.recompute import Recompute
    from streams.installed import installed

    with clear_errors():
        settings = WorkerSettings()
    pool = open_pool(str(settings.db_writer_url), size=2, name="recompute")
    engine = Engine(pool, installed(), settings.kafka_topic, settings.kafka_partitions)
    try:
        with pool.connection() as connection:
            numbers = requests.ask(
                connection,
                site,
                reason="asked for",
                from_ts=LONG_AGO_TS if from_ is None else _ms(from_),
                to_ts=FOREVER_TS if to is None else _ms(to),
            )
        if wait:
            spare_what_stays()
            _show(Recompute(engine), engine, numbers)
    except psycopg.errors.ForeignKeyViolation:
        typer.echo(f"no such site: {', '.join(site)}", err=True)
        raise typer.Exit(2) from None
    finally:
        engine.close()


def _show(steps: Recompute, engine: Engine, numbers: list[int]) -> None:
    """Do the steps of some requests, sharing them with workers, until all are finished."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from storage import recompute as requests

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("h"),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as bar:
        for number in numbers:
            task = bar.add_task(f"request {number}", total=None)
            is_finished = False
            while not is_finished:
                try:
                    step = _step(steps, number)
                except Exception as error:  # noqa: BLE001 - the request says what it was
                    _say_why(engine, number, error)
                if step is not None:
                    is_finished = step.is_finished
                    bar.update(
                        task,
                        description=f"{step.site_id}, {step.rows_written:,} rows",
                        total=(step.to_ts - step.from_ts) // HOUR_MS,
                        completed=(step.done_ts - step.from_ts) // HOUR_MS,
                    )
                    continue
                with engine.begin() as connection:
                    is_finished = requests.read(connection, number).finished_ts is not None
                time.sleep(WAIT_S)


def _say_why(engine: Engine, number: int, error: Exception) -> NoReturn:
    """End with what a request says of its failure; what it says nothing of goes on as it is."""
    from storage import recompute as requests

    with engine.begin() as connection:
        said = requests.read(connection, number).error
    if not said.startswith(rederive.FAILED):
        raise error
    typer.echo(f"request {number}: {said}", err=True)
    raise typer.Exit(1) from error


def _step(steps: Recompute, number: int) -> RecomputeProgress | None:
    """Do a step; do it again where we were suspended within it, and PostgreSQL took its transaction away.

    Where it fails, the request says why; so do we, and leave it to the workers.
    """
    import psycopg

    while True:
        try:
            return steps.step(number)
        except psycopg.errors.IdleInTransactionSessionTimeout:
            continue  # the step left nothing behind
        except psycopg.errors.LockNotAvailable:
            return None  # somebody has the site's partition


def _ms(at: dt.datetime) -> int:
    return round(at.timestamp() * 1000)

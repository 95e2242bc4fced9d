"""The Faust app: it fetches records and hands them to the shepherd, who stores them partition by partition.

The offset that counts is the one in the database (`streams.worker.consumer`). What is handed over counts as
acknowledged at once: the group's offsets in Kafka say what was fetched, not what is stored.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import faust
import structlog

from storage.pool import IDLE_TRANSACTION_S, open_pool
from streams.engine.engine import Engine
from streams.engine.recompute import Recompute
from streams.installed import installed
from streams.worker.consumer import DatabaseTransport
from streams.worker.credentials import credentials
from streams.worker.shepherd import CONCURRENT_PARTITIONS, Shepherd

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from schemas.settings import WorkerSettings
    from streams.worker.figures import WorkerFigures

log = structlog.get_logger(__name__)

RECOMPUTE_POLL_S = 5.0
"""How often requests to recompute are looked for; between two steps the worker rests for as long as a step took."""
RETENTION_POLL_S = 3_600.0
MEASURE_S = 3_600.0
RETENTION_REST_S = 5.0
"""Between two steps of retention."""
HEARTBEAT_S = 3.0
"""Between two heartbeats, however long the session may last without one."""
LONGEST_TAKE_S = 3_600.0
"""A worker that fetches nothing for so long leaves its group. It may be computing all that time."""
STOP_S = 10.0
"""How long a worker that was told to stop may take to leave its group."""


async def _recompute(app: faust.App, recompute: Recompute) -> None:
    """Do a step whenever there is one, and rest for as long as it took: live work comes first."""
    while not app.should_stop:
        started = time.monotonic()
        progress = None
        try:
            progress = await asyncio.to_thread(recompute.step)
        except Exception as error:  # noqa: BLE001 - live work goes on; the step left nothing behind
            log.warning("recompute step failed, trying again", error=repr(error))
        if progress is not None and progress.is_finished:
            log.info("recomputed", site=progress.site_id, rows=progress.rows_written)
        await app.sleep(RECOMPUTE_POLL_S if progress is None else time.monotonic() - started)


async def _retain(app: faust.App, engine: Engine) -> None:
    """Take away what is older than it is kept, a little at a time; one worker at a time does, whoever comes first."""
    while not app.should_stop:
        done = None
        try:
            done = await asyncio.to_thread(engine.retention_step)
        except Exception as error:  # noqa: BLE001 - live work goes on; the step left nothing behind
            log.warning("retention step failed, trying again", error=repr(error))
        if done is not None:
            log.info("taken away by the policy", what=done)
        await app.sleep(RETENTION_POLL_S if done is None else RETENTION_REST_S)


async def _measure(app: faust.App, engine: Engine) -> None:
    """Note every hour how large the database is."""
    while not app.should_stop:
        try:
            await asyncio.to_thread(engine.measure_store)
        except Exception as error:  # noqa: BLE001 - the next hour will do as well
            log.warning("the database's size is not noted", error=repr(error))
        await app.sleep(MEASURE_S)


def session_limits(session_timeout_s: float) -> dict[str, Any]:
    """Faust's settings of a session; it refuses a request timeout that is shorter than the session's."""
    return {
        "broker_session_timeout": session_timeout_s,
        "broker_heartbeat_interval": min(HEARTBEAT_S, session_timeout_s / 4),
        "broker_request_timeout": max(90.0, session_timeout_s + 10.0),
        "broker_rebalance_timeout": max(60.0, session_timeout_s),
    }


def create_app(
    settings: WorkerSettings, figures: WorkerFigures, *, on_ready: Callable[[], None], on_lost: Callable[[], None]
) -> faust.App:
    """Build the worker's Faust app; `on_ready` is called when assigned partitions are loaded."""
    hosts = ";".join(f"kafka://{host}" for host in settings.kafka_bootstrap.split(","))
    app = faust.App(
        settings.worker_group,
        broker=hosts,
        broker_credentials=credentials(settings),
        datadir=settings.worker_data_dir,
        store="memory://",
        value_serializer="raw",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=500,
        broker_commit_interval=1.0,
        broker_max_poll_interval=LONGEST_TAKE_S,
        **session_limits(settings.session_timeout_s),
        stream_wait_empty=False,
    )
    topic = app.topic(settings.kafka_topic, value_type=bytes, value_serializer="raw")
    # A paused worker's partitions go to another after a session timeout: it loses its transaction soon after.
    idle_s = min(2 * settings.session_timeout_s, IDLE_TRANSACTION_S)
    url, size = str(settings.db_writer_url), CONCURRENT_PARTITIONS + 2
    pool = open_pool(url, size=size, name="worker", idle_transaction_s=idle_s)
    engine = Engine(pool, installed(), settings.kafka_topic, settings.kafka_partitions, silent_s=2 * idle_s)
    threading.Thread(target=engine.warm_up, daemon=True).start()  # while Kafka makes up its mind
    shepherd = Shepherd(app, engine, figures, batch_records=settings.batch_records)
    app.transport = DatabaseTransport(app, settings.kafka_topic, engine.stored_offsets, shepherd.has_enough)

    @app.agent(topic, concurrency=1)  # type: ignore[arg-type] # an agent is handed a Stream, whatever StreamT says
    async def store_readings(stream: faust.Stream[bytes]) -> AsyncIterator[None]:
        async for events in stream.take_events(settings.batch_records, within=settings.batch_within_s):
            shepherd.take(events)
            yield

    @app.task  # type: ignore[untyped-decorator] # Faust types its tasks loosely
    async def recompute_what_is_asked_for() -> None:
        await _recompute(app, Recompute(engine))

    @app.task  # type: ignore[untyped-decorator] # as above
    async def note_how_large_the_database_is() -> None:
        await _measure(app, engine)

    if settings.retention:

        @app.task  # type: ignore[untyped-decorator] # as above
        async def take_away_what_is_old() -> None:
            await _retain(app, engine)

    @app.on_partitions_assigned.connect  # type: ignore[arg-type] # the signal is passed by keyword
    async def assigned(_sender: Any, *args: Any, **_: Any) -> None:  # noqa: ANN401 - Faust's signal
        numbers = sorted(tp.partition for tp in args[0] if tp.topic == settings.kafka_topic)
        shepherd.assign(numbers, on_ready)

    @app.on_before_shutdown.connect
    async def stopping(*_: Any, **__: Any) -> None:  # noqa: ANN401 - Faust's signal
        shepherd.stop()
        # Faust waits for ever where Kafka is gone (its consumer's thread dies of it).
        guard = threading.Timer(STOP_S, _end_now)
        guard.daemon = True
        guard.start()

    @app.on_partitions_revoked.connect  # type: ignore[arg-type] # as above
    async def revoked(_sender: Any, *args: Any, **_: Any) -> None:  # noqa: ANN401 - Faust's signal
        log.info("revoked", partitions=len(args[0]))
        shepherd.revoke(sorted(tp.partition for tp in args[0] if tp.topic == settings.kafka_topic))
        on_lost()

    return app


def _end_now() -> None:
    """End without Faust's consent: what is not committed in the database will be fetched again."""
    log.warning("not stopped in time, ending", waited_s=STOP_S)
    os._exit(1)


def run_worker(
    settings: WorkerSettings,
    figures: WorkerFigures,
    *,
    on_ready: Callable[[], None] = lambda: None,
    on_lost: Callable[[], None] = lambda: None,
) -> None:
    """Run one worker until it is told to stop; blocks."""
    app = create_app(settings, figures, on_ready=on_ready, on_lost=on_lost)
    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False).execute_from_commandline()

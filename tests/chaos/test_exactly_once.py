"""Exactly once, on real services: whatever is killed in mid-run, nothing is lost and nothing is doubled.

After every disaster the same things are looked at: rows stored are the readings published, device by device; derived
tables are those of one clean ordered pass; the books close, and hold every record of Kafka's log once.
"""

from __future__ import annotations

import secrets
import signal
from typing import TYPE_CHECKING
from urllib.request import urlopen

import psutil
import pytest

from fenhe.local import ApacheKafka, free_port, wait_until
from schemas.topics import partition_of
from storage.pool import connect
from tests.support.pipeline import DERIVED, SPARED, alarm_history, snapshot
from tests.support.running import Pipeline
from tests.support.worlds.small import World, make_world, ordered_pass, per_device

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from fenhe.local import Process, Stack
    from simulators.wire.message import DeviceMessage
    from storage.books.balance import BooksBalance

pytestmark = [pytest.mark.real, pytest.mark.chaos, pytest.mark.slow]

READINGS = 20_000
ALARMS = "history of alarms"
COPIES = 16
"""Of the small world: each has a smoke detector that alarms every hour."""


@pytest.fixture(scope="module")
def world() -> World:
    """More than 20 000 readings of 80 devices at 32 sites."""
    made = make_world(copies=COPIES, minutes=245)
    assert len(made.sent) > READINGS
    return made


@pytest.fixture(scope="module")
def truth(real_stack: Stack, world: World) -> Iterator[dict[str, list[str]]]:
    """All tables after one clean ordered pass over the world."""
    name = f"t_{secrets.token_hex(4)}"
    url = real_stack.postgres.create_database(name)
    yield ordered_pass(url, world) | {ALARMS: alarm_history(url)}
    real_stack.postgres.drop_database(name)


@pytest.fixture
def pipeline(real_stack: Stack, world: World, tmp_path: Path) -> Iterator[Pipeline]:
    """Topic, database, groups of the test's own; nothing runs yet."""
    with Pipeline(real_stack, tmp_path, world.registry) as made:
        yield made


def assert_exactly_once(pipeline: Pipeline, world: World, truth: dict[str, list[str]]) -> BooksBalance:
    """Let everything come to rest, then look at rows, derived tables and books."""
    pipeline.wait_stored(len(world.sent))
    pipeline.settle()
    assert pipeline.rows_per_device() == per_device(world.messages())
    found = snapshot(pipeline.owner_url) | {ALARMS: alarm_history(pipeline.owner_url)}
    assert len(truth[ALARMS]) >= COPIES, "no alarm was there to be lost or doubled"
    for table, rows in truth.items():
        assert rows or table not in DERIVED or table in SPARED, f"{table} is empty: nothing is compared"
        different = sorted({*found[table]} ^ {*rows})  # pytest would compare the lists themselves for minutes
        assert not different, (table, len(different), different[:6])
        assert len(found[table]) == len(rows), table
    books = pipeline.books()
    assert books.closed, books
    assert (books.stored, books.quarantined) == (len(world.sent), 0)
    # Raw rows would hide a record that was applied twice; the books count it twice.
    assert books.received == pipeline.received_in_log()
    return books


def test_a_killed_worker_loses_and_doubles_nothing(
    pipeline: Pipeline, world: World, truth: dict[str, list[str]]
) -> None:
    """`kill -9` of the worker, twice, in the middle of thousands of readings costs a moment and no reading."""
    _, worker = pipeline.start()
    with pipeline.publishing(world.messages(), hurry_until=0.6):
        for share in (0.15, 0.5):
            pipeline.wait_stored(round(share * len(world.sent)))
            assert worker.kill() == -signal.SIGKILL
            assert pipeline.stored() < len(world.sent), "killed too late to show anything"
            pipeline.restart(worker)
    assert_exactly_once(pipeline, world, truth)


def test_a_group_ahead_of_the_database_is_no_reason_to_wait(
    pipeline: Pipeline, world: World, truth: dict[str, list[str]]
) -> None:
    """Kafka says that all was read, the database stands in mid-log, and nothing more comes: the worker begins there."""
    messages = world.messages()
    half = len(messages) // 2
    _, worker = pipeline.start()
    pipeline.publish(messages[:half])
    pipeline.wait_stored(_readings(messages[:half]))
    assert worker.terminate() == 0
    pipeline.publish(messages[half:])
    wait_until(lambda: pipeline.received_in_log() >= len(world.sent), what="the log to hold them")
    pipeline.commit_group_at_end()
    pipeline.restart(worker)
    assert_exactly_once(pipeline, world, truth)


def test_records_that_are_skipped_are_fetched_again(
    pipeline: Pipeline, world: World, truth: dict[str, list[str]]
) -> None:
    """Records never reach the engine: what comes behind them does not follow, and all is fetched again."""
    trigger = pipeline.folder / "skip"
    pipeline.collector()
    worker = pipeline.worker(module="tests.chaos.skipping_worker", more={"SKIPS_ONCE": str(trigger)})
    with pipeline.publishing(world.messages(), hurry_until=0.6):
        pipeline.wait_stored(len(world.sent) // 5)
        trigger.touch()
        worker.wait_until(lambda: not trigger.exists(), what="a take to be skipped", timeout=60)
        assert pipeline.stored() < len(world.sent), "skipped too late to show anything"
    assert_exactly_once(pipeline, world, truth)
    gaps = worker.log.read_text().count("fetching again")
    assert gaps > 0, "nothing was to be fetched again"


def test_a_partition_that_stands_is_left_in_kafka_and_holds_up_no_other(
    pipeline: Pipeline, world: World, truth: dict[str, list[str]]
) -> None:
    """Somebody holds the lock of one partition: nothing is fetched of it beyond its share, and all others go on."""
    messages = world.messages()
    pipeline.collector()
    port = free_port()
    worker = pipeline.worker(module="tests.chaos.narrow_worker", more={"FENHE_METRICS_PORT": str(port)})
    pipeline.publish(messages[: len(messages) // 10])
    pipeline.wait_stored(_readings(messages[: len(messages) // 10]))
    held = partition_of(site_of(messages[0]), pipeline.stack.partitions)
    others = [message for message in messages if partition_of(site_of(message), pipeline.stack.partitions) != held]
    with connect(pipeline.owner_url, name="test") as holder:
        holder.execute("SELECT FROM checkpoint WHERE topic = %s AND partition = %s FOR UPDATE", (pipeline.topic, held))
        pipeline.publish(messages[len(messages) // 10 :])
        pipeline.wait_stored(_readings(others))
        waiting = waiting_records(port)
        left = pipeline.left_in_log(held)
        holder.rollback()
    assert 0 < waiting < left / 2, "all of it was fetched, though it cannot be stored"
    assert_exactly_once(pipeline, world, truth)
    assert "another worker" not in worker.log.read_text()


def test_a_collector_killed_before_it_acknowledges_doubles_nothing(
    pipeline: Pipeline, world: World, truth: dict[str, list[str]]
) -> None:
    """What Kafka has and the broker was never told of is delivered again, counted as duplicate and stored once."""
    dying = pipeline.collector(module="tests.chaos.dying_collector", more={"DIES_AFTER": "500"})
    pipeline.worker()
    with pipeline.publishing(world.messages(), hurry_until=0.6):
        wait_until(lambda: not dying.running, what="the collector to die", timeout=60)
        assert dying.returncode == -signal.SIGKILL
        pipeline.collector()
    books = assert_exactly_once(pipeline, world, truth)
    assert books.duplicate > 0, "nothing was delivered again: the collector died elsewhere"


def test_postgresql_may_crash_and_come_back(pipeline: Pipeline, world: World, truth: dict[str, list[str]]) -> None:
    """PostgreSQL stopped immediately, as in a crash: workers wait for it and go on where it stands."""
    _, worker = pipeline.start()
    with pipeline.publishing(world.messages(), hurry_until=0.6):
        pipeline.wait_stored(len(world.sent) // 5)
        pipeline.stack.postgres.stop("immediate")
        try:
            assert worker.running
        finally:
            pipeline.stack.postgres.start()
        assert pipeline.stored() < len(world.sent), "stopped too late to show anything"
    assert_exactly_once(pipeline, world, truth)
    assert worker.returncode == 0, "the worker did not live through it"


def test_mosquitto_may_be_restarted(pipeline: Pipeline, world: World, truth: dict[str, list[str]]) -> None:
    """Mosquitto restarted between devices and collector: sessions are kept, both sides come back by themselves."""
    collector, _ = pipeline.start()
    with pipeline.publishing(world.messages(), in_flight=20, hurry_until=0.6) as publishing:
        wait_until(lambda: publishing.acknowledged > len(world.sent) // 5, what="a fifth to be published")
        pipeline.stack.mqtt.restart()
        assert publishing.acknowledged < len(world.sent), "restarted too late to show anything"
    assert collector.running
    assert_exactly_once(pipeline, world, truth)


def test_kafka_may_be_restarted(pipeline: Pipeline, world: World, truth: dict[str, list[str]]) -> None:
    """Kafka restarted: the collector holds its acknowledgements back, producer and worker come back by themselves."""
    collector, worker = pipeline.start()
    with pipeline.publishing(world.messages(), hurry_until=0.6):
        pipeline.wait_stored(len(world.sent) // 5)
        kafka = pipeline.stack.kafka
        assert isinstance(kafka, ApacheKafka)
        kafka.restart()
        assert pipeline.stored() < len(world.sent), "restarted too late to show anything"
    assert_exactly_once(pipeline, world, truth)
    assert (collector.returncode, worker.returncode) == (0, 0)


def test_a_worker_paused_inside_a_transaction_gives_it_up(
    pipeline: Pipeline, world: World, truth: dict[str, list[str]]
) -> None:
    """A rebalance in mid-run; then a worker paused with locks in hand: its heir gets them, and goes on without it."""
    zombie = _replace_in_mid_run(pipeline, world, faints="inside")
    assert_exactly_once(pipeline, world, truth)
    assert zombie.returncode == 0, "the zombie did not come back to life"


def test_a_worker_that_does_not_know_it_was_replaced_can_do_no_harm(
    pipeline: Pipeline, world: World, truth: dict[str, list[str]]
) -> None:
    """The zombie: paused past its session timeout and resumed, it tries to store what its heir has stored, in vain."""
    zombie = _replace_in_mid_run(pipeline, world, faints="before")
    assert_exactly_once(pipeline, world, truth)
    assert zombie.returncode == 0, "the zombie did not come back to life"
    assert "another worker stored this range" in zombie.log.read_text(), "the zombie never tried"


def _replace_in_mid_run(pipeline: Pipeline, world: World, *, faints: str) -> Process:
    """Two workers share the partitions; one is paused, the other stores everything; then the first one is resumed."""
    messages = world.messages()
    third_of = len(messages) // 3
    first, second, third = messages[:third_of], messages[third_of : 2 * third_of], messages[2 * third_of :]
    trigger = pipeline.folder / "faint"
    pipeline.collector()
    zombie = pipeline.worker(
        "zombie", module="tests.chaos.fainting_worker", more={"FAINTS": faints, "FAINTS_ONCE": str(trigger)}
    )
    with pipeline.publishing(first, hurry_until=0.5):
        heir = pipeline.worker("heir")
        assert pipeline.stored() < _readings(first), "joined too late to show anything"
    with pipeline.publishing(second, hurry_until=0.5):
        trigger.touch()
        zombie.wait_until(lambda: _is_stopped(zombie), what="the zombie to faint", timeout=60)
        assert pipeline.stored() < _readings([*first, *second]), "paused too late to show anything"
    pipeline.wait_stored(_readings([*first, *second]))
    assert (heir.running, zombie.running) == (True, True)
    zombie.resume()
    pipeline.publish(third)
    return zombie


def _is_stopped(process: Process) -> bool:
    return psutil.Process(process.pid).status() == psutil.STATUS_STOPPED


def site_of(message: DeviceMessage) -> str:
    """The site of a message's topic."""
    return message.topic.split("/")[2]


def waiting_records(port: int) -> int:
    """Records that a worker has fetched and not stored, as its figures say."""
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return next(int(float(line.split()[1])) for line in lines if line.startswith("fenhe_worker_waiting_records "))


def _readings(messages: Sequence[DeviceMessage]) -> int:
    return sum(len(message.readings) for message in messages)

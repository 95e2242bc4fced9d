"""The safety path on a real log: the database may be gone, the alarm arrives."""

from __future__ import annotations

import random
import secrets
import threading
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer

from fenhe.local import wait_until
from schemas.alarms import alarm_id
from schemas.kafka.safety import SafetyEvent, SafetyRecord
from schemas.readings import Kind
from schemas.registry import Registry
from schemas.settings import GuardSettings
from storage.pool import connect
from streams.guard.service import Guard
from streams.guard.watch import SafetyWatch
from streams.installed import installed
from streams.intake.admission import Directory
from streams.intake.decode import decode
from tests.support.pipeline import REGISTRY, Sent, open_engine, prepare, readings, record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fenhe.local import Kafka

START_TS = 1_780_000_000_000
NOWHERE = "postgresql://fenhe_reader@127.0.0.1:1/none"
SMOKE = [Sent("bs-1", Kind.SITE_POWER, "s-1", {"ts": START_TS + at * 60_000, "smoke": at >= 2}) for at in range(5)]
OVER = [Sent("bs-1", Kind.SITE_POWER, "s-1", {"ts": START_TS + at * 60_000, "smoke": False}) for at in range(5, 9)]


class Running:
    """A guard in a thread, on topics of its own, with a database that is not there."""

    def __init__(self, kafka: Kafka) -> None:
        name = f"guard.{secrets.token_hex(4)}"
        kafka.create_topic(f"{name}.readings", 1)
        kafka.create_topic(f"{name}.alarms", 1)
        kafka.create_topic(f"{name}.learnt", 1)
        self.settings = GuardSettings(
            kafka_bootstrap=kafka.bootstrap,
            kafka_topic=f"{name}.readings",
            kafka_partitions=1,
            kafka_alarm_topic=f"{name}.alarms",
            kafka_guard_topic=f"{name}.learnt",
            guard_group=name,
            db_reader_url=NOWHERE,
        )
        self._producer = Producer({"bootstrap.servers": kafka.bootstrap})
        self.start()

    def start(self) -> None:
        """Start a guard that remembers nothing."""
        self._guard = Guard(self.settings, SafetyWatch(installed().readings))
        self._thread = threading.Thread(target=self._guard.run)
        self._thread.start()

    def stop(self) -> None:
        """Stop it."""
        self._guard.stopping.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def put(self, sent: list[Sent]) -> None:
        """Write readings into the log, as a collector does."""
        self._producer.produce(self.settings.kafka_topic, value=record(0, sent).value)
        assert self._producer.flush(10) == 0

    def published(self) -> list[SafetyRecord]:
        """What is on the alarms' topic."""
        return self._guard._published_before()

    def wait(self, count: int) -> list[SafetyRecord]:
        """Wait for so many records."""
        wait_until(lambda: len(self.published()) >= count, what=f"{count} safety records", timeout=60)
        return self.published()


@pytest.fixture
def running(kafka: Kafka) -> Iterator[Running]:
    """A guard."""
    made = Running(kafka)
    yield made
    made.stop()


def test_a_safety_alarm_arrives_without_a_database(running: Running) -> None:
    """Once when it comes, once when it goes, with the name that follows from condition and sample."""
    running.put(SMOKE)
    (raised,) = running.wait(1)
    assert (raised.event, raised.device_id, raised.kind, raised.severity) == ("raise", "s-1", "smoke", "critical")
    assert raised.alarm_id == alarm_id("s-1", "smoke", "smoke", START_TS + 120_000)
    running.put(SMOKE)
    running.put(OVER)
    records = running.wait(2)
    assert [item.event for item in records] == [SafetyEvent.RAISE, SafetyEvent.CLEAR]
    assert {item.alarm_id for item in records} == {raised.alarm_id}


def test_a_guard_that_starts_again_says_nothing_twice(running: Running) -> None:
    """What is active is read back from the topic, also where the same readings come again."""
    running.put(SMOKE)
    running.wait(1)
    running.stop()
    running.start()
    running.put(SMOKE)
    running.put(OVER)
    records = running.wait(2)
    assert [item.event for item in records] == [SafetyEvent.RAISE, SafetyEvent.CLEAR]


def test_an_alarm_does_not_wait_for_a_producer_that_stands(running: Running) -> None:
    """Kafka answers and nothing is delivered, as after a restart (librdkafka, issue 5430): a new producer is made."""
    running._guard.stands_s = 0.5
    running._guard._producer = Producer({"bootstrap.servers": "127.0.0.1:1"})
    running.put(SMOKE)
    (raised,) = running.wait(1)
    assert raised.device_id == "s-1"


def test_the_database_comes_to_the_same_name(running: Running, own_url: str) -> None:
    """Whoever has heard of it by the topic finds it in the database."""
    running.put(SMOKE)
    (raised,) = running.wait(1)
    prepare(own_url)
    engine = open_engine(own_url)
    engine.apply(engine.open(0), [record(0, SMOKE)])
    engine.close()
    with connect(own_url, name="test") as connection:
        assert connection.execute("SELECT alarm_id FROM alarm").fetchall() == [(raised.alarm_id,)]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_database_finds_every_name_whatever_the_order_and_the_cut(own_url: str, seed: int) -> None:
    """Readings of two collectors in any order: what stands on the topic at the end the database knows by its id."""
    rng = random.Random(seed)
    smokes = [at % 9 in {1, 2} for at in range(36)]
    sent = [
        Sent("bs-1", Kind.SITE_POWER, "s-1", {"ts": START_TS + at * 60_000, "smoke": smoke})
        for at, smoke in enumerate(smokes)
    ]
    log = sorted(sent, key=lambda item: item.reading["ts"] + rng.uniform(0, 4 * 60_000))
    watch = SafetyWatch(installed().readings)
    names: dict[str, str] = {}
    for offset, item in enumerate(log):
        for found in watch.take(decode(record(offset, [item]), "test"), 0):
            names.pop(found.replaces, None)
            names[found.alarm_id] = found.event
    assert len(names) == 4
    prepare(own_url)
    engine = open_engine(own_url)
    partition, at = engine.open(0), 0
    while at < len(log):
        size = rng.randint(1, 6)
        run = [record(offset, [log[offset]]) for offset in range(at, min(at + size, len(log)))]
        engine.apply(partition, run)
        at += len(run)
    with connect(own_url, name="test") as connection:
        known = {row[0] for row in connection.execute("SELECT name FROM alarm_name")}
        alarms = connection.execute("SELECT count(*) FROM alarm WHERE kind = 'smoke'").fetchone()
    assert set(names) <= known
    assert alarms == (1,)  # nobody has acknowledged the first one: what came since belongs to it


def test_the_guard_and_the_database_tell_the_same_alarms(own_url: str) -> None:
    """Each safety alarm of hours of readings of all kinds, by its name: both see values as the table holds them."""
    sent = readings(200)
    watch = SafetyWatch(installed().readings)
    watch.directory = Directory(1, REGISTRY)
    prepare(own_url)
    engine = open_engine(own_url)
    partition = engine.open(0)
    published: dict[str, str] = {}
    for offset, at in enumerate(range(0, len(sent), 50)):
        run = record(offset, sent[at : at + 50])
        engine.apply(partition, [run])
        published |= {found.alarm_id: found.kind for found in watch.take(decode(run, "test"), 0)}
    with connect(own_url, name="test") as connection:
        rows = connection.execute("SELECT name, alarm_id FROM alarm_name").fetchall()
        known: dict[str, str] = dict(rows)
        alarms = {row[0] for row in connection.execute("SELECT alarm_id FROM alarm WHERE safety")}
    assert {*published.values()} == {"smoke", "cell_sag"}
    assert {known.get(name) for name in published} == alarms


def test_the_guard_judges_values_as_the_table_holds_them() -> None:
    """A temperature that is 55 °C in its column is not above 55 °C for the guard either."""
    watch = SafetyWatch(installed().readings)
    watch.directory = Directory(1, REGISTRY)

    def published_at(celsius: float, minute: int) -> list[SafetyRecord]:
        reading = {"ts": START_TS + minute * 60_000, "temperature_c": [celsius] * 4}
        return watch.take(decode(record(0, [Sent("bs-1", Kind.BATTERY, "b-1", reading)]), "test"), 0)

    assert published_at(55.000001, 0) == []
    assert [found.kind for found in published_at(55.1, 1)] == ["over_temperature"]


def test_an_unregistered_device_alarms_nobody_once_a_registry_is_known() -> None:
    """Without any registry every reading counts; with one, the same rules as on the database's way."""
    batch = decode(record(0, SMOKE), "test")
    without, elsewhere = SafetyWatch(installed().readings), SafetyWatch(installed().readings)
    elsewhere.directory = Directory(1, Registry())
    assert len(without.take(batch, 0)) == 1
    assert without.take(batch, 0) == []
    assert elsewhere.take(batch, 0) == []

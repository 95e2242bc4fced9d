"""Beats of a collector: by them silence of devices is told from a pipeline that stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from ingest import collector as module
from ingest.collector import BEAT_MS, SLOW_MS, STEADY_MS, Collector
from schemas.settings import CollectorSettings

if TYPE_CHECKING:
    from collections.abc import Callable

PARTITIONS = 3


class Session:
    """A broker session that is what it is set to."""

    def __init__(self, *_: object, on_lost: Callable[[], None], **__: object) -> None:
        self.connected = True
        self.lose = on_lost

    def acknowledge(self, *_: object) -> None:
        """Nothing to acknowledge in a beat."""


class Log:
    """A Kafka that confirms when it is told to."""

    def __init__(self, _settings: object) -> None:
        self.records: list[tuple[int, dict[str, Any]]] = []
        self.waiting: list[Callable[[None, Any], None]] = []

    def append(self, partition: int, record: bytes, delivered: Callable[[None, Any], None]) -> None:
        """Take a record."""
        self.records.append((partition, orjson.loads(record)))
        self.waiting.append(delivered)

    def confirm(self) -> None:
        """Say of everything that it is durable."""
        for delivered in self.waiting:
            delivered(None, None)
        self.waiting.clear()


class Lease:
    """A place in the queue for the session that nobody contests."""

    held = True

    def __init__(self, *_: object, **__: object) -> None:
        """Nothing to ask."""


@pytest.fixture
def lost() -> list[str]:
    """An entry for each time that the collector says that it is not ready any more."""
    return []


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch, lost: list[str]) -> Collector:
    """A collector without broker and Kafka, at time 0."""
    monkeypatch.setattr(module, "BrokerSession", Session)
    monkeypatch.setattr(module, "Log", Log)
    monkeypatch.setattr(module, "Lease", Lease)
    settings = CollectorSettings(
        kafka_bootstrap="unused:1", mqtt_url="mqtt://unused", kafka_partitions=PARTITIONS, collector_id="c"
    )
    made = Collector(settings, on_lost=lambda: lost.append("lost"))
    made._unsteady_ms = made._beaten_ms = 0
    return made


def beat(collector: Collector, from_ts: int, to_ts: int) -> list[tuple[int, dict[str, Any]]]:
    """What is written while time passes second by second."""
    log: Any = collector._log
    log.records.clear()
    for now_ts in range(from_ts, to_ts, 1000):
        collector._beat_due(now_ts)
    return list(log.records)


def test_a_steady_collector_beats_into_every_partition(collector: Collector) -> None:
    """Empty records, every ten seconds, once the way in has been open for a minute."""
    assert beat(collector, 0, STEADY_MS) == []
    written = beat(collector, STEADY_MS, STEADY_MS + BEAT_MS)
    assert [number for number, _ in written] == list(range(PARTITIONS))
    assert all((item["received"], item["messages"], item["quarantined"]) == ({}, [], []) for _, item in written)


def test_it_says_nothing_while_the_broker_is_away_or_what_piled_up_comes_in(collector: Collector) -> None:
    """Hearing nothing because one is not connected is no silence."""
    session: Any = collector._session
    session.connected = False
    assert beat(collector, STEADY_MS, 2 * STEADY_MS) == []
    session.connected = True
    assert beat(collector, 2 * STEADY_MS, 3 * STEADY_MS - 1000) == []
    assert len(beat(collector, 3 * STEADY_MS - 1000, 3 * STEADY_MS + BEAT_MS)) == PARTITIONS


def test_it_says_nothing_while_kafka_is_slow(collector: Collector) -> None:
    """One beat waits at most; once Kafka is back there is a minute for what was held up."""
    log: Any = collector._log
    assert len(beat(collector, STEADY_MS, STEADY_MS + 5 * BEAT_MS)) == PARTITIONS
    log.confirm()
    back = STEADY_MS + 5 * BEAT_MS
    assert beat(collector, back, back + STEADY_MS - BEAT_MS) == []
    assert len(beat(collector, back + STEADY_MS - BEAT_MS, back + STEADY_MS + BEAT_MS)) == PARTITIONS
    assert SLOW_MS < BEAT_MS


@pytest.mark.parametrize("held", [True, False])
def test_who_stands_by_needs_no_connection_to_be_ready(collector: Collector, lost: list[str], *, held: bool) -> None:
    """The broker hangs up on whoever was replaced after that has heard that it stands by: it would never be ready."""
    session: Any = collector._session
    collector._lease.held = held
    session.lose()
    assert lost == ["lost"] * held

"""Cases from the field (`../shared/cases`): a registry and messages, through the collector's judgement and the engine.

A case folder holds `registry.yaml` and `payload.txt`, one `TOPIC PAYLOAD` a line. `Run` publishes messages in the order
given and looks at what the database then says. Nothing is asked of the machine's clock: every message arrives at the
moment it is said to arrive at.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import pytest
import yaml

from ingest.batches import MicroBatchBuilder, Token
from ingest.judgement import judge
from schemas.metrics import Quality
from schemas.registry import Registry
from schemas.topics import partition_of
from storage.pool import connect
from storage.statements import trusted
from streams.intake.decode import Record
from tests.support.pipeline import open_engine, prepare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CASES = Path(__file__).parents[2].parent / "shared" / "cases"
ARRIVED_TS = round(dt.datetime(2026, 11, 29, tzinfo=dt.UTC).timestamp() * 1000)
"""When the messages of a case arrive unless a test says otherwise: half a year after they were measured."""
MAX_BYTES = 262_144

needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="the folder ../shared/cases is not beside this checkout")


class Message(NamedTuple):
    """One MQTT message."""

    topic: str
    payload: bytes


class Case(NamedTuple):
    """A case as its folder holds it."""

    registry: Registry
    messages: list[Message]


def load(name: str) -> Case:
    """Read a case's folder."""
    folder = CASES / name
    registry = Registry.model_validate(yaml.safe_load((folder / "registry.yaml").read_text()))
    lines = (folder / "payload.txt").read_text().splitlines() if (folder / "payload.txt").exists() else []
    parts = [line.split(" ", 1) for line in lines if line.strip()]
    return Case(registry, [Message(topic, payload.encode()) for topic, payload in parts])


def message(site_id: str, kind: str, device_id: str, readings: object) -> Message:
    """A message of one reading, or of several."""
    return Message(f"fenhe/v1/{site_id}/{kind}/{device_id}", orjson.dumps(readings))


class MinuteSeen(NamedTuple):
    """A minute of a register in the database."""

    ts: int
    """Its start, ms."""
    increment: float | None
    quality: Quality


class Books(NamedTuple):
    """What became of all readings that came in."""

    stored: int
    duplicate: int
    quarantined: int


class Run:
    """A database of a test's own with a registry, and everything that is published into it."""

    def __init__(self, owner_url: str, registry: Registry) -> None:
        prepare(owner_url, registry)
        self.url = owner_url
        self._engine = open_engine(owner_url)
        self._partition = self._engine.open(partition_of(registry.sites[0].site_id, 1))

    def publish(self, messages: Iterable[Message], arrived_ts: int = ARRIVED_TS, *, at_once: int = 50) -> Run:
        """Judge messages as a collector does and let a worker store them, `at_once` in one Kafka record."""
        queued = list(messages)
        for first in range(0, len(queued), at_once):
            builder = MicroBatchBuilder(arrived_ts)
            for number, sent in enumerate(queued[first : first + at_once]):
                judged = judge(sent.topic, sent.payload, arrived_ts, max_bytes=MAX_BYTES)
                builder.add(judged, Token(number, 0), arrived_ts)
            offset = self._partition.next_offset
            self._engine.apply(self._partition, [Record(offset, arrived_ts, builder.encode("test"))])
        return self

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """What a query finds, each row by the names of its columns."""
        with connect(self.url, name="test") as connection:
            cursor = connection.execute(trusted(query), values)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def minutes(self, device_id: str, quantity: str = "energy_import_kwh") -> list[MinuteSeen]:
        """Minutes of a register, in order."""
        found = self.rows(
            "SELECT (extract(epoch FROM ts) * 1000)::bigint AS ts, increment, quality FROM meter_minute"
            " WHERE device_id = %s AND quantity = %s ORDER BY ts",
            device_id,
            quantity,
        )
        return [MinuteSeen(row["ts"], row["increment"], Quality(row["quality"])) for row in found]

    def total(self, device_id: str, quantity: str = "energy_import_kwh", *qualities: Quality) -> float:
        """What a register counted in all, or in its minutes of some qualities alone, in its unit."""
        return sum(
            minute.increment or 0.0
            for minute in self.minutes(device_id, quantity)
            if not qualities or minute.quality in qualities
        )

    def qualities(self, device_id: str, quantity: str = "energy_import_kwh") -> Counter[Quality]:
        """How many minutes a register has of each quality."""
        return Counter(minute.quality for minute in self.minutes(device_id, quantity))

    def events(self, device_id: str, quantity: str = "energy_import_kwh") -> list[dict[str, Any]]:
        """What befell a register, in order."""
        return self.rows(
            "SELECT kind, ts, until_at, readings, value_before, value_seen, value_after, plausible, increment, rule"
            " FROM meter_event WHERE device_id = %s AND quantity = %s ORDER BY ts, kind",
            device_id,
            quantity,
        )

    def kinds(self, device_id: str, quantity: str = "energy_import_kwh") -> list[str]:
        """Kinds of what befell a register, in order."""
        return [event["kind"] for event in self.events(device_id, quantity)]

    def alarms(self) -> list[dict[str, Any]]:
        """Alarms raised, in order of their causes."""
        return self.rows(
            "SELECT device_id, metric, kind, severity, state, active, event_at, cleared_at"
            " FROM alarm ORDER BY event_at, kind"
        )

    def quarantined(self) -> list[tuple[str, str]]:
        """Reason and detail of what was refused, in order of arrival."""
        return [
            (row["reason"], row["detail"]) for row in self.rows("SELECT reason, detail FROM quarantine ORDER BY id")
        ]

    def books(self) -> Books:
        """The ledger's sums; fails where they do not close."""
        [row] = self.rows(
            "SELECT coalesce(sum(received), 0)::int AS received, coalesce(sum(stored), 0)::int AS stored,"
            " coalesce(sum(duplicate), 0)::int AS duplicate, coalesce(sum(quarantined), 0)::int AS quarantined"
            " FROM ledger"
        )
        assert row["received"] == row["stored"] + row["duplicate"] + row["quarantined"], row
        return Books(row["stored"], row["duplicate"], row["quarantined"])


def play(name: str, owner_url: str) -> Run:
    """Publish everything a case's folder holds."""
    case = load(name)
    return Run(owner_url, case.registry).publish(case.messages)


def between(minutes: Iterable[MinuteSeen], from_ts: int, to_ts: int) -> Iterator[MinuteSeen]:
    """Minutes that lie wholly between two moments."""
    return (minute for minute in minutes if from_ts <= minute.ts and minute.ts + 60_000 <= to_ts)

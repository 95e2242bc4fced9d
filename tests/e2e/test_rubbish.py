"""Rubbish, over MQTT through the whole pipeline: kept with its reason, paid for by nobody else, never fatal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import paho.mqtt.client as paho
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from fenhe.commands.small import replay_quarantine
from fenhe.local import Services, Stack, scratch_directory, wait_until
from ingest.judgement import LONGEST_TOPIC
from schemas.kafka.quarantine import Reason
from schemas.registry import Registry
from storage.pool import connect
from storage.registry import import_registry
from tests.fixtures.services import PARTITIONS, real_or_skip
from tests.support.pipeline import REGISTRY, START_TS
from tests.support.running import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.slow

BATTERY = "fenhe/v1/bs-1/battery/b-1"
METER = "fenhe/v1/plant-1/electricity/e-1"
HEAD_BYTES = 16_384
MINUTE_MS = 60_000
SETTINGS = {"FENHE_SESSION_TIMEOUT_S": "3"}


class Case(NamedTuple):
    """One thing nobody should send, and where it must end."""

    reason: Reason
    topic: str
    payload: bytes
    kept: bytes | None = None
    """What the quarantine holds, where that is not the whole payload."""
    size: int | None = None
    """As the quarantine gives it, where that is not the payload's."""
    retain: bool = False
    """Published with MQTT's retain flag."""

    @property
    def key(self) -> tuple[str, bytes]:
        """By which the quarantine's row is found: of a topic that nobody can have registered, the beginning is kept."""
        long = len(self.topic) > LONGEST_TOPIC
        topic = f"{self.topic[:LONGEST_TOPIC]}… ({len(self.topic)} characters)" if long else self.topic
        return topic, self.payload if self.kept is None else self.kept


def at(minute: int, **values: object) -> bytes:
    """A reading's JSON, written as the worker writes it, so that the quarantine's payload can be compared."""
    return orjson.dumps({"ts": START_TS + minute * MINUTE_MS, **values})


def rubbish(now_ts: int) -> list[Case]:
    """Every kind of rubbish that the wire is known for, and some that broke something once."""
    ts = START_TS + 5_000_000
    head = b'{"ts":%d,' % ts
    malformed = [
        b"",
        b"\x00",
        b"hello",
        b'{"ts":1',
        b"[1,2",
        b'{"ts":1}{"ts":2}',
        head + b'"mode":"\xff\xfe"}',
        head + b'"mode":"\\ud800"}',
        '{"ts":1}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"a":' * 40_000,
        head + b'"cycles":' + b"9" * 5_000 + b"}",
        head + b'"ts":%d}' % ts,
        b'{"ts":' + b"[" * 195 + b"]" * 195 + b',"ts":%d,"soc_pct":1.0}' % ts,
    ]
    schema = [
        b"5",
        b"null",
        b'"text"',
        b"[]",
        b"{}",
        b'{"ts":true}',
        b'{"ts":1.5}',
        b'{"ts":1780000020}',
        b'{"ts":1780000020000000}',
        b'{"ts":"yesterday"}',
        b'{"ts":"2026-06-01T00:00:00"}',
        head + b'"soc_pct":"88"}',
        head + b'"soc_pct":[88]}',
        head + b'"soc_pct":NaN}',
        head + b'"soc_pct":Infinity}',
        head + b'"soc_pct":-Infinity}',
        head + b'"soc_pct":1e999}',
        head + b'"cycles":' + b"9" * 400 + b"}",
        head + b'"invented":1}',
        head + b'"mode":"a\\u0000b"}',
        b"[" + b"0," * 100_000 + b"0]",
    ]
    out_of_range = [
        at(200, soc_pct=65535.0),
        at(201, current_a=-65535.0),
        at(203, cycles=65535),
    ]
    clock_behind = [b'{"ts":0}', b'{"ts":-' + b"9" * 400 + b"}"]
    clock_ahead = [
        b'{"ts":%d}' % (now_ts + 3_600_000),
        b'{"ts":"9999-12-31T23:59:59Z"}',
        b'{"ts":' + b"9" * 400 + b"}",
    ]
    foreign = [
        "fenhe",
        "fenhe/hello",
        "fenhe/v1/bs-1/battery",
        "fenhe/v1/bs-1/battery/b-1/more",
        "fenhe/v1/bs 1/battery/b-1",
        "fenhe/v1//battery/b-1",
        "fenhe/v1/站/battery/b-1",
        *(f"fenhe/v1/{number}{'x' * 60_000}/battery/b" for number in range(40)),
    ]
    big = b'{"mode":"' + b"x" * 10_000_000 + b'"}'
    good = at(204, soc_pct=50.0)
    return [
        *(Case(Reason.MALFORMED, BATTERY, payload) for payload in malformed),
        *(Case(Reason.SCHEMA, BATTERY, payload) for payload in schema),
        *(Case(Reason.OUT_OF_RANGE, BATTERY, payload) for payload in out_of_range),
        Case(Reason.OUT_OF_RANGE, METER, at(205, power_kw=65535.0)),
        Case(Reason.OUT_OF_RANGE, METER, at(206, energy_import_kwh=-1.0)),
        *(Case(Reason.CLOCK_BEHIND, BATTERY, payload) for payload in clock_behind),
        *(Case(Reason.CLOCK_AHEAD, BATTERY, payload) for payload in clock_ahead),
        *(Case(Reason.MALFORMED, topic, good) for topic in foreign),
        Case(Reason.SCHEMA, "fenhe/v1/bs-1/seismograph/b-1", good),
        Case(Reason.UNSUPPORTED_VERSION, "fenhe/v2/bs-1/battery/b-1", good),
        Case(Reason.UNSUPPORTED_VERSION, "fenhe/v0/whatever", b"\xff"),
        Case(Reason.TOO_LARGE, BATTERY, big, kept=big[:HEAD_BYTES]),
        Case(Reason.UNKNOWN_DEVICE, "fenhe/v1/bs-1/battery/nobody", good),
        Case(Reason.IDENTITY_MISMATCH, "fenhe/v1/plant-1/battery/b-1", good),
        Case(Reason.IDENTITY_MISMATCH, "fenhe/v1/plant-1/water/e-1", at(207, volume_m3=1.0)),
        Case(Reason.IDENTITY_MISMATCH, BATTERY, at(208, device_id="b-2")),
        Case(
            Reason.SCHEMA,
            BATTERY,
            b'[{"ts":%d},{"ts":"x"}]' % (START_TS + 300 * MINUTE_MS),
            kept=b'{"ts":"x"}',
            size=10,
        ),
        Case(Reason.SCHEMA, BATTERY, b"[7]", kept=b"7", size=1),
        Case(Reason.CONFLICT, BATTERY, at(0, soc_pct=1.0)),
        Case(Reason.RETAINED, BATTERY, at(210, soc_pct=51.0), retain=True),
        Case(Reason.STORAGE_REJECTED, BATTERY, at(209, mode="poison")),
    ]


@pytest.fixture(scope="module", params=[Services.REAL, Services.EMBEDDED])
def each_stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The real services, then the embedded ones."""
    wanted: Services = request.param
    if wanted is Services.REAL:
        yield request.getfixturevalue("real_stack")
        return
    with scratch_directory("embedded") as path:
        stack = real_or_skip(lambda: Stack(path, services=wanted, partitions=PARTITIONS))
        with stack:
            yield stack


@pytest.fixture
def pipeline(each_stack: Stack, tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline with the small world's registry."""
    with Pipeline(each_stack, tmp_path, REGISTRY, environment=SETTINGS) as made:
        yield made


class Sender:
    """Sends any bytes at QoS 1."""

    def __init__(self, stack: Stack) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.max_inflight_messages_set(20)
        self._client.connect(stack.mqtt.host, stack.mqtt.port)
        self._client.loop_start()

    def send(self, messages: Sequence[tuple[str, bytes]], *, retain: bool = False) -> None:
        """Publish, and return when the broker has acknowledged everything."""
        sent = [self._client.publish(topic, payload, qos=1, retain=retain) for topic, payload in messages]
        for message in sent:
            message.wait_for_publish(60)
            assert message.is_published()

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def sender(each_stack: Stack) -> Iterator[Sender]:
    """A device with bad manners."""
    made = Sender(each_stack)
    yield made
    made.close()


def quarantine_of(pipeline: Pipeline) -> dict[tuple[str, bytes], list[tuple[str, int]]]:
    """Reason and size of what is in the quarantine, by topic and payload."""
    found: dict[tuple[str, bytes], list[tuple[str, int]]] = {}
    with connect(pipeline.owner_url, name="test") as connection:
        for topic, payload, reason, size in connection.execute("SELECT topic, payload, reason, size FROM quarantine"):
            found.setdefault((topic, payload), []).append((reason, size))
    return found


def test_each_kind_of_rubbish_is_kept_with_its_reason_and_costs_nobody_else(
    each_stack: Stack, pipeline: Pipeline, sender: Sender
) -> None:
    """Whatever is sent ends in the quarantine with the right reason; every good reading around it is stored."""
    with connect(pipeline.owner_url, name="test", autocommit=True) as connection:
        connection.execute("ALTER TABLE reading_battery ADD CHECK (mode IS DISTINCT FROM 'poison')")
    cases = rubbish(time.time_ns() // 1_000_000)
    assert {case.reason for case in cases} == set(Reason)
    if not each_stack.mqtt.speaks_mqtt5:  # 3.1.1 does not pass the flag on to who is subscribed already
        cases = [case for case in cases if not case.retain]
    collector, worker = pipeline.start()
    messages = [(BATTERY, at(0, soc_pct=50.0))]
    for number, case in enumerate(cases):
        messages.append((METER, at(number, energy_import_kwh=float(number))))
        if case.retain:
            sender.send([(case.topic, case.payload)], retain=True)
        else:
            messages.append((case.topic, case.payload))
    sender.send(messages)
    good = len(cases) + 1
    in_arrays = 1
    pipeline.wait_received(len(cases) + good + in_arrays)
    assert collector.running
    assert worker.running
    pipeline.settle()
    sender.send([(BATTERY, b"")], retain=True)  # the broker forgets it: other tests' collectors would be handed it
    found = quarantine_of(pipeline)
    for case in cases:
        size = len(case.payload) if case.size is None else case.size
        said = (case.topic[:80], case.payload[:80])
        assert found.get(case.key) == [(case.reason.value, size)], said
    assert len(found) == len(cases)
    assert pipeline.rows_per_device() == {"e-1": len(cases), "b-1": 1 + in_arrays}
    books = pipeline.books()
    assert books.closed, books
    assert (books.stored, books.duplicate, books.quarantined) == (good + in_arrays, 0, len(cases))


def test_thousands_of_bad_messages_cost_no_memory(pipeline: Pipeline, sender: Sender) -> None:
    """The collector's memory is the same after thousands of bad messages as after the first thousand."""
    collector, _ = pipeline.start()
    process = psutil.Process(collector.pid)
    shapes = [b"x" * 10_000, b'{"ts":"x","mode":"%b"}' % (b"y" * 10_000), b"[" * 10_000, b"[" + b"0," * 20 + b"0]"]

    def send(count: int) -> None:
        sender.send([(BATTERY, shapes[number % len(shapes)]) for number in range(count)])

    def rows(count: int) -> int:
        return count // 4 * 3 + count // 4 * 21

    send(1_000)
    pipeline.wait_received(rows(1_000))
    before = process.memory_info().rss
    send(3_000)
    pipeline.wait_received(rows(4_000))
    grown_mb = (process.memory_info().rss - before) / 1e6
    assert collector.running
    pipeline.settle()
    assert pipeline.books().closed
    assert grown_mb < 20, f"30 MB of rubbish left {grown_mb:.1f} MB behind"


def test_what_an_unknown_device_sent_is_stored_once_it_is_registered_and_replayed(
    pipeline: Pipeline, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Register the device, replay its quarantine: every reading is stored, and the books close on all of it."""
    for name, value in pipeline.environment.items():
        monkeypatch.setenv(name, value)
    pipeline.start()
    known: Any = next(device for device in REGISTRY.devices if device.device_id == "b-1")
    readings = [at(minute, soc_pct=50.0 + minute) for minute in range(30)]
    sender.send([("fenhe/v1/bs-1/battery/b-9", b"[" + b",".join(readings[:10]) + b"]")])
    sender.send([("fenhe/v1/bs-1/battery/b-9", reading) for reading in readings[10:]])
    pipeline.wait_received(30)
    assert (pipeline.books().stored, pipeline.books().quarantined) == (0, 30)
    with connect(pipeline.owner_url, name="test") as connection:
        import_registry(
            connection, Registry(sites=REGISTRY.sites, devices=[known.model_copy(update={"device_id": "b-9"})])
        )
    assert replay_quarantine(reason=Reason.UNKNOWN_DEVICE.value, device_id="b-9") == (30, 0)
    wait_until(lambda: pipeline.stored() == 30, what="the replayed readings to be stored")
    assert replay_quarantine(reason=None, device_id=None) == (0, 0)
    pipeline.settle()
    assert pipeline.rows_per_device() == {"b-9": 30}
    books = pipeline.books()
    assert books.closed, books
    assert (books.received, books.stored, books.quarantined) == (60, 30, 30)

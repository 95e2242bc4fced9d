"""The guard against a Kafka that has its bad moments: no alarm is lost, and nothing ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, TopicPartition

from schemas.columns.block import Block
from schemas.kafka.safety import SafetyEvent, SafetyRecord
from schemas.readings import Kind
from schemas.settings import GuardSettings
from streams.guard import service as module
from streams.guard.recent import KEPT_AT_MOST
from streams.guard.service import Guard
from streams.guard.watch import SafetyWatch
from streams.installed import installed
from streams.intake.batch import MessageTable
from streams.intake.decode import decode
from tests.support.pipeline import Sent, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.intake.batch import Batch
    from streams.intake.decode import Record

START_TS = 1_780_000_000_000
LOADING = KafkaException(KafkaError(KafkaError.COORDINATOR_LOAD_IN_PROGRESS))


def site(at: int, *, smoke: bool) -> Sent:
    """A minute's reading of a base station."""
    return Sent("bs-1", Kind.SITE_POWER, "s-1", {"ts": START_TS + at * 60_000, "smoke": smoke})


def battery(at: int, temperature_c: float) -> Sent:
    """A minute's reading of a set."""
    values = {"ts": START_TS + at * 60_000, "temperature_c": [temperature_c, 25.0], "current_a": 0.0}
    return Sent("bs-1", Kind.BATTERY, "b-1", values)


class Message:
    """A record of the readings' log."""

    def __init__(self, offset: int, sent: list[Sent]) -> None:
        self._offset, self._value = offset, record(offset, sent).value

    def error(self) -> None:
        """It is one."""

    def value(self) -> bytes:
        """Its bytes."""
        return self._value

    def offset(self) -> int:
        """Where it stands."""
        return self._offset

    def partition(self) -> int:
        """The only one."""
        return 0

    def timestamp(self) -> tuple[int, int]:
        """When it was written."""
        return 1, START_TS


class Producer:
    """A Kafka that refuses as often as it is told to."""

    refusals = 0
    taken: list[SafetyRecord]
    learnt: dict[str, str]

    def __init__(self, _settings: object) -> None:
        self._answers: list[Callable[[], None]] = []

    def produce(
        self,
        _topic: str,
        *,
        key: str,
        value: str,
        timestamp: int = 0,  # noqa: ARG002 - as Kafka's producer takes it
        on_delivery: Callable[[KafkaError | None, object], None] | None = None,
    ) -> None:
        """Take a record, or refuse it in its callback."""
        if on_delivery is None:
            Producer.learnt[key] = value
            return
        found = SafetyRecord.model_validate_json(value)
        assert found.alarm_id == key
        refused = Producer.refusals > 0
        Producer.refusals -= refused
        if not refused:
            Producer.taken.append(found)
        error = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED) if refused else None
        self._answers.append(lambda: on_delivery(error, None))

    def poll(self, _timeout: float) -> None:
        """Run callbacks."""
        while self._answers:
            self._answers.pop(0)()


class Consumer:
    """A log of a few records whose coordinator is loading at first."""

    def __init__(self, messages: list[Message], troubles: int) -> None:
        self._messages = messages
        self.troubles = troubles
        self.committed_at: list[tuple[int, int]] = []
        """Offset, and how many alarms Kafka had by then."""

    def consume(self, _count: int, *, timeout: float) -> list[Message]:
        """One record a time; trouble before each."""
        assert timeout > 0
        if self.troubles:
            self.troubles -= 1
            raise LOADING
        return [self._messages.pop(0)] if self._messages else []

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> None:
        """Note an offset, or not."""
        assert not asynchronous
        if self.troubles:
            self.troubles -= 1
            raise LOADING
        self.committed_at.append((offsets[0].offset, len(Producer.taken)))


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Guard:
    """A guard whose producer is ours, and that does not wait between attempts."""
    monkeypatch.setattr(module, "Producer", Producer)
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    Producer.refusals, Producer.taken, Producer.learnt = 0, [], {}
    settings = GuardSettings(kafka_bootstrap="unused:1")
    return Guard(settings, SafetyWatch(installed().readings))


def turn(guard: Guard, consumer: Consumer, times: int) -> None:
    """Some turns of its loop."""
    fake: Any = consumer
    for _ in range(times):
        guard._turn(fake)


def test_an_alarm_that_kafka_refuses_is_published_again_before_its_offset_moves(guard: Guard) -> None:
    """Nothing is confirmed that Kafka has not taken, and what was raised stands before what was cleared."""
    Producer.refusals = 3
    over = [site(at, smoke=False) for at in range(1, 6)]
    consumer = Consumer([Message(0, [site(0, smoke=True)]), Message(1, over)], 0)
    turn(guard, consumer, 3)
    assert [item.event for item in Producer.taken] == [SafetyEvent.RAISE, SafetyEvent.CLEAR]
    assert consumer.committed_at == [(1, 1), (2, 2)]


def test_no_record_ends_the_guard(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that nobody can make readings of is counted and gone past; what comes after it is guarded."""
    poison = Message(0, [site(0, smoke=False)])

    def read(record: Record, where: str) -> Batch:
        batch = decode(record, where)
        if record.offset > 0:
            return batch
        block = Block.of_columns(Kind.BATTERY, [START_TS], {"cycles": np.array([np.inf])}, {})
        return batch._replace(tables=[MessageTable(Kind.BATTERY, ["bs-1"], ["b-1"], [START_TS], [1], block)])

    monkeypatch.setattr(module, "decode", read)
    consumer = Consumer([poison, Message(1, [site(1, smoke=True)])], 0)
    turn(guard, consumer, 3)
    assert [item.event for item in Producer.taken] == [SafetyEvent.RAISE]
    assert guard.figures() == {"published_total": 1, "unreadable_total": 1}


def test_an_alarm_that_is_not_taken_before_the_end_is_not_confirmed(guard: Guard) -> None:
    """The next guard publishes it."""
    guard.stopping.set()
    consumer = Consumer([Message(0, [site(0, smoke=True)])], 0)
    turn(guard, consumer, 1)
    assert (Producer.taken, consumer.committed_at) == ([], [])


def test_a_loading_coordinator_ends_nothing(guard: Guard) -> None:
    """Neither while reading nor while an offset is to be noted: the next note says it too."""
    messages = [Message(0, [site(0, smoke=False)]), Message(1, [site(1, smoke=True)])]
    consumer = Consumer(messages, 3)
    turn(guard, consumer, 4)
    consumer.troubles = 1
    turn(guard, consumer, 2)
    assert [item.event for item in Producer.taken] == [SafetyEvent.RAISE]
    assert consumer.troubles == 0


def test_what_was_published_is_read_until_kafka_gives_it(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard that did not know what is active would say it twice, or never say that it went."""
    answers: list[Exception | list[SafetyRecord]] = [LOADING, LOADING, []]

    def before() -> list[SafetyRecord]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(guard, "_published_before", before)
    monkeypatch.setattr(guard, "_restore", lambda: None)
    guard._remember()
    assert answers == []


SENT = [
    *(battery(at, 25.0 + max(0, at - 20) * 3.0) for at in range(40)),
    *(site(at, smoke=10 <= at < 15 or at > 30) for at in range(40)),
]
RECORDS = [record(number, [item]) for number, item in enumerate(sorted(SENT, key=lambda item: item.reading["ts"]))]


@pytest.mark.parametrize("cut", range(0, len(RECORDS), 7))
def test_a_guard_that_starts_again_goes_on_as_if_it_had_not_ended(cut: int) -> None:
    """It learns from what was guarded before, and publishes the rest of what one guard would have published."""
    batches = [decode(item, "t") for item in RECORDS]
    whole = SafetyWatch(installed().readings)
    wanted = [item for batch in batches for item in whole.take(batch, 0)]
    first, heir = SafetyWatch(installed().readings), SafetyWatch(installed().readings)
    said = [item for batch in batches[:cut] for item in first.take(batch, 0)]
    heir.remember(said)
    for batch in batches[:cut]:
        heir.learn(batch)
    said += [item for batch in batches[cut:] for item in heir.take(batch, 0)]
    assert len({item.kind for item in wanted}) > 1
    assert said == wanted


def test_a_guard_that_died_before_it_confirmed_says_nothing_twice() -> None:
    """The same readings again: what is on the topic already is not published once more."""
    batches = [decode(item, "t") for item in RECORDS]
    first, heir = SafetyWatch(installed().readings), SafetyWatch(installed().readings)
    said = [item for batch in batches for item in first.take(batch, 0)]
    heir.remember(said)
    assert said
    assert [item for batch in batches for item in heir.take(batch, 0)] == []


def test_it_begins_before_what_it_has_to_publish(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hours of readings before the noted offset are learnt from; a new group begins at the beginning."""
    monkeypatch.setattr(guard, "_remember", lambda: None)
    assigned: list[TopicPartition] = []

    class Places:
        def committed(self, _partitions: object, *, timeout: float) -> list[TopicPartition]:
            assert timeout > 0
            return [TopicPartition("t", 0, 500, str(START_TS)), TopicPartition("t", 1, -1001)]

        def offsets_for_times(self, wanted: list[TopicPartition], *, timeout: float) -> list[TopicPartition]:
            assert timeout > 0
            assert wanted[0].offset == START_TS - module.LEARN_MS
            return [TopicPartition("t", 0, 100)]

        def assign(self, places: list[TopicPartition]) -> None:
            assigned.extend(places)

    fake: Any = Places()
    guard._assigned(fake, [])
    assert [(place.partition, place.offset) for place in assigned] == [(0, 100), (1, OFFSET_BEGINNING)]
    consumer = Consumer([Message(499, [site(0, smoke=True)]), Message(500, [site(1, smoke=True)])], 0)
    turn(guard, consumer, 1)
    assert Producer.taken == []
    turn(guard, consumer, 1)
    assert [item.sample_ts for item in Producer.taken] == [START_TS]  # the name that the database gives it
    assert consumer.committed_at == [(501, 1)]


def test_what_is_learnt_is_saved_and_taken_over(guard: Guard) -> None:
    """A guard that begins with what another one saved remembers what no two hours of readings could teach it."""
    many = KEPT_AT_MOST + 40
    consumer = Consumer([Message(at, [battery(at, 25.0)]) for at in range(many)], 0)
    turn(guard, consumer, many)
    guard._save(everything=True)
    heir = SafetyWatch(installed().readings)
    heir.restore("b-1", Producer.learnt["b-1"].encode())
    assert list(heir.to_save(everything=True)) == [("b-1", Producer.learnt["b-1"])]
    assert heir._recent["b-1"].before[0].hot == 25.0


def test_a_message_that_a_detector_cannot_take_ends_nothing(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is left out; the next one of the same device is judged."""
    fold = guard._watch._folds[Kind.SITE_POWER][-1]
    take = type(fold).fold

    def refuse(self: Any, state: Any, device: Any, arrivals: Any) -> Any:  # noqa: ANN401 - as a fold
        if arrivals[0].ts == START_TS:
            raise OverflowError
        return take(self, state, device, arrivals)

    monkeypatch.setattr(type(fold), "fold", refuse)
    consumer = Consumer([Message(0, [site(0, smoke=True)]), Message(1, [site(1, smoke=True)])], 0)
    turn(guard, consumer, 2)
    assert [item.sample_ts for item in Producer.taken] == [START_TS + 60_000]
    assert consumer.committed_at == [(1, 0), (2, 1)]

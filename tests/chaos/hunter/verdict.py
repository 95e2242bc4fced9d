"""What a hunt must end in: the same rows, alarms, notices and books as one quiet pass in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from ingest.batches import MicroBatchBuilder, Token
from ingest.judgement import judge
from schemas.kafka.record import LARGEST_PAYLOAD_BYTES
from schemas.kafka.safety import SafetyEvent, SafetyRecord
from storage.books.balance import balance
from storage.pool import connect
from storage.registry import load_registry
from streams.intake.decode import Record
from tests.support.pipeline import DERIVED, RAW, START_TS, open_engine, prepare, record, snapshot

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from psycopg import Connection

    from simulators.wire.message import DeviceMessage
    from tests.chaos.hunter.rig import Rig
    from tests.support.pipeline import Sent

STEP = 2_000
MAX_PAYLOAD = 262_144
"""As collectors are set."""
_ALARMS = (
    "SELECT DISTINCT ON (site_id, device_id, metric, kind) jsonb_build_array(site_id, device_id, metric, kind,"
    " active, last_raised_at, cleared_at)::text FROM alarm WHERE kind <> 'no_data' AND NOT disproved"
    " ORDER BY site_id, device_id, metric, kind, last_raised_at DESC"
)
_REFUSED = "SELECT DISTINCT reason || ' ' || topic || ' ' || md5(payload) FROM quarantine WHERE reason <> 'retained'"
_TO_TELL = (
    "SELECT n.id, left(o.alarm_id, 8), count(*) OVER (PARTITION BY n.id) FROM notification n"
    " JOIN notification_item i ON i.notification_id = n.id JOIN notification_outbox o ON o.id = i.outbox_id"
)


class Held(NamedTuple):
    """All that a database holds of a hunt."""

    tables: dict[str, list[str]]
    refused: set[str]
    alarms: set[str]


class Verdict(NamedTuple):
    """What is wrong at the end; all of it should be nothing."""

    lost: int
    doubled: int
    differing: dict[str, list[str]]
    """Rows by table that only one side has, the first few."""
    alarms: list[str]
    notices: list[str]
    books: list[str]

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not any(self)

    def lines(self) -> list[str]:
        """What is wrong, to be read."""
        found = [f"{self.lost} readings lost, {self.doubled} doubled"] if self.lost or self.doubled else []
        found += [f"{table}: {row}" for table, rows in self.differing.items() for row in rows]
        return [*found, *self.alarms, *self.notices, *self.books]


def judged(rig: Rig, sent: Sequence[Sent], odd: Sequence[DeviceMessage]) -> Verdict:
    """Hold what the hunt came to against one quiet pass over the same readings, in order, with the same registry."""
    found = _held(rig.pipeline.owner_url)
    wanted = _held(_quiet_pass(rig, sent, odd))
    lost = doubled = 0
    differing: dict[str, list[str]] = {}
    for table, rows in wanted.tables.items():
        ours, theirs = {*found.tables[table]}, {*rows}
        if table in RAW:
            lost += len(theirs - ours)
            doubled += len(found.tables[table]) - len(ours) + len(ours - theirs)
        if ours != theirs or len(found.tables[table]) != len(rows):
            differing[table] = _both_ways(ours, theirs)
    if found.refused != wanted.refused:
        differing["quarantine"] = _both_ways(found.refused, wanted.refused)
        lost += len(wanted.refused - found.refused)
    alarms = _both_ways(found.alarms, wanted.alarms) if found.alarms != wanted.alarms else []
    with connect(rig.pipeline.owner_url, name="test") as connection:
        alarms += _guard(connection, rig)
        notices = _notices(connection, rig.sink.taken)
    return Verdict(lost, doubled, differing, alarms, notices, _books(rig))


def _both_ways(ours: set[str], theirs: set[str]) -> list[str]:
    return [
        *(f"only after the hunt: {row}" for row in sorted(ours - theirs)[:4]),
        *(f"only in the quiet pass: {row}" for row in sorted(theirs - ours)[:4]),
    ]


def _held(url: str) -> Held:
    with connect(url, name="test") as connection:
        refused = {row[0] for row in connection.execute(_REFUSED)}
        alarms = {row[0] for row in connection.execute(_ALARMS)}
    return Held(snapshot(url, (*DERIVED, *RAW)), refused, alarms)


def _quiet_pass(rig: Rig, sent: Sequence[Sent], odd: Sequence[DeviceMessage]) -> str:
    """A database of its own with all of it stored in order; what cannot be used comes last."""
    with connect(rig.pipeline.owner_url, name="test") as connection:
        _, registry = load_registry(connection)
    url = rig.stack.postgres.create_database("quiet")
    prepare(url, registry)
    engine = open_engine(url)
    partition = engine.open(0)
    ordered = sorted(sent, key=lambda item: (item.reading["ts"], item.device_id))
    steps = [ordered[at : at + STEP] for at in range(0, len(ordered), STEP)]
    run = [record(offset, step) for offset, step in enumerate(steps)]
    for message in odd:
        batch = MicroBatchBuilder(START_TS)
        assert message.raw is not None
        assert len(message.raw) <= LARGEST_PAYLOAD_BYTES
        batch.add(judge(message.topic, message.raw, START_TS, max_bytes=MAX_PAYLOAD), Token(1, 0), START_TS)
        run.append(Record(len(run), START_TS, batch.encode("quiet")))
    for item in run:
        engine.apply(partition, [item])
    engine.close()
    return url


def _books(rig: Rig) -> list[str]:
    with connect(rig.pipeline.owner_url, name="test") as connection:
        books = balance(connection)
        stuck = connection.execute("SELECT * FROM stuck_partition").fetchall()
    found = [] if books.closed else [f"the books do not close: {books}"]
    if books.received != (counted := rig.pipeline.received_in_log()):
        found.append(f"the books hold {books.received} readings, the log {counted}")
    return [*found, *(f"stuck: {row}" for row in stuck)]


def _guard(connection: Connection, rig: Rig) -> list[str]:
    """Each safety alarm of the database was published, under a name that the database knows; nothing twice."""
    records = _published(rig)
    names = {name: alarm for name, alarm in connection.execute("SELECT name, alarm_id FROM alarm_name")}  # noqa: C416
    said = [(item.alarm_id, item.event, item.event_ts, item.sample_ts) for item in records]
    found = [f"the guard said it twice: {entry}" for entry in sorted(set(said)) if said.count(entry) > 1]
    stands = {item.alarm_id: item for item in records}
    gone = {item.replaces for item in records if item.replaces}
    for name, item in stands.items():
        if name not in names and name not in gone and not item.disproved:
            found.append(f"the database has no alarm by the guard's name: {item}")
    published = {names.get(item.alarm_id) for item in records if item.event is not SafetyEvent.CLEAR}
    for alarm, what in connection.execute(
        "SELECT alarm_id, concat_ws(' ', device_id, kind, event_at) FROM alarm WHERE safety AND NOT disproved"
    ):
        if alarm not in published:
            found.append(f"the guard never published: {what}")
    return found


def _published(rig: Rig) -> list[SafetyRecord]:
    consumer = Consumer({"bootstrap.servers": rig.stack.kafka.bootstrap, "group.id": "hunt-alarms"})
    try:
        place = TopicPartition(rig.pipeline.guard_topics["FENHE_KAFKA_ALARM_TOPIC"], 0, OFFSET_BEGINNING)
        end = consumer.get_watermark_offsets(place, timeout=10)[1]
        consumer.assign([place])
        records: list[SafetyRecord] = []
        while len(records) < end:
            message = consumer.poll(10)
            assert message is not None, "Kafka does not give the alarms"
            records.append(SafetyRecord.model_validate_json(message.value() or b""))
        return records
    finally:
        consumer.close()


def _notices(connection: Connection, taken: Counter[str]) -> list[str]:
    """All that was to be told was told."""
    waiting = connection.execute("SELECT count(*) FROM notification_outbox WHERE planned_at IS NULL").fetchone()
    unsent = connection.execute("SELECT count(*) FROM notification WHERE sent_at IS NULL").fetchone()
    found = [] if waiting == (0,) and unsent == (0,) else [f"{waiting} notices not planned, {unsent} not sent"]
    texts = "\n".join(taken)
    for message, alarm, many in connection.execute(_TO_TELL):
        if many <= 20 and alarm not in texts:
            found.append(f"nobody heard of alarm {alarm} in message {message}")
    sent = connection.execute("SELECT count(*) FROM notification").fetchone()
    if sent is not None and sum(taken.values()) < sent[0]:
        found.append(f"{sent[0]} messages were made and {sum(taken.values())} taken")
    return found

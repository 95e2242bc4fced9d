"""Kafka records back into readings. What cannot be read costs itself, never its neighbours and never the books."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec
import orjson
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from schemas.columns.table import TABLES_VERSION, block_of, read_counts, read_record, read_table
from schemas.kafka.quarantine import LONGEST_NAME, Quarantined, Reason
from schemas.kafka.record import RECORD_VERSION, Envelope, MicroBatch
from schemas.structs import NOT_TAKEN, as_struct
from schemas.time import HOUR_MS
from schemas.words import refusals
from streams.intake import quick
from streams.intake.batch import Batch, Message, MessageTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Part = TypeVar("Part", Envelope, Quarantined)
_ENVELOPE: TypeAdapter[Envelope] = TypeAdapter(Envelope)
SHORTEST_READING = 8
"""Bytes of `{"ts":1}`, and of a table's `ts`: a record cannot hold more readings than its length allows."""
_COUNTS: TypeAdapter[dict[str, int]] = TypeAdapter(dict[str, int])


class Record(NamedTuple):
    """One record of a partition of the log."""

    offset: int
    timestamp_ts: int
    value: bytes


def decode(record: Record, where: str) -> Batch:
    """Decode a record; one that is not a micro-batch we speak becomes one of what can be read of it.

    What cannot be read is in the quarantine, as many items as the record says that it holds; the first of them has the
    record's whole body.
    """
    return _of_tables(record, where) or _of_json(record, where)


def _of_tables(record: Record, where: str) -> Batch | None:
    """Read a record of version 2, table by table; None where it is none."""
    try:
        found = read_record(record.value)
    except NOT_TAKEN:
        return None
    topic = _topic(record, where)
    tables: list[MessageTable] = []
    items: list[Quarantined] = []
    for raw in found.tables:
        try:
            table = _table_of(raw)
        except (*NOT_TAKEN, ValueError) as error:
            items += _counted_in(record, topic, bytes(raw), f"{refusals.UNREADABLE_TABLE()}{error}")
        else:
            if len(table.block):  # one without messages says nothing
                tables.append(table)
    batch = Batch(found.collector if isinstance(found.collector, str) else "", {}, [], [], tuple(tables))
    if isinstance(found.rest, bytes) and found.rest:
        batch = _of_json(record._replace(value=found.rest), where)._replace(tables=batch.tables)
    elif found.rest != b"":
        items.append(_item(record, topic, (Reason.MALFORMED, "its rest is no record of version 1"), b"", ("", "", "")))
    _keep_body(record, topic, items)
    received = Counter(batch.received) + Counter(item.device_id for item in items)
    batch = batch._replace(received=dict(received), quarantined=[*batch.quarantined, *items]) if items else batch
    return _in_one_hour(batch, topic)


def _table_of(raw: msgspec.Raw) -> MessageTable:
    """Read a table of a record; raises what `NOT_TAKEN` names, or ValueError."""
    found = read_table(raw)
    return MessageTable(found.kind, found.site_ids, found.device_ids, found.received_ts, found.counts, block_of(found))


def _counted_in(record: Record, topic: str, table: bytes, detail: str) -> Iterator[Quarantined]:
    """An item for each reading that a table says that it holds; one where it does not say it, or cannot hold them."""
    counts: Counter[str] = Counter()
    try:
        said = read_counts(table)
        for device_id, count in zip(said.device_ids, said.counts, strict=True):
            counts[_name(device_id)] += count
    except (*NOT_TAKEN, ValueError):
        counts.clear()
    yield from _each(record, topic, (Reason.MALFORMED, detail), counts if _is_plausible(counts, table) else {"": 1})


def _in_one_hour(batch: Batch, topic: str) -> Batch:
    """Book what could not be read in the hour of what could: a record's count of what was received is for one hour."""
    if all(item.topic != topic for item in batch.quarantined):
        return batch
    others = batch._replace(quarantined=[item for item in batch.quarantined if item.topic != topic])
    if not (arrived_ts := others.first_ts):
        return batch
    items = [_within_hour(item, arrived_ts) if item.topic == topic else item for item in batch.quarantined]
    return batch._replace(quarantined=items)


def _topic(record: Record, where: str) -> str:
    """What stands as the topic of that which no message can be named for."""
    return f"kafka:{where}@{record.offset}"


def _of_json(record: Record, where: str) -> Batch:
    """Read a record of version 1."""
    try:
        return quick.read(record.value) or of_model(MicroBatch.model_validate_json(record.value))
    except ValidationError as error:
        return of_model(_salvage(record, _topic(record, where), error))


def of_model(batch: MicroBatch) -> Batch:
    """What a record's model has read, as the worker has it."""
    messages = [
        Message(
            each.site_id,
            each.kind,
            each.device_id,
            each.received_ts,
            [as_struct(each.kind, reading) for reading in each.readings],
            each.set_aside,
        )
        for each in batch.messages
    ]
    return Batch(batch.collector, batch.received, messages, batch.quarantined)


def _salvage(record: Record, topic: str, error: ValidationError) -> MicroBatch:
    document = _document(record.value)
    version = document.get("version", RECORD_VERSION)
    if version == RECORD_VERSION and isinstance(document.get("messages"), list):
        return _by_envelope(record, topic, document)
    is_known = version in {RECORD_VERSION, TABLES_VERSION}
    reason = Reason.MALFORMED if is_known else Reason.UNSUPPORTED_VERSION
    detail = (
        f"{refusals.NO_MICRO_BATCH()}{error.errors(include_url=False, include_input=False)[0]['msg']}"
        if is_known
        else refusals.RECORD_VERSION(version=version, first=RECORD_VERSION, second=TABLES_VERSION)
    )
    return _whole(record, topic, reason, f"{detail}; sha256 {hashlib.sha256(record.value).hexdigest()}", document)


def _document(value: bytes) -> dict[str, Any]:
    """A record, by a parser with a higher limit of nesting where ours gives up; empty where it is none."""
    for parse in (from_json, orjson.loads, msgspec.msgpack.decode):
        try:
            document = parse(value)
        except (ValueError, *NOT_TAKEN):
            continue
        return document if isinstance(document, dict) else {}
    return {}


def _by_envelope(record: Record, topic: str, document: dict[str, Any]) -> MicroBatch:
    """Read the messages one by one."""
    messages: list[Envelope] = []
    items: list[Quarantined] = []
    for found in document["messages"]:
        try:
            messages.append(_ENVELOPE.validate_json(_json(found)))
        except ValidationError as error:
            items += _readings_of(record, topic, found, error)
    for found in document.get("quarantined") or ():
        try:
            items.append(Quarantined.model_validate_json(_json(found)))
        except ValidationError as error:
            items.append(_item(record, topic, _said(error), _json(found), _of(found)))
    received = _received(record, document) or _found(messages, items)
    items += _missing(record, topic, received, messages, items)
    _keep_body(record, topic, items)
    known = [message.received_ts for message in messages]
    known += [item.received_ts for item in items if item.topic != topic]
    if known:
        hours = Counter(ms // HOUR_MS for ms in known).most_common(1)
        arrived_ts = next(ms for ms in known if ms // HOUR_MS == hours[0][0])
        messages = [_within_hour(message, arrived_ts) for message in messages]
        items = [_within_hour(item, arrived_ts) for item in items]
    return MicroBatch(version=1, collector="", received=received, messages=messages, quarantined=items)


def _within_hour(part: Part, arrived_ts: int) -> Part:
    """Book a part of a record in the hour of the others: its count of what was received is for one hour."""
    if part.received_ts // HOUR_MS == arrived_ts // HOUR_MS:
        return part
    return part.model_copy(update={"received_ts": arrived_ts})


def _readings_of(record: Record, topic: str, found: Any, error: ValidationError) -> Iterator[Quarantined]:  # noqa: ANN401 - any JSON
    """Each reading of an envelope that cannot be read, or the envelope where it has none."""
    readings = found.get("readings") if isinstance(found, dict) else None
    for each in readings if isinstance(readings, list) and readings else [found]:
        yield _item(record, topic, _said(error), _json(each), _of(found))


def _found(messages: list[Envelope], items: list[Quarantined]) -> dict[str, int]:
    """How many readings of each device were found, for a record that does not say it."""
    found = Counter(item.device_id for item in items)
    for message in messages:
        found[message.device_id] += len(message.readings)
    return dict(found) or {"": 1}


def _missing(
    record: Record, topic: str, received: dict[str, int], messages: list[Envelope], items: list[Quarantined]
) -> Iterator[Quarantined]:
    """What the record says that it holds and that was not found: the books count on it."""
    left: Counter[str] = Counter()
    for device_id, count in received.items():
        left[_name(device_id)] += count
    for message in messages:
        left[message.device_id] -= len(message.readings)
    for item in items:
        left[item.device_id] -= 1
    yield from _each(record, topic, (Reason.MALFORMED, "counted, and not in the record"), left)


def _whole(record: Record, topic: str, reason: Reason, detail: str, document: dict[str, Any]) -> MicroBatch:
    """Nothing of it can be read, but perhaps how many readings it holds."""
    received = _received(record, document) or {"": 1}
    items = list(_each(record, topic, (reason, detail), received))
    _keep_body(record, topic, items)
    return MicroBatch(version=1, collector="", received=received, messages=[], quarantined=items)


def _keep_body(record: Record, topic: str, items: list[Quarantined]) -> None:
    """Give the first item that the record itself is the topic of the record's whole body."""
    for at, item in enumerate(items):
        if item.topic == topic:
            items[at] = item.model_copy(update={"payload": record.value, "size": len(record.value)})
            return


def _received(record: Record, document: dict[str, Any]) -> dict[str, int]:
    """How many readings a record says that it holds, by device; empty where that cannot be read or cannot be."""
    try:
        received = _COUNTS.validate_python(document.get("received"), strict=True)
    except ValidationError:
        return {}
    return received if _is_plausible(received, record.value) else {}


def _is_plausible(received: Mapping[str, int], within: bytes) -> bool:
    """Whether so many readings can be held by so many bytes."""
    counts = received.values()
    return all(count >= 0 for count in counts) and 0 < sum(counts) <= len(within) // SHORTEST_READING


def _of(found: Any) -> tuple[str, str, str]:  # noqa: ANN401 - any JSON
    """Site, kind and device as an envelope or an item names them."""
    names = [found.get(name) if isinstance(found, dict) else None for name in ("site_id", "kind", "device_id")]
    site_id, kind, device_id = (name if isinstance(name, str) else "" for name in names)
    return site_id, kind, device_id


def _each(record: Record, topic: str, verdict: tuple[Reason, str], counts: Mapping[str, int]) -> Iterator[Quarantined]:
    """An item for each reading of which nothing is known but its device."""
    for device_id, count in counts.items():
        for _ in range(count):
            yield _item(record, topic, verdict, b"", ("", "", device_id))


def _item(
    record: Record, topic: str, verdict: tuple[Reason, str], payload: bytes, of: tuple[str, str, str]
) -> Quarantined:
    reason, detail = verdict
    site_id, kind, device_id = map(_name, of)
    return Quarantined(
        reason=reason,
        detail=detail[:500],
        topic=topic,
        site_id=site_id,
        kind=kind,
        device_id=device_id,
        received_ts=max(0, record.timestamp_ts),  # Kafka says −1 where it knows none
        payload=payload,
        size=len(payload),
    )


def _name(name: str) -> str:
    """A name as it is kept: one that nothing can be called is none."""
    return name if len(name) <= LONGEST_NAME and "\0" not in name else ""


def _said(error: ValidationError) -> tuple[Reason, str]:
    first = error.errors(include_url=False, include_input=False)[0]
    return Reason.MALFORMED, f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _json(found: Any) -> bytes:  # noqa: ANN401 - any JSON
    try:
        return to_json(found, inf_nan_mode="constants")
    except ValueError:  # nested too deep to be written; the body has it
        return b""

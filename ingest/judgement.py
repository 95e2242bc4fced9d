"""What a message is worth by itself: its readings, or a place in the quarantine with a reason.

What needs the registry (unknown devices, ranges) is judged by the worker, beside the database, so that a
collector needs nothing but its broker and Kafka to go on taking readings in.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Union, cast

import msgspec
from pydantic import FailFast, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from ingest.fields import Mended, mend, required_fields
from ingest.keys import any_twice, elements_twice, stands_twice
from ingest.wording import problem_of
from schemas.columns.table import COLUMNAR, ROW_BYTES, plain_row, times_of
from schemas.kafka.quarantine import Quarantined, Reason, ahead_detail
from schemas.kafka.record import LARGEST_PAYLOAD_BYTES, LARGEST_RECORD_BYTES, encode_set_aside
from schemas.quantity import CLOCK_AHEAD_MS, EARLIEST_TS
from schemas.readings import ADAPTERS, MODELS, Kind, Reading
from schemas.structs import NOT_TAKEN, STRUCTS
from schemas.topics import TOPIC_ROOT, TOPIC_VERSION, Topic
from schemas.words import refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from schemas.aside import Aside
    from schemas.columns.table import Row

HEAD_BYTES = 16_384
"""How much of a payload that is too large is kept."""

MOST_APART = 256
"""Refused elements of one array that are kept one by one. Of more, the array is kept whole, once, and counts once.

From there on nothing is explained or mended, but what is good as it stands is taken, until `MOST_TRIED` more have
looked like readings and were none. So a byte of rubbish costs about as much as a byte of readings.
"""
MOST_TRIED = 1_024
"""Attempts to read what is no reading, in an array to be kept whole anyway: what is behind them is not taken."""
MOST_ERRORS = 64
"""A message with more errors is not taken apart to name the first one."""
LONGEST_TOPIC = 1_024
"""Characters of a topic that are kept; one of fenhe's has 150 at most."""

LONGEST_KNOWN_TOPIC = 200
"""Characters of a topic that is remembered with what it says: 65 536 topics as long as MQTT allows are 4 GB."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_LEVELS = 5
_ARRAYS: dict[Kind, Any] = {
    kind: TypeAdapter(cast("Any", Annotated)[cast("Any", list)[model], FailFast()]) for kind, model in MODELS.items()
}


_DECODE: dict[Kind, Callable[[bytes], Any]] = {
    kind: msgspec.json.Decoder(Union[STRUCTS[kind], list.__class_getitem__(STRUCTS[kind])]).decode  # noqa: UP007
    for kind in COLUMNAR
}
"""Read a reading, or an array of them, of a kind that may travel as columns."""
_COLUMNAR = {kind.value: kind for kind in COLUMNAR}
_ANONYMOUS = (None, None, None)
"""What most payloads say of who sends them: nothing."""


class JudgedMessage(NamedTuple):
    """One MQTT message, judged. `taken` readings came in: `accepted` are in `readings`, the rest in quarantine."""

    site_id: str
    kind: str
    device_id: str
    taken: int
    accepted: int
    readings: bytes
    """JSON array of the accepted readings; the device's own bytes where all of them were accepted."""
    quarantined: Sequence[Quarantined]
    set_aside: bytes = b""
    """JSON of the fields that the accepted readings are used without; empty where there are none."""
    plain: Sequence[Row] | None = None
    """Values of the readings, where all that came is good as it stands and can travel as columns."""

    @property
    def quarantined_bytes(self) -> int:
        """JSON of what is refused has at most so many bytes; a payload travels as base64."""
        if not self.quarantined:
            return 0
        return sum(
            4 * (len(item.payload) + 2) // 3 + 4 * (len(item.topic) + len(item.detail)) + 300
            for item in self.quarantined
        )

    @property
    def size(self) -> int:
        """At most so many bytes it takes of a record."""
        wide = len(self.plain) * ROW_BYTES[self.kind] if self.plain else 0
        return max(len(self.readings), wide) + len(self.set_aside) + self.quarantined_bytes + 500


class _Refusal(NamedTuple):
    reason: Reason
    detail: str


_BURSTING = _Refusal(Reason.TOO_LARGE, refusals.BURSTING())
_RETAINED = _Refusal(Reason.RETAINED, refusals.RETAINED())


def judge(topic: str, payload: bytes, received_ts: int, *, max_bytes: int, retained: bool = False) -> JudgedMessage:
    """Judge one message. Never raises for anything a device can send."""
    identity = _identity(topic) if len(topic) <= LONGEST_KNOWN_TOPIC else _identity.__wrapped__(topic)
    if type(identity) is Topic and len(payload) <= max_bytes and not retained:
        judgement = _judge_plain(identity, payload, received_ts)
        if judgement is not None:
            return judgement
    return _judge_closely(topic, identity, payload, received_ts, max_bytes=max_bytes, retained=retained)


def _judge_plain(identity: Topic, payload: bytes, received_ts: int) -> JudgedMessage | None:
    """Judge a message of plain readings, as nearly all are; None where it has to be looked at more closely."""
    kind = _COLUMNAR.get(identity.kind)
    rows = None if kind is None else plain_rows(kind, payload)
    if kind is None or not rows:
        return None
    times, count = times_of(kind, rows), len(rows)
    if min(times) < EARLIEST_TS or max(times) > received_ts + CLOCK_AHEAD_MS:
        return None
    site_id, name, device_id = identity
    whole = payload if payload.lstrip()[:1] == b"[" else b"[%b]" % payload
    return JudgedMessage(site_id, name, device_id, count, count, whole, (), b"", rows)


def plain_rows(kind: Kind, payload: bytes) -> list[Row] | None:
    """Read a payload of plain readings; None where there is more to say of it.

    As many colons as values are there: so no key stands twice, none stands for nothing, and no text has a colon.
    """
    try:
        found = _DECODE[kind](payload)
    except NOT_TAKEN:
        return None
    rows: list[Row] = []
    values = 0
    for reading in found if type(found) is list else (found,):
        row = plain_row(kind, reading)
        if row is None:
            return None
        values += len(row) - row.count(None)
        rows.append(row)
    is_small = len(rows) * ROW_BYTES[kind] <= LARGEST_PAYLOAD_BYTES
    return rows if is_small and values == payload.count(b":") else None


def _judge_closely(
    topic: str, identity: Topic | _Refusal, payload: bytes, received_ts: int, *, max_bytes: int, retained: bool
) -> JudgedMessage:
    """Judge a message that is not plain: to be refused, an array to be taken apart, or a reading with odd fields."""
    named = identity if isinstance(identity, Topic) else Topic("", "", "")

    def refused(refusal: _Refusal, kept: bytes = payload) -> JudgedMessage:
        return JudgedMessage(
            *named,
            1,
            0,
            b"[]",
            (_quarantined(topic, named, refusal, received_ts=received_ts, payload=kept, size=len(payload)),),
        )

    if len(payload) > max_bytes:
        digest = hashlib.sha256(payload).hexdigest()
        detail = refusals.TOO_LARGE(size=len(payload), allowed=max_bytes, digest=digest, head=HEAD_BYTES)
        return refused(_Refusal(Reason.TOO_LARGE, detail), payload[:HEAD_BYTES])
    if isinstance(identity, _Refusal) or retained:
        return refused(identity if isinstance(identity, _Refusal) else _RETAINED)
    kind = Kind(identity.kind)
    if payload.lstrip()[:1] == b"[":
        judgement = _judge_array(topic, identity, kind, payload, received_ts)
        return judgement if judgement.size <= LARGEST_RECORD_BYTES else refused(_BURSTING)
    try:
        reading = ADAPTERS[kind].validate_json(payload)
    except ValidationError as error:
        twice = any_twice(payload)
        found = _mended(kind, payload, error) if twice is None else _twice(twice)
        if isinstance(found, _Refusal):
            return refused(found)
        reading, raw, set_aside = (
            found.reading,
            found.readings,
            encode_set_aside({0: found.aside} if found.aside else {}),
        )
    else:
        raw, set_aside = payload, b""
        twice = stands_twice(payload, len(reading.model_fields_set))
    refusal = _against_context(reading, identity, received_ts) if twice is None else _twice(twice)
    if refusal is not None:
        return refused(refusal)
    return JudgedMessage(*identity, 1, 1, b"[%b]" % raw, (), set_aside)


def _mended(kind: Kind, payload: bytes, error: ValidationError) -> Mended | _Refusal:
    """A reading without its odd fields."""
    try:
        document = from_json(payload)
    except ValueError:
        return _explain(error)
    found = mend(kind, document)
    return _explain(found) if isinstance(found, ValidationError) else found


@lru_cache(maxsize=65_536)
def _identity(topic: str) -> Topic | _Refusal:
    levels = topic.split("/")
    if levels[0] == TOPIC_ROOT and len(levels) > 1 and levels[1] != TOPIC_VERSION and re.fullmatch(r"v\d+", levels[1]):
        return _Refusal(Reason.UNSUPPORTED_VERSION, refusals.TOPIC_VERSION(version=levels[1], spoken=TOPIC_VERSION))
    if len(levels) != _LEVELS or levels[0] != TOPIC_ROOT or levels[1] != TOPIC_VERSION:
        return _Refusal(Reason.MALFORMED, refusals.TOPIC_SHAPE())
    _, _, site_id, kind, device_id = levels
    if not _IDENTIFIER.fullmatch(site_id) or not _IDENTIFIER.fullmatch(device_id):
        return _Refusal(Reason.MALFORMED, refusals.TOPIC_NAMES())
    if kind not in ADAPTERS:
        return _Refusal(Reason.SCHEMA, refusals.NO_SUCH_KIND(kind=repr(kind))[:200])
    return Topic(site_id, kind, device_id)


def _judge_array(topic: str, identity: Topic, kind: Kind, payload: bytes, received_ts: int) -> JudgedMessage:
    """An array: whole where every element is good, else element by element, so that a bad one costs itself."""
    try:
        readings = _ARRAYS[kind].validate_json(payload)
    except ValidationError:
        pass
    else:
        if (
            readings
            and all(_against_context(reading, identity, received_ts) is None for reading in readings)
            and stands_twice(payload, sum(len(reading.model_fields_set) for reading in readings)) is None
        ):
            return JudgedMessage(*identity, len(readings), len(readings), payload, ())
    try:
        elements = from_json(payload)
    except ValueError as error:
        refusal = _Refusal(Reason.MALFORMED, str(error)[:500])
        elements = None
    else:
        refusal = _Refusal(Reason.SCHEMA, refusals.EMPTY_ARRAY())
    if not elements:
        item = _quarantined(topic, identity, refusal, received_ts=received_ts, payload=payload, size=len(payload))
        return JudgedMessage(*identity, 1, 0, b"[]", (item,))
    return _judge_elements(topic, identity, elements, payload, received_ts)


def _judge_elements(
    topic: str, identity: Topic, elements: Sequence[Any], payload: bytes, received_ts: int
) -> JudgedMessage:
    """Judge the elements of an array one by one."""
    accepted: list[bytes] = []
    refused: list[tuple[_Refusal, bytes]] = []
    set_aside: dict[int, Aside] = {}
    twice = elements_twice(payload) if any_twice(payload) is not None else {}
    for number, element in enumerate(elements):
        found = _twice(twice[number][0]) if number in twice else _judge_element(identity, element, received_ts)
        if isinstance(found, _Refusal):
            own = twice[number][1] if number in twice else to_json(element, inf_nan_mode="constants")
            refused.append((found, own))
            if len(refused) > MOST_APART:
                rest = [item for at, item in enumerate(elements[number + 1 :], number + 1) if at not in twice]
                accepted += _good_ones(identity, rest, received_ts)
                break
            continue
        if found.aside:
            set_aside[len(accepted)] = found.aside
        accepted.append(found.readings)
    # A record has a limit, and written out again elements may be longer than they came.
    if len(refused) > MOST_APART or sum(len(raw) for _, raw in refused) > len(payload):
        first = refused[0][0]
        counts = refusals.ELEMENTS_REFUSED(count=len(elements) - len(accepted), of=len(elements))
        detail = counts + first.detail
        refused = [(_Refusal(first.reason, detail), payload)]
    quarantined = [
        _quarantined(topic, identity, verdict, received_ts=received_ts, payload=raw, size=len(raw))
        for verdict, raw in refused
    ]
    taken = len(accepted) + len(quarantined)
    readings = b"[%b]" % b",".join(accepted)
    return JudgedMessage(*identity, taken, len(accepted), readings, quarantined, encode_set_aside(set_aside))


def _good_ones(identity: Topic, elements: Sequence[Any], received_ts: int) -> list[bytes]:
    """Readings that are good as they stand, as JSON; why others are not, is not said."""
    kind = Kind(identity.kind)
    required, validate = required_fields(kind), ADAPTERS[kind].validate_python
    found: list[bytes] = []
    failed = 0
    for element in elements:
        if type(element) is not dict or not required <= element.keys() or len(element) > MOST_ERRORS:
            continue
        try:
            reading = validate(element)
        except ValidationError:
            failed += 1
            if failed > MOST_TRIED:
                break
            continue
        if _against_context(reading, identity, received_ts) is None:
            found.append(to_json(element))
    return found


def _judge_element(identity: Topic, element: Any, received_ts: int) -> Mended | _Refusal:  # noqa: ANN401 - any JSON
    found = mend(Kind(identity.kind), element)
    if isinstance(found, ValidationError):
        return _explain(found)
    return _against_context(found.reading, identity, received_ts) or found


def _against_context(reading: Reading, identity: Topic, received_ts: int) -> _Refusal | None:
    """Hold a reading against its topic and the time of its arrival."""
    own = (reading.site_id, reading.kind, reading.device_id)
    if own != _ANONYMOUS:
        for field, says, said in zip(Topic._fields, own, identity, strict=True):
            if says is not None and says != said:
                return _Refusal(Reason.IDENTITY_MISMATCH, refusals.PAYLOAD_AND_TOPIC(field=field, says=says, said=said))
    if not EARLIEST_TS <= reading.ts <= received_ts + CLOCK_AHEAD_MS:
        return _off_the_clock(reading.ts, received_ts)
    return None


_UNITS = (("seconds", 1000, 1), ("microseconds", 1, 1000), ("nanoseconds", 1, 1_000_000))
"""What `ts` may have been sent in, and how it becomes milliseconds."""


def _off_the_clock(ts: int, received_ts: int) -> _Refusal | None:
    """Say of a time that cannot be whether it is one in another unit, or one of a clock that is ahead."""
    for unit, times, by in _UNITS:
        if EARLIEST_TS <= ts * times // by <= received_ts + CLOCK_AHEAD_MS:
            return _Refusal(Reason.SCHEMA, refusals.TIME_IN[unit](ts=ts)[:500])
    if ts > received_ts + CLOCK_AHEAD_MS:
        ahead_s = (ts - received_ts) // 1000  # an int of any length, which a float is not
        return _Refusal(Reason.CLOCK_AHEAD, ahead_detail(ahead_s))
    return None


def _twice(key: str) -> _Refusal:
    return _Refusal(Reason.MALFORMED, refusals.KEY_TWICE(key=repr(key)))


def _explain(error: ValidationError) -> _Refusal:
    if error.error_count() > MOST_ERRORS:
        return _Refusal(Reason.SCHEMA, refusals.MANY_PROBLEMS(count=error.error_count()))
    first = error.errors(include_url=False, include_input=False)[0]
    reason = Reason.MALFORMED if first["type"] == "json_invalid" else Reason.SCHEMA
    where = ".".join(str(part) for part in first["loc"])
    more = refusals.AND_MORE(more=error.error_count() - 1) if error.error_count() > 1 else ""
    problem = f"{problem_of(first)}{more}"
    return _Refusal(reason, f"{where}: {problem}"[:500] if where else problem[:500])


def _quarantined(
    topic: str, named: Topic, refusal: _Refusal, *, received_ts: int, payload: bytes, size: int
) -> Quarantined:
    return Quarantined(
        reason=refusal.reason,
        detail="".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in refusal.detail[:500]),
        topic=topic if len(topic) <= LONGEST_TOPIC else f"{topic[:LONGEST_TOPIC]}… ({len(topic)} characters)",
        site_id=named.site_id,
        kind=named.kind,
        device_id=named.device_id,
        received_ts=received_ts,
        payload=payload,
        size=size,
    )

"""How much one transaction takes on: a run of records is cut into parts that fit into memory and PostgreSQL's locks.

What a reading costs is not its size. A meter's first reading after days of silence is spread over every minute of them,
a late one has days folded again, and readings days apart each touch a chunk of a hypertable, of which one transaction
can lock only so many. All of it is known before anything is written, from the readings' times and the newest reading
the worker remembers of each device.

A part ends between two records wherever it can. A record that is too much by itself is cut too: its readings are then
taken site by site, message by message and of each message in order of time, and the checkpoint says how many of them
are stored. That order is the record's own, so whoever goes on after a crash goes on at the same place; and no message
overtakes another, for a reading is held against the messages before its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.readings import Kind, registers_of
from schemas.time import HOUR_MS, MINUTE_MS
from storage.checkpoint import StoredUntil
from streams.engine.walk import REBUILD_MS
from streams.kernels.metering.minutes import LONG_SILENCE_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from schemas.aside import Aside
    from schemas.readings import Reading
    from streams.intake.batch import Batch, Message, MessageTable
    from streams.intake.decode import Record

    Newest = Callable[[Kind, str], int | None]
    """Time of the newest reading that is remembered of a device, ms; None where nothing is, `NEVER_HEARD` where nothing
    can be, `UNREGISTERED` where its readings go to the quarantine."""

UNREGISTERED = -1
NEVER_HEARD = -2

SLOT_MS = 12 * HOUR_MS
"""What a chunk holds, of most tables."""
NEAR_MS = 6 * HOUR_MS
"""Readings no further apart than this are not looked at one by one."""

_REGISTERS = {kind: registers_of(kind) for kind in Kind}


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that one transaction takes on; at least one reading it always takes."""

    readings: int = 10_000
    """A decoded reading of a battery set takes about 3 kB."""
    rows: int = 150_000
    """Derived rows, as `Estimate` counts them. One takes about 1 kB on its way into the database."""
    slots: int = 64
    """Different half days (`storage/chunks.py`): each is a chunk, new or locked, in about six tables."""


class Part(NamedTuple):
    """What one transaction stores of a run."""

    batches: list[Batch]
    stop: StoredUntil
    """Where the checkpoint stands then."""
    readings: int
    records: int
    """How many records are whole with it."""
    rows: int
    """Derived rows it is expected to give."""
    record_ts: int
    """When its newest record was written."""


@dataclass(slots=True)
class Estimate:
    """What a transaction comes to, reading by reading."""

    newest: Newest
    readings: int = 0
    rows: int = 0
    slots: set[int] = field(default_factory=set)
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of each device: time of its newest reading so far, and from when on late ones were counted already."""

    def add(self, kind: Kind, device_id: str, readings: Sequence[Reading]) -> None:
        """Add some readings of one device, in any order."""
        times = [reading.ts for reading in readings] if len(readings) > 1 else [readings[0].ts]
        first, last = (min(times), max(times)) if len(times) > 1 else (times[0], times[0])
        self.readings += len(times)
        self.rows += len(times)
        seen = self._seen.get(device_id)
        if seen is None:
            known = self.newest(kind, device_id)
            if known == UNREGISTERED:
                return
            if known == NEVER_HEARD:
                known = first
            # Nothing is remembered of it: it is new, or what was remembered is to be rebuilt from stored readings.
            seen = (first, first - REBUILD_MS) if known is None else (known, known)
            if known is None:
                self._cover(kind, readings[0], first - REBUILD_MS, first)
        newest, counted_from = seen
        low, high = min(first, newest), max(last, newest)
        self.slots.add(first // SLOT_MS)
        self.slots.add(last // SLOT_MS)
        if high - low <= NEAR_MS:
            self._seen[device_id] = (high, min(counted_from, low))
            return
        if first < counted_from:  # late: what is stored from there on is folded again
            self._cover(kind, readings[0], max(first, counted_from - REBUILD_MS), counted_from)
        spread = bool(_REGISTERS[kind])
        before = newest
        for ts in sorted(times):
            if ts > before:
                if spread and NEAR_MS < ts - before <= LONG_SILENCE_MS:
                    self._cover(kind, readings[0], before, ts)
                before = ts
            self.slots.add(ts // SLOT_MS)
        self._seen[device_id] = (high, min(counted_from, low))

    def add_table(self, table: MessageTable) -> None:
        """Add a table's readings: all at once where each is near what is remembered of its device."""
        known = [self.newest(table.kind, device_id) for device_id in table.device_ids]
        near_ms = np.repeat([UNREGISTERED if ms is None else ms for ms in known], table.counts)
        ts = np.array(table.block.ts)
        if (np.abs(ts - near_ms) > NEAR_MS).any():
            for message in table.messages():
                self.add(message.kind, message.device_id, message.readings)
            return
        self.readings += len(ts)
        self.rows += len(ts)
        self.slots.update((np.unique(ts // SLOT_MS)).tolist())

    def _cover(self, kind: Kind, reading: Reading, from_ts: int, to_ts: int) -> None:
        """Count every minute of a stretch, of each register that a reading has."""
        registers = sum(getattr(reading, name) is not None for name in _REGISTERS[kind])
        self.rows += (to_ts - from_ts) // MINUTE_MS * max(1, registers)
        self.slots.update(range(from_ts // SLOT_MS, to_ts // SLOT_MS + 1))

    def fits(self, bounds: Bounds) -> bool:
        """Whether it is no more than one transaction takes on."""
        return self.readings <= bounds.readings and self.rows <= bounds.rows and len(self.slots) <= bounds.slots


def next_part(
    run: Sequence[Record], start: StoredUntil, decoded: Callable[[Record], Batch], newest: Newest, bounds: Bounds
) -> Part:
    """Cut the next part off a run whose first record is the one at `start`: whole records, or a piece of the first."""
    estimate = Estimate(newest)
    batches: list[Batch] = []
    taken = Part(batches, start, 0, 0, 0, run[0].timestamp_ts)
    for record in run:
        batch = decoded(record)
        rest = _piece(batch, 0 if batches else start.readings, None)
        for table in rest.tables:
            estimate.add_table(table)
        for message in rest.messages:
            if message.readings:
                estimate.add(message.kind, message.device_id, message.readings)
        if not estimate.fits(bounds):
            return taken if batches else _cut(batch, record, start, newest, bounds)
        batches.append(rest)
        taken = Part(
            batches,
            StoredUntil(record.offset + 1),
            estimate.readings,
            len(batches),
            estimate.rows,
            record.timestamp_ts,
        )
    return taken


def _cut(batch: Batch, record: Record, start: StoredUntil, newest: Newest, bounds: Bounds) -> Part:
    """Take as many readings of one record as fit."""
    batch = batch.one_by_one()
    order = _ordered(batch)
    estimate, stop, rows = Estimate(newest), start.readings, 0
    for message, at in order[start.readings :]:
        estimate.add(message.kind, message.device_id, [message.readings[at]])
        if stop > start.readings and not estimate.fits(bounds):
            break
        stop, rows = stop + 1, estimate.rows
    whole = stop >= len(order)
    mark = StoredUntil(record.offset + 1) if whole else StoredUntil(record.offset, stop)
    taken = _piece(batch, start.readings, None if whole else stop)
    return Part([taken], mark, stop - start.readings, int(whole), rows, record.timestamp_ts)


def decoded_anew(
    part: Part, run: Sequence[Record], start: StoredUntil, decode: Callable[[Record], Batch]
) -> list[Batch]:
    """The same part, cut off the same run at the same place, of readings that no transaction has had before."""
    if not part.records:
        return [_piece(decode(run[0]), start.readings, part.stop.readings)]
    first, *others = run[: part.records]
    return [_piece(decode(first), start.readings, None), *(decode(record) for record in others)]


def _piece(batch: Batch, start: int, stop: int | None) -> Batch:
    """A record whole, as it came, or a piece of it."""
    return piece(batch, start, stop) if start or stop is not None else batch


def piece(batch: Batch, start: int, stop: int | None) -> Batch:
    """Readings `start` to `stop` of a record in its own order; the last piece (None) brings all that is not readings.

    The books close after every piece: each brings the collectors' count of its own readings, the last one the rest.
    """
    batch = batch.one_by_one()
    order = _ordered(batch)
    messages: list[Message] = []
    own: list[Reading] = []
    apart: dict[int, Aside] = {}
    last: Message | None = None
    for message, at in order[start:stop]:
        if message is not last:
            own, apart = [], {}
            messages.append(message._replace(readings=own, set_aside=apart))
            last = message
        if message.set_aside and at in message.set_aside:
            apart[len(own)] = message.set_aside[at]  # by its place in the piece
        own.append(message.readings[at])
    if stop is None:
        received = dict(batch.received)
        for device_id, count in _counts(order[:start]).items():
            received[device_id] = received.get(device_id, 0) - count
        return batch._replace(received=received, messages=messages)
    received = _counts(order[start:stop])
    return batch._replace(received=received, messages=messages, quarantined=[])


def _counts(order: Sequence[tuple[Message, int]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for message, _ in order:
        counts[message.device_id] = counts.get(message.device_id, 0) + 1
    return counts


def _ordered(batch: Batch) -> list[tuple[Message, int]]:
    """A record's readings site by site, message by message, and in order of time; those of one time as they stand."""
    return [
        (message, at)
        for message in sorted(batch.messages, key=lambda message: message.site_id)
        for at in sorted(range(len(message.readings)), key=lambda at: message.readings[at].ts)
    ]

"""Readings of registered devices on their way to admission: of each kind one after the other, as columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.arrival import Arrival, as_sent
from schemas.aside import NOTHING
from schemas.columns.arrivals import Arrivals
from schemas.kafka.quarantine import Quarantined, Reason
from schemas.topics import Topic
from streams.intake.admission import Refusal, identify

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from schemas.readings import Kind
    from schemas.registry import Device
    from streams.intake.admission import Directory
    from streams.intake.batch import Batch, Message, MessageTable


@dataclass(slots=True)
class Candidates:
    """Readings of one kind, before they are held against the registry."""

    kind: Kind
    ordinals: list[int] = field(default_factory=list)
    """Where in its run each stands."""
    devices: list[Device] = field(default_factory=list)
    messages: list[int] = field(default_factory=list)
    """Which one of its run each came in."""
    _parts: list[Arrivals] = field(default_factory=list)
    _single: list[Arrival] = field(default_factory=list)
    """Those behind the last part."""

    def add(self, ordinal: int, device: Device, message: int, arrival: Arrival) -> None:
        """Take one more."""
        self.ordinals.append(ordinal)
        self.devices.append(device)
        self.messages.append(message)
        self._single.append(arrival)

    def add_all(
        self, ordinals: Sequence[int], devices: Sequence[Device], messages: Sequence[int], arrivals: Arrivals
    ) -> None:
        """Take in columns of some more."""
        self._lay_out()
        self.ordinals += ordinals
        self.devices += devices
        self.messages += messages
        self._parts.append(arrivals)

    def arrivals(self) -> Arrivals:
        """All of them, in their order."""
        self._lay_out()
        return Arrivals.joined(self._parts)

    def _lay_out(self) -> None:
        if self._single:
            self._parts.append(Arrivals.of_each(self.kind, self._single))
            self._single = []


class Identified:
    """Readings of a run: of registered devices by kind, and quarantined ones."""

    def __init__(self, directory: Directory, refused: Mapping[int, str], limit: int | None) -> None:
        """Take readings that are refused already, by ordinal, and how many are taken at most (None: all)."""
        self.held: dict[Kind, Candidates] = {}
        self.refused: list[tuple[int, Quarantined]] = []
        """By ordinal, so that the quarantine has them in the order they came in."""
        self._directory = directory
        self._refused_before = refused
        self._limit = limit
        self._ordinal = 0
        """How many readings were taken."""
        self._message = 0

    @property
    def is_full(self) -> bool:
        """Whether no more is taken."""
        return self._limit is not None and self._ordinal >= self._limit

    def take(self, batch: Batch) -> None:
        """Take a record's readings; of tables all, whatever the limit."""
        self.refused.extend((self._ordinal, item) for item in batch.quarantined)
        for table in batch.tables:
            self._take_table(table)
        for message in batch.messages:
            self._take_message(message)

    def _take_message(self, message: Message) -> None:
        self._message += 1
        found = identify(self._directory, message.site_id, message.kind, message.device_id)
        apart = message.set_aside or {}
        for at, reading in enumerate(message.readings):
            if self.is_full:
                return
            arrival = Arrival(message.device_id, message.received_ts, reading, apart.get(at, NOTHING))
            said = self._refused_before.get(self._ordinal)
            judged = found if said is None else Refusal(Reason.STORAGE_REJECTED, said)
            if isinstance(judged, Refusal):
                topic = Topic(message.site_id, message.kind.value, message.device_id)
                self.refused.append((self._ordinal, quarantined(topic, arrival, judged)))
            else:
                self._of(judged.kind).add(self._ordinal, judged, self._message, arrival)
            self._ordinal += 1

    def _take_table(self, table: MessageTable) -> None:
        kind, arrivals, first = table.kind, table.arrivals(), self._ordinal
        messages = table.of_each(range(self._message + 1, self._message + 1 + len(table.counts)))
        self._ordinal += len(table.block)
        self._message += len(table.counts)
        owners = table.of_each(self._owners(table))
        devices = [owner for owner in owners if not isinstance(owner, Refusal)]
        if len(devices) == len(owners):
            self._of(kind).add_all(range(first, self._ordinal), devices, messages, arrivals)
            return
        known = [row for row, owner in enumerate(owners) if not isinstance(owner, Refusal)]
        if known:
            ordinals, own = [first + row for row in known], [messages[row] for row in known]
            self._of(kind).add_all(ordinals, devices, own, arrivals.of(known))
        site_ids = table.of_each(table.site_ids)
        for row, owner in enumerate(owners):
            if isinstance(owner, Refusal):
                topic = Topic(site_ids[row], kind.value, arrivals.device_ids[row])
                self.refused.append((first + row, quarantined(topic, arrivals[row], owner)))

    def _owners(self, table: MessageTable) -> Sequence[Device | Refusal]:
        """Devices that a table's messages come from."""
        directory, kind = self._directory, table.kind
        found = list(map(directory.devices.get, table.device_ids))
        return [
            owner
            if owner is not None and owner.site_id == site_id and owner.kind is kind
            else identify(directory, site_id, kind, device_id)
            for owner, site_id, device_id in zip(found, table.site_ids, table.device_ids, strict=True)
        ]

    def _of(self, kind: Kind) -> Candidates:
        found = self.held.get(kind)
        if found is None:
            found = self.held[kind] = Candidates(kind)
        return found


def quarantined(topic: Topic, arrival: Arrival, refusal: Refusal) -> Quarantined:
    """Put a reading aside, as it was sent, and say why."""
    payload = as_sent(arrival)
    return Quarantined(
        reason=refusal.reason,
        detail=refusal.detail[:500],
        topic=str(topic),
        site_id=topic.site_id,
        kind=topic.kind,
        device_id=topic.device_id,
        received_ts=arrival.received_ts,
        payload=payload,
        size=len(payload),
    )


def newest_before(
    device_ids: Sequence[str], times: Sequence[int], messages: Sequence[int], refused: Container[int]
) -> list[int | None]:
    """Time of each device's newest reading in the messages before a reading's own; what was refused is none.

    Not in its own message: an array may be stored in parts, and then in order of time.
    """
    known: dict[str, tuple[int, int | None, int | None]] = {}
    found: list[int | None] = []
    for at, (device_id, ts, message) in enumerate(zip(device_ids, times, messages, strict=True)):
        last, before, newest = known.get(device_id, (message, None, None))
        if last != message:
            before = newest
        if at not in refused:
            newest = ts if newest is None else max(newest, ts)
        known[device_id] = (message, before, newest)
        found.append(before)
    return found

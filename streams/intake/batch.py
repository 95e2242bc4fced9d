"""What a worker has of a record once it is read: messages of readings, what is in the quarantine, and the count."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from schemas.columns.arrivals import Arrivals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from schemas.aside import Aside
    from schemas.columns.block import Block
    from schemas.kafka.quarantine import Quarantined
    from schemas.readings import Kind, Reading


Part = TypeVar("Part")


class Message(NamedTuple):
    """The accepted readings of one MQTT message."""

    site_id: str
    kind: Kind
    device_id: str
    received_ts: int
    readings: list[Reading]
    """As structs (`schemas.structs`)."""
    set_aside: Mapping[int, Aside] | None = None
    """Fields that the collector set aside, by the reading's place in `readings` and the field's name."""


class MessageTable(NamedTuple):
    """Accepted messages of one kind whose readings stand as columns, those of a message in a row."""

    kind: Kind
    site_ids: list[str]
    """Of each message, as the next three."""
    device_ids: list[str]
    received_ts: list[int]
    counts: list[int]
    block: Block

    def of_each(self, of_messages: Sequence[Part]) -> Sequence[Part]:
        """What is of each message, for each of its readings."""
        if len(of_messages) == len(self.block):
            return of_messages
        return [part for part, count in zip(of_messages, self.counts, strict=True) for _ in range(count)]

    def arrivals(self) -> Arrivals:
        """Its readings as columns."""
        return Arrivals(list(self.of_each(self.device_ids)), list(self.of_each(self.received_ts)), self.block, {})

    def messages(self) -> Iterator[Message]:
        """The same one by one."""
        readings = iter(self.block.readings(range(len(self.block))))
        each = zip(self.site_ids, self.device_ids, self.received_ts, self.counts, strict=True)
        for site_id, device_id, received_ts, count in each:
            yield Message(site_id, self.kind, device_id, received_ts, [next(readings) for _ in range(count)])


class Batch(NamedTuple):
    """One record, as `schemas.kafka.record` defines it."""

    collector: str
    received: dict[str, int]
    """As the collector counted, by device; what stands in tables not among it."""
    messages: list[Message]
    quarantined: list[Quarantined]
    tables: Sequence[MessageTable] = ()
    """Messages that came before the others."""

    @property
    def first_ts(self) -> int:
        """When the first of what it holds was taken in; 0 where it holds nothing."""
        found = [min(table.received_ts) for table in self.tables if table.received_ts]
        found += [message.received_ts for message in self.messages]
        return min(found + [item.received_ts for item in self.quarantined], default=0)

    def counted(self) -> dict[str, int]:
        """The collector's count, by device, of all that the record holds."""
        counts = dict(self.received)
        for table in self.tables:
            for device_id, count in zip(table.device_ids, table.counts, strict=True):
                counts[device_id] = counts.get(device_id, 0) + count
        return counts

    def one_by_one(self) -> Batch:
        """The same without tables."""
        if not self.tables:
            return self
        messages = [message for table in self.tables for message in table.messages()]
        return Batch(self.collector, self.counted(), [*messages, *self.messages], self.quarantined)

    def devices(self) -> Iterator[tuple[str, Kind]]:
        """Device and kind of each message."""
        for table in self.tables:
            yield from ((device_id, table.kind) for device_id in table.device_ids)
        yield from ((message.device_id, message.kind) for message in self.messages)

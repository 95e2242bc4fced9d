"""Micro-batches by partition: one Kafka record for what came in within a moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from schemas.columns.table import TableBuilder, encode_tables
from schemas.kafka.record import encode_envelope, encode_micro_batch
from schemas.readings import Kind
from schemas.time import HOUR_MS

if TYPE_CHECKING:
    from ingest.judgement import JudgedMessage
    from schemas.kafka.quarantine import Quarantined

MAX_BYTES = 400_000
"""A record is closed before it nears Kafka's default limit of 1 MB."""


class Token(NamedTuple):
    """An MQTT message that waits for its acknowledgement."""

    packet_id: int
    generation: int
    """The connection it came over: on another one its packet identifier means nothing."""


@dataclass(slots=True)
class MicroBatchBuilder:
    """One partition's record in the making, and the MQTT messages that wait for its delivery."""

    opened_ts: int
    readings: int = 0
    size: int = 0
    tokens: list[Token] = field(default_factory=list)
    """What to acknowledge once the record is delivered."""
    _tables: dict[str, TableBuilder] = field(default_factory=dict)
    """Messages of plain readings, by kind."""
    _apart: set[str] = field(default_factory=set)
    """Devices with a message that is in no table: those that follow it are in none, so that they keep their order."""
    _envelopes: list[bytes] = field(default_factory=list)
    _quarantined: list[Quarantined] = field(default_factory=list)
    _received: dict[str, int] = field(default_factory=dict)
    """Of all that is in no table."""

    def add(self, judgement: JudgedMessage, token: Token, received_ts: int) -> None:
        """Take in one judged message."""
        self.tokens.append(token)
        self.readings += judgement.taken
        site_id, kind, device_id, taken, accepted, readings, quarantined, set_aside, plain = judgement
        if plain and device_id not in self._apart:
            table = self._tables.get(kind)
            if table is None:
                table = self._tables[kind] = TableBuilder(Kind(kind))
            table.add(site_id, device_id, received_ts, plain)
            self.size += judgement.size
            return
        self._apart.add(device_id)
        if accepted:
            envelope = encode_envelope(site_id, kind, device_id, received_ts, readings, set_aside=set_aside)
            self._envelopes.append(envelope)
            self.size += len(envelope)
        self._quarantined.extend(quarantined)
        self.size += judgement.quarantined_bytes
        self._received[device_id] = self._received.get(device_id, 0) + taken

    def has_room_for(self, judgement: JudgedMessage) -> bool:
        """Whether the record stays within its limit with this message; an empty one takes any."""
        return not self.tokens or self.size + judgement.size <= MAX_BYTES

    def is_full(self, most_readings: int) -> bool:
        """Whether the record is to be closed."""
        return self.readings >= most_readings or self.size >= MAX_BYTES

    def is_of_hour(self, now_ts: int) -> bool:
        """Whether a message arriving now may join: a record lies within one hour of the books."""
        return self.opened_ts // HOUR_MS == now_ts // HOUR_MS

    def encode(self, collector_id: str) -> bytes:
        """Write the Kafka record."""
        rest = encode_micro_batch(collector_id, self._received, self._envelopes, self._quarantined)
        if not self._tables:
            return rest
        tables = [table.table() for table in self._tables.values()]
        return encode_tables(collector_id, tables, rest if self._received else b"")

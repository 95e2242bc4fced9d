"""What follows from a transaction's rows within the same transaction, beyond rows: alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from psycopg import Connection

    from schemas.kafka.quarantine import Quarantined
    from schemas.metrics import Row
    from schemas.time import Span
    from storage.checkpoint import Position
    from streams.intake.admission import Directory


class Written(NamedTuple):
    """What a transaction has written before its stages run."""

    connection: Connection
    directory: Directory
    standing: Mapping[type[Row], Mapping[str, Sequence[Row]]]
    """Rows it wrote, by type and site."""
    gone: Mapping[type[Row], Mapping[str, Sequence[Row]]]
    """Rows it took away."""
    position: Position
    partitions: int
    record_ts: int | None
    """When the newest record it stores was written; None where it stores none."""
    late: Sequence[Span]
    """Devices with readings stored just now that are older than one they had before: from the first of these on."""
    newest_ts: Callable[[], dict[str, int]]
    """Device time of the newest reading of each device of the partition, this transaction's included."""
    refused: Sequence[Quarantined] = ()
    """What it puts into the quarantine."""


class Stage(Protocol):
    """Acts on what a transaction wrote. What it does is undone with the transaction, so it may do nothing else."""

    @property
    def hears(self) -> frozenset[type[Row]]:
        """Types of the rows that it looks at among those written and taken away."""

    def run(self, written: Written, /) -> None:
        """Act; raise to give the transaction up."""

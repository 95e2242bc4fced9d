"""What a worker has done, and how it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from streams.worker.memory import memory_bytes

if TYPE_CHECKING:
    from streams.engine.transaction import Outcome


@dataclass(slots=True)
class WorkerFigures:
    """What a worker has done since it started."""

    transactions_total: int = 0
    records_total: int = 0
    stored_total: int = 0
    duplicate_total: int = 0
    quarantined_total: int = 0
    retries_total: int = 0
    waiting_records: int = 0
    """Records that were fetched and are not stored yet."""
    newest_received_ts: int = 0
    """Time of arrival of the newest reading stored; its distance from now is the lag."""
    stuck_partitions: int = 0
    """Partitions that have records and have not moved for minutes."""

    def add(self, outcome: Outcome) -> None:
        """Count one transaction."""
        self.transactions_total += 1
        self.records_total += outcome.records
        self.stored_total += outcome.stored
        self.duplicate_total += outcome.duplicate
        self.quarantined_total += outcome.quarantined
        self.newest_received_ts = max(self.newest_received_ts, outcome.newest_received_ts)

    def as_dict(self) -> dict[str, float]:
        """All of them by name, and the memory this process holds."""
        return asdict(self) | {"memory_bytes": memory_bytes()}

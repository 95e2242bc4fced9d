"""A partition as its worker knows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.checkpoint import Mark, Position, Turn
    from streams.engine.memory import Memories


@dataclass(slots=True)
class Partition:
    """What this worker believes of a partition it owns; true only as long as the compare-and-set succeeds."""

    position: Position
    mark: Mark
    turn: Turn
    memories: Memories = field(default_factory=dict)
    unsettled: int = 0
    """Transactions since its books were added up."""
    is_new: bool = False
    """Nothing was stored of it when it was opened: a device that nothing is remembered of has never been heard."""
    looked_up: dict[str, bool] = field(default_factory=dict)
    """Whether anything was stored of a device of which nothing is remembered, as far as that was asked."""

    @property
    def next_offset(self) -> int:
        """Offset of the next record to store, the one that is stored in part included."""
        return self.mark.offset

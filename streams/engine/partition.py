"""A partition as its worker knows it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from streams.engine.quiet import Shelves

if TYPE_CHECKING:
    from storage.checkpoint import Position, StoredUntil, Turn
    from streams.engine.memory import Memories


@dataclass(slots=True)
class Partition:
    """What this worker believes of a partition it owns; true only as long as the compare-and-set succeeds."""

    position: Position
    mark: StoredUntil
    turn: Turn
    memories: Memories = field(default_factory=dict)
    shelves: Shelves = field(default_factory=Shelves)
    """Where what is remembered of quiet devices stands."""
    unsettled: int = 0
    """Transactions since its books were added up."""
    is_new: bool = False
    """Nothing was stored of it when it was opened: a device that nothing is remembered of has never been heard."""
    looked_up: dict[str, bool] = field(default_factory=dict)
    """Whether anything was stored of a device of which nothing is remembered, as far as that was asked."""

    def remember(self, memories: Memories) -> None:
        """Forget what was remembered for something else."""
        self.memories, self.shelves = memories, Shelves()

    def known(self) -> Partition:
        """A copy that knows what this one knows now; what is remembered is replaced as a whole, never within."""
        return replace(self)

    def know(self, before: Partition) -> None:
        """Go back to what was known: what was learnt since never came to be."""
        self.turn, self.unsettled, self.looked_up = before.turn, before.unsettled, before.looked_up
        self.memories, self.shelves = before.memories, before.shelves

    @property
    def next_offset(self) -> int:
        """Offset of the next record to store, the one that is stored in part included."""
        return self.mark.offset

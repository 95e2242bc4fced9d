"""What folds remember of entities between two transactions: a cache of what the raw tables hold.

A saved state is the fold of all stored readings up to its `last_ts`. A fold that only goes on with newer readings
keeps what it remembers without saving it; it is saved every so many readings, and in the same transaction whenever
something else moves it: the entity's first reading, a late one, a moment of snapshots passed, a rebuild. Whoever
reads a saved state back folds the readings stored since in first. The rows these give stand already.

Folds over rows are always saved: a row may grow and be given again, so that stored rows do not tell what was fed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

if TYPE_CHECKING:
    from streams.engine.shelf import ShelvedMemory

SAVE_EVERY = 32
"""Readings of a device between two times its states are saved: what a worker that starts folds again, at most.

Saved with each reading, states were 59 % of PostgreSQL's time and a tenth of the worker's (measured)."""

DUE = 1 << 40
"""As `unsaved`: to be saved with this transaction."""


class Memory(NamedTuple):
    """What a fold remembers of an entity, and how far it has come."""

    last_ts: int
    state: Any
    """As the fold made it, or `Unread`."""
    unsaved: int = 0
    """Readings that went into it since it was saved."""

    def saved(self, entity_id: str, every: int) -> Memory:
        """The same once it is saved.

        Where it was not its turn, the next turn comes early, by an offset of the entity's own: entities that were
        saved in one transaction, such as all of them at midnight, are not saved in one transaction again.
        """
        return self._replace(unsaved=crc32(entity_id.encode()) % every if self.unsaved >= DUE else 0)


class Unread(NamedTuple):
    """A state as it was saved: read when its entity is next heard of, so that a worker is soon ready."""

    text: str
    saved_ts: int
    """Readings stored behind it are yet to be folded in."""


Moved = dict[tuple[str, str], Memory | None]
"""By (kernel, entity), what a transaction comes to; None where all that was remembered is disproved."""
Memories = dict[tuple[str, str], "Memory | ShelvedMemory | None"]
"""The same of what is remembered."""

"""Where a partition keeps the states of quiet entities, as rows of numbers, and what it remembers of each beside them.

A shelf is written when a transaction has been committed, and not before: one that is rolled back has changed nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from streams.kernels.contract import Quiet

    Numbers = npt.NDArray[np.int64]
    Rows = npt.NDArray[np.float64]


class Remembered(Protocol):
    """What a fold remembers of an entity, as `streams.engine.memory` has it."""

    @property
    def last_ts(self) -> int:
        """How far the fold has come, ms of device time."""

    @property
    def state(self) -> Any:  # noqa: ANN401 - the fold's own
        """As the fold made it."""

    @property
    def unsaved(self) -> int:
        """Readings that went into it since it was saved."""


class Shelf:
    """States of one fold. Only the thread that has the partition touches it."""

    def __init__(self, fold: Quiet, numbers: dict[str, int]) -> None:
        """Take the number of each entity's row; all folds of a partition have the same."""
        self.fold = fold
        self._numbers = numbers
        self.figures: Rows = np.empty((0, fold.layout.width))
        self.last_ts: Rows = np.empty(0)
        """As in `Memory`; NaN where the entity's state is not here."""
        self.unsaved: Numbers = np.empty(0, dtype=np.int64)
        self.bases: list[Any] = []
        """The state that each row began as: whatever quiet readings leave alone."""

    def fit(self) -> None:
        """Have a row for each number that was given."""
        more = len(self._numbers) - len(self.bases)
        if more > 0:
            more = max(more, len(self.bases))  # grown by doubling
            self.figures = np.concatenate([self.figures, np.empty((more, self.figures.shape[1]))])
            self.last_ts = np.concatenate([self.last_ts, np.full(more, np.nan)])
            self.unsaved = np.concatenate([self.unsaved, np.zeros(more, dtype=np.int64)])
            self.bases += [None] * more

    def row(self, entity_id: str) -> int:
        """An entity's row."""
        return self._numbers[entity_id]

    def forget(self, entity_id: str) -> None:
        """Whatever is here of an entity counts no longer."""
        number = self._numbers.get(entity_id)
        if number is not None and number < len(self.last_ts):
            self.last_ts[number] = np.nan

    def put(
        self, entity_ids: Sequence[str], memories: Sequence[Remembered], figures: Sequence[Sequence[float]]
    ) -> None:
        """Take memories of some entities in, whose states are given as figures too."""
        rows = [self._numbers[entity_id] for entity_id in entity_ids]
        self.figures[rows] = figures
        self.last_ts[rows] = [memory.last_ts for memory in memories]
        self.unsaved[rows] = [memory.unsaved for memory in memories]
        for row, memory in zip(rows, memories, strict=True):
            self.bases[row] = memory.state

    def state(self, row: int, figures: Sequence[float]) -> Any:  # noqa: ANN401 - the fold's own
        """The state that an entity's figures stand for."""
        return self.fold.state_of(self.bases[row], figures)


class ShelvedMemory:
    """What stands on a shelf, as a `Memory`: it changes as the entity's quiet readings are committed."""

    __slots__ = ("_row", "_shelf")

    def __init__(self, shelf: Shelf, row: int) -> None:
        self._shelf = shelf
        self._row = row

    @property
    def last_ts(self) -> int:
        """How far the fold has come."""
        return int(self._shelf.last_ts.item(self._row))

    @property
    def unsaved(self) -> int:
        """Readings that went into it since it was saved."""
        return int(self._shelf.unsaved[self._row])

    @property
    def state(self) -> Any:  # noqa: ANN401 - the fold's own
        """As the fold would have made it."""
        return self._shelf.state(self._row, self._shelf.figures[self._row].tolist())

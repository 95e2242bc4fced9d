"""The quiet way: one fold's next readings of many entities at once, while nothing happens to them.

Most readings of most devices change sums and means, and nothing else. A fold that knows how (`Quiet`) takes these in
one go over columns; each entity to which something happens is left to the fold itself, which is the truth. Both ways
end in the same rows and states, to the last bit, so that it does not matter which one a reading went.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from streams.engine.shelf import Kept, Shelf
from streams.kernels.contract import Quiet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from schemas.metrics import Row
    from streams.engine.memory import Memories, Moved
    from streams.engine.shelf import Numbers, Rows
    from streams.kernels.contract import Fold

QUIET_FROM = 16
"""With fewer entities at once the fold itself is as fast. (measured)"""


@dataclass(slots=True)
class Shelves:
    """All shelves of a partition."""

    numbers: dict[str, int] = field(default_factory=dict)
    """Of each entity's row."""
    by_fold: dict[str, Shelf] = field(default_factory=dict)

    def of(self, fold: Quiet) -> Shelf:
        """A fold's own."""
        found = self.by_fold.get(fold.name)
        if found is None:
            found = self.by_fold[fold.name] = Shelf(fold, self.numbers)
        return found


class Batch:
    """New readings of one kind in one transaction, of the entities that have just one: columns of them, made once."""

    def __init__(
        self, numbers: dict[str, int], subjects: Mapping[str, Any], items: Mapping[str, Sequence[Any]]
    ) -> None:
        """Take what numbers entities have; one without gets the next."""
        self.entity_ids = [entity_id for entity_id, own in items.items() if len(own) == 1]
        self.subjects = [subjects[entity_id] for entity_id in self.entity_ids]
        self.rows: Numbers = np.array(
            [numbers.setdefault(entity_id, len(numbers)) for entity_id in self.entity_ids], dtype=np.int64
        )
        self._items = [items[entity_id][0] for entity_id in self.entity_ids]
        self._samples: dict[type, Any] = {}

    def samples(self, fold: Quiet) -> Any:  # noqa: ANN401 - the fold's own
        """Columns that a fold takes."""
        kind = fold.samples
        if kind not in self._samples:
            self._samples[kind] = kind.of(self._items, self.subjects)
        return self._samples[kind]


class Due(NamedTuple):
    """A state that is to be saved."""

    kernel: str
    entity_id: str
    last_ts: int
    state: Any


@dataclass(slots=True)
class QuietWay:
    """One fold's quiet way within one transaction: what it comes to, for when that is committed."""

    shelf: Shelf
    batch: Batch
    entity_ids: list[str] = field(default_factory=list)
    """Entities whose readings were quiet; their rows, and what is to stand there."""
    rows: Numbers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    last_ts: Rows = field(default_factory=lambda: np.empty(0))
    unsaved: Numbers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    figures: Rows = field(default_factory=lambda: np.empty((0, 0)))

    def take(self, items: Mapping[str, Sequence[Any]], moved: Moved) -> tuple[Mapping[str, Sequence[Any]], list[Row]]:
        """Take the readings that are quiet; return the others, and the rows that these gave."""
        shelf, batch, fold = self.shelf, self.batch, self.shelf.fold
        shelf.fit()
        samples, last_ts = batch.samples(fold), shelf.last_ts[batch.rows]
        may_be = (samples.ts > last_ts) & (samples.ts // fold.snapshot_ms == last_ts // fold.snapshot_ms)
        if apart := {entity_id for name, entity_id in moved if name == fold.name}:
            may_be &= [entity_id not in apart for entity_id in batch.entity_ids]
        at = np.flatnonzero(may_be)
        if not len(at):
            return items, []
        rows, taken = batch.rows[at], samples.at(at.tolist())
        figures = fold.layout.columns(shelf.figures[rows])
        with np.errstate(all="ignore"):
            quiet, given = fold.advance(figures, taken)
        self.rows, self.last_ts = rows[quiet], taken.ts[quiet]
        self.unsaved = shelf.unsaved[self.rows] + 1
        self.figures = fold.layout.rows(figures)[quiet]
        self.entity_ids = [batch.entity_ids[number] for number in at[quiet].tolist()]
        left = dict(items)
        for entity_id in self.entity_ids:
            del left[entity_id]
        return left, given

    def due(self, every: int) -> Iterator[Due]:
        """States whose turn it is to be saved; they count as saved from then on."""
        for at in np.flatnonzero(self.unsaved >= every).tolist():
            state = self.shelf.state(int(self.rows[at]), self.figures[at].tolist())
            yield Due(self.shelf.fold.name, self.entity_ids[at], int(self.last_ts[at]), state)
            self.unsaved[at] = 0

    def newest_ms(self) -> dict[str, int]:
        """Time of each entity's reading."""
        return dict(zip(self.entity_ids, map(int, self.last_ts.tolist()), strict=True))

    def keep(self, known: Memories, moved: Moved) -> None:
        """Have it count, and put upon the shelf what the fold itself came to: its next reading may be quiet."""
        shelf, batch, name = self.shelf, self.batch, self.shelf.fold.name
        if self.entity_ids:
            shelf.figures[self.rows] = self.figures
            shelf.last_ts[self.rows], shelf.unsaved[self.rows] = self.last_ts, self.unsaved
        found = []
        plain = batch.samples(shelf.fold).is_plain.tolist()
        for entity_id, subject in compress(zip(batch.entity_ids, batch.subjects, strict=True), plain):
            memory = moved.get((name, entity_id))
            if memory is not None and (figures := shelf.fold.figures_of(memory.state, subject)) is not None:
                found.append((entity_id, memory, figures))
        if found:
            shelf.put(*zip(*found, strict=True))
            for entity_id, _, _ in found:
                known[name, entity_id] = Kept(shelf, shelf.row(entity_id))


class QuietWays:
    """All quiet ways of one transaction."""

    def __init__(self, shelves: Shelves, least: int) -> None:
        """Take from how many entities on with one new reading each they are gone."""
        self._shelves = shelves
        self._least = least
        self._gone: list[QuietWay] = []

    def batch(self, subjects: Mapping[str, Any], items: Mapping[str, Sequence[Any]]) -> Batch | None:
        """New readings of one kind, where they are enough."""
        if len(items) < self._least:
            return None
        batch = Batch(self._shelves.numbers, subjects, items)
        return batch if len(batch.entity_ids) >= self._least else None

    def of(self, fold: Fold, batch: Batch | None) -> QuietWay | None:
        """A fold's way for readings, where it has one."""
        if batch is None or not isinstance(fold, Quiet):
            return None
        way = QuietWay(self._shelves.of(fold), batch)
        self._gone.append(way)
        return way

    def due(self, every: int) -> list[Due]:
        """States whose turn it is to be saved."""
        return [due for way in self._gone for due in way.due(every)]

    def newest_ms(self) -> Iterator[tuple[str, int]]:
        """Time of each reading that went one of them, by entity."""
        for way in self._gone:
            yield from way.newest_ms().items()

    def keep(self, known: Memories, moved: Moved) -> None:
        """The transaction is committed: what was moved in it stands elsewhere now, or, if it can, on a shelf."""
        for name, entity_id in moved:
            shelf = self._shelves.by_fold.get(name)
            if shelf is not None:
                shelf.forget(entity_id)
        for way in self._gone:
            way.keep(known, moved)

"""The quiet way: one fold's next readings of many entities at once, while nothing happens to them.

Most readings of most devices change sums and means, and nothing else. A fold that knows how (`Quiet`) takes these in
one go over columns; each entity to which something happens is left to the fold itself, which is the truth. Both ways
end in the same rows and states, to the last bit, so that it does not matter which one a reading went.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate, compress, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from streams.engine.shelf import Shelf, ShelvedMemory
from streams.kernels.contract import Quiet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from schemas.arrival import Arrival
    from schemas.metrics import Row
    from streams.engine.by_device import ByDevice
    from streams.engine.memory import Memories, Moved
    from streams.engine.shelf import Numbers, Rows
    from streams.kernels.contract import Fold
    from streams.kernels.figures import Layout, Mask

QUIET_FROM = 20
"""With fewer entities at once the fold itself is as fast: measured for the three folds of a battery set together.

With one new reading each both cost the same at 20 to 24, with 50 each at 16.
"""


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


class Round(NamedTuple):
    """One reading each of some entities of a batch."""

    places: Numbers
    """Where these entities stand in the batch."""
    own: slice
    """Where their readings stand among the batch's, which are in order of the rounds."""


class QuietBatch:
    """New readings of one kind in one transaction: the first one of each entity, then the second ones, and so on."""

    def __init__(self, numbers: dict[str, int], subjects: Mapping[str, Any], items: ByDevice, most: int) -> None:
        """Take what numbers entities have; one without gets the next. Entities with more than `most` stay away."""
        own = [entity_id for entity_id, count in items.counts.items() if count <= most]
        self.entity_ids = own
        self.subjects = [subjects[entity_id] for entity_id in own]
        self.rows: Numbers = np.array(
            [numbers.setdefault(entity_id, len(numbers)) for entity_id in own], dtype=np.int64
        )
        self.counts: Numbers = np.array([items.counts[entity_id] for entity_id in own], dtype=np.int64)
        self._arrivals = items.arrivals
        starts: Numbers = np.array([items.starts[entity_id] for entity_id in own], dtype=np.int64)
        places = [np.flatnonzero(self.counts > number) for number in range(most)]
        ends = list(accumulate(map(len, places), initial=0))
        self.rounds = [Round(each, slice(*own)) for each, own in zip(places, pairwise(ends), strict=True)]
        self._rows: list[int] = np.concatenate([starts[each] + number for number, each in enumerate(places)]).tolist()
        self._places: list[int] = np.concatenate(places).tolist()
        self._samples: dict[type, list[Any]] = {}

    def samples(self, fold: Quiet) -> list[Any]:
        """Columns that a fold takes, round by round; those of all rounds are made at once, and once for all folds."""
        kind = fold.samples
        if kind not in self._samples:
            made = kind.of(self._arrivals, [self.subjects[at] for at in self._places], self._rows)
            with np.errstate(all="ignore"):
                rounds = self.rounds
                self._samples[kind] = [made.at(each.own) for each in rounds] if len(rounds) > 1 else [made]
        return self._samples[kind]


class Desk:
    """Figures of a batch while its rounds are gone through: they stay columns as long as the same entities come."""

    def __init__(self, layout: Layout[Any], rows: Rows) -> None:
        self._layout, self._rows = layout, rows
        self._columns: Any = None
        self._places: Numbers = np.empty(0, dtype=np.int64)
        """Of the entities whose figures are columns; those of a round are among those of the round before."""

    def columns(self, places: Numbers) -> Any:  # noqa: ANN401 - the fold's own
        """Figures of a round's entities, to be advanced."""
        if len(places) != len(self._places):
            self._columns, self._places = self._layout.columns(self.figures()[places]), places
        return self._columns

    def keep(self, quiet: Mask) -> None:
        """Keep what they were advanced to, of entities that were quiet; of others it is worth nothing."""
        if not quiet.all():
            self._rows[self._places[quiet]] = self._layout.rows(self._columns)[quiet]
            self._places = self._places[:0]

    def figures(self) -> Rows:
        """All figures as they are now."""
        if len(self._places):
            self._rows[self._places] = self._layout.rows(self._columns)
        return self._rows


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
    batch: QuietBatch
    entity_ids: list[str] = field(default_factory=list)
    """Entities whose readings were quiet; their rows, and what is to stand there."""
    rows: Numbers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    last_ts: Rows = field(default_factory=lambda: np.empty(0))
    unsaved: Numbers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    figures: Rows = field(default_factory=lambda: np.empty((0, 0)))
    apart: Numbers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Places in the batch of the entities whose readings are the fold's own."""

    def take(self, items: ByDevice, moved: Moved) -> tuple[Mapping[str, Sequence[Arrival]], list[Row]]:
        """Take the readings of entities all of whose readings are quiet; return the others, and the rows these gave."""
        shelf, batch, fold = self.shelf, self.batch, self.shelf.fold
        shelf.fit()
        desk, last_ts = Desk(fold.layout, shelf.figures[batch.rows]), shelf.last_ts[batch.rows]
        quiet: Mask = np.ones(len(batch.entity_ids), dtype=np.bool_)
        if before := {entity_id for name, entity_id in moved if name == fold.name}:
            quiet[:] = [entity_id not in before for entity_id in batch.entity_ids]
        given: list[Row] = []
        before_moment = last_ts // fold.snapshot_ms
        """Of those that are quiet: none of them passes one."""
        for number, (round_, samples) in enumerate(zip(batch.rounds, batch.samples(fold), strict=True), 1):
            places = round_.places
            before_ts = last_ts[places]
            may_be = quiet[places] & (samples.ts > before_ts)
            may_be &= samples.ts // fold.snapshot_ms == before_moment[places]
            quiet[places] = False
            at = np.flatnonzero(may_be)
            if not len(at):
                continue
            taken, places = samples if len(at) == len(places) else samples.at(at), places[at]
            columns = desk.columns(places)
            with np.errstate(all="ignore"):
                was_quiet, rows = fold.advance(columns, taken)
            desk.keep(was_quiet)
            ts = taken.ts
            if not was_quiet.all():
                places, ts = places[was_quiet], ts[was_quiet]
            if fold.says_how_it_stands and len(batch.rounds) > 1:
                is_last = batch.counts[places] == number
                rows = compress(rows, is_last.tolist()) if is_last.any() else ()
            given += rows
            quiet[places], last_ts[places] = True, ts
        figures = desk.figures()
        found = np.flatnonzero(quiet)
        self.rows, self.last_ts, self.figures = batch.rows[found], last_ts[found], figures[found]
        self.unsaved = shelf.unsaved[self.rows] + batch.counts[found]
        self.entity_ids, self.apart = batch.entity_ids, np.flatnonzero(~quiet)
        if len(found) == len(items):
            return {}, given
        self.entity_ids = [batch.entity_ids[at] for at in found.tolist()]
        left = items.without(self.entity_ids)
        # What was quiet until something happened is the fold's own from its first reading on.
        return left, given if len(batch.rounds) == 1 else [row for row in given if row[0] not in left]

    def due(self, every: int) -> Iterator[Due]:
        """States whose turn it is to be saved; they count as saved from then on."""
        for at in np.flatnonzero(self.unsaved >= every).tolist():
            state = self.shelf.state(int(self.rows[at]), self.figures[at].tolist())
            yield Due(self.shelf.fold.name, self.entity_ids[at], int(self.last_ts[at]), state)
            self.unsaved[at] = 0

    def newest_ts(self) -> dict[str, int]:
        """Time of each entity's reading."""
        return dict(zip(self.entity_ids, map(int, self.last_ts.tolist()), strict=True))

    def keep(self, known: Memories, moved: Moved) -> None:
        """Have it count, and put upon the shelf what the fold itself came to: its next reading may be quiet."""
        shelf, batch, name = self.shelf, self.batch, self.shelf.fold.name
        if self.entity_ids:
            shelf.figures[self.rows] = self.figures
            shelf.last_ts[self.rows], shelf.unsaved[self.rows] = self.last_ts, self.unsaved
        found = []
        plain = batch.samples(shelf.fold)[0].is_plain
        for at in self.apart[plain[self.apart]].tolist():
            entity_id = batch.entity_ids[at]
            memory = moved.get((name, entity_id))
            if memory is not None and (figures := shelf.fold.figures_of(memory.state, batch.subjects[at])) is not None:
                found.append((entity_id, memory, figures))
        if found:
            shelf.put(*zip(*found, strict=True))
            for entity_id, _, _ in found:
                known[name, entity_id] = ShelvedMemory(shelf, shelf.row(entity_id))


class QuietWays:
    """All quiet ways of one transaction."""

    def __init__(self, shelves: Shelves, least: int) -> None:
        """Take from how many entities on that have equally many new readings they are gone."""
        self._shelves = shelves
        self._least = least
        self._gone: list[QuietWay] = []

    def batch(self, subjects: Mapping[str, Any], items: ByDevice) -> QuietBatch | None:
        """New readings of one kind, where they are enough: in the last round, too, are as many entities."""
        of_count = Counter(items.counts.values())
        most = max((count for count, entities in of_count.items() if entities >= self._least), default=0)
        return QuietBatch(self._shelves.numbers, subjects, items, most) if most else None

    def of(self, fold: Fold, batch: QuietBatch | None) -> QuietWay | None:
        """A fold's way for readings, where it has one."""
        if batch is None or not isinstance(fold, Quiet):
            return None
        way = QuietWay(self._shelves.of(fold), batch)
        self._gone.append(way)
        return way

    def due(self, every: int) -> list[Due]:
        """States whose turn it is to be saved."""
        return [due for way in self._gone for due in way.due(every)]

    def newest_ts(self) -> Iterator[tuple[str, int]]:
        """Time of each reading that went one of them, by entity."""
        for way in self._gone:
            yield from way.newest_ts().items()

    def keep(self, known: Memories, moved: Moved) -> None:
        """The transaction is committed: what was moved in it stands elsewhere now, or, if it can, on a shelf."""
        for name, entity_id in moved:
            shelf = self._shelves.by_fold.get(name)
            if shelf is not None:
                shelf.forget(entity_id)
        for way in self._gone:
            way.keep(known, moved)

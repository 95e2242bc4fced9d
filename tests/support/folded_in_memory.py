"""One fold over readings as the engine runs it, on tables in memory: hundreds of worlds a minute.

The engine's own `Folding` does the work; only what it reads and writes is kept in dictionaries, not in PostgreSQL.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import patch

from schemas.time import FOREVER_TS, Span
from storage import derived
from storage.tables import DERIVED_TABLES
from streams.engine import folding, ground, standing
from streams.engine.folding import Folding
from streams.engine.memory import Memory
from streams.engine.standing import StandingRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from random import Random

    from psycopg import Connection

    from schemas.arrival import Arrival
    from schemas.metrics import Row
    from schemas.readings import Kind
    from schemas.registry import Device
    from storage.state import Snapshot
    from streams.engine.memory import Memories, Moved
    from streams.kernels.contract import Fold


class InMemory:
    """A fold, and all that is stored of its one device."""

    def __init__(self, fold: Fold, device: Device) -> None:
        self.fold, self.device = fold, device
        self.readings: dict[int, Arrival] = {}
        self.rows: dict[type[Row], dict[tuple[Any, ...], Row]] = {}
        self.snapshots: dict[int, Snapshot] = {}
        self.known: Memories = {}
        self.kept_from_ts: int | None = None

    @property
    def _key(self) -> tuple[str, str]:
        return (self.fold.name, self.device.device_id)

    def take(self, arrivals: Iterable[Arrival]) -> None:
        """Store readings and fold them in, as one transaction."""
        fresh = {arrival.ts: arrival for arrival in arrivals if arrival.ts not in self.readings}
        if not fresh:
            return
        self.readings |= fresh
        name, moved = self.device.device_id, cast("Moved", {})
        with self._tables():
            rows = StandingRows(cast("Connection", None))
            work = Folding(rows, self.fold, self.known, moved, {})
            given = work.feed({name: self.device}, {name: [fresh[ts] for ts in sorted(fresh)]})
            rows.write(given.rows)
        self.snapshots |= {snapshot.ts: snapshot for snapshot in given.snapshots}
        self.known |= moved

    def refold(self, from_ts: int) -> None:
        """Fold all from a moment on again, as a recompute does."""
        name, moved = self.device.device_id, cast("Moved", {})
        with self._tables():
            rows = StandingRows(cast("Connection", None))
            work = Folding(rows, self.fold, self.known, moved, {})
            given = work.rebuild({name: self.device}, {name: from_ts}, FOREVER_TS, forced=True)
            rows.write(given.rows)
        self.snapshots |= {snapshot.ts: snapshot for snapshot in given.snapshots}
        self.known |= moved

    def keep_from(self, ts: int, *, snapshots: bool = False) -> None:
        """Take away the readings from before a moment, as retention does, and at will the snapshots."""
        self.kept_from_ts = ts
        self.readings = {at: arrival for at, arrival in self.readings.items() if at >= ts}
        if snapshots:
            self.snapshots = {at: snapshot for at, snapshot in self.snapshots.items() if at >= ts}

    def restart(self) -> None:
        """Go on as a worker that has just started, with what the last one saved."""
        memory = self.known.get(self._key)
        if isinstance(memory, Memory):
            self.known[self._key] = memory._replace(state=self.fold.load(self.fold.dump(memory.state)))

    def held(self) -> dict[str, list[str]]:
        """Everything that is stored, by table: rows, snapshots and the state."""
        found = {row_type.__name__: [str(own[key]) for key in sorted(own)] for row_type, own in self.rows.items()}
        found["snapshots"] = [str(self.snapshots[ts]) for ts in sorted(self.snapshots)]
        memory = self.known.get(self._key)
        found["state"] = [self.fold.dump(memory.state)] if memory is not None else []
        return found

    @contextmanager
    def _tables(self) -> Iterator[None]:
        with (
            patch.object(folding, "readings", self),
            patch.object(folding, "state", self),
            patch.object(ground, "state", self),
            patch.object(folding, "derived", _Derived(self.rows)),
            patch.object(folding, "newest_before", self._newest_before),
            patch.object(ground, "begun_before", self._begun_before),
            patch.object(ground, "kept_from_ts", self._kept_from_ts),
            patch.object(standing, "derived", _Derived(self.rows)),
        ):
            yield

    def load(self, _connection: Connection, _kind: Kind, spans: Sequence[Span]) -> dict[str, list[Arrival]]:
        """Read stored readings back."""
        own = [self.readings[ts] for ts in sorted(self.readings) if any(s.from_ts <= ts < s.to_ts for s in spans)]
        return {self.device.device_id: own} if own else {}

    def snapshots_since(
        self, _connection: Connection, _kernel: str, _version: int, spans: Sequence[Span]
    ) -> dict[str, list[Snapshot]]:
        """The newest snapshot at or before a span, and later ones as far as the first at or behind its end."""
        ((entity_id, from_ts, to_ts),) = spans
        first = max((ts for ts in self.snapshots if ts <= from_ts), default=-1)
        last = min((ts for ts in self.snapshots if ts >= to_ts), default=FOREVER_TS)
        return {entity_id: [self.snapshots[ts] for ts in sorted(self.snapshots) if first <= ts <= last]}

    def drop(self, _connection: Connection, _kernel: str, spans: Sequence[Span]) -> None:
        """Forget the snapshots within some stretches."""
        for span in spans:
            for ts in [ts for ts in self.snapshots if span.from_ts < ts < span.to_ts]:
                del self.snapshots[ts]

    def _kept_from_ts(self, _connection: Connection, tables: Sequence[str]) -> dict[str, int]:
        return {} if self.kept_from_ts is None else dict.fromkeys(tables, self.kept_from_ts)

    def _begun_before(
        self, _connection: Connection, table: str, _entity: str, moments: Sequence[tuple[str, int]]
    ) -> set[str]:
        rows = [
            row for row_type, own in self.rows.items() if DERIVED_TABLES[row_type].name == table for row in own.values()
        ]
        return {name for name, at in moments if any(row[0] == name and row.ts < at for row in rows)}

    def _newest_before(
        self, _connection: Connection, _table: str, _entity: str, moments: Sequence[tuple[str, int]]
    ) -> dict[str, int]:
        found = {name: max((ts for ts in self.readings if ts < at), default=-1) for name, at in moments}
        return {name: ts for name, ts in found.items() if ts >= 0}


class _Derived:
    """What `storage.derived` does, on dictionaries."""

    unique, key_of, is_comparable, as_stored = (
        staticmethod(derived.unique),
        staticmethod(derived.key_of),
        staticmethod(derived.is_comparable),
        staticmethod(derived.as_stored),
    )

    def __init__(self, rows: dict[type[Row], dict[tuple[Any, ...], Row]]) -> None:
        self._rows = rows

    def load(
        self, _connection: Connection, row_type: type[Row], spans: Sequence[Span], *, clock: str = "ts"
    ) -> list[Row]:
        own: Mapping[tuple[Any, ...], Row] = self._rows.get(row_type, {})
        return [own[key] for key in sorted(own) if any(s.from_ts <= getattr(own[key], clock) < s.to_ts for s in spans)]

    def write(self, _connection: Connection, rows: Iterable[Row]) -> None:
        self.rewrite(_connection, rows)

    def rewrite(self, _connection: Connection, rows: Iterable[Row]) -> list[Row]:
        changed: list[Row] = []
        for row_type, unique in derived.unique(rows).items():
            own = self._rows.setdefault(row_type, {})
            for key, row in zip(unique, derived.as_stored(list(unique.values())), strict=True):
                stands = own.get(key)
                is_older = DERIVED_TABLES[row_type].newest_wins and stands is not None and row.ts < stands.ts
                if stands != row and not is_older:
                    own[key] = row
                    changed.append(unique[key])
        return changed

    def withdraw(
        self,
        connection: Connection,
        row_type: type[Row],
        spans: Sequence[Span],
        given: Iterable[Row],
        *,
        clock: str = "ts",
        owned: Callable[[Row], bool] | None = None,
    ) -> list[Row]:
        kept = {derived.key_of(row) for row in given if type(row) is row_type}
        standing_rows = self.load(connection, row_type, spans, clock=clock)
        gone = [row for row in standing_rows if derived.key_of(row) not in kept and (owned is None or owned(row))]
        if gone:
            self.remove(connection, gone)
        return gone

    def remove(self, _connection: Connection, rows: Sequence[Row]) -> None:
        for row in rows:
            del self._rows[type(row)][derived.key_of(row)]


def take_in_pieces(
    memory: InMemory, sent: Sequence[Arrival], rng: Random, *, late: float, sizes: Sequence[int]
) -> None:
    """Take readings in transactions of these sizes, a share of them late, by a worker that starts anew after each."""
    held_back = {arrival.ts for arrival in sent if rng.random() < late}
    order = [arrival for arrival in sent if arrival.ts not in held_back]
    for arrival in sent:
        if arrival.ts in held_back:
            order.insert(rng.randrange(len(order) + 1), arrival)
    while order:
        size = rng.choice(sizes)
        memory.take(order[:size])
        del order[:size]
        memory.restart()

"""Ground: from when on all items of an entity are kept, where older ones were taken away for their age.

What was made of older items stands: it cannot be made again. So folding never sets out from before the ground, where
it would take what is missing for something that never was, and would take away all that was made of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.time import FOREVER_TS, Span
from storage import state
from storage.retention import kept_from_ts
from storage.spans import begun_before
from storage.tables import DERIVED_TABLES
from streams.kernels.contract import Retelling

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from psycopg import Connection

    from storage.state import Snapshot
    from streams.engine.walk import LateSpan, Walk
    from streams.kernels.contract import Fold


class Ground:
    """Of the entities that one fold folds again in one transaction."""

    def __init__(self, connection: Connection, fold: Fold) -> None:
        self._connection = connection
        self._fold = fold
        self.since: dict[str, int] = {}
        """Ground of those that have any, ms; of the others, everything is kept."""

    def within(self, late: Sequence[LateSpan], tables: Mapping[str, str], unheard: Container[str]) -> list[LateSpan]:
        """Leave out what lies before the ground; `tables` hold the entities' items, `unheard` are remembered nowhere.

        An entity that was not heard of before, and of which nothing stands, has lost nothing: its old items count.
        """
        kept_from = kept_from_ts(self._connection, sorted(set(tables.values())))
        old = [(entity_id, kept_from[table]) for entity_id, table in tables.items() if table in kept_from]
        stood = self.stood([each for each in old if each[0] in unheard])
        self.since = {entity_id: ts for entity_id, ts in old if entity_id not in unheard or entity_id in stood}
        found = []
        for item in late:
            since_ts = self.since.get(item.entity_id, item.from_ts)
            if min(item.to_ts, item.until_ts) > since_ts:
                found.append(item._replace(from_ts=max(item.from_ts, since_ts)))
        return found

    def kept(self, late: Sequence[LateSpan]) -> dict[str, list[Snapshot]]:
        """The newest snapshot of each entity to set out from, and later ones up to the first that may be met.

        Of a part, which meets none, up to its end: those within it are replaced.
        """
        return self._snapshots([Span(item.entity_id, item.from_ts, item.to_ts) for item in late])

    def look_further(self, walks: Sequence[Walk]) -> None:
        """Give ways that passed the first snapshot which they might have met all later ones, too."""
        lasting = [walk for walk in walks if walk.later_states]
        found = self._snapshots([Span(walk.entity_id, walk.first_stop, FOREVER_TS) for walk in lasting])
        for walk in lasting:
            walk.later_states = {each.ts: each.state for each in found[walk.entity_id]}

    def _snapshots(self, spans: Sequence[Span]) -> dict[str, list[Snapshot]]:
        """Snapshots but those of before the ground: items that were folded on from there are missing now."""
        if not spans:
            return {}
        found = state.snapshots_since(self._connection, self._fold.name, self._fold.version, spans)
        return {
            entity_id: [each for each in own if each.ts >= self.since[entity_id]] if entity_id in self.since else own
            for entity_id, own in found.items()
        }

    def held(self, late: LateSpan, latest_ts: int, kept: Sequence[Snapshot]) -> LateSpan:
        """Set out no earlier than from the first of the snapshots, where nothing before it is to be trusted.

        And not later than at `latest_ts`.
        """
        if late.entity_id not in self.since or not kept:
            return late
        return late._replace(from_ts=max(late.from_ts, min(latest_ts, kept[0].ts)))

    def begun(self, before: Mapping[str, int]) -> set[str]:
        """Entities whose last item before something, at a time in `before`, is behind the ground."""
        return {entity_id for entity_id, ts in before.items() if ts >= self.since.get(entity_id, ts)}

    def stood(self, moments: Sequence[tuple[str, int]]) -> set[str]:
        """Entities of which the fold gave rows before a moment of their own."""
        types = {*self._fold.events, *(self._fold.retold if isinstance(self._fold, Retelling) else ())}
        tables = [DERIVED_TABLES[row_type] for row_type in types] if moments else []
        return set[str]().union(
            *(begun_before(self._connection, table.name, table.key[0], moments) for table in tables)
        )

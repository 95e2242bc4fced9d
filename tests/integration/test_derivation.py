"""Rows that can be disproved, folds and views over rows: whatever the order, the same as one ordered pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.metrics import MINUTE_MS, Moment
from schemas.readings import Kind
from storage.pool import connect, open_pool
from storage.tables import DERIVED_TABLES, DerivedTable
from streams.engine import Engine
from streams.kernel import Replaced, Want
from streams.kernels import Kernels
from tests.support.pipeline import MEMORY, START_MS, Sent, prepare, record, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fenhe.local import Postgres
    from schemas.metrics import Row
    from schemas.registry import Device, Site
    from storage.readings import Arrival
    from streams.kernel import Changed, Found

PERIOD_MS = MINUTE_MS
TABLES = ["silence", "silence_total", "silence_site"]


class Silence(NamedTuple):
    """A stretch without readings; a late reading may fill it."""

    device_id: str
    ts: Moment
    seen_ts: Moment
    site_id: str
    until_ms: Moment


class SilenceTotal(NamedTuple):
    """How long a device was silent up to and with the silence that began at `ts`."""

    device_id: str
    ts: Moment
    seen_ts: Moment
    site_id: str
    minutes: float


class SilenceSite(NamedTuple):
    """How often a site's devices fell silent within the hour that begins at `ts`."""

    site_id: str
    ts: Moment
    times: int


class FindSilence:
    """Fold of readings that gives out rows which a late reading disproves."""

    name = "find_silence"
    version = 1
    source = frozenset({Kind.SITE_POWER})
    events: tuple[type[Row], ...] = (Silence,)
    snapshot_ms = 7 * MINUTE_MS

    def fold(self, state: int | None, device: Device, arrivals: Sequence[Arrival]) -> tuple[int | None, list[Row]]:
        """Remember the last reading."""
        rows: list[Row] = []
        for arrival in arrivals:
            if state is not None and arrival.ts - state > 2 * PERIOD_MS:
                rows.append(Silence(device.device_id, state, arrival.ts, device.site_id, arrival.ts))
            state = arrival.ts
        return state, rows

    def dump(self, state: int | None) -> str:
        """As JSON."""
        return orjson.dumps(state).decode()

    def load(self, text: str) -> int | None:
        """From JSON."""
        found: int | None = orjson.loads(text)
        return found


class TotalSilence:
    """Fold over rows of the fold before, with a memory that never ends."""

    name = "total_silence"
    version = 1
    source = Silence
    events: tuple[type[Row], ...] = (SilenceTotal,)
    snapshot_ms = 7 * MINUTE_MS

    def fold(self, state: float | None, device: Device, rows: Sequence[Silence]) -> tuple[float, list[Row]]:
        """Add up."""
        given: list[Row] = []
        total = state or 0.0
        for row in rows:
            total += (row.until_ms - row.ts) / MINUTE_MS
            given.append(SilenceTotal(device.device_id, row.ts, row.ts, device.site_id, total))
        return total, given

    def dump(self, state: float) -> str:
        """As JSON."""
        return orjson.dumps(state).decode()

    def load(self, text: str) -> float:
        """From JSON."""
        return float(orjson.loads(text))


HOUR_MS = 60 * MINUTE_MS


class CountSilence:
    """View over the silences of a site; an hour without any has no row."""

    name = "count_silence"
    inputs: frozenset[type[Row]] = frozenset({Silence})

    def wants(self, _site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """All silences of the hours touched."""
        first, behind = self._reach(changed)
        return [Want(Silence, [device.device_id for device in devices], first, behind)]

    def rows(self, site: Site, _devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Count them again."""
        first, behind = self._reach(changed)
        counts: dict[int, int] = {}
        for row in found[Silence]:
            hour = row.ts - row.ts % HOUR_MS
            counts[hour] = counts.get(hour, 0) + 1
        rows: list[Row] = [SilenceSite(site.site_id, hour, times) for hour, times in counts.items()]
        return Replaced(rows, [Want(SilenceSite, [site.site_id], first, behind)])

    @staticmethod
    def _reach(changed: Changed) -> tuple[int, int]:
        times = [row.ts for row in changed[Silence]]
        return min(times) // HOUR_MS * HOUR_MS, max(times) // HOUR_MS * HOUR_MS + HOUR_MS


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Iterator[str]:
    """A migrated database with tables for this module's rows."""
    url = postgres.create_database("derivation")
    prepare(url)
    with connect(url, name="test") as connection:
        connection.execute(
            "CREATE TABLE silence (device_id text, ts timestamptz, seen_ts timestamptz, site_id text,"
            " until_at timestamptz, PRIMARY KEY (device_id, ts));"
            "CREATE TABLE silence_total (device_id text, ts timestamptz, seen_ts timestamptz,"
            " site_id text, minutes float8,"
            " PRIMARY KEY (device_id, ts));"
            "CREATE TABLE silence_site (site_id text, ts timestamptz, times int, PRIMARY KEY (site_id, ts))"
        )
    tables: dict[type[Row], DerivedTable] = {
        Silence: DerivedTable(name="silence", key=("device_id", "ts")),
        SilenceTotal: DerivedTable(name="silence_total", key=("device_id", "ts")),
        SilenceSite: DerivedTable(name="silence_site", key=("site_id", "ts")),
    }
    DERIVED_TABLES.update(tables)
    yield url
    for row_type in tables:
        del DERIVED_TABLES[row_type]
    postgres.drop_database("derivation")


def feed(url: str, batches: Sequence[Sequence[Sent]]) -> dict[str, list[str]]:
    """Apply batches to emptied tables, and return what they then hold."""
    with connect(url, name="test") as connection:
        connection.execute(
            "TRUNCATE silence, silence_total, silence_site, reading_site_power, ledger, ledger_total, checkpoint,"
            " entity_state, entity_snapshot"
        )
    kernels = Kernels(readings=(FindSilence(),), rows=(TotalSilence(), CountSilence()))
    engine = Engine(open_pool(url, size=2, name="test"), kernels, "test", 1)
    partition = engine.open(0)
    for offset, batch in enumerate(batches):
        engine.apply(partition, [record(offset, batch)])
    engine.close()
    return snapshot(url, [*TABLES, *MEMORY])


def sent(minute: int) -> Sent:
    """The site's power system, at a minute."""
    return Sent("bs-1", Kind.SITE_POWER, "s-1", {"ts": START_MS + minute * MINUTE_MS, "mains_failed": False})


def test_a_fold_begins_anew_where_its_only_row_moved(database: str) -> None:
    """All that a fold over rows remembered is disproved by the very readings that bring its next row."""
    truth = feed(database, [[sent(0), sent(1), sent(2), sent(5)]])
    assert feed(database, [[sent(0), sent(5)], [sent(2), sent(1)]]) == truth


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), minutes=st.sets(st.integers(0, 120), min_size=2, max_size=40))
def test_what_late_readings_disprove_is_gone_from_everything(
    database: str, data: st.DataObject, minutes: set[int]
) -> None:
    """Silences filled in later leave no row, no total and no count behind, in any order and any cut of deliveries."""
    ordered = [sent(minute) for minute in sorted(minutes)]
    truth = feed(database, [ordered])
    order = data.draw(st.permutations(ordered))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order) - 1), max_size=6)))
    held = feed(database, [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)])
    for table in TABLES:
        assert held[table] == truth[table], table
    for table in MEMORY:
        assert without_time(held[table]) == without_time(truth[table]), table


def without_time(rows: Sequence[str]) -> list[str]:
    """What is remembered. How far it has come may be said later than the last item, where later ones are no more."""
    return [re.sub(r'"last_ts": "[^"]*", ', "", row) for row in rows]

"""Rows that can be disproved, folds and views over rows: whatever the order, the same as one ordered pass."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.metrics import Moment, Signal
from schemas.metrics.signal import SignalKind
from schemas.readings import Kind
from schemas.time import MINUTE_MS
from storage.pool import connect, open_pool
from storage.tables import DERIVED_TABLES, DerivedTable
from streams.engine.engine import Engine
from streams.engine.kernels import Kernels
from streams.installed import installed
from streams.kernels.codec import Codec, Saved
from streams.kernels.contract import Replaced, Sharer, Want
from streams.kernels.detection.judgement import (
    NEW,
    Judgement,
    OneStanding,
    Signaller,
    Standing,
    Subject,
    stand,
)
from tests.support.pipeline import MEMORY, START_TS, Sent, prepare, record, save_memories, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fenhe.local import Postgres
    from schemas.arrival import Arrival
    from schemas.metrics import Row
    from schemas.registry import Device, Site
    from streams.kernels.contract import Changed, Found

PERIOD_MS = MINUTE_MS
TABLES = ["silence", "silence_total", "silence_site"]


class Silence(NamedTuple):
    """A stretch without readings; a late reading may fill it."""

    device_id: str
    ts: Moment
    seen_ts: Moment
    site_id: str
    until_ts: Moment


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


class FindSilence(Saved[int | None]):
    """Fold of readings that gives out rows which a late reading disproves."""

    name = "find_silence"
    version = 1
    source = frozenset({Kind.SITE_POWER})
    events: tuple[type[Row], ...] = (Silence,)
    snapshot_ms = 7 * MINUTE_MS
    codec = Codec(int | None)

    def fold(self, state: int | None, device: Device, arrivals: Sequence[Arrival]) -> tuple[int | None, list[Row]]:
        """Remember the last reading."""
        rows: list[Row] = []
        for arrival in arrivals:
            if state is not None and arrival.ts - state > 2 * PERIOD_MS:
                rows.append(Silence(device.device_id, state, arrival.ts, device.site_id, arrival.ts))
            state = arrival.ts
        return state, rows


class TotalSilence(Saved[float]):
    """Fold over rows of the fold before, with a memory that never ends."""

    name = "total_silence"
    version = 1
    source = Silence
    events: tuple[type[Row], ...] = (SilenceTotal,)
    snapshot_ms = 7 * MINUTE_MS
    codec = Codec[float](float)

    def fold(self, state: float | None, device: Device, rows: Sequence[Silence]) -> tuple[float, list[Row]]:
        """Add up."""
        given: list[Row] = []
        total = state or 0.0
        for row in rows:
            total += (row.until_ts - row.ts) / MINUTE_MS
            given.append(SilenceTotal(device.device_id, row.ts, row.ts, device.site_id, total))
        return total, given


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
            "TRUNCATE silence, silence_total, silence_site, reading_site_power, ledger_entry, ledger_part,"
            " ledger_total, checkpoint, entity_state, entity_snapshot"
        )
    kernels = Kernels(readings=(FindSilence(),), rows=(TotalSilence(), CountSilence()))
    engine = Engine(open_pool(url, size=2, name="test"), kernels, "test", 1)
    partition = engine.open(0)
    for offset, batch in enumerate(batches):
        engine.apply(partition, [record(offset, batch)])
    save_memories(engine)
    engine.close()
    return snapshot(url, [*TABLES, *MEMORY])


def sent(minute: int) -> Sent:
    """The site's power system, at a minute."""
    return Sent("bs-1", Kind.SITE_POWER, "s-1", {"ts": START_TS + minute * MINUTE_MS, "mains_failed": False})


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
    assert held == truth


def test_readings_weeks_apart_come_to_the_same_in_any_order(database: str) -> None:
    """Of a device that sends seldom no snapshot may be near: folding again begins at its last reading before."""
    for seed in range(3):
        rng = random.Random(seed)
        days = rng.sample(range(400), 8)
        ordered = [sent(day * 1440 + rng.randrange(600)) for day in sorted(days)]
        truth = feed(database, [[each] for each in ordered])
        rng.shuffle(ordered)
        assert feed(database, [[each] for each in ordered]) == truth


class Loud(OneStanding):
    """Fold that gives a signal of one kind for each reading above a power, however it came."""

    version = 1
    source = frozenset({Kind.ELECTRICITY})
    snapshot_ms = 7 * MINUTE_MS

    def __init__(self, kind: SignalKind, above_kw: float) -> None:
        self.name = f"loud_{kind}"
        self.kinds = frozenset({kind})
        self._above_kw = above_kw

    def fold(self, state: Standing | None, device: Device, arrivals: Sequence[Arrival]) -> tuple[Standing, list[Row]]:
        """Judge each reading."""
        standing = state or NEW
        rows: list[Row] = []
        (kind,) = self.kinds
        for arrival in arrivals:
            power: float = getattr(arrival.reading, "power_kw")  # noqa: B009 - of any kind
            standing, signal = stand(
                standing,
                Judgement(power > self._above_kw, arrival.ts, power, {}),
                subject=Subject(device.device_id, device.site_id, "power_kw", "kW", "test"),
                kind=kind,
                ts=arrival.ts,
                seen_ts=arrival.ts,
                window_s=0.0,
            )
            rows += [signal] if signal is not None else []
        return standing, rows


def test_detectors_of_one_device_take_away_only_their_own_signals(own_url: str) -> None:
    """A late reading has every detector judge its device again; what another one said is not theirs to withdraw."""
    prepare(own_url)
    powers = [100.0, 900.0, 900.0, 300.0, 100.0, 900.0, 100.0, 100.0, 100.0, 100.0, 100.0]
    sent = [
        Sent("plant-1", Kind.ELECTRICITY, "e-1", {"ts": START_TS + at * MINUTE_MS, "power_kw": power})
        for at, power in enumerate(powers)
    ]
    kernels = Kernels(readings=(Loud(SignalKind.SPIKE, 500.0), Loud(SignalKind.LIMIT, 200.0)), rows=())
    found = []
    for order in (sent, [*sent[:2], *sent[3:], sent[2]]):
        with connect(own_url, name="test") as connection:
            connection.execute(
                "TRUNCATE signal, reading_electricity, ledger_entry, ledger_part, ledger_total, checkpoint,"
                " entity_state, entity_snapshot"
            )
        engine = Engine(open_pool(own_url, size=2, name="test"), kernels, "test", 1)
        partition = engine.open(0)
        for offset, item in enumerate(order):
            engine.apply(partition, [record(offset, [item])])
        engine.close()
        found.append(snapshot(own_url, ["signal"])["signal"])
    assert {kind for kind in ("spike", "limit") if f'"kind": "{kind}"' in "".join(found[0])} == {"spike", "limit"}
    assert found[1] == found[0]


def test_no_two_detectors_of_this_fenhe_take_a_signal_for_their_own() -> None:
    """What is one's own is told by its kind; where two give a kind, by metrics that the other leaves alone."""
    detectors = [fold for fold in installed().folds if isinstance(fold, Signaller)]
    assert len(detectors) >= 8
    assert all(isinstance(fold, Sharer) for fold in detectors)
    for fold, other in itertools.combinations(detectors, 2):
        one_leaves = fold.metrics and fold.metrics <= other.left_alone
        other_leaves = other.metrics and other.metrics <= fold.left_alone
        assert not fold.kinds & other.kinds or one_leaves or other_leaves, (fold.name, other.name)
    assert {fold.name for fold in installed().folds if Signal in fold.events} == {fold.name for fold in detectors}


def test_a_moment_that_only_a_disproved_row_passed_is_forgotten(database: str) -> None:
    """A snapshot that no remaining row would have made goes, and so does the time of a last row that is no more."""
    ordered = [sent(minute) for minute in (0, 1, 5, 6, 8, 9)]
    truth = feed(database, [ordered])
    assert feed(database, [ordered[:1], ordered[1:2], [ordered[2], ordered[4]], [ordered[3], ordered[5]]]) == truth


def test_a_snapshot_that_nothing_passes_any_longer_goes(database: str) -> None:
    """The only row of its stretch is disproved, later ones stand: in order, no snapshot would have been kept there."""
    first = [sent(minute) for minute in (1, 2, 32, 38, 41)]
    later = [sent(minute) for minute in (34, 36)]
    truth = feed(database, [sorted([*first, *later], key=lambda each: each.reading["ts"])])
    assert feed(database, [first, later]) == truth

"""Rows are taken away only by a way that can know of them, and no row sends a way back through all that is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from schemas.arrival import Arrival
from schemas.metrics import DetectorStatus, MeterMinute, PlantRolling
from schemas.metrics.signal import Phase, SignalKind
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device, Sector, Site
from schemas.time import DAY_MS, FOREVER_TS, HOUR_MS
from storage.state import Snapshot
from streams.engine import retelling
from streams.engine.folding import Folding
from streams.engine.ground import Ground
from streams.engine.walk import LateSpan
from streams.installed import installed
from streams.kernels.metering.register import RegisterMetering
from tests.support.folded_in_memory import InMemory
from tests.unit.streams.kernels.calls import calls_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg import Connection

    from schemas.metrics import Row
    from schemas.time import Span
    from streams.engine.standing import StandingRows
    from streams.kernels.contract import Fold, Retelling

METER = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, rated=500, period_s=3600)
NOW_TS = 1_790_000_000_000 // DAY_MS * DAY_MS
EVERY_3_DAYS = [-12.0, -9.0, -6.0, -3.0, 0.0]
SILENT_A_WEEK = [*(-12 + hour / 24 for hour in range(72)), *(-2 + hour / 24 for hour in range(49))]
HOURLY = [-12 + hour / 24 for hour in range(12 * 24 + 1)]


def _reading(day: float, exported: float | None = None) -> Arrival:
    ts, imported = NOW_TS + round(day * DAY_MS) + 20_000, 10_000 + 100 * (day + 40)
    return Arrival("m", 0, ElectricityReading(ts=ts, energy_import_kwh=imported, energy_export_kwh=exported))


@pytest.mark.parametrize(
    "sent",
    [
        [_reading(day) for day in EVERY_3_DAYS],
        [_reading(day) for day in SILENT_A_WEEK],
        [_reading(day, 500 + 7 * day if at % 72 == 0 else None) for at, day in enumerate(HOURLY)],
    ],
    ids=["read every 3 days", "silent for a week", "one register every 3 days"],
)
def test_a_new_version_takes_no_consumption_away(sent: list[Arrival]) -> None:
    """States of another version do not count: the fold begins 8 days back, and knows nothing of what was before."""
    steady, changed = InMemory(RegisterMetering(), METER), InMemory(RegisterMetering(), METER)
    steady.take(sent[:-1])
    changed.take(sent[:-1])
    changed.known.clear()
    changed.snapshots.clear()
    steady.take(sent[-1:])
    changed.take(sent[-1:])
    assert changed.rows[MeterMinute].keys() == steady.rows[MeterMinute].keys()
    assert _counted(changed) == pytest.approx(_counted(steady), abs=0.02)


def _counted(world: InMemory) -> float:
    return sum(cast("MeterMinute", row).increment or 0 for row in world.rows[MeterMinute].values())


IDLE = PlantRolling._make([None] * len(PlantRolling._fields))._replace(site_id="s", ts=NOW_TS + 500, line_id="plant")
"""An hour that has nothing to judge."""
SITE = Site(site_id="s", name="S", name_zh="厂", sector=Sector.COKING, city="太原")


class _Ground(Ground):
    """Snapshots of a plant's hours, and how many were read each time."""

    def __init__(self, fold: Fold, snapshots: Sequence[Snapshot]) -> None:
        super().__init__(cast("Connection", None), fold)
        self._all = snapshots
        self.loads: list[int] = []

    def _snapshots(self, spans: Sequence[Span]) -> dict[str, list[Snapshot]]:
        if not spans:
            return {}
        since = max((each.ts for each in self._all if each.ts <= spans[0].from_ts), default=-FOREVER_TS)
        until = min((each.ts for each in self._all if each.ts >= spans[0].to_ts), default=FOREVER_TS)
        found = [each for each in self._all if since <= each.ts <= until]
        self.loads.append(len(found))
        return {"s": found}


class _Hours(Folding):
    """A fold of a plant's hours that has kept its state at every moment for years, and what stands of it."""

    def __init__(self, fold: Fold, snapshots: Sequence[Snapshot], standing: Sequence[Row]) -> None:
        super().__init__(cast("StandingRows", _Rows(standing)), fold, {}, {}, {})
        self._ground = kept = _Ground(fold, snapshots)
        self.loads = kept.loads
        self.hours = [IDLE]

    def _before(self, _subjects: Mapping[str, object], _moments: Sequence[tuple[str, int]]) -> dict[str, int]:
        return {}

    def _load(self, _subjects: Mapping[str, object], spans: Sequence[Span]) -> dict[str, list[Row]]:
        return {"s": [each for each in self.hours if any(span.from_ts <= each.ts < span.to_ts for span in spans)]}


class _Rows:
    connection = None

    def __init__(self, standing: Sequence[Row]) -> None:
        self._standing = standing

    def load(self, row_type: type[Row], _spans: Sequence[Span]) -> list[Row]:
        return [row for row in self._standing if type(row) is row_type]


def _status(ts: int) -> DetectorStatus:
    return DetectorStatus("s", "unit_water_m3/old", SignalKind.QUOTA, ts, "s", Phase.ARMED, 0, 100, 50, None, "quota 1")


def _walked(status: DetectorStatus, count: int) -> tuple[_Hours, int]:
    fold = next(each for each in installed().folds if each.name == "plant_limits")
    every = fold.snapshot_ms
    newest = NOW_TS // every * every
    snapshots = [Snapshot("s", fold.name, fold.version, newest - at * every, "[]") for at in reversed(range(count))]
    work = _Hours(fold, snapshots, [status])
    (walk,) = work._walked({"s": SITE}, [LateSpan("s", newest + 1000, newest + 1001, newest + 2000)])
    return work, walk.origin.ts


def test_a_series_that_ended_long_ago_sends_no_way_back() -> None:
    """A status that no state remembers, as of a series that ended before a change of version, is not disproved."""
    work, origin_ts = _walked(_status(NOW_TS - 1000 * DAY_MS), 1200)
    assert len(work.loads) == 1
    assert origin_ts == NOW_TS


def test_a_disproved_status_sends_a_way_back_in_few_steps_and_not_for_ever() -> None:
    """Where nothing older is ever given, as of a plant that stood still for years."""
    work, origin_ts = _walked(_status(NOW_TS), 6000)
    farthest = retelling.FARTHEST_MS
    assert len(work.loads) <= 40
    assert sum(work.loads) <= 8 * farthest // (6 * HOUR_MS)
    assert NOW_TS - 3 * farthest <= origin_ts <= NOW_TS - farthest


@pytest.mark.parametrize(("differing", "read"), [(0, [2]), (1, [2, 20]), (3, [2, 20])])
def test_a_way_reads_later_snapshots_only_where_it_passes_the_first(differing: int, read: list[int]) -> None:
    """A year of them need not be read for a reading that the next one tells nothing of any more."""
    fold = next(each for each in installed().folds if each.name == "plant_limits")
    every = fold.snapshot_ms
    texts = ["[]", *["[1]"] * differing, *["[]"] * (20 - differing)]
    kept = [Snapshot("s", fold.name, fold.version, NOW_TS + at * every, text) for at, text in enumerate(texts)]
    work = _Hours(fold, kept, [])
    work.hours = [IDLE._replace(ts=IDLE.ts + at * every) for at in range(21)]
    (walk,) = work._walked({"s": SITE}, [LateSpan("s", NOW_TS + 500, NOW_TS + 501, NOW_TS + 22 * every)])
    assert walk.end == NOW_TS + (differing + 1) * every
    assert work.loads == read


def test_a_part_reads_the_snapshots_within_it_and_none_behind() -> None:
    """Each step of a recompute long ago read a year of them, to replace those of a quarter of a day."""
    fold = next(each for each in installed().folds if each.name == "plant_limits")
    every = fold.snapshot_ms
    kept = [Snapshot("s", fold.name, fold.version, NOW_TS + at * every, "[]") for at in range(21)]
    work = _Hours(fold, kept, [])
    until_ts = NOW_TS + 2 * every + 1
    (walk,) = work._walked({"s": SITE}, [LateSpan("s", NOW_TS + 500, until_ts, until_ts, is_part=True)])
    assert (walk.end, walk.stale) == (until_ts, [NOW_TS + every, NOW_TS + 2 * every])
    assert work.loads == [4]


def test_a_row_that_stands_is_looked_at_with_few_calls() -> None:
    """A recompute has every minute of a week looked at: whether a fold shares its rows is asked once for all."""
    standing = [_status(NOW_TS + at) for at in range(1000)]
    work, _ = _walked(standing[0], 1)
    fold = next(each for each in installed().folds if each.name == "plant_limits")
    walk = work._walked({"s": SITE}, [LateSpan("s", NOW_TS + 1000, NOW_TS + 1001, NOW_TS + 2000)])[0]
    rows = cast("StandingRows", _Rows(standing))
    calls = calls_of(lambda: retelling._standing(rows, cast("Retelling", fold), DetectorStatus, [walk], ()))
    assert calls < 4 * len(standing)

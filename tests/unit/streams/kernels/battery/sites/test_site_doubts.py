"""A set that rests while the bus is on its sets is doubted only where every set of its site was heard."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from schemas.metrics import Quality
from schemas.metrics.battery_health import BatteryEpisode, EpisodeKind
from schemas.metrics.battery_sites import DoubtKind, SiteDoubt, SiteOutage
from schemas.readings import Kind
from schemas.registry import Device, Sector, Site
from schemas.time import HOUR_MS
from streams.kernels.battery.prospects.doubts import SiteDoubts
from tests.support.worlds.sets import lfp_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row
    from streams.kernels.contract import Want

VIEW = SiteDoubts()
T0 = 1_780_000_200_000
SITE = Site(site_id="s", name="s", name_zh="s", sector=Sector.BASE_STATION, city="太原")
DEVICES = [
    lfp_set("a"),
    lfp_set("b"),
    Device(device_id="p", site_id="s", kind=Kind.SITE_POWER),
]
OUTAGE = SiteOutage("p", T0, T0 + HOUR_MS, "s", None, 1.0, 60.0, None, 54.0, 48.0, contradicted=False)


def episode(device_id: str, kind: EpisodeKind) -> BatteryEpisode:
    """What a set does since before the outage, at 50 V."""
    return BatteryEpisode(
        device_id, T0 - HOUR_MS, T0 + HOUR_MS, "s", kind, None, 2.0, None, None, 50.0, 50.0,
        None, None, None, None, None, None, None, None, None, None, None, None, 60.0, 1.0, Quality.GOOD, "",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("other", "doubted"),
    [(EpisodeKind.REST, ["a", "b"]), (EpisodeKind.DISCHARGE, []), (EpisodeKind.OFFLINE, []), (None, [])],
)
def test_a_resting_set_is_doubted_only_where_no_other_can_carry_the_bus(
    other: EpisodeKind | None, doubted: list[str]
) -> None:
    """The set that carries may be the one that is silent: then a healthy open set was told to contradict its bus."""
    episodes = [episode("b", EpisodeKind.REST), *([] if other is None else [episode("a", other)])]
    found: dict[type[Row], Sequence[Row]] = {SiteOutage: [OUTAGE], BatteryEpisode: episodes}
    rows = SiteDoubts().rows(SITE, DEVICES, found, found).rows
    assert sorted(row.device_id for row in rows if isinstance(row, SiteDoubt)) == doubted


def doubts_of(outage: SiteOutage, *episodes: BatteryEpisode) -> list[SiteDoubt]:
    """Doubts about a site of one set that backs it up."""
    devices = [DEVICES[0], DEVICES[2]]
    found: dict[type[Row], Sequence[Row]] = {SiteOutage: [outage], BatteryEpisode: episodes}
    return [row for row in SiteDoubts().rows(SITE, devices, found, found).rows if isinstance(row, SiteDoubt)]


def stretch(kind: EpisodeKind, start_h: float, stop_h: float | None) -> BatteryEpisode:
    """What the set does, in hours of the outage."""
    ended_ts = None if stop_h is None else T0 + round(stop_h * HOUR_MS)
    return episode("a", kind)._replace(ts=T0 + round(start_h * HOUR_MS), ended_ts=ended_ts, seen_ts=T0 + HOUR_MS)


def test_a_failure_that_goes_on_while_the_set_is_charged_is_doubted_from_then_on() -> None:
    """Phases or a flag that stay behind; within ten minutes the flag may just be late."""
    discharge, charge = stretch(EpisodeKind.DISCHARGE, 0.0, 0.5), stretch(EpisodeKind.CHARGE, 0.5, None)
    [doubt] = doubts_of(OUTAGE, discharge, charge)
    assert (doubt.device_id, doubt.kind, doubt.ts, doubt.ended_ts) == ("p", DoubtKind.MAINS, charge.ts, OUTAGE.ended_ts)
    assert (
        doubts_of(
            OUTAGE, discharge._replace(ended_ts=T0 + HOUR_MS - 300_000), charge._replace(ts=T0 + HOUR_MS - 300_000)
        )
        == []
    )
    stretches = [stretch(EpisodeKind.CHARGE, 0.5, 0.8), stretch(EpisodeKind.DISCHARGE, 0.8, None)]
    [doubt] = doubts_of(OUTAGE, discharge, *stretches)
    assert doubt.ended_ts == stretches[1].ts


def test_a_bus_on_its_sets_while_mains_is_said_to_be_on_is_doubted_where_a_set_carries() -> None:
    """A rectifier that is set lower takes the bus down too, and no set gives anything."""
    fallen = OUTAGE._replace(contradicted=True)
    [doubt] = doubts_of(fallen, stretch(EpisodeKind.DISCHARGE, 0.0, None))
    assert (doubt.device_id, doubt.kind, doubt.ts) == ("p", DoubtKind.SUPPLY, T0)
    assert doubts_of(fallen, stretch(EpisodeKind.FLOAT, -1.0, None)) == []


def test_a_set_that_slept_through_a_failure_is_believed_when_it_moves_or_must_be_full_again() -> None:
    """It floats on after mains is back, where it would be charged: its records stand, and so does the doubt."""
    over = OUTAGE._replace(ended_ts=T0 + HOUR_MS)
    asleep = stretch(EpisodeKind.FLOAT, -1.0, None)._replace(pack_end_v=54.0)
    for seen_h, moved_h, ended_h in ((2.0, None, None), (3.0, 3.0, 3.0), (12.0, None, 11.0), (20.0, 20.0, 11.0)):
        moved_ts = None if moved_h is None else T0 + round(moved_h * HOUR_MS)
        row = asleep._replace(seen_ts=T0 + round(seen_h * HOUR_MS), ended_ts=moved_ts)
        [doubt] = doubts_of(over, row)
        expected = None if ended_h is None else T0 + round(ended_h * HOUR_MS)
        assert (doubt.device_id, doubt.kind, doubt.ended_ts) == ("a", DoubtKind.SET, expected)


def test_a_bus_that_lies_where_a_rectifier_holds_it_is_no_failure_where_every_set_floats() -> None:
    """Phases of zero while a boost ends; a set that carries, or a bus that lies lower, has truly failed."""
    boost = OUTAGE._replace(bus_before_v=55.3, bus_low_v=54.2)
    floats = stretch(EpisodeKind.FLOAT, -1.0, None)._replace(pack_end_v=54.3)
    [doubt] = doubts_of(boost, floats)
    assert (doubt.device_id, doubt.kind) == ("p", DoubtKind.MAINS)
    assert doubts_of(boost, stretch(EpisodeKind.DISCHARGE, 0.0, None)) == []
    assert [each.kind for each in doubts_of(boost._replace(bus_low_v=52.0), floats)] == [DoubtKind.SET]


@pytest.mark.parametrize("cells", [8, 15])
def test_sets_of_fewer_cells_are_judged_by_their_own_voltages(cells: int) -> None:
    """A bus that lies at 3.39 V a cell is held, one that came from there to 3.25 V is on its sets."""
    devices = [lfp_set("a", cells=cells), DEVICES[2]]
    floats = stretch(EpisodeKind.FLOAT, -1.0, None)._replace(pack_end_v=3.39 * cells)

    def kinds(bus_cell_v: tuple[float, float]) -> list[DoubtKind]:
        before_v, low_v = (round(cells * volts, 2) for volts in bus_cell_v)
        row = OUTAGE._replace(bus_before_v=before_v, bus_low_v=low_v)
        found: dict[type[Row], Sequence[Row]] = {SiteOutage: [row], BatteryEpisode: [floats]}
        rows = SiteDoubts().rows(SITE, devices, found, found).rows
        return [row.kind for row in rows if isinstance(row, SiteDoubt)]

    assert kinds((3.46, 3.385)) == [DoubtKind.MAINS]
    assert kinds((3.39, 3.25)) == [DoubtKind.SET]


def test_a_supply_that_is_doubted_is_so_until_the_set_gives_no_more_or_mains_fails() -> None:
    """The bus lies level after half an hour on its set, at a lower setting, and where a boost has ended."""
    level = OUTAGE._replace(ended_ts=T0 + HOUR_MS // 2, contradicted=True)
    [doubt] = doubts_of(level, stretch(EpisodeKind.DISCHARGE, -0.1, 3.0))
    assert doubt.ended_ts == T0 + 3 * HOUR_MS
    [doubt] = doubts_of(level._replace(ended_ts=None), stretch(EpisodeKind.DISCHARGE, -0.1, 3.0))
    assert doubt.ended_ts == T0 + 3 * HOUR_MS
    [doubt] = doubts_of(level, stretch(EpisodeKind.DISCHARGE, -0.1, None))
    assert doubt.ended_ts is None
    failed = OUTAGE._replace(ts=T0 + HOUR_MS, seen_ts=T0 + HOUR_MS)
    found: dict[type[Row], Sequence[Row]] = {
        SiteOutage: [level, failed],
        BatteryEpisode: [stretch(EpisodeKind.DISCHARGE, -0.1, None)],
    }
    rows = SiteDoubts().rows(SITE, [DEVICES[0], DEVICES[2]], found, found).rows
    assert [row.ended_ts for row in rows if isinstance(row, SiteDoubt)] == [failed.ts]
    assert doubts_of(level, stretch(EpisodeKind.DISCHARGE, -2.0, None)) == []  # that began long before the bus fell
    assert doubts_of(level._replace(bus_before_v=56.0, bus_low_v=53.4), stretch(EpisodeKind.DISCHARGE, -0.1, 0.3)) == []


class KeptDoubts:
    """What stands of a site after changes, as the engine keeps it."""

    def __init__(self) -> None:
        self.tables: dict[type[Row], dict[tuple[str, int], Row]] = {SiteOutage: {}, BatteryEpisode: {}, SiteDoubt: {}}

    def change(self, *rows: SiteOutage | BatteryEpisode) -> None:
        """Write rows, and have the doubts looked at."""
        devices, changed = [DEVICES[0], DEVICES[2]], defaultdict[type["Row"], list["Row"]](list)
        for row in rows:
            self.tables[type(row)][row.device_id, row.ts] = row
            changed[type(row)].append(row)
        found = {want.row_type: list(self._of(want).values()) for want in VIEW.wants(SITE, devices, changed)}
        replaced = VIEW.rows(SITE, devices, changed, found)
        for want in replaced.cleared:
            for key in self._of(want):
                del self.tables[SiteDoubt][key]
        for doubt in replaced.rows:
            assert isinstance(doubt, SiteDoubt)
            self.tables[SiteDoubt][doubt.device_id, doubt.ts] = doubt

    def doubts(self) -> list[Row]:
        """In order of time."""
        return [row for _, row in sorted(self.tables[SiteDoubt].items())]

    def _of(self, want: Want) -> dict[tuple[str, int], Row]:
        rows = sorted(self.tables[want.row_type].items())
        return {key: row for key, row in rows if key[0] in want.entity_ids and want.from_ts <= key[1] < want.to_ts}


def outage(seen_h: float, ended_h: float | None = None) -> SiteOutage:
    """A failure of mains that goes on."""
    ended_ts = None if ended_h is None else T0 + round(ended_h * HOUR_MS)
    return OUTAGE._replace(seen_ts=T0 + round(seen_h * HOUR_MS), ended_ts=ended_ts)


History = list[list[SiteOutage | BatteryEpisode]]
D, C, F, R = EpisodeKind.DISCHARGE, EpisodeKind.CHARGE, EpisodeKind.FLOAT, EpisodeKind.REST
STANDS: History = [
    [outage(0.5), outage(6), outage(42), outage(54)],
    [stretch(D, 0, None), stretch(D, 0, 40)],
    [stretch(C, 40, None), stretch(C, 40, 49)],
    [stretch(F, 49, None), stretch(F, 49, 55)],
    [stretch(R, 55, None), stretch(R, 55, 80)],
    [stretch(D, 80, None)],
]
"""Phases stand: versions of each row, the newest last."""
LATE: History = [
    [outage(0.5), outage(6), outage(3.9, 3.9)],
    [stretch(D, 0, None), stretch(D, 0, 4)],
    [stretch(C, 4, None), stretch(C, 4, 8)],
    [stretch(F, 8, None)],
]
"""A reading comes late: mains was back before the set was charged."""
FALLS: History = [
    [outage(0.2)._replace(contradicted=True), outage(0.5, 0.5)._replace(contradicted=True)],
    [stretch(D, -0.1, None), stretch(D, -0.1, 30)],
    [OUTAGE._replace(ts=T0 + 20 * HOUR_MS, seen_ts=T0 + 30 * HOUR_MS, ended_ts=T0 + 29 * HOUR_MS)],
    [stretch(C, 30, None), stretch(C, 30, 40)],
    [stretch(F, 40, None)],
]
"""The bus fell with nobody saying so; that mains failed is said much later."""


@pytest.mark.parametrize(("history", "doubts"), [(STANDS, 1), (LATE, 0), (FALLS, 1)])
def test_doubts_do_not_depend_on_the_order_of_what_is_heard(history: History, doubts: int) -> None:
    """A live alarm vanished with an episode that followed, and came back; a late reading left one that was none."""
    whole = at_once(history)
    assert len(whole) == doubts
    for seed in range(30):
        assert in_turns(history, random.Random(seed)) == whole, seed


def at_once(history: History) -> list[Row]:
    """Doubts where all is heard together."""
    kept = KeptDoubts()
    kept.change(*[versions[-1] for versions in history])
    return kept.doubts()


def in_turns(history: History, rng: random.Random) -> list[Row]:
    """Doubts where one version after the other is heard, those of one row in their order."""
    turns = [at for at, versions in enumerate(history) for _ in versions]
    rng.shuffle(turns)
    left, piecemeal = [list(versions) for versions in history], KeptDoubts()
    for turn in turns:
        piecemeal.change(left[turn].pop(0))
    return piecemeal.doubts()


def drawn(rng: random.Random) -> tuple[History, History]:
    """Weeks of a site as its two devices tell of them: what its set did one after the other, and outages."""
    episodes: History = [[]]
    outages: History = []
    at, free = 0.0, 0.0
    for _ in range(12):
        until = at + rng.choice([0.5, 3.0, 20.0, 47.0, 49.0, 94.0]) * rng.uniform(0.9, 1.1)
        kind = rng.choice([D, D, C, C, F, R, EpisodeKind.OFFLINE])
        episodes[-1].append(stretch(kind, at, None))
        episodes.append([stretch(kind, at, until)])
        if at >= free and rng.random() < 0.7:
            begun, lasted = at + rng.choice([0.0, 0.1, 1.0]), rng.choice([1.0, 5.0, 60.0, 150.0])
            low_v, contradicted = rng.choice([48.0, 53.9]), rng.random() < 0.3
            for seen, ended in (
                (0.5, None),
                (lasted, None),
                (lasted, begun + lasted),
                (lasted / 2, begun + lasted / 2),
            ):
                row = outage(begun + seen, ended)._replace(ts=T0 + round(begun * HOUR_MS))
                outages.append([row._replace(bus_low_v=low_v, contradicted=contradicted)])
            free = begun + lasted
        at = until
    return episodes, outages


def test_doubts_of_random_weeks_do_not_depend_on_which_device_is_heard_first() -> None:
    """Outages and charges of any length, at the edges of how far is looked; a late reading ends an outage earlier."""
    for seed in range(200):
        rng = random.Random(seed)
        episodes, outages = drawn(rng)
        whole, piecemeal = KeptDoubts(), KeptDoubts()
        whole.change(*{(row.device_id, row.ts): row for rows in (*episodes, *outages) for row in rows}.values())
        turns = [episodes] * len(episodes) + [outages] * len(outages)
        rng.shuffle(turns)
        heard = {id(episodes): iter(episodes), id(outages): iter(outages)}
        for turn in turns:
            piecemeal.change(*next(heard[id(turn)]))
        assert piecemeal.doubts() == whole.doubts(), seed

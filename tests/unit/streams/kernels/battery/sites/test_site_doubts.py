"""A set that rests while the bus is on its sets is doubted only where every set of its site was heard."""

from __future__ import annotations

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

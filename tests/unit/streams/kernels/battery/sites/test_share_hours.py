"""Whole hours without mains: what the sets of a site gave is held against what its power system counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from schemas.metrics import BatteryQuarter, BatteryShareHour, SiteLoadHour
from schemas.metrics.common import Quality
from schemas.readings import Kind
from schemas.registry import Device, Sector, Site
from schemas.time import HOUR_MS
from streams.kernels.battery.prospects.share_hours import ShareHours
from tests.support.worlds.sets import T0, lfp_set

if TYPE_CHECKING:
    from schemas.metrics import Row

SITE = Site(site_id="s", name="s", name_zh="基站", sector=Sector.BASE_STATION, city="太原")
POWER = Device(device_id="p", site_id="s", kind=Kind.SITE_POWER)
SETS = (lfp_set("a"), lfp_set("b"))


def load(failed_min: float = 60.0, coverage: float = 1.0) -> SiteLoadHour:
    """An hour at 3 kW."""
    return SiteLoadHour("p", T0, "s", 3000.0, 3100.0, failed_min, coverage, Quality.GOOD)


def quarters(device_id: str, kwh: float, **changed: Any) -> list[BatteryQuarter]:  # noqa: ANN401 - fields of the row
    """A steady hour of a set; `changed` of its last quarter."""
    rows = [
        BatteryQuarter(
            device_id,
            T0 + at * HOUR_MS // 4,
            "s",
            0.0,
            kwh / 4,
            0.0,
            5.0,
            None,
            None,
            None,
            None,
            1.0,
            Quality.GOOD,
            "",
        )
        for at in range(4)
    ]
    return [*rows[:3], rows[3]._replace(**changed)]


def shares(site_hour: SiteLoadHour, *of_sets: list[BatteryQuarter]) -> list[Row]:
    """What the view makes of an hour."""
    rows: dict[type[Row], list[Row]] = {
        SiteLoadHour: [site_hour],
        BatteryQuarter: [row for own in of_sets for row in own],
    }
    return ShareHours().rows(SITE, [*SETS, POWER], rows, rows).rows


def test_an_hour_without_mains_is_shared_by_the_sets_of_a_site() -> None:
    """Each set beside the others' and the power system's count; an idle set carries nothing and is no witness."""
    both = shares(load(), quarters("a", 2.0), quarters("b", 1.0))
    assert both == [BatteryShareHour("a", T0, "s", 2.0, 1.0, 3.0), BatteryShareHour("b", T0, "s", 1.0, 2.0, 3.0)]
    assert [row[0] for row in shares(load(), quarters("a", 3.0), quarters("b", 0.0))] == ["a"]


@pytest.mark.parametrize(
    ("site_hour", "last"),
    [
        (load(failed_min=50.0), {}),
        (load(coverage=0.9), {}),
        (load(), {"coverage": 0.5}),
        (load(), {"energy_out_kwh": None}),
        (load(), {"energy_in_kwh": 0.4}),
    ],
    ids=["mains for a part of it", "load not measured", "current not measured", "flow unknown", "charged too"],
)
def test_an_hour_that_is_not_whole_says_nothing(site_hour: SiteLoadHour, last: dict[str, float | None]) -> None:
    """Mains, a generator or a gap within the hour: the sets' sum need not be the load."""
    assert shares(site_hour, quarters("a", 2.0), quarters("b", 1.0, **last)) == []


def test_a_set_that_is_not_heard_leaves_the_others_without_a_witness() -> None:
    """What it gave is missing from the sum."""
    assert shares(load(), quarters("a", 2.0)) == []

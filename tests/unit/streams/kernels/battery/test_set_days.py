"""Days of battery sets: what a day's row says, and that rows in any order of arrival make the same days."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from schemas.metrics import BatteryDay, BatteryHour, BatteryResistance, BatterySoh, Quality, SiteLoadHour
from schemas.readings import Kind
from schemas.registry import BatterySet, Device, Sector, Site
from schemas.time import DAY_MS, HOUR_MS, UTC_OFFSET_MS, Span
from streams.kernels.battery.prospects.days import SetDays
from streams.kernels.battery.reference import health_reference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.metrics import Row
    from streams.kernels.contract import Want

MIDNIGHT_TS = 20_600 * DAY_MS - UTC_OFFSET_MS
SITE = Site(site_id="s", name="s", name_zh="基站", sector=Sector.BASE_STATION, city="太原")
SETS = [
    Device(device_id=name, site_id="s", kind=Kind.BATTERY, battery=BatterySet(nominal_ah=100, contract_h=2.0))
    for name in ("b1", "b2")
]
DEVICES = [*SETS, Device(device_id="p", site_id="s", kind=Kind.SITE_POWER)]
VIEW = SetDays(health_reference())


def row(row_type: type[Any], device_id: str, hour: float, **values: object) -> Any:  # noqa: ANN401 - of that type
    """A row, so many hours after the first midnight."""
    ts = MIDNIGHT_TS + round(hour * HOUR_MS)
    given = {"device_id": device_id, "site_id": "s", "ts": ts, "quality": Quality.GOOD, "coverage": 1.0}
    return row_type(**{name: (given | values).get(name) for name in row_type._fields})


def hours(device_id: str, last: int) -> list[Row]:
    """Hours of a set from the first midnight on."""
    return [row(BatteryHour, device_id, at, temperature_mean_c=20.0) for at in range(last)]


def loads(watts: float, last: int) -> list[Row]:
    """Hours of the site's load."""
    return [row(SiteLoadHour, "p", at, load_w=watts) for at in range(last)]


def soh(device_id: str, hour: float, pct: float = 80.0) -> Row:
    """A state of health."""
    found: Row = row(BatterySoh, device_id, hour, soh_pct=pct, sigma_pct=1.0, estimates=1)
    return found


def step(device_id: str, hour: float, mohm: float) -> Row:
    """A load-on step."""
    found: Row = row(BatteryResistance, device_id, hour, resistance_25c_mohm=mohm, step="load_on")
    return found


class Store:
    """Rows as a database holds them for the view."""

    def __init__(self) -> None:
        self.rows: dict[tuple[type[Row], str, int], Any] = {}

    def put(self, batch: Iterable[Row]) -> None:
        """Write rows, and have the view compute again what they touch."""
        changed: dict[type[Row], list[Any]] = {}
        for each in batch:
            self.rows[type(each), each[0], each.ts] = each
            changed.setdefault(type(each), []).append(each)
        wants = VIEW.wants(SITE, DEVICES, changed)
        found = {want.row_type: list(self._of(want)) for want in wants}
        replaced = VIEW.rows(SITE, DEVICES, changed, found)
        for cleared in replaced.cleared:
            for gone in list(self._of(cleared)):
                del self.rows[type(gone), gone[0], gone.ts]
        self.rows |= {(type(each), each[0], each.ts): each for each in replaced.rows}

    def _of(self, want: Want) -> Iterable[Any]:
        spans = {entity_id: Span(entity_id, want.from_ts, want.to_ts) for entity_id in want.entity_ids}
        for (row_type, entity_id, ts), each in sorted(self.rows.items(), key=lambda item: item[0][1:]):
            if row_type is want.row_type and entity_id in spans and want.from_ts <= ts < want.to_ts:
                yield each

    @property
    def days(self) -> list[BatteryDay]:
        """What the view has given."""
        return sorted(each for each in self.rows.values() if isinstance(each, BatteryDay))


def test_a_day_is_told_as_of_its_last_known_hour() -> None:
    """Two sets of 100 Ah at 80 % share a kilowatt: each carries its half for seven hours."""
    store = Store()
    store.put([soh("b1", -100), soh("b2", -100), *loads(1000.0, 24)])
    store.put([*hours("b1", 23), *hours("b2", 24)])
    first, day = store.days
    assert (first.device_id, first.as_of_ts) == ("b1", MIDNIGHT_TS + 23 * HOUR_MS)
    assert (day.device_id, day.ts, day.as_of_ts) == ("b2", MIDNIGHT_TS, MIDNIGHT_TS + DAY_MS)
    assert (day.contract_h, day.quality) == (2.0, Quality.GOOD)
    assert day.soh_pct == pytest.approx(80, abs=0.2)
    assert day.backup_p50_h == pytest.approx(0.8 * 100 * 50 / 500, rel=0.1)
    assert day.backup_p10_h is not None
    assert day.backup_p50_h is not None
    assert day.backup_p10_h < day.backup_p50_h


def test_a_set_that_was_never_measured_has_a_day_that_says_so() -> None:
    """No health and no backup; what it is owed all the same."""
    store = Store()
    store.put([*loads(1000.0, 24), *hours("b1", 24)])
    (day,) = store.days
    assert (day.soh_pct, day.backup_p50_h, day.backup_p10_h) == (None, None, None)
    assert (day.contract_h, day.quality, day.resistance_steps) == (2.0, Quality.UNKNOWN, 0)


def test_one_odd_step_is_no_rise_and_two_are() -> None:
    """Against the median of the set's own steps before."""
    store = Store()
    steps = [step("b1", at, mohm) for at, mohm in ((1, 20.0), (2, 21.0), (3, 20.0), (30, 30.0), (55, 28.0))]
    store.put([*steps, *hours("b1", 72)])
    first, second, third = store.days
    assert (first.resistance_steps, first.resistance_rise_pct) == (3, None)
    assert (second.resistance_25c_mohm, second.resistance_rise_pct) == (30.0, None)
    assert third.resistance_usual_mohm == 20.0
    assert third.resistance_rise_pct == pytest.approx(40)


@pytest.mark.parametrize("seed", range(20))
def test_any_order_of_arrival_makes_the_same_days(seed: int) -> None:
    """Health, loads, steps and hours late, early and again."""
    draw = random.Random(seed)
    rows = [
        *hours("b1", 96),
        *hours("b2", 96),
        *[each._replace(load_w=draw.uniform(500, 4000)) for each in loads(0.0, 96)],  # type: ignore[attr-defined]
        *[soh(name, draw.uniform(-50, 90), draw.uniform(60, 95)) for name in ("b1", "b2") for _ in range(3)],
        *[step(name, draw.uniform(-50, 90), draw.uniform(15, 30)) for name in ("b1", "b2") for _ in range(6)],
    ]
    truth = Store()
    truth.put(rows)
    draw.shuffle(rows)
    store = Store()
    while rows:
        count = draw.randint(1, 60)
        store.put(rows[:count])
        del rows[:count]
    assert len(store.days) == 8
    assert store.days == truth.days

"""The gangue unit's page: what a kilowatt-hour costs, and of which month its sums are."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import psycopg
import pytest

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.preview.macros import Scope, TimeRange
from dashboards.preview.model import load
from dashboards.preview.reader import Reader
from dashboards.preview.variables import resolve
from schemas.words import Language
from tests.fixtures.dashboards import populate
from tests.support.dashboard_queries import rows_of, standard_scope

if TYPE_CHECKING:
    from tests.fixtures.dashboards import ReaderDatabase

RATES = "Coal and heat rate · 24 h"
BEIJING = ZoneInfo("Asia/Shanghai")


async def test_a_kilowatt_hour_costs_its_coal_at_the_price_of_the_registry(migrated_database: ReaderDatabase) -> None:
    """Without a price it says so; without a coal rate the cost is unknown, whatever the price."""
    populate(migrated_database.owner_url, sets=1, hours=1, days=3)
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        (rates,) = await rows_of(RATES, migrated_database, standard_scope())
        assert rates["fuel_yuan_kwh"] == "no price"
        owner.execute("UPDATE site SET coal_yuan_t = 260 WHERE site_id = 'pinglu-power'")
        owner.execute("UPDATE gangue_window SET capacity_factor_pct = 60 WHERE span = 'day'")
        (rates,) = await rows_of(RATES, migrated_database, standard_scope())
        rate = float(str(rates["net_coal_rate_gce_kwh"]))
        cost, difference = str(rates["fuel_yuan_kwh"]).split()
        assert float(cost) == pytest.approx(rate / 1e6 * 260, abs=5e-4)
        more = float(str(rates["to_before"]).split()[1].replace("−", "-"))
        assert float(difference.strip("()").replace("−", "-")) == pytest.approx(more / 1e6 * 260, abs=5e-4)
        assert difference[1] in "+−"
        owner.execute("DELETE FROM gangue_window WHERE span = 'day' AND ts < now() - interval '20 hours'")
        (rates,) = await rows_of(RATES, migrated_database, standard_scope())
        assert rates["to_before"] is None
        assert float(str(rates["fuel_yuan_kwh"])) == pytest.approx(rate / 1e6 * 260, abs=5e-4)
        owner.execute("UPDATE gangue_window SET net_coal_rate_gce_kwh = NULL WHERE span = 'day'")
        (rates,) = await rows_of(RATES, migrated_database, standard_scope())
        assert rates["fuel_yuan_kwh"] is None


async def test_a_months_sums_are_of_the_month_that_is_looked_at_and_bear_its_name(
    migrated_database: ReaderDatabase,
) -> None:
    """A month without figures is unknown, not the month before; a range until its last midnight is of that month."""
    populate(migrated_database.owner_url, sets=1, hours=1, days=3)
    now = dt.datetime.now(BEIJING)
    this = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = (this - dt.timedelta(days=1)).replace(day=1)
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        for gangue_t, factor, begin in ((2_270_000, 61.8, this), (77, 44, last)):
            owner.execute(
                "UPDATE gangue_window SET gangue_t = %s, capacity_factor_pct = %s WHERE span = 'month' AND ts = %s",
                [gangue_t, factor, begin],
            )
        assert await _looked_at(migrated_database, now) == (f"{this:%Y-%m}", 2_270_000, 61.8)
        for end in (last + dt.timedelta(days=9), this - dt.timedelta(seconds=1), this):
            assert await _looked_at(migrated_database, end) == (f"{last:%Y-%m}", 77, 44)
        owner.execute("DELETE FROM gangue_window WHERE span = 'month' AND ts = %s", [this])
        assert await _looked_at(migrated_database, now) == (f"{this:%Y-%m}", None, None)


async def _looked_at(database: ReaderDatabase, end: dt.datetime) -> tuple[str, float | None, float | None]:
    """The named month, its gangue and its capacity factor, of a range that ends then."""
    definition = next(each for each in DEFINITIONS if each.slug == "gangue")
    page = load(dashboard_json(definition, Language.EN))
    shown = TimeRange(end - dt.timedelta(hours=6), end)
    reader = Reader(database.reader_url)
    try:
        wanted = {"site": "pinglu-power", "unit": "pinglu-power-u1"}
        scope = Scope(shown, (await resolve(reader, page.variables, wanted, shown)).values)
        panels = {panel.title: panel for panel in page.panels}
        sums = await reader.fetch(scope.bind(panels["Figures of the month"].sql))
        load_ = await reader.fetch(scope.bind(panels["Capacity factor: 24 h and month"].sql))
    finally:
        await reader.close()
    (gangue,) = [row[2] for row in sums.rows if row[1] == "gangue"]
    _, factor, month = load_.rows[0]
    assert {row[0] for row in sums.rows} == {month}
    return str(month), None if gangue is None else float(str(gangue)), None if factor is None else float(str(factor))

"""What a page must say in five seconds: whether the year's plan is met, what a deviation costs, which sites fail."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import psycopg
import pytest

from dashboards.kit import sql
from dashboards.preview.macros import Scope, TimeRange
from storage.statements import trusted
from tests.fixtures.dashboards import populate
from tests.support.dashboard_queries import rows_of, standard_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fixtures.dashboards import ReaderDatabase

WASTE = "Use of solid waste (this year)"
DEVIATION = "Cost of the deviation from the baseline (below zero saves)"
AT_RISK = "By city: sites that miss their contract next outage"
END = dt.datetime(2026, 10, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))
"""273 days of that year have passed at its end, and 92 are left."""


@pytest.fixture
def units(migrated_database: ReaderDatabase) -> Iterator[psycopg.Connection]:
    """Two units that burnt 100 000 t a month and 4 000 t a day of the last thirty; months are known in full."""
    populate(migrated_database.owner_url, sets=2, hours=1, days=2)
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        owner.execute("DELETE FROM gangue_window; DELETE FROM gangue_sum")
        owner.execute(
            """
INSERT INTO gangue_window SELECT device_id, 'month', m AT TIME ZONE 'Asia/Shanghai', site_id, now(), 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 100000, 1, 1, 1, 1, 1, 1, 1, 'good', 'test'
FROM device CROSS JOIN generate_series('2026-01-01'::timestamp, '2026-09-01', interval '1 month') AS m
WHERE kind = 'gangue_unit'"""
        )
        owner.execute(
            """
INSERT INTO gangue_sum SELECT device_id, 'day', d AT TIME ZONE 'Asia/Shanghai', site_id, 1, 1, 1, 4000, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 'good', 'test'
FROM device CROSS JOIN generate_series('2026-08-01'::timestamp, '2026-09-30', interval '1 day') AS d
WHERE kind = 'gangue_unit'"""
        )
        yield owner


async def _waste(database: ReaderDatabase, base: str = "province") -> dict[str, object]:
    scope = Scope(TimeRange(END - dt.timedelta(days=1), END), standard_scope().variables)
    rows = await rows_of(WASTE, database, scope)
    return next(row for row in rows if row["base"] == base and str(row["material"]).startswith("coal gangue"))


async def test_the_year_is_reckoned_to_its_end_at_the_pace_of_its_last_days(
    units: psycopg.Connection, migrated_database: ReaderDatabase
) -> None:
    """Nine months of two units, and 92 days at 8 000 t; a plan that this does not meet is said to be missed."""
    row = await _waste(migrated_database)
    assert (row["used_t"], row["year_known"]) == (1_800_000, pytest.approx(1))
    assert row["forecast_t"] == pytest.approx(1_800_000 + 92 * 8000)
    assert row["against_target"] == "✕ −96.1 %"
    units.execute("UPDATE reference_target SET target_t = 2400000 WHERE key = 'gangue'")
    assert (await _waste(migrated_database))["against_target"] == "● +5.7 %"


async def test_a_year_that_is_not_known_in_full_misses_no_plan(
    units: psycopg.Connection, migrated_database: ReaderDatabase
) -> None:
    """What was burnt before anybody measured is not nothing: the forecast is a least one, and told as an estimate."""
    units.execute("DELETE FROM gangue_window WHERE ts < '2026-06-30'")
    row = await _waste(migrated_database)
    assert row["year_known"] == pytest.approx(92 / 273)
    assert row["against_target"] == "◇ −97.9 %"


async def test_without_a_pace_there_is_no_forecast(
    units: psycopg.Connection, migrated_database: ReaderDatabase
) -> None:
    """One unit of which fewer than fifteen days are known leaves the province's year unknown."""
    units.execute("DELETE FROM gangue_sum WHERE device_id = 'pinglu-power-u2' AND ts < '2026-09-20'")
    row = await _waste(migrated_database)
    assert (row["used_t"], row["forecast_t"], row["against_target"]) == (1_800_000, None, None)
    base = await _waste(migrated_database, "Shuozhou")
    assert (base["forecast_t"], base["against_target"]) == (None, "not published")


async def test_a_unit_that_is_no_more_burns_nothing_more(
    units: psycopg.Connection, migrated_database: ReaderDatabase
) -> None:
    """What it burnt this year counts; the rest of the year goes on without it."""
    units.execute("DELETE FROM device WHERE device_id = 'pinglu-power-u2'")
    row = await _waste(migrated_database)
    assert (row["used_t"], row["forecast_t"]) == (1_800_000, pytest.approx(1_800_000 + 92 * 4000))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
def test_a_local_month_ends_where_the_next_begins(migrated_database: ReaderDatabase, zone: str) -> None:
    """Whatever zone the session has: a month after 28 February 16:00 of UTC is three days before April in China."""
    with psycopg.connect(migrated_database.owner_url) as owner:
        owner.execute(trusted(f"SET TIME ZONE '{zone}'"))
        rows = owner.execute(
            trusted(f"""
SELECT (m AT TIME ZONE 'Asia/Shanghai'), {sql.month_end("m")} AT TIME ZONE 'Asia/Shanghai'
FROM (SELECT n AT TIME ZONE 'Asia/Shanghai' AS m
      FROM generate_series('2027-01-01'::timestamp, '2028-12-01', interval '1 month') AS n) AS months""")  # noqa: S608
        ).fetchall()
    assert [end for _, end in rows[:-1]] == [begin for begin, _ in rows[1:]]


async def _lines(database: ReaderDatabase, site: str = "taihang-steel") -> list[dict[str, object]]:
    return await rows_of(DEVIATION, database, standard_scope(site=site))


def _amount(shown: object) -> float:
    """The figure of a text such as `◇ +1,204`."""
    return float(str(shown).split(maxsplit=1)[-1].replace(",", "").replace("−", "-"))


async def test_a_deviation_is_told_in_coal_and_in_money(migrated_database: ReaderDatabase) -> None:
    """Of the newest known day and the seven up to it; the line that spent most stands below the whole plant."""
    populate(migrated_database.owner_url, sets=2, hours=1, days=20)
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        day = "date_trunc('day', now(), 'Asia/Shanghai') - interval '1 day'"
        owner.execute(trusted(f"DELETE FROM plant_day WHERE ts > {day}"))  # noqa: S608
        owner.execute(
            "UPDATE plant_day SET ratio_energy_kgce = 1.1 * (3000 + 95 * ratio_production), energy_hours = 24"
        )
        plant, line = await _lines(migrated_database)
        expected = float(str(plant["expected_kgce"]))
        assert plant["actual_kgce"] == pytest.approx(1.1 * expected)
        assert plant["deviation_kgce"] == f"✕ +{0.1 * expected:,.0f}"
        assert plant["deviation_pct"] == "+10.0 %"
        assert _amount(plant["week_kgce"]) > 6 * 0.09 * expected
        assert (plant["yuan"], line["yuan"]) == ("no price", "no price")
        assert (line["day"], line["deviation_kgce"], line["week_kgce"]) == ("no baseline", None, None)
        owner.execute("UPDATE site SET coal_yuan_t = 800 WHERE site_id = 'taihang-steel'")
        (plant, line) = await _lines(migrated_database)
        assert plant["yuan"] == f"+{0.1 * expected / 1000 * 800:,.0f}"
        assert line["yuan"] is None
        owner.execute("UPDATE plant_day SET quality = 'estimated'")
        (plant, _) = await _lines(migrated_database)
        assert str(plant["deviation_kgce"]).startswith("◇ +")
        owner.execute("UPDATE plant_day SET energy_hours = 11")
        (plant, _) = await _lines(migrated_database)
        assert (plant["day"], plant["deviation_kgce"]) == (None, None)


async def test_seven_days_are_told_as_such_only_where_they_are_known(migrated_database: ReaderDatabase) -> None:
    """Fewer than seven, or an estimated one among them, bear the sign; fewer than four are no week."""
    populate(migrated_database.owner_url, sets=2, hours=1, days=20)
    newest = "date_trunc('day', now(), 'Asia/Shanghai') - interval '8 days'"
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:

        async def week(change: str) -> str | None:
            owner.execute(trusted(change))
            shown = (await _lines(migrated_database))[0]["week_kgce"]
            return None if shown is None else str(shown)

        owner.execute(trusted(f"DELETE FROM plant_day WHERE ts > {newest}"))  # noqa: S608
        owner.execute(
            "UPDATE plant_day SET ratio_energy_kgce = 3000 + 95 * ratio_production + 100, energy_hours = 24, "
            "quality = 'good'"
        )
        guess = "UPDATE plant_day SET quality = 'estimated' WHERE ts"
        forget = "UPDATE plant_day SET energy_hours = 11 WHERE ts"
        assert await week("SELECT 1") == "+700"
        assert await week(f"{guess} = {newest} - interval '6 days'") == "◇ +700"
        assert await week(f"{forget} = {newest} - interval '6 days'") == "◇ +600"
        assert await week(f"{forget} <= {newest} - interval '4 days'") == "◇ +400"
        assert await week(f"{forget} <= {newest} - interval '3 days'") is None


async def test_where_nothing_is_expected_no_deviation_is_green(migrated_database: ReaderDatabase) -> None:
    """A baseline at or below zero tells no EnPI: the deviation bears the sign of the unknown."""
    populate(migrated_database.owner_url, sets=2, hours=1, days=20)
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        owner.execute("UPDATE enpi_baseline SET intercept_kgce = 0, slope_kgce = 0")
        owner.execute("UPDATE plant_day SET ratio_energy_kgce = 250, energy_hours = 24, quality = 'good'")
    (plant, _) = await _lines(migrated_database)
    assert (plant["deviation_kgce"], plant["deviation_pct"]) == ("○ +250", None)


async def test_the_line_that_spent_most_stands_first(migrated_database: ReaderDatabase) -> None:
    """Below the whole plant, by what was spent beyond each line's own baseline."""
    populate(migrated_database.owner_url, sets=2, hours=1, days=20)
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        owner.execute(
            """UPDATE site SET product_lines = '[{"line_id": "a"}, {"line_id": "b"}]' WHERE site_id = 'taihang-steel'"""
        )
        for name, spent in (("a", 100), ("b", 900)):
            owner.execute(
                "CREATE TEMP TABLE one AS SELECT * FROM plant_day WHERE site_id = 'taihang-steel' AND line_id = 'plant'"
            )
            owner.execute("UPDATE one SET line_id = %s, ratio_energy_kgce = ratio_production + %s", (name, spent))
            owner.execute("INSERT INTO plant_day SELECT * FROM one")
            owner.execute("DROP TABLE one")
            owner.execute(
                """INSERT INTO enpi_baseline (site_id, line_id, version, from_at, to_at, intercept_kgce, slope_kgce,
                   points, r_squared, cv_rmse, fitted_by)
                   SELECT site_id, %s, 1, from_at, to_at, 0, 1, 14, 0.9, 0.02, 'test'
                   FROM enpi_baseline WHERE site_id = 'taihang-steel' AND line_id = 'plant'""",
                (name,),
            )
    rows = await _lines(migrated_database)
    assert [row["line"] for row in rows] == ["Taihang steel works", "b", "a"]
    assert [row["deviation_kgce"] for row in rows[1:]] == ["✕ +900", "✕ +100"]


async def test_sites_at_risk_stand_by_city_with_the_unknown_ones_beside(reader_database: ReaderDatabase) -> None:
    """Every site is in one column of its city; where nothing is known of any, none is said to hold or to fail."""
    rows = await rows_of(AT_RISK, reader_database, standard_scope())
    with psycopg.connect(reader_database.owner_url) as owner:
        counted = owner.execute(
            "SELECT city, count(*) FROM battery_site_risk JOIN site USING (site_id) GROUP BY city"
        ).fetchall()
        verdicts: dict[str, int] = dict(
            owner.execute("SELECT verdict, count(*) FROM battery_site_risk GROUP BY 1").fetchall()
        )
    names = ("short", "doubtful", "unknown", "holds")
    assert {str(row["city_key"]): sum(float(str(row[n] or 0)) for n in names) for row in rows} == dict(counted)
    assert {n: sum(float(str(row[n] or 0)) for row in rows) for n in names} == {n: verdicts.get(n, 0) for n in names}
    short = [float(str(row["short"])) for row in rows if row["short"] is not None]
    assert short == sorted(short, reverse=True)


async def test_a_city_of_unknown_sites_has_none_that_fails(migrated_database: ReaderDatabase) -> None:
    """It is not green."""
    populate(migrated_database.owner_url, sets=11, hours=1, days=2)
    with psycopg.connect(migrated_database.owner_url) as owner:
        owner.execute("UPDATE battery_health_latest SET soh_pct = NULL, backup_p10_h = NULL, backup_p50_h = NULL")
    rows = await rows_of(AT_RISK, migrated_database, standard_scope())
    assert len(rows) == 11
    assert {(row["short"], row["doubtful"], row["unknown"], row["holds"]) for row in rows} == {(None, None, 1, 0)}

"""What a page must say in five seconds: whether the year's plan is met, what a deviation costs, which sites fail."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import psycopg
import pytest

from dashboards.kit import sql
from dashboards.preview.access.confined import ConfinedReader
from dashboards.preview.macros import Scope, TimeRange
from dashboards.preview.reader import Reader
from storage.statements import trusted
from tests.fixtures.dashboards import populate
from tests.support.dashboard_queries import account_of, rows_of, standard_scope

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dashboards.preview.reader import Source
    from tests.fixtures.dashboards import ReaderDatabase

WASTE = "Use of solid waste (this year)"
DEVIATION = "Cost of the deviation from the baseline (below zero saves)"
AT_RISK = "By city: sites that miss their contract next outage"
AGAINST_CONTRACT = "Sites: backup time (p10) against the contract"
END = dt.datetime(2026, 10, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))
"""273 days of that year have passed at its end, and 92 are left."""


EARLIER_T, LATER_T = 243 * 3000, 30 * 4000
"""What each unit burnt until the end of August, and in September."""


@pytest.fixture
def units(migrated_database: ReaderDatabase) -> Iterator[psycopg.Connection]:
    """Two units of which each day of 2026 is known: 3 000 t until August, and 4 000 t from September on."""
    populate(migrated_database.owner_url, sets=2, hours=1, days=2)
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        owner.execute("DELETE FROM gangue_window; DELETE FROM gangue_sum")
        owner.execute(
            """
INSERT INTO gangue_sum SELECT device_id, s.span, d AT TIME ZONE 'Asia/Shanghai', site_id, 1, 1, 1,
    s.share * CASE WHEN d < '2026-09-01' THEN 3000 ELSE 4000 END, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 'good', 'test'
FROM device CROSS JOIN (VALUES ('day', 1.0, '1 day'), ('hour', 1 / 24.0, '1 hour')) AS s (span, share, step)
CROSS JOIN LATERAL generate_series('2026-01-01'::timestamp, '2026-12-31 23:00', s.step::interval) AS d
WHERE kind = 'gangue_unit'"""
        )
        yield owner


async def _waste(
    database: ReaderDatabase, base: str = "province", at: dt.datetime = END, reader: Source | None = None
) -> dict[str, object]:
    scope = Scope(TimeRange(at - dt.timedelta(days=1), at), standard_scope().variables)
    rows = await rows_of(WASTE, database, scope, reader)
    return next(row for row in rows if row["base"] == base and str(row["material"]).startswith("coal gangue"))


async def test_the_year_is_reckoned_to_its_end_at_the_pace_of_its_last_days(
    units: psycopg.Connection, migrated_database: ReaderDatabase
) -> None:
    """Nine months of two units, and 92 days at 8 000 t; a plan that this does not meet is said to be missed."""
    row = await _waste(migrated_database)
    assert (row["used_t"], row["year_known"]) == (pytest.approx(2 * (EARLIER_T + LATER_T)), pytest.approx(1))
    assert row["forecast_t"] == pytest.approx(2 * (EARLIER_T + LATER_T) + 92 * 8000)
    assert row["against_target"] == "✕ −96.3 %"
    units.execute("UPDATE reference_target SET target_t = 2400000 WHERE key = 'gangue'")
    assert (await _waste(migrated_database))["against_target"] == "● +1.4 %"


async def test_tonnes_of_days_that_nobody_measured_are_no_faster_pace(
    units: psycopg.Connection, migrated_database: ReaderDatabase
) -> None:
    """Gateways were away for ten of thirty days: the tonnes are spread over them, and the pace is as it was."""
    whole = await _waste(migrated_database)
    units.execute("UPDATE gangue_sum SET coverage = 0 WHERE ts BETWEEN '2026-09-05' AND '2026-09-15'")
    units.execute("UPDATE gangue_sum SET coverage = 0.5, gangue_t = 9 * gangue_t WHERE ts::date = '2026-09-20'")
    row = await _waste(migrated_database)
    assert row["forecast_t"] == pytest.approx(float(str(whole["forecast_t"])) + 2 * 8 * 4000)
    assert row["year_known"] == pytest.approx((273 - 10.5) / 273)
    units.execute("UPDATE gangue_sum SET coverage = 0.9 WHERE ts BETWEEN '2026-09-15' AND '2026-09-19'")
    assert (await _waste(migrated_database))["forecast_t"] is not None
    units.execute("UPDATE gangue_sum SET coverage = 0.9 WHERE ts BETWEEN '2026-09-22' AND '2026-09-23'")
    assert (await _waste(migrated_database))["forecast_t"] is None, "fourteen whole days are too few"


async def test_a_year_that_is_not_known_in_full_misses_no_plan(
    units: psycopg.Connection, migrated_database: ReaderDatabase
) -> None:
    """What was burnt before anybody measured is not nothing: the forecast is a least one, and told as an estimate."""
    units.execute("DELETE FROM gangue_sum WHERE ts < '2026-06-30 16:00Z'")
    row = await _waste(migrated_database)
    assert row["year_known"] == pytest.approx(92 / 273)
    assert str(row["against_target"]).startswith("◇ −")


async def test_days_of_which_nothing_is_known_are_not_known(
    units: psycopg.Connection, migrated_database: ReaderDatabase
) -> None:
    """Silent since the 21st: a month's coverage is of the days up to the last one that has rows, and 1."""
    units.execute("DELETE FROM gangue_sum WHERE ts >= '2026-09-20 16:00Z'")
    row = await _waste(migrated_database)
    assert row["year_known"] == pytest.approx(263 / 273)
    assert str(row["against_target"]).startswith("◇ −")


@pytest.mark.usefixtures("units")
async def test_a_past_moment_knows_nothing_of_what_came_after_it(migrated_database: ReaderDatabase) -> None:
    """At noon of 15 August: 226 days and a half, and the rest of the year at the pace of July and August."""
    row = await _waste(migrated_database, at=dt.datetime(2026, 8, 15, 12, tzinfo=END.tzinfo))
    assert (row["used_t"], row["year_known"]) == (pytest.approx(2 * 226.5 * 3000), pytest.approx(1))
    assert row["forecast_t"] == pytest.approx(2 * 365 * 3000)


async def test_a_range_that_ends_with_the_year_tells_of_that_year(
    units: psycopg.Connection, migrated_database: ReaderDatabase
) -> None:
    """Local New Year has nothing behind it: it is the end of the year before, all of it used and known."""
    units.execute("UPDATE gangue_sum SET ts = ts - interval '365 days'")
    year_t = 2 * (EARLIER_T + 122 * 4000)
    row = await _waste(migrated_database, at=dt.datetime(2026, 1, 1, tzinfo=END.tzinfo))
    assert (row["used_t"], row["forecast_t"]) == (pytest.approx(year_t), pytest.approx(year_t))
    assert row["year_known"] == pytest.approx(1)
    row = await _waste(migrated_database, at=dt.datetime(2026, 1, 1, 0, 0, 1, tzinfo=END.tzinfo))
    assert (row["used_t"], row["against_target"]) == (None, None)


async def test_who_sees_some_sites_is_not_shown_the_plan_of_all(
    units: psycopg.Connection, migrated_database: ReaderDatabase, tmp_path: Path
) -> None:
    """Their sum is called theirs, and held against nothing."""
    for table in ("device", "gangue_sum"):
        units.execute(trusted(f"UPDATE {table} SET site_id = 'taihang-steel' WHERE device_id = 'pinglu-power-u2'"))  # noqa: S608
    reader = Reader(migrated_database.reader_url)
    row = await _waste(
        migrated_database, "your sites", reader=ConfinedReader(reader, account_of(tmp_path, "pinglu-power"))
    )
    await reader.close()
    assert row["used_t"] == pytest.approx(EARLIER_T + LATER_T)
    assert (row["target_t"], row["progress_pct"], row["against_target"]) == (None, None, "not published")


async def test_without_a_pace_there_is_no_forecast(
    units: psycopg.Connection, migrated_database: ReaderDatabase
) -> None:
    """One unit of which fewer than fifteen days are known leaves the province's year unknown."""
    units.execute("DELETE FROM gangue_sum WHERE device_id = 'pinglu-power-u2' AND ts < '2026-09-20'")
    row = await _waste(migrated_database)
    assert row["used_t"] == pytest.approx(EARLIER_T + LATER_T + 10 * 4000)
    assert (row["forecast_t"], row["against_target"]) == (None, None)
    base = await _waste(migrated_database, "Shuozhou")
    assert (base["forecast_t"], base["against_target"]) == (None, "not published")


async def test_a_unit_that_is_no_more_burns_nothing_more(
    units: psycopg.Connection, migrated_database: ReaderDatabase
) -> None:
    """What it burnt this year counts; the rest of the year goes on without it."""
    units.execute("DELETE FROM device WHERE device_id = 'pinglu-power-u2'")
    row = await _waste(migrated_database)
    used_t = 2 * (EARLIER_T + LATER_T)
    assert (row["used_t"], row["forecast_t"]) == (pytest.approx(used_t), pytest.approx(used_t + 92 * 4000))


async def test_equivalent_hours_of_a_month_are_those_its_days_know(migrated_database: ReaderDatabase) -> None:
    """Half load: half the hours that are known, bridged ones among them, be the day under way or days without rows."""
    populate(migrated_database.owner_url, sets=2, hours=1, days=2)
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        owner.execute("DELETE FROM gangue_sum; DELETE FROM gangue_window")
        owner.execute(
            """
INSERT INTO gangue_sum SELECT device_id, 'day', d AT TIME ZONE 'Asia/Shanghai', site_id, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, CASE WHEN d = '2026-09-10' THEN 0.5 ELSE 1 END, CASE WHEN d < '2026-09-06' THEN 0 ELSE 0.5 END, 'good', 'test'
FROM device CROSS JOIN generate_series('2026-08-31'::timestamp, '2026-09-10', interval '1 day') AS d
WHERE kind = 'gangue_unit'"""
        )
        owner.execute(
            """
INSERT INTO gangue_window (device_id, span, ts, site_id, from_at, capacity_factor_pct, laboratory_share, coverage,
    quality, reference_version)
SELECT device_id, 'month', '2026-08-31 16:00Z', site_id, '2026-08-31 16:00Z', 50, 1, 0.25, 'partial', 'test'
FROM device WHERE kind = 'gangue_unit'"""
        )
    for at in (dt.datetime(2026, 9, 10, 12, tzinfo=END.tzinfo), END):
        scope = Scope(TimeRange(at - dt.timedelta(days=1), at), standard_scope().variables)
        rows = await rows_of("Figures of the month", migrated_database, scope)
        hours = {"item": "equivalent hours", "value": 0.5 * 24 * 9.5, "unit": "h"}
        assert rows[0] == {"month": "2026-09", **hours}


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


async def test_a_city_whose_sites_are_silent_has_none_that_holds(migrated_database: ReaderDatabase) -> None:
    """What was computed of a set stays when it falls silent; neither "holds" nor "meets" is said of its site then."""
    populate(migrated_database.owner_url, sets=11, hours=1, days=2)
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        owner.execute("UPDATE battery_health_latest SET soh_pct = 98, backup_p10_h = 9, backup_p50_h = 10")
        owner.execute(
            "UPDATE device SET detail = jsonb_set(detail, '{battery,contract_h}', '3') WHERE kind = 'battery'"
        )
        for periods, silent in ((sql.STALE_PERIODS - 0.5, 0), (sql.STALE_PERIODS + 0.5, 1)):
            owner.execute("UPDATE battery_latest SET ts = now() - %s * interval '60 s'", [periods])
            rows = await rows_of(AT_RISK, migrated_database, standard_scope())
            assert {(row["unknown"], row["holds"]) for row in rows} == {(silent, 1 - silent)}
            (counted,) = await rows_of(AGAINST_CONTRACT, migrated_database, standard_scope())
            assert (counted["meets"], counted["not_known"]) == (11 * (1 - silent), 11 * silent)
        reasons = owner.execute("SELECT DISTINCT verdict, reason, chance_short FROM battery_site_risk").fetchall()
        assert reasons == [("unknown", "silent_set", None)]
        owner.execute("DELETE FROM battery_latest")
        rows = await rows_of(AT_RISK, migrated_database, standard_scope())
        assert {(row["unknown"], row["holds"]) for row in rows} == {(1, 0)}

"""The fleet's plans, by the views that pages read: who fails next, what a test is worth, what a swap buys."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row
from typer.testing import CliRunner

from dashboards.grafana.build import dashboard_json
from dashboards.kit import thresholds
from dashboards.pages.fleet_plans import DASHBOARD
from dashboards.preview.macros import Scope, parse_range
from dashboards.preview.model import load
from fenhe.cli import app
from schemas.words import Language
from storage.statements import trusted
from streams.kernels.battery.reference import health_reference

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from tests.fixtures.dashboards import ReaderDatabase

Rows = list[dict[str, Any]]

SETS = """
INSERT INTO site VALUES ('worn', '', '', 'base_station', '太原', ''), ('wide', '', '', 'base_station', '太原', ''),
    ('rich', '', '', 'base_station', '太原', ''), ('new', '', '', 'base_station', '太原', ''),
    ('poor', '', '', 'base_station', '大同', ''), ('frost', '', '', 'base_station', '大同', '');
INSERT INTO device SELECT site_id || n, site_id, 'battery', '', '', 60, '', '{"battery": {"contract_h": 3.0,
    "nominal_ah": 100, "nominal_v": 51.2, "cell_count": 16}}'
FROM site CROSS JOIN generate_series(1, 2) AS n;
INSERT INTO battery_state (device_id, ts, site_id, kind, since_at, power_w, flags)
SELECT device_id, now(), site_id, 'float', now(), 0, '' FROM device;
INSERT INTO battery_latest (device_id, ts, site_id, received_at) SELECT device_id, now(), site_id, now() FROM device;
INSERT INTO battery_health_latest (device_id, ts, site_id, city, maker, batch, nominal_ah, soh_pct, soh_low_pct,
    soh_high_pct, soh_sigma_pct, soh_method, soh_evidence_at, soh_age_days, soh_estimates, temperature_mean_c, load_w,
    backup_p50_h, backup_p10_h, contract_h, misses_contract, observable, test_priority_kwh, advice, advice_reasons,
    flags, quality, reference_version)
SELECT d.device_id, now(), d.site_id, s.city, '', '', 100, v.soh, v.soh - 1.645 * v.sigma, v.soh + 1.645 * v.sigma,
    v.sigma, 'full', '2026-05-01Z', 200, 1, 20, 2000, v.p50, v.p10, 3, v.p10 < 3, true, 0,
    CASE WHEN v.soh < 60 OR v.p10 < 3 THEN 'retire' WHEN v.soh IS NULL THEN 'unknown' ELSE 'keep' END,
    CASE WHEN v.soh < 60 THEN 'soh' ELSE '' END, '', v.quality, 'v'
FROM (VALUES ('worn1', 65, 2, 2.4, 2.1, 'good'), ('worn2', 75, 2, 2.4, 2.1, 'good'),
             ('wide1', 72, 6, 3.2, 2.6, 'partial'), ('wide2', 85, 3, 3.2, 2.6, 'good'),
             ('rich1', 95, 1.5, 4.8, 4.4, 'good'), ('rich2', 98, 1.5, 4.8, 4.4, 'good'),
             ('new1', NULL, NULL, NULL, NULL, 'unknown'), ('new2', 80, 2, NULL, NULL, 'good'),
             ('poor1', 59, 2, 2.0, 1.8, 'partial'), ('poor2', 80, 2, 2.0, 1.8, 'good'),
             ('frost1', 88, 1.5, 3.6, 3.2, 'good'), ('frost2', 88, 1.5, 3.6, 3.2, 'good')
) AS v (device_id, soh, sigma, p50, p10, quality) JOIN device d USING (device_id) JOIN site s USING (site_id);
INSERT INTO battery_soh (device_id, ts, site_id, soh_pct, sigma_pct, method, estimates, cutoff_cell_v, quality,
    reference_version)
SELECT device_id, '2026-05-01Z', site_id, soh_pct, 1.5, 'full', 1, 2.8, 'good', 'v' FROM battery_health_latest
WHERE soh_pct IS NOT NULL;
"""
COLD = """
大同,{today},-5
大同,{tomorrow},-5
frost,{today},-5
frost,{tomorrow},-25,寒潮
"""


@pytest.fixture
def database(migrated_database: ReaderDatabase) -> ReaderDatabase:
    """Six sites of two sets each: worn, known too widely, with time to spare, in part unknown, and two in the cold."""
    with psycopg.connect(migrated_database.owner_url) as owner:
        for statement in SETS.split(";\n"):
            owner.execute(statement.encode())
    return migrated_database


def _read(database: ReaderDatabase, query: str, values: Sequence[object] = ()) -> Rows:
    with psycopg.connect(database.reader_url, row_factory=dict_row) as reader:
        return reader.execute(trusted(query), values).fetchall()


def _panel(database: ReaderDatabase, number: int, tests: str = "20", city: str = "*") -> Rows:
    """Rows of the page's n-th panel."""
    today = _today(database)
    panel = load(dashboard_json(DASHBOARD, Language.EN)).panels[number]
    scope = Scope(parse_range("now-6h", "now", today), {"city": city, "tests": tests})
    query = scope.bind(panel.sql, shortest_interval_s=panel.shortest_interval_s)
    with psycopg.connect(database.reader_url, row_factory=dict_row) as reader:
        return reader.execute(trusted(query.sql), query.parameters).fetchall()


def _today(database: ReaderDatabase) -> dt.datetime:
    now: dt.datetime = _read(database, "SELECT now() AS now")[0]["now"]
    return now


def _forecast(database: ReaderDatabase, file: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    (days,) = _read(
        database,
        "SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date::text AS today,"
        " ((now() AT TIME ZONE 'Asia/Shanghai')::date + 1)::text AS tomorrow",
    )
    file.write_text(text.format(**days), encoding="utf-8")
    monkeypatch.setenv("FENHE_DB_WRITER_URL", database.owner_url)
    return CliRunner().invoke(app, ["weather", str(file)]).output


def test_shares_of_a_normal_distribution_and_of_the_cold_are_those_of_their_sources(database: ReaderDatabase) -> None:
    """To 1e-6 of Python's own; the factor for the cold and the bound of retirement are the reference data's."""
    normal = NormalDist()
    for z in (-8.0, -3.0, -1.2816, -0.1, 0.0, 0.7, 2.5, 9.0):
        (row,) = _read(database, "SELECT normal_below(%s) AS below, normal_loss(abs(%s)) AS loss", [z, z])
        assert row["below"] == pytest.approx(normal.cdf(z), abs=1e-6)
        u = abs(z)
        loss = math.exp(-u * u / 2) / math.sqrt(2 * math.pi) - u * (1 - normal.cdf(u))
        assert row["loss"] == pytest.approx(loss, abs=1e-6)
    reference = health_reference()
    for celsius, factor in zip(reference.capacity_temperature_c, reference.capacity_factor, strict=True):
        for at, expected in ((celsius, factor), (celsius - 0.001, factor), (celsius + 0.001, factor)):
            (row,) = _read(database, "SELECT cold_factor(%s) AS kept", [at])
            assert row["kept"] == pytest.approx(expected, abs=1e-3)
    assert thresholds.SOH_RETIRE_PCT == 60


def test_a_site_at_risk_says_how_sure_and_why(database: ReaderDatabase) -> None:
    """Below in the middle is short, below at p10 only is in doubt, one set unknown is unknown; each with its reason."""
    risk = {row["site_id"]: row for row in _read(database, "SELECT * FROM battery_site_risk")}
    found = {site: (row["verdict"], row["reason"], row["evidence"]) for site, row in risk.items()}
    assert found == {
        "worn": ("short", "worn", "good"),
        "wide": ("doubtful", "wide", "partial"),
        "rich": ("holds", None, "good"),
        "new": ("unknown", "unknown_set", "unknown"),
        "poor": ("short", "load", "partial"),
        "frost": ("holds", None, "good"),
    }
    chance = NormalDist(3.2, (3.2 - 2.6) / 1.2816).cdf(3)
    assert risk["wide"]["chance_short"] == pytest.approx(chance, abs=1e-4)
    assert risk["new"]["chance_short"] is None
    assert not any(row["has_forecast"] for row in risk.values())
    listed = [row["site"] for row in _panel(database, 2)]
    assert listed == ["poor", "worn", "wide", "new"]


def test_a_site_without_a_contract_is_not_said_to_hold_it(database: ReaderDatabase) -> None:
    """Whether 4.4 h are enough is not known where nobody has said for what."""
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("UPDATE device SET detail = detail #- '{battery,contract_h}' WHERE site_id = 'rich'")
    (rich,) = _read(database, "SELECT * FROM battery_site_risk WHERE site_id = 'rich'")
    assert (rich["contract_h"], rich["verdict"], rich["reason"]) == (None, "unknown", "no_contract")
    assert rich["ahead_p10_h"] == pytest.approx(4.4)


def test_forecast_cold_takes_hours_and_a_day_without_forecast_is_none(
    database: ReaderDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """20 °C colder on the way is 0.9 of the charge; a site's own forecast beats its city's; elsewhere none is known."""
    assert "2 places, 4 days" in _forecast(database, tmp_path / "f.csv", monkeypatch, COLD)
    risk = {row["site_id"]: row for row in _read(database, "SELECT * FROM battery_site_risk")}
    frost = risk["frost"]
    assert (frost["has_forecast"], frost["coldest_c"]) == (True, -25)
    assert frost["ahead_p10_h"] == pytest.approx(0.9 * 3.2, abs=0.01)
    assert (frost["verdict"], frost["reason"]) == ("doubtful", "cold_ahead")
    assert (risk["poor"]["coldest_c"], risk["poor"]["ahead_p10_h"]) == (-5, pytest.approx(risk["poor"]["backup_p10_h"]))
    assert risk["worn"]["has_forecast"] is False
    # Tomorrow's cold says nothing without tonight's beside it.
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("DELETE FROM weather_forecast WHERE day = (now() AT TIME ZONE 'Asia/Shanghai')::date")
    frost = _read(database, "SELECT * FROM battery_site_risk WHERE site_id = 'frost'")[0]
    assert (frost["has_forecast"], frost["ahead_p10_h"]) == (False, pytest.approx(3.2))


@pytest.mark.parametrize("text", ["大同,2026-12-01", "大同,1 December,-5", "大同,2026-12-01,nan", "Paris,2026-12-01,4"])
def test_a_forecast_that_is_none_is_refused_whole(
    text: str, database: ReaderDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that is no forecast, or a place that nobody has a site in: nothing of the file is kept."""
    said = _forecast(database, tmp_path / "f.csv", monkeypatch, f"太原,2026-12-01,-4\n{text}\n")
    assert "f.csv" in said
    assert _read(database, "SELECT * FROM weather_forecast") == []


def test_a_test_is_worth_what_it_may_settle(database: ReaderDatabase) -> None:
    """The formula, in hours of the site, holds; one never measured is worth most; one just tested is worth nothing."""
    worth = {row["device_id"]: row for row in _read(database, "SELECT * FROM battery_test_value")}
    wide = worth["wide1"]
    settled = math.sqrt(6**2 - 1.5**2)
    s_h = 3.2 / (72 + 85) * settled
    u = abs(3.2 - 3) / s_h
    loss = NormalDist().pdf(u) - u * NormalDist().cdf(-u)
    assert wide["value_kwh"] == pytest.approx(2000 / 1000 * s_h * loss, rel=1e-3)
    assert wide["told_h"] == pytest.approx(s_h, rel=1e-5)
    assert (wide["decides"], worth["new1"]["decides"]) == ("contract", "never_measured")
    assert max(worth.values(), key=lambda row: row["value_kwh"])["device_id"] == "new1"
    assert worth["rich1"]["value_kwh"] == 0
    assert worth["poor1"]["decides"] == "retirement"
    assert [worth[each]["others"] for each in ("new2", "wide1", "rich1")] == ["unknown", "short", "short"]


def test_one_of_four_sets_moves_its_site_by_a_fourth(database: ReaderDatabase) -> None:
    """Four sets of 80 %, 6 h at 4 kW, contract 5 h, 20 points to tell: 0.375 h of the site, and 20 points from 60 %."""
    with psycopg.connect(database.owner_url) as owner:
        owner.execute(
            "UPDATE battery_health_latest SET site_id = 'worn', soh_pct = 80, soh_sigma_pct = sqrt(20 ^ 2 + 1.5 ^ 2),"
            " load_w = 4000, backup_p50_h = 6, backup_p10_h = 5.5, contract_h = 5 WHERE site_id IN ('worn', 'wide')"
        )
        owner.execute(
            "UPDATE device SET site_id = 'worn', detail = jsonb_set(detail, '{battery,contract_h}', '5.0')"
            " WHERE site_id IN ('worn', 'wide')"
        )
    four = _read(database, "SELECT * FROM battery_test_value WHERE site_id = 'worn'")
    assert [row["told_h"] for row in four] == [pytest.approx(0.375, rel=1e-4)] * 4
    assert {row["decides"] for row in four} == {"retirement"}
    loss = NormalDist().pdf(1) - NormalDist().cdf(-1)
    assert four[0]["value_kwh"] == pytest.approx(4 * 0.375 * loss, rel=1e-3)
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("UPDATE battery_health_latest SET contract_h = 5.8 WHERE site_id = 'worn'")
        owner.execute(
            "UPDATE device SET detail = jsonb_set(detail, '{battery,contract_h}', '5.8') WHERE site_id = 'worn'"
        )
    one = _read(database, "SELECT * FROM battery_test_value WHERE site_id = 'worn'")[0]
    u = 0.2 / 0.375
    assert one["decides"] == "contract"
    assert one["value_kwh"] == pytest.approx(4 * 0.375 * (NormalDist().pdf(u) - u * NormalDist().cdf(-u)), rel=1e-3)


def test_a_set_of_which_nothing_holds_any_more_was_not_never_measured(database: ReaderDatabase) -> None:
    """After other cells, or by a witness that contradicts, it says so; only what had no estimate was never measured."""
    decided: Rows = []
    for reason in ("exchanged", "contradicted", "too_shallow"):
        with psycopg.connect(database.owner_url) as owner:
            owner.execute("UPDATE battery_health_latest SET soh_reason = %s WHERE device_id = 'new1'", [reason])
        decided += _read(database, "SELECT decides FROM battery_test_value WHERE device_id = 'new1'")
    assert [row["decides"] for row in decided] == ["exchanged", "contradicted", "never_measured"]


def test_the_plan_of_tests_keeps_its_rules(
    database: ReaderDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One set a site, working days, no more than asked for, not where mains is out, and not on a day of frost."""
    plan = _panel(database, 3)
    assert sorted(row["site"] for row in plan) == ["new", "poor", "wide"], "one set each; the others are certain"
    assert min(plan, key=lambda row: row["rank"])["device_id"] == "new1"
    assert len(_panel(database, 3, tests="10", city="太原")) == 2
    assert len(_panel(database, 3, tests="1")) == 1
    assert {row["others"] for row in plan} <= {"unknown", "short", "hold"}
    first = next(row for row in plan if row["site"] == "poor")
    _forecast(database, tmp_path / "f.csv", monkeypatch, "".join(f"poor,{row['day']},-8\n" for row in [first]))
    moved = next(row for row in _panel(database, 3) if row["site"] == "poor")
    days = {row["day"]: row["weekday"] for row in _read(
        database, "SELECT to_char(d, 'YYYY-MM-DD') AS day, extract(isodow FROM d)::int AS weekday"
        " FROM generate_series(now(), now() + interval '40 days', interval '1 day') AS d")}  # fmt: skip
    assert moved["day"] != first["day"]
    assert all(days[row["day"]] < 6 for row in [*plan, moved])
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("INSERT INTO device VALUES ('new-p', 'new', 'site_power', '', '', 60, '', '{}')")
        owner.execute(
            "INSERT INTO site_power_latest (device_id, ts, site_id, received_at, mains_failed)"
            " VALUES ('new-p', now(), 'new', now(), true)"
        )
    assert "new" not in {row["site"] for row in _panel(database, 3)}


def test_a_swap_says_what_it_buys_only_on_good_evidence(database: ReaderDatabase) -> None:
    """Hours go with capacity; a partner keeps its contract; where one set is not well known, nothing is promised."""
    swaps = {row["device_id"]: row for row in _read(database, "SELECT * FROM battery_swap")}
    worn = swaps["worn1"]
    assert worn["new_gain_h"] == pytest.approx(2.1 * 35 / 140)
    assert worn["without_h"] == pytest.approx(2.1 * 75 / 140)
    assert worn["owed_gain_h"] == pytest.approx(2.1 * 35 / 140)
    assert worn["new_keeps"] is False
    assert worn["partner_id"] is None, "98 % in place of 65 % makes 2.6 h, which is no contract kept"
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("UPDATE battery_health_latest SET backup_p10_h = 2.6 WHERE site_id = 'worn'")
    worn = _read(database, "SELECT * FROM battery_swap WHERE device_id = 'worn1'")[0]
    assert (worn["partner_id"], worn["moved_gain_h"]) == ("rich2", pytest.approx(2.6 * 33 / 140))
    assert worn["partner_left_h"] == pytest.approx(4.4 * (1 - 33 / 193))
    assert (swaps["poor1"]["new_gain_h"], swaps["poor1"]["reason"]) == (None, "evidence")
    assert "rich1" not in swaps
    first = _panel(database, 4)[0]
    assert (first["site"], first["new_keeps"]) == ("worn", "true")

"""A battery set's passport: what is known of it as one document, as the reader sees it."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from typer.testing import CliRunner

from dashboards.grafana.build import dashboard_json
from dashboards.pages import battery_passport
from dashboards.preview.access.accounts import Account, AccountRole, Accounts, changed
from dashboards.preview.access.confined import ConfinedReader
from dashboards.preview.macros import Scope, parse_range
from dashboards.preview.model import load
from dashboards.preview.passport import document
from dashboards.preview.reader import Reader
from dashboards.preview.view import View
from dashboards.words import battery, labels
from dashboards.words import passport as words
from fenhe.cli import app
from fenhe.commands.passport import page_of
from schemas.metrics.battery_health import CapacityReason
from schemas.words import Language
from storage.statements import trusted
from tests.support.dashboard_queries import rows_of, standard_scope

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.dashboards import ReaderDatabase

ROWS = """
INSERT INTO site VALUES ('s', '', '', 'base_station', '太原', '');
INSERT INTO device VALUES ('known', 's', 'battery', 'Set 1', '一组', 60, '',
    '{"accuracy": 0.01, "battery": {"nominal_ah": 100, "trace_code": "04QPE1A2B3", "first_life": "bus"}}'),
    ('second', 's', 'battery', '', '', 60, '', '{"battery": {"nominal_ah": 100, "valid_from": 1775001600000}}'),
    ('new', 's', 'battery', '', '', 60, '', '{"battery": {"nominal_ah": 100}}');
INSERT INTO battery_soh (device_id, ts, site_id, soh_pct, soh_low_pct, soh_high_pct, method, estimates, cutoff_cell_v,
    quality, reference_version, witnesses, gain_pct)
VALUES ('known', '2026-05-01Z', 's', 84.5, 83, 86, 'full', 1, 2.8, 'good', 'v', 'curve,load', -1.2),
    ('second', '2026-03-31Z', 's', 61, 59, 63, 'full', 1, 2.8, 'good', 'v', 'load', NULL),
    ('second', '2026-04-20Z', 's', 95, 93, 97, 'full', 1, 2.8, 'good', 'v', 'load', NULL);
INSERT INTO battery_quarter (device_id, ts, site_id, temperature_max_c, coverage, quality, flags)
SELECT 'known', '2026-05-01Z'::timestamptz + n * interval '15 minutes', 's', CASE WHEN n < 8 THEN 20 ELSE 30 END, 1,
    'good', '' FROM generate_series(0, 11) AS n;
"""


@pytest.fixture
def passports(migrated_database: ReaderDatabase) -> dict[str, dict[str, Any]]:
    """Passports of a set with a history, and of one just registered, as the reader sees them."""
    with psycopg.connect(migrated_database.owner_url) as owner:
        for statement in ROWS.split(";\n"):
            owner.execute(statement.encode())
    with psycopg.connect(migrated_database.reader_url) as reader:
        return dict(reader.execute("SELECT device_id, passport FROM battery_passport").fetchall())


def test_a_passport_holds_identity_estimates_and_use_and_says_what_is_not_known(
    passports: dict[str, dict[str, Any]], migrated_database: ReaderDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trace code, first life, each estimate with its witnesses, hours by temperature; null where nothing was said."""
    known, new = passports["known"], passports["new"]
    assert (known["identity"]["trace_code"], known["identity"]["first_life"]) == ("04QPE1A2B3", "bus")
    (estimate,) = known["estimates"]
    assert (estimate["soh_pct"], estimate["witnesses"], estimate["gain_pct"]) == (84.5, "curve,load", -1.2)
    assert known["temperature_hours"] == {"0_to_25_c": 2.0, "25_to_35_c": 1.0}
    assert (new["identity"]["trace_code"], new["health"], new["estimates"]) == (None, None, [])
    assert new["use"]["full_cycles"] is None
    assert "未知 unknown" in page_of(new)
    page = page_of(known)
    assert all(
        said in page for said in ("04QPE1A2B3", "83.0–86.0 %", "电压曲线 curve, 站点负载 site&#x27;s load", ">1.0 %<")
    )
    monkeypatch.setenv("FENHE_DB_READER_URL", migrated_database.reader_url)
    assert '"trace_code": "04QPE1A2B3"' in CliRunner().invoke(app, ["passport", "known"]).output
    assert CliRunner().invoke(app, ["passport", "none"]).exit_code == 1


def test_a_passport_is_of_the_set_that_is_there_now(passports: dict[str, dict[str, Any]]) -> None:
    """What was measured before a registered replacement is another set's: neither estimates nor hours of it."""
    second = passports["second"]
    assert [each["soh_pct"] for each in second["estimates"]] == [95]
    assert second["identity"]["valid_from"].startswith("2026-04-01T00:00:00")


async def test_a_discharge_too_shallow_to_tell_anything_buries_no_estimate(
    passports: dict[str, dict[str, Any]], migrated_database: ReaderDatabase
) -> None:
    """Eighty flickers of the mains would be four pages of paper: counted there, left out here, whole in the JSON."""
    with psycopg.connect(migrated_database.owner_url) as owner:
        owner.execute(
            "INSERT INTO battery_soh (device_id, ts, site_id, soh_pct, soh_low_pct, soh_high_pct, method, estimates,"
            " cutoff_cell_v, quality, reference_version, change) SELECT 'known', '2026-05-02Z'::timestamptz + n *"
            " interval '1 hour', 's', 84.5, 83, 86, 'full', 1, 2.8, 'good', 'v',"
            " CASE WHEN n = 4 THEN 'set_replaced' END FROM generate_series(1, 4) AS n"
        )
        owner.execute(
            "INSERT INTO battery_capacity (device_id, ts, seen_ts, site_id, at_least_ah, drawn_ah, temperature_factor,"
            " cutoff_cell_v, ended_at, full_cycles, coverage, quality, flags, reference_version, reason)"
            " SELECT device_id, ts, ts, site_id, 1, 1, 1, 2.8, ts, 0.01, 1, 'unknown', '', 'v', 'too_shallow'"
            " FROM battery_soh WHERE ts >= '2026-05-02Z'"
        )
    with psycopg.connect(migrated_database.reader_url) as reader:
        ((found,),) = reader.execute("SELECT passport FROM battery_passport WHERE device_id = 'known'").fetchall()
    assert len(found["estimates"]) == 5
    page = page_of(found)
    assert (page.count("83.0–86.0 %"), f"{words.TOO_SHALLOW.en}: 3" in page) == (2, True)
    assert words.TOO_SHALLOW.en not in page_of(passports["known"])
    rows = await rows_of(words.ESTIMATES.en, migrated_database, standard_scope(set="known"))
    assert [row["soh_pct"] for row in rows] == [84.5, 84.5]


def test_the_printed_page_says_why_and_counts_no_hour_where_it_was_not_as_warm(
    passports: dict[str, dict[str, Any]],
) -> None:
    """Hours are known, so that none of above 45 °C is 0 and not unknown; of a set never heard all are unknown."""
    known = passports["known"]
    page = page_of({**known, "health": {"reason": "no_rest"}})
    assert "未静置即充电 recharged without a rest" in page
    *_, hottest = words.BANDS.values()
    assert f"{hottest.en}</th><td>0 h</td>" in page
    assert f"{hottest.en}</th><td>0 h</td>" not in page_of(passports["new"])
    assert set(battery.REASON) == set(CapacityReason)


@pytest.mark.parametrize("language", list(Language))
def test_the_page_says_what_the_document_says(
    language: Language, passports: dict[str, dict[str, Any]], migrated_database: ReaderDatabase
) -> None:
    """Every line of the printed page stands on the dashboard, with its unit; what is not known is a word."""
    panels = load(dashboard_json(battery_passport.DASHBOARD, language)).panels
    scope = Scope(parse_range("now-365d", "now", dt.datetime.now(dt.UTC)), {"set": "known"})
    with psycopg.connect(migrated_database.reader_url) as reader:

        def rows(number: int) -> list[tuple[Any, ...]]:
            query = scope.bind(panels[number].sql, shortest_interval_s=1)
            return reader.execute(trusted(query.sql), query.parameters).fetchall()

        said = dict(rows(0))
        assert [text for text, _ in rows(0)] == [item.text(language) for item in words.IDENTITY_ITEMS]
        assert said[words.IDENTITY_ITEMS[2].text(language)] == "04QPE1A2B3"
        assert list(said.values())[-1] == "1.0 %"
        assert said[words.IDENTITY_ITEMS[3].text(language)] == labels.NOT_REGISTERED(language)
        (estimate,) = rows(4)
        assert estimate[2:4] == (84.5, "83.0–86.0")
        assert dict(rows(3))["0–25 °C"] == passports["known"]["temperature_hours"]["0_to_25_c"]


async def test_the_preview_gives_the_document_to_those_who_may_see_the_set(
    passports: dict[str, dict[str, Any]], migrated_database: ReaderDatabase, tmp_path: Path
) -> None:
    """The same JSON as the command's, as a file named after the set; another site's viewer finds none."""
    page = load(dashboard_json(battery_passport.DASHBOARD, Language.EN))
    view = View.parse("battery-passport", {"var-set": "known"}, "en")
    reader = Reader(migrated_database.reader_url)
    answer = await document(page, view, reader)
    assert json.loads(bytes(answer.body)) == passports["known"]
    assert answer.headers["content-disposition"] == 'attachment; filename="fenhe-passport-known.json"'
    with changed(tmp_path / "accounts.json") as accounts:
        accounts["li"] = Account(name="Li", role=AccountRole.VIEWER, password_hash="none", sites=("elsewhere",))  # noqa: S106
    kept = Accounts(tmp_path / "accounts.json")
    (account,) = kept.read()
    refused = await document(page, view, ConfinedReader(reader, kept.open(account)))
    assert refused.status_code == 404
    await reader.close()

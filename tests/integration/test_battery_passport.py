"""A battery set's passport: what is known of it as one document, as the reader sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from typer.testing import CliRunner

from fenhe.cli import app
from fenhe.commands.passport import page_of

if TYPE_CHECKING:
    from tests.fixtures.dashboards import ReaderDatabase

ROWS = """
INSERT INTO site VALUES ('s', '', '', 'base_station', '太原', '');
INSERT INTO device VALUES ('known', 's', 'battery', 'Set 1', '一组', 60, '',
    '{"accuracy": 0.01, "battery": {"nominal_ah": 100, "trace_code": "04QPE1A2B3", "first_life": "bus"}}'),
    ('new', 's', 'battery', '', '', 60, '', '{"battery": {"nominal_ah": 100}}');
INSERT INTO battery_soh (device_id, ts, site_id, soh_pct, soh_low_pct, soh_high_pct, method, estimates, cutoff_cell_v,
    quality, reference_version, witnesses, gain_pct)
VALUES ('known', '2026-05-01Z', 's', 84.5, 83, 86, 'full', 1, 2.8, 'good', 'v', 'curve,load', -1.2);
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
    assert "04QPE1A2B3" in page_of(known)
    monkeypatch.setenv("FENHE_DB_READER_URL", migrated_database.reader_url)
    assert '"trace_code": "04QPE1A2B3"' in CliRunner().invoke(app, ["passport", "known"]).output
    assert CliRunner().invoke(app, ["passport", "none"]).exit_code == 1

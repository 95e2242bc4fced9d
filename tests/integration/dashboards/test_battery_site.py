"""Backup time of a site from its sets, by the view that pages read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

if TYPE_CHECKING:
    from tests.fixtures.dashboards import ReaderDatabase

SITES = """
INSERT INTO site VALUES ('two', '', '', 'base_station', '太原', ''), ('cut', '', '', 'base_station', '太原', ''),
    ('blind', '', '', 'base_station', '太原', ''), ('silent', '', '', 'base_station', '太原', ''),
    ('float', '', '', 'base_station', '太原', '');
INSERT INTO device SELECT site_id || n, site_id, 'battery', '', '', 60, '', '{"battery": {"contract_h": 3.0}}'
FROM site CROSS JOIN generate_series(1, 2) AS n;
INSERT INTO device VALUES ('two-p', 'two', 'site_power', '', '', 60, '', '{}');
INSERT INTO battery_state (device_id, ts, site_id, kind, since_at, power_w, remaining_p50_h, remaining_p10_h,
    flags)
SELECT d.device_id, now() - s.age, d.site_id, s.kind, now() - interval '1 hour', s.power_w, s.p50, s.p10, ''
FROM (VALUES ('two1', interval '0', 'discharge', 1000, 3.0, 2.0), ('two2', interval '0', 'discharge', 3000, 1.0, 0.8),
    ('cut1', '0', 'discharge', 4000, 2.5, 1.5), ('cut2', '0', 'rest', 0, NULL, NULL),
    ('blind1', '0', 'discharge', 2000, 2.0, 1.5), ('blind2', '0', 'discharge', 2000, NULL, NULL),
    ('silent1', '0', 'discharge', 2000, 2.0, 1.5), ('silent2', '20 minutes', 'discharge', 2000, 2.0, 1.5),
    ('float1', '0', 'float', 0, NULL, NULL), ('float2', '0', 'float', 0, NULL, NULL)
) AS s (device_id, age, kind, power_w, p50, p10) JOIN device d USING (device_id);
INSERT INTO site_outage (device_id, ts, seen_ts, site_id, ended_at, duration_h, largest_gap_s, energy_kwh)
VALUES ('two-p', now() - interval '2 hours', now(), 'two', NULL, 2, 0, 0);
"""


@pytest.fixture
def sites(migrated_database: ReaderDatabase) -> dict[str, dict[str, Any]]:
    """Sites of two sets each, as the reader sees them."""
    with psycopg.connect(migrated_database.owner_url) as owner:
        for statement in SITES.split(";\n"):
            owner.execute(statement.encode())
    with psycopg.connect(migrated_database.reader_url, row_factory=dict_row) as reader:
        return {row["site_id"]: row for row in reader.execute("SELECT * FROM battery_site").fetchall()}


def test_a_site_lasts_as_long_as_what_is_in_its_sets_together(
    sites: dict[str, dict[str, Any]],
) -> None:
    """Σ energy over Σ power, beside when the first opens; unknown, and why, if one set's is; an empty one adds 0."""
    two = sites["two"]
    assert two["remaining_p50_h"] == pytest.approx((3.0 * 1000 + 1.0 * 3000) / 4000)
    assert two["remaining_p10_h"] == pytest.approx((2.0 * 1000 + 0.8 * 3000) / 4000)
    assert two["first_opens_p10_h"] == pytest.approx(0.8)
    cut = sites["cut"]
    assert (cut["remaining_p50_h"], cut["discharging"], cut["sets"]) == (pytest.approx(2.5), 1, 2)
    for site, reason in (("blind", "unknown_set"), ("silent", "silent_set"), ("float", "no_discharge")):
        row = sites[site]
        found = (row["remaining_reason"], row["remaining_p50_h"], row["first_opens_p50_h"], row["will_miss_contract"])
        assert found == (reason, None, None, None)
    # By the power system two hours out already, and 1.1 h left, make the contract's three; one hour and 1.5 h do not.
    assert two["will_miss_contract"] is False
    assert cut["will_miss_contract"] is True
    assert two["backup_reason"] == "silent_set"

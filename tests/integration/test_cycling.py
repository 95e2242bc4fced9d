"""Sets that are cycled beside backup: throughput, efficiency of closed cycles, earnings, fade against forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from storage.statements import trusted
from streams.kernels.battery.reference import health_reference

if TYPE_CHECKING:
    from tests.fixtures.dashboards import ReaderDatabase

SETS = """
INSERT INTO site VALUES ('s', '', '', 'base_station', '太原', '');
INSERT INTO device SELECT v.id, 's', 'battery', '', '', 60, '', jsonb_build_object('battery',
    jsonb_build_object('nominal_ah', 100, 'nominal_v', 51.2, 'use', v.use, 'tariff', v.tariff::jsonb))
FROM (VALUES ('shaver', 'peak_shaving', '[{"name": "峰", "begins": "08:00", "ends": "12:00", "yuan_kwh": 0.9},
    {"name": "谷", "begins": "00:00", "ends": "08:00", "yuan_kwh": 0.3}]'), ('idle', 'storage', '[]'),
    ('backup', 'backup', '[]')) AS v (id, use, tariff);
INSERT INTO battery_health_latest (device_id, ts, site_id, city, maker, batch, nominal_ah, soh_pct, soh_sigma_pct,
    soh_evidence_at, soh_estimates, contract_h, observable, test_priority_kwh, advice, advice_reasons, flags, quality,
    reference_version)
SELECT 'shaver', now(), 's', '太原', '', '', 100, 80, 1, now(), 2, 3, true, 0, 'keep', '', '', 'good', 'v';
INSERT INTO battery_soh (device_id, ts, site_id, soh_pct, sigma_pct, method, estimates, cutoff_cell_v, quality,
    reference_version) VALUES ('shaver', now() - interval '2 years', 's', 92, 1, 'full', 1, 2.8, 'good', 'v');
INSERT INTO battery_quarter (device_id, ts, site_id, energy_in_kwh, energy_out_kwh, coverage, quality)
SELECT 'shaver', d.day + v.at::interval, 's', v.took, v.gave, v.coverage, 'good'
FROM (SELECT date_trunc('day', now() - interval '3 days', 'Asia/Shanghai') AS day) d,
    (VALUES ('07:45', 0.5, 0, 1), ('08:00', 0, 0.9, 1), ('11:45', 0, 0.7, 0.5), ('12:00', 0, 0.2, 1))
    AS v (at, took, gave, coverage);
"""
EPISODE = """
INSERT INTO battery_episode (device_id, ts, seen_ts, site_id, kind, duration_h, charge_ah, energy_kwh, largest_gap_s,
    coverage, quality, flags)
VALUES (%s, now() - interval '10 days' + %s * interval '1 hour', now(), 's', %s, 1, %s, %s, 60, %s, 'good', '')
"""
Episode = tuple[float, str, float | None, float | None, float]
CLOSED: list[Episode] = [
    (0, "float", 0, 0, 1),
    (2, "discharge", -50, -2.5, 1),
    (4, "rest", 0, 0, 1),
    (5, "charge", 51, 2.75, 1),
    (8, "float", 0, 0, 1),
]


@pytest.fixture
def database(migrated_database: ReaderDatabase) -> ReaderDatabase:
    """A set for peak shaving with a tariff, one for storage that did nothing yet, and one for backup."""
    with psycopg.connect(migrated_database.owner_url) as owner:
        for statement in SETS.split(";\n"):
            owner.execute(statement.encode())
    return migrated_database


def _write(database: ReaderDatabase, episodes: list[Episode], device: str = "shaver") -> None:
    with psycopg.connect(database.owner_url) as owner:
        for hour, kind, charge_ah, energy_kwh, coverage in episodes:
            owner.execute(EPISODE.encode(), [device, hour, kind, charge_ah, energy_kwh, coverage])


def _read(database: ReaderDatabase, query: str) -> list[dict[str, Any]]:
    with psycopg.connect(database.reader_url, row_factory=dict_row) as reader:
        return reader.execute(trusted(query)).fetchall()


def test_a_cycle_from_full_to_full_has_an_efficiency(database: ReaderDatabase) -> None:
    """Out over in of what lies between two times on float; a set for backup is none of them."""
    _write(database, CLOSED)
    _write(database, CLOSED, "backup")
    (cycle,) = _read(database, "SELECT * FROM battery_cycle")
    assert cycle["efficiency"] == pytest.approx(2.5 / 2.75)
    assert (cycle["out_ah"], cycle["full_cycles"], cycle["reason"]) == (50, 0.5, None)
    rows = {row["device_id"]: row for row in _read(database, "SELECT * FROM battery_cycling")}
    assert set(rows) == {"shaver", "idle"}
    shaver, idle = rows["shaver"], rows["idle"]
    assert (shaver["month_out_kwh"], shaver["month_full_cycles"], shaver["closed"]) == (2.5, 0.5, 1)
    assert shaver["efficiency"] == pytest.approx(2.5 / 2.75)
    assert (idle["efficiency"], idle["month_out_kwh"], idle["fade"]) == (None, None, "unknown")


@pytest.mark.parametrize(
    ("episodes", "reason"),
    [
        (CLOSED[:-1], "open"),
        (CLOSED[1:], "begun_before"),
        ([*CLOSED[:2], (4, "offline", None, None, 0), *CLOSED[3:]], "gap"),
        ([*CLOSED[:3], (5, "charge", 51, 2.75, 0.9), CLOSED[4]], "gap"),
        ([*CLOSED[:3], (5, "charge", None, None, 1), CLOSED[4]], "gap"),
        ([*CLOSED[:3], (5, "charge", 40, 2.1, 1), CLOSED[4]], "more_out"),
        ([*CLOSED[:3], CLOSED[4]], "more_out"),
    ],
)
def test_a_cycle_that_is_not_known_whole_has_no_efficiency(
    episodes: list[Episode], reason: str, database: ReaderDatabase
) -> None:
    """Open, begun unseen, measured in part, or with more out than in: throughput alone, and why."""
    _write(database, episodes)
    (cycle,) = _read(database, "SELECT * FROM battery_cycle")
    assert (cycle["efficiency"], cycle["reason"]) == (None, reason)
    row = _read(database, "SELECT * FROM battery_cycling WHERE device_id = 'shaver'")[0]
    assert (row["closed"], row["efficiency"]) == (0, None)
    assert row["month_out_kwh"] == 2.5


def test_a_late_float_divides_a_cycle_in_two_whatever_came_first(database: ReaderDatabase) -> None:
    """Episodes in any order come to the same cycles, since nothing is remembered."""
    second: list[Episode] = [(10, "discharge", -20, -1.0, 1), (12, "charge", 21, 1.1, 1), (14, "float", 0, 0, 1)]
    whole = [*CLOSED, *second]
    _write(database, [each for each in reversed(whole) if each[0] != 8])
    assert len(_read(database, "SELECT * FROM battery_cycle")) == 1
    _write(database, [CLOSED[4]])
    found = _read(database, "SELECT out_kwh, efficiency FROM battery_cycle ORDER BY ts")
    assert [row["out_kwh"] for row in found] == [2.5, 1.0]
    assert [row["efficiency"] for row in found] == [pytest.approx(2.5 / 2.75), pytest.approx(1 / 1.1)]


def test_each_quarter_of_an_hour_has_the_price_of_its_local_time(database: ReaderDatabase) -> None:
    """A period holds its begin and not its end; an hour in none has no price."""
    rows = _read(database, "SELECT period, yuan_kwh FROM battery_tariff_quarter ORDER BY ts")
    assert [(row["period"], row["yuan_kwh"]) for row in rows] == [("谷", 0.3), ("峰", 0.9), ("峰", 0.9), (None, None)]


def test_fade_is_held_against_what_was_to_be_expected(database: ReaderDatabase) -> None:
    """12 points in two years against 5 ± 4 is faster; within the doubt it is as expected; poor evidence is none."""
    fusion = health_reference().fusion
    assert (fusion.fade_per_year, fusion.fade_per_year_sigma) == (0.025, 0.01)
    (row,) = _read(database, "SELECT * FROM battery_cycling WHERE device_id = 'shaver'")
    assert (row["fade_pct"], row["fade"]) == (12, "faster")
    assert row["expected_fade_pct"] == pytest.approx(5, abs=0.02)
    assert row["doubt_pct"] == pytest.approx(1.645 * (1 + 1 + 4) ** 0.5, abs=0.02)
    for first_pct, fade in ((88, "expected"), (79, "slower")):
        with psycopg.connect(database.owner_url) as owner:
            owner.execute("UPDATE battery_soh SET soh_pct = %s", [first_pct])
        assert _read(database, "SELECT fade FROM battery_cycling WHERE device_id = 'shaver'") == [{"fade": fade}]
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("UPDATE battery_soh SET quality = 'partial'")
    assert _read(database, "SELECT fade FROM battery_cycling WHERE device_id = 'shaver'") == [{"fade": "unknown"}]

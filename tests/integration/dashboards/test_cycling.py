"""Sets that are cycled beside backup: throughput, efficiency of closed cycles, earnings, fade against forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from dashboards.grafana.build import dashboard_json
from dashboards.kit import fields
from dashboards.pages.battery_cycling import DASHBOARD, FADE_WORDS
from dashboards.preview.macros import Scope, parse_range
from dashboards.preview.model import load
from schemas.words import Language
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
VALUES (%s, now() - interval '10 days' + %s * interval '1 hour', now(), 's', %s, %s, %s, %s, 60, %s, 'good', '')
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


def _write(database: ReaderDatabase, episodes: list[Episode], device: str = "shaver", *, duration_h: float = 1) -> None:
    with psycopg.connect(database.owner_url) as owner:
        for hour, kind, charge_ah, energy_kwh, coverage in episodes:
            owner.execute(EPISODE.encode(), [device, hour, kind, duration_h, charge_ah, energy_kwh, coverage])


def _read(database: ReaderDatabase, query: str) -> list[dict[str, Any]]:
    with psycopg.connect(database.reader_url, row_factory=dict_row) as reader:
        return reader.execute(trusted(query)).fetchall()


def _panel(database: ReaderDatabase, number: int) -> list[dict[str, Any]]:
    """Rows of the page's n-th panel for the set `shaver`, 30 days to now."""
    (now,) = _read(database, "SELECT now() AS now")
    panel = load(dashboard_json(DASHBOARD, Language.EN)).panels[number]
    scope = Scope(parse_range("now-30d", "now", now["now"]), {"city": "*", "set": "shaver"})
    query = scope.bind(panel.sql, shortest_interval_s=panel.shortest_interval_s)
    with psycopg.connect(database.reader_url, row_factory=dict_row) as reader:
        return reader.execute(trusted(query.sql), query.parameters).fetchall()


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
        ([*CLOSED[:3], CLOSED[4]], "no_charge"),
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


def test_a_short_float_lies_within_its_cycle(database: ReaderDatabase) -> None:
    """A charge that pauses for two minutes at the voltage of float fills no set: both its parts are of one cycle."""
    assert health_reference().times.full_after_ms == 3_600_000
    _write(database, [(0, "float", 0, 0, 1), (2, "discharge", -60, -3.054, 1), (5, "charge", 32, 1.621, 1)])
    _write(database, [(6, "float", 0, 0, 1)], duration_h=2 / 60)
    _write(database, [(6.1, "charge", 34, 1.762, 1), (8, "float", 0, 0, 1)])
    (cycle,) = _read(database, "SELECT * FROM battery_cycle")
    assert (cycle["out_kwh"], cycle["in_kwh"], cycle["reason"]) == (3.054, pytest.approx(3.383), None)
    assert cycle["efficiency"] == pytest.approx(3.054 / 3.383)
    (row,) = _read(database, "SELECT * FROM battery_cycling WHERE device_id = 'shaver'")
    assert row["month_in_kwh"] == pytest.approx(3.383)


def test_a_set_that_is_never_full_has_throughput_all_the_same(database: ReaderDatabase) -> None:
    """Sixty days from 20 to 90 %: the month's sums are of its episodes, whatever cycle they belong to."""
    hours = range(-50 * 24, 10 * 24, 24)
    moved: list[Episode] = [(h, "discharge", -70, -3.5, 1) for h in hours]
    moved += [(h + 6, "charge", 71, 3.8, 1) for h in hours]
    _write(database, moved)
    (row,) = _read(database, "SELECT * FROM battery_cycling WHERE device_id = 'shaver'")
    assert row["month_out_kwh"] == pytest.approx(30 * 3.5, abs=3.6)
    assert row["month_in_kwh"] == pytest.approx(30 * 3.8, abs=3.9)
    assert row["month_full_cycles"] == pytest.approx(30 * 0.7, abs=0.8)
    assert (row["closed"], row["efficiency"]) == (0, None)
    rows = _panel(database, 1)
    assert [(each["reason"]) for each in rows] == ["not closed yet"], "the cycle goes on within the range"


def test_a_cycle_counts_in_the_month_that_closed_it(database: ReaderDatabase) -> None:
    """It may have begun before: a set that is full once in five weeks has an efficiency too."""
    _write(database, [(-25 * 24, "float", 0, 0, 1), (-24 * 24, "discharge", -70, -3.5, 1), (0, "charge", 71, 3.8, 1)])
    _write(database, [(4, "float", 0, 0, 1)])
    (row,) = _read(database, "SELECT * FROM battery_cycling WHERE device_id = 'shaver'")
    assert (row["closed"], row["efficiency"]) == (1, pytest.approx(3.5 / 3.8))
    assert (row["month_out_kwh"], row["month_in_kwh"]) == (None, 3.8)


def test_what_is_known_is_a_share_of_all_quarters_of_the_range(database: ReaderDatabase) -> None:
    """Quarters of silence have no row, and are unknown all the same; those before the set was there do not count."""
    rows = {row["period"]: row for row in _panel(database, 2)}
    assert rows["峰"]["coverage"] == pytest.approx(1.5 / (30 * 4 * 4), rel=0.05)
    assert rows["谷"]["coverage"] == pytest.approx(1 / (30 * 8 * 4), rel=0.05)
    assert rows["峰"]["yuan"] == pytest.approx(0.9 * 1.6)
    assert (rows["谷"]["hours_in"], rows["谷"]["hours_out"]) == (0.25, 0)
    with psycopg.connect(database.owner_url) as owner:
        owner.execute(
            "UPDATE device SET detail = jsonb_set(detail, '{battery,valid_from}', to_jsonb((extract(epoch FROM"
            " date_trunc('day', now() - interval '3 days', 'Asia/Shanghai')) * 1000)::bigint))"
            " WHERE device_id = 'shaver'"
        )
    rows = {row["period"]: row for row in _panel(database, 2)}
    assert rows["峰"]["coverage"] == pytest.approx(1.5 / (3.5 * 4 * 4), rel=0.2)
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("DELETE FROM battery_quarter")
    silent = _panel(database, 2)
    assert {(row["coverage"], row["hours_in"], row["hours_out"], row["yuan"]) for row in silent} == {
        (0, None, None, None)
    }


def test_each_quarter_of_an_hour_has_the_price_of_its_local_time(database: ReaderDatabase) -> None:
    """A period holds its begin and not its end; an hour in none has no price."""
    rows = _read(database, "SELECT period, yuan_kwh FROM battery_tariff_quarter ORDER BY ts")
    assert [(row["period"], row["yuan_kwh"]) for row in rows] == [("谷", 0.3), ("峰", 0.9), ("峰", 0.9), (None, None)]


@pytest.mark.parametrize(
    ("offset_a", "energies"),
    [
        (0.3, [(0.496, 0.0), (0.0, 0.904), (0.0, 0.702), (0.0, 0.204)]),
        (-0.3, [(0.504, 0.0), (0.0, 0.896), (0.0, 0.698), (0.0, 0.196)]),
        (None, [(0.5, 0.0), (0.0, 0.9), (0.0, 0.7), (0.0, 0.2)]),
    ],
)
def test_an_offset_of_the_current_is_no_energy(
    database: ReaderDatabase, offset_a: float | None, energies: list[tuple[float, float]]
) -> None:
    """What the sensor shows while nothing flows is taken off what went in, and added to what came out."""
    with psycopg.connect(database.owner_url) as owner:
        owner.execute(
            "INSERT INTO battery_hour (device_id, ts, site_id, float_min, rest_min, load_min, current_offset_a,"
            " coverage, quality, flags) SELECT 'shaver', date_trunc('hour', min(ts)) - interval '5 hours', 's', 60, 0,"
            " 0, %s, 1, 'good', '' FROM battery_quarter",
            [offset_a],
        )
    rows = _read(
        database, "SELECT energy_in_kwh AS took, energy_out_kwh AS gave FROM battery_tariff_quarter ORDER BY ts"
    )
    assert [round(row["took"], 3) for row in rows] == [took for took, _ in energies]
    assert [round(row["gave"], 3) for row in rows] == [gave for _, gave in energies]
    (whole,) = _read(
        database,
        "SELECT sum(energy_in_kwh) AS took FROM battery_tariff_quarters('shaver', now() - interval '9 days', now())",
    )
    assert whole["took"] == pytest.approx(sum(took for took, _ in energies), abs=0.001)


def test_fade_begins_at_the_last_change_of_the_set(database: ReaderDatabase) -> None:
    """An exchange that nobody registered, another sensor, a figure corrected: what was before is not compared."""
    change = "UPDATE battery_soh SET change = %s WHERE soh_pct = 90"
    with psycopg.connect(database.owner_url) as owner:
        owner.execute(
            "INSERT INTO battery_soh (device_id, ts, site_id, soh_pct, sigma_pct, method, estimates, cutoff_cell_v,"
            " quality, reference_version) VALUES"
            " ('shaver', now() - interval '18 months', 's', 90, 1, 'full', 1, 2.8, 'good', 'v')"
        )
    for kind in (None, "cell_failed", "set_replaced", "recalibrated", "corrected", "registered"):
        with psycopg.connect(database.owner_url) as owner:
            owner.execute(change.encode(), [kind])
        (row,) = _read(database, "SELECT * FROM battery_cycling WHERE device_id = 'shaver'")
        begins_anew = kind not in {None, "cell_failed"}
        assert row["fade_pct"] == (10 if begins_anew else 12), kind
        assert row["years"] == pytest.approx(1.5 if begins_anew else 2, abs=0.01), kind


def test_where_no_fade_could_have_shown_it_is_too_early(database: ReaderDatabase) -> None:
    """Half a year: 1.25 ± 2.4 points. Neither no fade nor as much as expected could be told from the other."""
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("UPDATE battery_soh SET ts = now() - interval '6 months', soh_pct = 81")
    (row,) = _read(database, "SELECT * FROM battery_cycling WHERE device_id = 'shaver'")
    assert (row["fade_pct"], row["fade"]) == (1, "too_early")
    assert row["doubt_pct"] > row["expected_fade_pct"]
    assert FADE_WORDS["too_early"].color == fields.UNKNOWN


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


def test_a_health_that_rose_is_to_be_checked_and_not_green(database: ReaderDatabase) -> None:
    """Cells do not heal: a rise beyond the doubt is a sensor's or another set's; within it, fade is just slow."""
    for first_pct, fade in ((79, "slower"), (70, "risen")):
        with psycopg.connect(database.owner_url) as owner:
            owner.execute("UPDATE battery_soh SET soh_pct = %s", [first_pct])
        rows = {row["device_id"]: row["fade"] for row in _panel(database, 0)}
        assert rows["shaver"] == fade
    assert FADE_WORDS["risen"].color == fields.PARTIAL

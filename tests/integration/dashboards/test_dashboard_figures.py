"""What the rows of panels say: what is known, and that they say so when it is not."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

import psycopg
import pytest

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.preview.macros import Scope, TimeRange
from dashboards.preview.model import load
from dashboards.preview.reader import Reader
from schemas.words import Language
from tests.fixtures.dashboards import populate

if TYPE_CHECKING:
    from dashboards.preview.model import Dashboard
    from tests.fixtures.dashboards import ReaderDatabase
from tests.support.dashboard_queries import DASHBOARDS, fetch, rows_of, standard_scope


async def test_a_silent_meter_has_no_rate(reader_database: ReaderDatabase) -> None:
    """Offline is never zero: rate and age of a meter that is silent or was never seen are null, not 0."""
    meters = {str(row["meter"]): row for row in await rows_of("Meters", reader_database, standard_scope())}
    silent, never = meters["Compressor house"], meters["Natural gas"]
    assert (silent["state"], silent["rate"]) == ("stale", None)
    assert silent["total"] is not None
    assert (never["state"], never["rate"], never["age"], never["total"]) == ("never", None, None, None)
    assert meters["Incoming feeder 1"]["state"] == "live"


async def test_a_virtual_meter_stands_beside_those_it_is_made_of(reader_database: ReaderDatabase) -> None:
    """Its rate is that of its known minutes, unknown where there are none; a register it does not have."""
    rows = {row["meter"]: row for row in await rows_of("Meters", reader_database, standard_scope())}
    both = rows["Both feeders"]
    assert (both["role"], both["state"], both["rate"], both["total"]) == ("virtual", "live", "42,000.0 kW", None)
    assert both["device_id"] == "taihang-steel-v1"
    rows = {
        row["meter"]: row for row in await rows_of("Meters", reader_database, standard_scope(site="fenyang-coking"))
    }
    assert (rows["Both feeders"]["state"], rows["Both feeders"]["rate"]) == ("stale", None)


async def test_none_known_is_not_none_bad(migrated_database: ReaderDatabase) -> None:
    """Of what is all unknown no count of bad ones is zero, which is green: it is unknown."""
    populate(migrated_database.owner_url, sets=4, hours=2, days=2)
    with psycopg.connect(migrated_database.owner_url) as owner:
        for statement in NOTHING_KNOWN:
            owner.execute(statement)
    for title, bad in COUNTS_OF_BAD.items():
        (row, *_) = await rows_of(title, migrated_database, standard_scope())
        assert [row[name] for name in bad] == [None] * len(bad), title
    with psycopg.connect(migrated_database.owner_url) as owner:
        owner.execute("UPDATE battery_health_latest SET advice = 'keep' WHERE device_id = 'bs00001-b1'")
    (row,) = await rows_of("Health and advice", migrated_database, standard_scope())
    assert (row["watch"], row["retire"]) == (0, 0)


async def test_a_missing_window_is_a_null_in_its_place(reader_database: ReaderDatabase) -> None:
    """A gap is a moment with null, so that the line breaks; the quality there is unknown."""
    power = await rows_of("Power, kW", reader_database, standard_scope())
    gap = {row["time"] for row in power if row["power_1_h"] is None}
    assert 10 <= len(gap) <= 20
    quality = await rows_of("Data quality", reader_database, standard_scope())
    assert quality[0]["quality_1_h"] == "good"
    assert {row["quality_1_h"] for row in quality if row["time"] in gap} == {"unknown"}
    assert {row["quality_1_h"] for row in quality} == {"good", "partial", "unknown"}


async def test_what_flows_into_a_medium_flows_out_of_it_and_what_is_not_known_is_said(
    reader_database: ReaderDatabase,
) -> None:
    """In standard coal: both feeders, the compressors, the rest without a meter; gas, not balanced, has no width."""
    rows = await rows_of("Energy flow, kgce · newest whole day", reader_database, standard_scope())
    flows = {(str(row["flow_from"]), str(row["flow_to"])): cast("float | None", row["flow"]) for row in rows}
    assert flows.pop(("Σ natural gas (lower)", "unknown")) is None
    assert {ends: round(flow) for ends, flow in flows.items() if flow} == {
        ("Incoming feeder 1", "Σ electricity"): round(180_000 * 0.1229),
        ("Incoming feeder 2", "Σ electricity"): round(120_000 * 0.1229),
        ("Σ electricity", "Compressor house"): round(220_000 * 0.1229),
        ("Σ electricity", "not sub-metered"): round(80_000 * 0.1229),
    }


async def test_every_meter_stands_below_its_medium(reader_database: ReaderDatabase) -> None:
    """Boundary first, then what is inside, one step further in; a meter nothing is known of is unknown, and the sum."""
    rows = await rows_of("Tree of meters · 24 h", reader_database, standard_scope())
    names = [str(row["node"]).replace("\u00a0", " ") for row in rows]
    assert names[:4] == ["electricity", "└ Incoming feeder 1", "└ Incoming feeder 2", "    └ Compressor house"]
    gas = rows[names.index("└ Natural gas") - 1 :][:2]
    assert [(row["amount"], row["share"]) for row in gas] == [(None, None), (None, None)]
    assert next(row for row in rows if row["node"] == "electricity")["device_id"] is None


async def test_a_product_is_the_whole_of_what_is_produced(migrated_database: ReaderDatabase) -> None:
    """No meter brings it in: its sum is that of what leaves, not an intake that nobody knows."""
    with psycopg.connect(migrated_database.owner_url) as owner:
        owner.execute(
            "INSERT INTO site (site_id, name, name_zh, city, sector, product_unit)"
            " VALUES ('P', 'P', '厂', '太原', 'steel', 't')"
        )
        owner.execute(
            "INSERT INTO device (device_id, site_id, kind, name, name_zh, period_s, role, detail)"
            " VALUES ('water', 'P', 'production', 'a', 'a', 30, 'product', '{}')"
        )
        owner.execute(QUARTERS)
    (whole, product) = await rows_of("Tree of meters · 24 h", migrated_database, standard_scope(site="P"))
    assert (whole["amount"], whole["share"], product["amount"], product["share"]) == ("182 t", 1.0, "182 t", 1.0)


async def test_a_gangue_unit_shows_what_it_does_now_and_nothing_once_it_is_silent(
    reader_database: ReaderDatabase,
) -> None:
    """Load, its share of the rating and the bed's temperature are of now or unknown."""
    (runs,) = await rows_of("How it runs", reader_database, standard_scope(unit="pinglu-power-u1"))
    assert (runs["state"], runs["power_mw"], runs["rated_pct"], runs["bed_temperature_c"]) == ("live", 240, 80, 884)
    assert runs["steam_pressure_mpa"] is None
    (silent,) = await rows_of("How it runs", reader_database, standard_scope(unit="pinglu-power-u2"))
    figures = {key: value for key, value in silent.items() if key not in {"state", "age"}}
    assert (silent["state"], set(figures.values())) == ("stale", {None})


async def test_a_coal_rate_stands_beside_that_of_earlier_days_at_the_same_load(reader_database: ReaderDatabase) -> None:
    """Days of another load, and those that wait for the laboratory, are not compared with."""
    (rates,) = await rows_of("Coal and heat rate · 24 h", reader_database, standard_scope())
    with psycopg.connect(reader_database.reader_url) as reader:
        (wanted,) = reader.execute(
            "WITH n AS (SELECT * FROM gangue_window WHERE device_id = 'pinglu-power-u1' AND span = 'day'"
            " ORDER BY ts DESC LIMIT 1)"
            " SELECT n.net_coal_rate_gce_kwh - avg(w.net_coal_rate_gce_kwh) FROM n, gangue_window w"
            " WHERE w.device_id = n.device_id AND w.span = 'day' AND w.quality = 'good'"
            " AND w.ts <= n.ts - interval '1 day'"
            " AND w.capacity_factor_pct BETWEEN n.capacity_factor_pct - 5 AND n.capacity_factor_pct + 5"
            " GROUP BY n.net_coal_rate_gce_kwh"
        ).fetchone() or (None,)
    assert wanted is not None
    mark, difference, unit = str(rates["to_before"]).split()
    assert (difference, unit) == (f"{wanted:+.1f}".replace("-", "−"), "gce/kWh")
    assert mark == ("◐" if wanted >= 0.05 else "●")


QUARTERS = """
INSERT INTO meter_quarter (device_id, quantity, ts, site_id, increment, known, is_whole, coverage, quality)
SELECT device_id, quantity, ts, 'P', amount, 15, true, 1, 'good'
FROM (VALUES ('water', 'volume_m3', 2.0, 96), ('water', 'mass_t', 1.9, 96),
             ('half', 'volume_m3', 2.0, 48), ('half', 'mass_t', 1.9, 48),
             ('steam', 'volume_m3', 30.0, 96), ('steam', 'mass_t', 0.5, 96),
             ('heat', 'heat_gj', 4.0, 96), ('heat', 'volume_m3', 9.0, 96)) AS v (device_id, quantity, amount, quarters)
CROSS JOIN LATERAL generate_series(date_bin('15 minutes', now(), '2000-01-03 00:00+00') - interval '25 hours',
    date_bin('15 minutes', now(), '2000-01-03 00:00+00') - interval '25 hours' + (quarters + 3) * interval '15 minutes',
    interval '15 minutes') AS ts
"""


async def test_a_meter_is_counted_by_one_register_and_heat_is_counted_too(migrated_database: ReaderDatabase) -> None:
    """Cubic metres and tonnes of one meter are no sum, and half a day of both is no whole day."""
    with psycopg.connect(migrated_database.owner_url) as owner:
        owner.execute(
            "INSERT INTO site (site_id, name, name_zh, city, sector, product_unit)"
            " VALUES ('P', 'P', '厂', '太原', 'steel', 't')"
        )
        owner.execute(
            "INSERT INTO device (device_id, site_id, kind, name, name_zh, period_s, role, detail)"
            " SELECT id, 'P', kind, id, id, 30, role, '{}' FROM (VALUES ('water', 'water', 'consumed'),"
            " ('half', 'water', 'internal'), ('steam', 'steam', 'consumed'), ('heat', 'heat', 'consumed'))"
            " AS v (id, kind, role)"
        )
        owner.execute(QUARTERS)
    rows = await rows_of("Tree of meters · 24 h", migrated_database, standard_scope(site="P"))
    shown = {str(row["device_id"]): (row["amount"], row["share"]) for row in rows if row["device_id"]}
    assert shown == {
        "water": ("192 m³", 1),
        "half": (None, None),
        "steam": ("48 t", 1),
        "heat": ("384 GJ", 1),
    }
    sums = {str(row["node"]): row["amount"] for row in rows if not row["device_id"]}
    assert sums == {"water": "192 m³", "steam": "48 t", "heat": "384 GJ"}


CITIES = """
INSERT INTO site (site_id, name, name_zh, city, sector, product_unit)
SELECT city, city, city, city, 'base_station', 't' FROM unnest(ARRAY['太原', '大同', '阳泉']) AS city;
INSERT INTO alarm (alarm_id, site_id, device_id, metric, kind, state, active, severity, event_at, raised_at, group_id)
VALUES ('a', '太原', 'x', 'm', 'drift', 'active_unacknowledged', true, 'critical', now(), now(), 'a'),
       ('b', '大同', 'y', 'm', 'drift', 'active_unacknowledged', true, 'low', now(), now(), 'b');
"""


async def test_a_silent_city_with_a_grave_alarm_is_to_be_acted_on(migrated_database: ReaderDatabase) -> None:
    """A dead link does not make a standing alarm grey; where there is nothing grave, silence is unknown."""
    with psycopg.connect(migrated_database.owner_url) as owner:
        owner.execute(CITIES)
    rows = await rows_of("Cities", migrated_database, standard_scope())
    states = {str(row["city_key"]): row["state"] for row in rows}
    assert states == {"太原": "✕ act", "大同": "○ unknown", "阳泉": "○ unknown"}


async def test_a_night_of_a_day_under_way_hides_no_night_that_is_known(migrated_database: ReaderDatabase) -> None:
    """A day's night flow needs 92 of its quarters: until midnight the newest known one is yesterday's."""
    populate(migrated_database.owner_url, sets=22, hours=2, days=10)
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        owner.execute("DELETE FROM night_flow WHERE ts > now() - interval '1 day'")
        before = await rows_of("Night flow by meter", migrated_database, standard_scope())
        owner.execute(
            "CREATE TEMP TABLE today AS SELECT DISTINCT ON (site_id, meter_id) * FROM night_flow"
            " ORDER BY site_id, meter_id, ts DESC"
        )
        owner.execute(
            "UPDATE today SET night_flow_m3_h = NULL, points = 64, ts = date_trunc('day', now(), 'Asia/Shanghai')"
        )
        owner.execute("INSERT INTO night_flow SELECT * FROM today")
    assert before
    assert all(row["night_flow_m3_h"] is not None for row in before)
    assert await rows_of("Night flow by meter", migrated_database, standard_scope()) == before


async def test_the_same_hours_of_another_day_stand_beside_those_shown(migrated_database: ReaderDatabase) -> None:
    """Each window has the one so many whole days before it; the best day is the whole one with least energy a tonne."""
    populate(migrated_database.owner_url, sets=22, hours=2, days=10)
    with psycopg.connect(migrated_database.owner_url) as owner:
        owner.execute(
            "INSERT INTO plant_window SELECT site_id, window_min, ts - ago * interval '1 day', energy_kwh, power_kw,"
            " energy_kgce, water_m3, production, unit_energy_kgce, unit_water_m3, coverage, quality, reference_version"
            " FROM plant_window, (VALUES (4), (7)) AS of (ago)"
            " WHERE site_id = 'taihang-steel' AND window_min = 60 AND ts > now() - interval '90 minutes'"
        )
        owner.execute("UPDATE plant_window SET power_kw = extract(epoch FROM ts) / 86400 WHERE window_min = 60")
        for ago, unit_energy, coverage in ((4, 80, 1), (3, 70, 0.5), (1, 60, 1)):
            owner.execute(
                "UPDATE plant_day SET unit_energy_kgce = %s, coverage = %s WHERE site_id = 'taihang-steel'"
                " AND ts = date_trunc('day', now(), 'Asia/Shanghai') - %s * interval '1 day'",
                [unit_energy, coverage, ago],
            )
    for compared, days in (("none", set()), ("day", {1}), ("week", {7}), ("best", {4})):
        rows = await rows_of("Power, kW", migrated_database, standard_scope("now-1h", compare=compared))
        pairs = [(row["power_1_h"], row["compared"]) for row in rows]
        both = [(cast("float", now), cast("float", then)) for now, then in pairs if None not in {now, then}]
        assert {round(now - then, 3) for now, then in both} == days


async def test_the_best_day_of_a_past_range_lies_before_it(migrated_database: ReaderDatabase) -> None:
    """Neither after the range nor on the day it ends: that would be compared with itself."""
    populate(migrated_database.owner_url, sets=22, hours=2, days=12)
    day = "date_trunc('day', now(), 'Asia/Shanghai')"
    with psycopg.connect(migrated_database.owner_url) as owner:
        owner.execute("UPDATE plant_day SET unit_energy_kgce = 500, coverage = 1 WHERE site_id = 'taihang-steel'")
        for ago, unit_energy in ((9, 90), (6, 50), (4, 40)):
            owner.execute(
                "UPDATE plant_day SET unit_energy_kgce = %s WHERE site_id = 'taihang-steel'"  # noqa: S608 - ours
                f" AND ts = {day} - %s * interval '1 day'",
                [unit_energy, ago],
            )
        found = owner.execute(f"SELECT {day}").fetchone()
    assert found is not None
    (today,) = found
    end = today - dt.timedelta(days=6) + dt.timedelta(hours=12)
    (compare,) = (
        variable
        for definition in DEFINITIONS
        if definition.slug == "plant-energy"
        for variable in load(dashboard_json(definition, Language.EN)).variables
        if variable.name == "compare"
    )
    scope = Scope(TimeRange(end - dt.timedelta(hours=6), end), standard_scope().variables)
    reader = Reader(migrated_database.reader_url)
    try:
        rows = (await reader.fetch(scope.bind(compare.sql))).rows
    finally:
        await reader.close()
    best = (today - dt.timedelta(days=9)).astimezone(ZoneInfo("Asia/Shanghai"))
    assert [text for value, text in rows if value == "best"] == [f"the best day {best:%m-%d}"]


async def test_a_day_under_way_or_known_in_part_has_no_bar(reader_database: ReaderDatabase) -> None:
    """Its sum would look like a fall; the days around it have theirs."""
    rows = await rows_of("Water per day, m³", reader_database, standard_scope("now-6d"))
    known = [row["water_in_m3"] is not None for row in rows]
    assert known[-4:] == [False, True, True, False]
    assert all(known[:-4])


async def test_sets_are_counted_once(reader_database: ReaderDatabase) -> None:
    """Registered = reporting + silent, in total and over the cities; one city shows only its own."""
    (total,) = await rows_of("Sets reporting", reader_database, standard_scope())
    assert total["registered"] == 300
    assert total == {"registered": 300, "reporting": total["reporting"], "silent": 300 - float(str(total["reporting"]))}
    cities = await rows_of("By city", reader_database, standard_scope())
    for column in ("registered", "reporting", "silent"):
        assert sum(float(str(row[column])) for row in cities) == total[column]
    (one,) = await rows_of("By city", reader_database, standard_scope(city="太原"))
    assert one in cities


async def test_no_outage_is_claimed_where_nothing_reports(migrated_database: ReaderDatabase) -> None:
    """Without a reporting site the number of outages is unknown, not 0."""
    (row,) = await rows_of("Outages and discharges", migrated_database, standard_scope())
    assert (row["mains_failed"], row["discharging"]) == (None, None)


async def test_an_outage_whose_sets_are_silent_does_not_claim_that_none_discharges(
    migrated_database: ReaderDatabase,
) -> None:
    """A site without mains and without a reporting set has an unknown number of discharging sets, not 0."""
    populate(migrated_database.owner_url, sets=62, hours=1)
    with psycopg.connect(migrated_database.owner_url) as owner:
        owner.execute("UPDATE battery_latest SET ts = ts - interval '1 day' WHERE device_id = 'bs00031-b1'")
    sites = {row["site"]: row for row in await rows_of("Outages in progress", migrated_database, standard_scope())}
    assert (sites["Base station 31"]["discharging"], sites["Base station 31"]["soc"]) == (None, None)
    assert sites["Base station 62"]["discharging"] == 1


COUNTS_OF_BAD = {
    "Health and advice": ("watch", "retire"),
    "Sites: backup time (p10) against the contract": ("misses",),
    "If the mains fails this week: do sites keep their contract?": ("short", "doubtful"),
    "Alarms by state": ("active_unacknowledged", "active_acknowledged", "standing"),
    "Active alarms by severity": ("critical", "high", "medium", "low"),
    "Plants": ("alarms",),
}
NOTHING_KNOWN = (
    (
        "UPDATE battery_health_latest SET advice = 'unknown', soh_pct = NULL, soh_low_pct = NULL, soh_high_pct = NULL,"
        " backup_p50_h = NULL, backup_p10_h = NULL, misses_contract = NULL, quality = 'unknown'"
    ),
    "UPDATE alarm SET active = false, state = 'normal'",
    "UPDATE checkpoint SET updated_at = updated_at - interval '1 hour'",
    "UPDATE meter_latest SET ts = ts - interval '1 day'",
)

LEAK = """
INSERT INTO alarm (alarm_id, site_id, device_id, metric, kind, state, active, severity, event_at, raised_at, group_id)
VALUES ('a', 'P', 'W0', 'volume_m3', 'drift', 'active_unacknowledged', true, 'medium', now(), now(), 'a'),
       ('b', 'P', 'W0', 'volume_m3', 'night_flow', 'active_unacknowledged', true, 'high', now(), now(), 'b'),
       ('c', 'P', 'W0', 'volume_m3', 'seasonal', 'active_unacknowledged', true, 'low', now(), now(), 'c'),
       ('d', 'P', 'W0', 'volume_m3', 'step', 'active_acknowledged', true, 'low', now(), now(), 'd'),
       ('e', 'P', 'W1', 'volume_m3', 'drift', 'active_unacknowledged', true, 'medium', now(), now(), 'e')
"""


async def test_alarms_of_one_device_are_one_row_with_the_other_kinds_named(migrated_database: ReaderDatabase) -> None:
    """A leak is one row, by its worst; what somebody is on already stands apart, and a filter hides no device."""
    with psycopg.connect(migrated_database.owner_url) as owner:
        owner.execute(
            "INSERT INTO site (site_id, name, name_zh, city, sector, product_unit)"
            " VALUES ('P', 'P', '厂', '太原', 'steel', 't')"
        )
        owner.execute(LEAK)
    page = next(each.values[0] for each in DASHBOARDS if each.id == "alarms-en")
    panel = next(each for each in cast("Dashboard", page).panels if each.title == "Active alarms")
    everything = {"city": "*", "site": "*", "severity": "*", "kind": "*"}

    async def shown(**chosen: str) -> list[tuple[object, ...]]:
        rows = await fetch(migrated_database.reader_url, panel, standard_scope(**(everything | chosen)))
        return [(row[rows.columns.index("alarm_id")], row[rows.columns.index("others")]) for row in rows.rows]

    assert await shown() == [("b", "drift, unusual for the hour"), ("e", None), ("d", None)]
    assert sorted(await shown(kind="drift")) == [("a", None), ("e", None)]


@pytest.mark.parametrize(
    ("panel", "column", "over"),
    [
        ("Plants", "gap_to_limit_pct", "✕"),
        ("Plants", "gap_to_quota_pct", "✕"),
        ("Against the limits", "gap_to_limit_pct", "✕"),
        ("Against the limits", "gap_to_leader_pct", "◐"),
        ("Intake per product, m³/${product_unit} · 24 h", "gap_to_quota_pct", "✕"),
        ("Intake per product, m³/${product_unit} · 24 h", "gap_to_advanced_quota_pct", "◐"),
    ],
)
async def test_a_gap_that_rests_on_an_estimate_is_not_called_over(
    reader_database: ReaderDatabase, panel: str, column: str, over: str
) -> None:
    """Its mark, and with it its colour, is that of estimates; what is measured is over or within."""

    def texts(rows: list[dict[str, object]]) -> list[str]:
        return [str(row[column]) for row in rows if row[column] not in {None, "none"}]

    scope = standard_scope()
    measured = texts(await rows_of(panel, reader_database, scope))
    estimated = texts(await rows_of(panel, reader_database, _while_estimated(scope)))
    assert measured
    assert estimated
    assert all(re.fullmatch(rf"({over} \+|● −|● \+(?=0\.0))[\d.]+ %", each) for each in measured)
    assert all(re.fullmatch(r"◇ [−+][\d.]+ %", each) for each in estimated)


def _while_estimated(scope: Scope) -> Scope:
    """Six hours of the past in which registers were interpolated."""
    end = scope.range.end - dt.timedelta(hours=55)
    return Scope(TimeRange(end - dt.timedelta(hours=6), end), scope.variables)

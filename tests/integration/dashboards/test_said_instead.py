"""Where a figure is null for a reason that is known, the page says the reason; "unknown" is what nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.dashboard_queries import rows_of, standard_scope

if TYPE_CHECKING:
    from tests.fixtures.dashboards import ReaderDatabase

SITE = """
INSERT INTO site (site_id, name, name_zh, city, sector, product_unit)
    VALUES ('s', 'Station', '站', '太原', 'base_station', ''), ('w', 'Works', '厂', '太原', 'steel', 't');
INSERT INTO device (device_id, site_id, kind, name, name_zh, period_s, role, detail)
    SELECT 's-b' || n, 's', 'battery', '', '', 60, '',
        '{"battery": {"nominal_ah": 100, "nominal_v": 51.2, "cell_count": 16, "contract_h": 2.0}}'
    FROM generate_series(1, 2) AS n;
INSERT INTO device (device_id, site_id, kind, name, name_zh, period_s, role, detail)
    VALUES ('w-w1', 'w', 'water', '', '', 60, 'consumed', '{}');
INSERT INTO battery_latest (device_id, ts, site_id, received_at, pack_voltage_v, current_a)
    SELECT device_id, now(), 's', now(), 54, 9 FROM device WHERE site_id = 's';
INSERT INTO battery_state (device_id, ts, site_id, kind, since_at, power_w, flags)
    SELECT device_id, now(), 's', 'charge', now(), 0, '' FROM device WHERE site_id = 's';
INSERT INTO battery_soh (device_id, ts, site_id, soh_pct, sigma_pct, method, estimates, cutoff_cell_v, quality,
    reference_version) VALUES ('s-b1', now() - interval '9 days', 's', 72, 1.5, 'full', 1, 2.8, 'good', 'v');
INSERT INTO battery_health_latest (device_id, ts, site_id, city, maker, batch, nominal_ah, soh_pct, soh_sigma_pct,
    soh_estimates, backup_p50_h, backup_p10_h, contract_h, misses_contract, observable, test_priority_kwh, advice,
    advice_reasons, flags, quality, reference_version, load_w)
    VALUES ('s-b1', now(), 's', '太原', '', '', 100, 72, 1.5, 1, 2.4, 1.997, 2, true, true, 0, 'retire', 'backup', '',
        'good', 'v', 2000)
"""


@pytest.fixture
def known(migrated_database: ReaderDatabase) -> ReaderDatabase:
    """A station whose two sets charge, one of them never discharged, and a plant with one meter of water."""
    with psycopg.connect(migrated_database.owner_url) as owner:
        for statement in SITE.split(";\n"):
            owner.execute(statement.encode())
    return migrated_database


def _run(database: ReaderDatabase, statement: str) -> None:
    with psycopg.connect(database.owner_url) as owner:
        owner.execute(statement.encode())


async def test_a_set_that_charges_says_so_where_its_time_left_would_stand(known: ReaderDatabase) -> None:
    """Nothing is unknown of a charging set's time left: there is none. Once it is silent nobody knows."""
    scope = standard_scope(set="s-b1")
    (now,) = await rows_of("Now", known, scope)
    assert (now["remaining_p10_h"], now["site_p10_h"]) == ("not discharging", "no set discharges")
    _run(known, "UPDATE battery_state SET kind = 'discharge', remaining_p50_h = 3, remaining_p10_h = 2.25")
    (now,) = await rows_of("Now", known, scope)
    assert now["remaining_p10_h"] in {"2.2 h", "2.3 h"}
    _run(known, "UPDATE battery_latest SET ts = now() - interval '1 hour'")
    _run(known, "UPDATE battery_state SET kind = 'charge', remaining_p50_h = NULL, remaining_p10_h = NULL")
    (now,) = await rows_of("Now", known, scope)
    assert now["remaining_p10_h"] is None


async def test_a_capacity_that_did_not_change_says_so(known: ReaderDatabase) -> None:
    """Before which change, where there was none? A change whose figure before is not known stays unknown."""
    scope = standard_scope(set="s-b1")
    (rests,) = await rows_of("What the capacity rests on", known, scope)
    assert rests["believed_pct"] == rests["after_pct"] == "no change"
    assert rests["changed_at"] is None
    _run(known, "UPDATE battery_soh SET change = 'cell_failed', believed_pct = 91")
    (rests,) = await rows_of("What the capacity rests on", known, scope)
    assert rests["believed_pct"] == "91.0 %"
    _run(known, "UPDATE battery_soh SET believed_pct = NULL")
    (rests,) = await rows_of("What the capacity rests on", known, scope)
    assert rests["believed_pct"] is None


async def test_a_change_of_long_ago_is_not_told_as_the_last_one(known: ReaderDatabase) -> None:
    """Its 90 days end where the page looks, not at the set's newest discharge, which may be years old."""
    for age_days, change in ((89, "cell failed"), (91, None)):
        _run(known, f"UPDATE battery_soh SET change = 'cell_failed', ts = now() - interval '{age_days} days'")  # noqa: S608
        (rests,) = await rows_of("What the capacity rests on", known, standard_scope(set="s-b1"))
        assert rests["change"] == change


async def test_a_set_whose_health_is_unknown_says_why_where_its_doubts_would_stand(known: ReaderDatabase) -> None:
    """Not "none": it is not good for a reason, and that stands there."""
    scope = standard_scope(set="s-b1")
    _run(known, "UPDATE battery_soh SET soh_pct = NULL, reason = 'no_rest', quality = 'unknown'")
    (rests,) = await rows_of("What the capacity rests on", known, scope)
    assert rests["doubts"] == "recharged without a rest"


async def test_a_backup_below_its_contract_never_reads_like_it(known: ReaderDatabase) -> None:
    """1.997 h of 2 h is below the contract, which is why the set is to retire: not 2.00 of 2.0."""
    (health,) = await rows_of("Health (fenhe's estimate)", known, standard_scope(set="s-b1"))
    assert (health["backup_p10_h"], health["contract_h"]) == (1.99, 2.0)
    _run(known, "UPDATE battery_health_latest SET backup_p10_h = 2.25")
    (health,) = await rows_of("Health (fenhe's estimate)", known, standard_scope(set="s-b1"))
    assert health["backup_p10_h"] == 2.25


async def test_unknown_sites_are_counted_by_why_they_are(known: ReaderDatabase) -> None:
    """A plan is made of reasons: test what never discharged, look for what is silent."""
    scope = standard_scope()
    _run(
        known,
        "INSERT INTO battery_health_latest SELECT (jsonb_populate_record(h, jsonb_build_object("
        "'device_id', 's-b2', 'soh_pct', null, 'backup_p10_h', null, 'backup_p50_h', null, 'quality', 'unknown',"
        " 'soh_reason', 'no_discharge'))).* FROM battery_health_latest h",
    )
    (why,) = await rows_of("Unknown sites: why", known, scope)
    assert {reason: count for reason, count in why.items() if count} == {"never_discharged": 1}
    _run(known, "UPDATE battery_health_latest SET soh_reason = 'too_shallow' WHERE device_id = 's-b2'")
    (why,) = await rows_of("Unknown sites: why", known, scope)
    assert {reason: count for reason, count in why.items() if count} == {"unknown_set": 1}
    _run(known, "DELETE FROM battery_health_latest WHERE device_id = 's-b2'")
    (why,) = await rows_of("Unknown sites: why", known, scope)
    assert {reason: count for reason, count in why.items() if count} == {"silent_set": 1}


async def test_water_says_what_meters_there_are_not(known: ReaderDatabase) -> None:
    """No reuse meter, no sub-meters, one day of two: none of them is unknown; a meter that failed is."""
    scope = standard_scope(site="w")
    _run(
        known,
        "INSERT INTO plant_rolling (site_id, line_id, ts, window_h, water_in_m3, coverage, quality,"
        " reference_version) VALUES ('w', 'plant', now() - interval '1 minute', 24, 500, 1, 'good', 'v')",
    )
    _run(
        known,
        "INSERT INTO water_day (site_id, ts, intake_m3, coverage, quality, reference_version)"
        " VALUES ('w', date_trunc('day', now(), 'Asia/Shanghai') - interval '1 day', 500, 1, 'good', 'v')",
    )
    intake, balance = "Intake per product, m³/${product_unit} · 24 h", "Balance of the last full day"
    assert (await rows_of(intake, known, scope))[0]["reuse_rate_pct"] == "no reuse meter"
    assert (await rows_of(balance, known, scope))[0]["leak"] == "no_sub_meters"
    _run(
        known,
        "INSERT INTO device (device_id, site_id, kind, name, name_zh, period_s, role, detail)"
        " VALUES ('w-w2', 'w', 'water', '', '', 60, 'internal', '{}'),"
        " ('w-w3', 'w', 'water', '', '', 60, 'reused', '{}')",
    )
    assert (await rows_of(intake, known, scope))[0]["reuse_rate_pct"] is None
    assert (await rows_of(balance, known, scope))[0]["leak"] is None
    _run(known, "UPDATE water_day SET residual_m3 = 3, tolerance_m3 = 5")
    assert (await rows_of(balance, known, scope))[0]["leak"] == "one_day"
    _run(known, "UPDATE water_day SET leak_suspected = false")
    assert (await rows_of(balance, known, scope))[0]["leak"] == "false"


def test_a_passport_tells_the_chemistry_by_the_voltage_and_says_so(known: ReaderDatabase) -> None:
    """All figures of a set rest on its chemistry: where none is registered, on what its nominal voltage tells."""
    asked = "SELECT identity ->> 'chemistry', identity ->> 'chemistry_by_voltage' FROM battery_passport_part"
    with psycopg.connect(known.owner_url) as owner:
        assert owner.execute(asked).fetchall() == [("lfp", "true")] * 2
        set_to = "UPDATE device SET detail = jsonb_set(detail, '{battery,%s}', '%s') WHERE device_id = 's-b1'"
        owner.execute((set_to % ("nominal_v", "58.4")).encode())
        assert ("li_ion", "true") in owner.execute(asked).fetchall()
        owner.execute((set_to % ("chemistry", '"lfp"')).encode())
        assert ("lfp", "false") in owner.execute(asked).fetchall()


async def test_the_passport_s_page_says_that_the_chemistry_is_told_by_the_voltage(known: ReaderDatabase) -> None:
    """What is told from other figures is not passed off as registered; what nobody registered is not "unknown"."""
    said = {str(row["item"]): row["said"] for row in await rows_of("Identity", known, standard_scope(set="s-b1"))}
    assert said["Chemistry"] == "LFP (told by its voltage)"
    assert said["Maker"] == "not registered"


async def test_a_live_meter_that_sends_no_rate_says_so(known: ReaderDatabase) -> None:
    """A belt scale sends a mass and no rate: that is known, in the list and on its page; a silent one's is not."""
    _run(
        known,
        "INSERT INTO meter_latest SELECT device_id, now(), site_id, kind, now(), 7 FROM device WHERE site_id = 'w'",
    )
    for ago, rate in (("0 s", "not sent"), ("1 hour", None)):
        _run(known, f"UPDATE meter_latest SET ts = now() - interval '{ago}'")  # noqa: S608 - our own words
        (listed,) = await rows_of("Meters", known, standard_scope(site="w"))
        (newest,) = await rows_of("Newest reading", known, standard_scope(site="w", meter="w-w1"))
        assert listed["rate"] == newest["rate"] == rate

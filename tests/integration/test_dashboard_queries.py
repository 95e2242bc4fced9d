"""Every panel's query on a real database, as the read-only role."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from typing import TYPE_CHECKING, Any, cast

import psycopg
import pytest

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.kit import panels
from dashboards.kit.fields import Field
from dashboards.kit.panels import About
from dashboards.preview.accounts import Account, Accounts, Role, Session, SignedOutError, changed
from dashboards.preview.confined import ConfinedReader
from dashboards.preview.macros import Query, Scope, parse_range
from dashboards.preview.model import load
from dashboards.preview.reader import AwayError, NotMigratedError, QueryError, Reader, Rows, SlowError
from dashboards.preview.search import query as search
from dashboards.preview.variables import resolve
from schemas.words import Language, Text
from tests.fixtures.dashboards import populate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.preview.model import Dashboard, Panel
    from tests.fixtures.dashboards import ReaderDatabase

DASHBOARDS = [
    pytest.param(load(dashboard_json(definition, language)), id=f"{definition.slug}-{language}")
    for definition in DEFINITIONS
    for language in Language
]


def _scope(range_from: str = "now-6h", **variables: str) -> Scope:
    now = dt.datetime.now(dt.UTC)
    chosen = {
        "city": "*",
        "compare": "none",
        "product_unit": "t",
        "set": "bs00001-b1",
        "unit": "pinglu-power-u1",
        "severity": "*",
        "kind": "*",
        "tests": "20",
    }
    chosen |= {"site": "taihang-steel", "meter": "taihang-steel-e1"}
    return Scope(parse_range(range_from, "now", now), chosen | variables)


SITES = {"gangue": "pinglu-power"}
"""Plants that a dashboard wants in place of the steel works."""


def _bound(panel: Panel, scope: Scope) -> Query:
    return scope.bind(panel.sql, shortest_interval_s=panel.shortest_interval_s)


async def _fetch(url: str, panel: Panel, scope: Scope) -> Rows:
    reader = Reader(url)
    try:
        return await reader.fetch(_bound(panel, scope))
    finally:
        await reader.close()


@pytest.mark.parametrize("dashboard", DASHBOARDS)
async def test_every_query_returns_the_columns_its_panel_shows(
    dashboard: Dashboard, reader_database: ReaderDatabase
) -> None:
    """Each query runs as the reader, returns rows, and every field of the panel is one of its columns."""
    for panel in dashboard.panels:
        site = SITES.get(dashboard.uid.removeprefix("fenhe-").rpartition("-")[0], "taihang-steel")
        rows = await _fetch(reader_database.reader_url, panel, _scope(dashboard.range_from, site=site))
        assert rows.rows, panel.title
        assert set(panel.fields) <= set(rows.columns), panel.title
        shown = set(rows.columns) - {"time"} if panel.type != "table" else set(panel.fields)
        assert shown == set(panel.fields), panel.title


@pytest.mark.parametrize("dashboard", [each for each in DASHBOARDS if cast("Dashboard", each.values[0]).annotations])
async def test_what_is_marked_on_charts_has_a_time_and_a_text(
    dashboard: Dashboard, reader_database: ReaderDatabase
) -> None:
    """Alarms and events of meters, as the reader; Grafana wants these two columns by name."""
    reader = Reader(reader_database.reader_url)
    try:
        for annotation in dashboard.annotations:
            rows = await reader.fetch(_scope(dashboard.range_from).bind(annotation.sql))
            assert rows.columns == ["time", "text"]
            assert all(row[1] for row in rows.rows)
    finally:
        await reader.close()


OTHERS = re.compile(
    r"Pinglu|平鲁|Fenyang|汾阳|Lucheng|潞城|pinglu-power|fenyang-coking|lucheng-methanol|bs0\d+", re.IGNORECASE
)
"""Names and identifiers of what is not the steel works."""


@pytest.fixture(scope="module")
def steelman(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Somebody who sees the steel works, and nothing else."""
    path = tmp_path_factory.mktemp("accounts") / "accounts.json"
    with changed(path) as accounts:
        accounts["li"] = Account(name="Li", role=Role.VIEWER, password_hash="none", sites=("taihang-steel",))  # noqa: S106
    kept = Accounts(path)
    (account,) = kept.read()
    return kept.open(account)


@pytest.mark.parametrize("dashboard", [case for case in DASHBOARDS if str(case.id).endswith("-zh")])
async def test_an_account_of_one_site_sees_nothing_of_another(
    dashboard: Dashboard, reader_database: ReaderDatabase, steelman: Session
) -> None:
    """Every query runs, whatever the address asks for: variables, panels and marks name no other plant or set."""
    reader = Reader(reader_database.reader_url)
    own, strange = ConfinedReader(reader, steelman), {"site": "fenyang-coking", "meter": "fenyang-coking-e1"}
    seen: list[object] = []
    for scope in (_scope(dashboard.range_from), _scope(dashboard.range_from, **strange)):
        for panel in dashboard.panels:
            rows = (await own.fetch(_bound(panel, scope))).rows
            seen += rows
            if scope.variables["site"] in strange.values() and "${site" in panel.sql:
                assert not any(value for row in rows for value in row if isinstance(value, float)), panel.title
        for annotation in dashboard.annotations:
            seen += (await own.fetch(scope.bind(annotation.sql))).rows
    offered = await resolve(own, dashboard.variables, {}, scope.range, "All")
    seen += [text for name, options in offered.options.items() if name != "kind" for text in options.items()]
    await reader.close()
    found = OTHERS.search(str(seen))
    assert found is None, found


async def test_search_finds_only_what_an_account_sees(reader_database: ReaderDatabase, steelman: Session) -> None:
    """Its own meters, and no set of the same province."""
    reader = Reader(reader_database.reader_url)
    own = ConfinedReader(reader, steelman)
    assert len((await own.fetch(search("feeder"))).rows) == 2
    assert (await own.fetch(search("bs000"))).rows == []
    assert len((await reader.fetch(search("bs000"))).rows) == 20
    await reader.close()


async def test_who_is_signed_out_reads_nothing(reader_database: ReaderDatabase, steelman: Session) -> None:
    """An open page asks at each query whose it is."""
    reader = Reader(reader_database.reader_url)
    with pytest.raises(SignedOutError):
        await ConfinedReader(reader, steelman._replace(token="none")).fetch(Query("SELECT 1", {}))  # noqa: S106
    await reader.close()


@pytest.mark.parametrize("dashboard", DASHBOARDS)
async def test_every_query_runs_on_an_empty_database(dashboard: Dashboard, fresh_database: ReaderDatabase) -> None:
    """A fresh installation has pages, not errors."""
    for panel in dashboard.panels:
        await _fetch(fresh_database.reader_url, panel, _scope(site="", city="*", set="", unit="", meter=""))


@pytest.mark.parametrize(
    ("values", "counted"),
    [
        ("", []),
        ("(NULL)", []),
        ("(0.0), (4.9), (5.0), (NULL), (17.5)", [("0–5", 2), ("5–10", 1), ("10–15", 0), ("15–20", 1)]),
        ("(-0.1), (0.0)", [("-5–0", 1), ("0–5", 1)]),
    ],
)
async def test_a_distribution_counts_every_bucket_between_its_ends(
    values: str, counted: list[tuple[str, float]], fresh_database: ReaderDatabase
) -> None:
    """A bucket holds its lower edge, an empty one between two is zero, null is in none; nothing is no row."""
    rows = f"(VALUES {values}) AS v (value)" if values else "(SELECT 1.0 AS value WHERE false) AS v"
    about = About(language=Language.ZH, title=Text("分布", "Spread"), description=Text("无", "None"), width=4, height=4)
    built = panels.histogram(about, f"SELECT value::float8 AS value FROM {rows}", Field(name="value"), bucket=5).build()  # noqa: S608 - a test's own
    assert built.targets is not None
    (target,) = built.targets
    assert isinstance(target, panels.SqlQuery)
    reader = Reader(fresh_database.reader_url)
    try:
        found = await reader.fetch(Query(target.sql, {}))
    finally:
        await reader.close()
    assert [tuple(row) for row in found.rows] == counted


HISTORY = re.compile(
    r"^(_hyper_.*|reading_\w+|meter_minute|meter_quarter|meter_event|plant_window|plant_hour|plant_day|plant_rolling"
    r"|water_day|night_flow|fuel_assay|gangue_(sum|window)|battery_(quarter|hour|soh|episode|discharge|resistance)"
    r"|ledger|quarantine|log_loss|alarm_transition)$"
)
"""Tables that grow with time, and TimescaleDB's chunks of them."""
TIME = re.compile(r"\b(ts|hour|received_at|detected_at|at)\b")


def _scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of a plan that reads a table; of TimescaleDB's ChunkAppend, which names one, only the children do."""
    if "Relation Name" in node and node.get("Custom Plan Provider") != "ChunkAppend":
        yield node
    for child in node.get("Plans", ()):
        yield from _scans(child)


@pytest.mark.parametrize("dashboard", [case for case in DASHBOARDS if str(case.id).endswith("-en")])
async def test_no_plan_reads_a_table_of_history_without_a_bound_on_its_time(
    dashboard: Dashboard, reader_database: ReaderDatabase
) -> None:
    """Every scan of a table that grows, chunks included, has a condition on time: years of data cost no page more."""
    reader = Reader(reader_database.reader_url)
    for panel in dashboard.panels:
        query = _bound(panel, _scope())
        ((plan,),) = (await reader.fetch(Query(f"EXPLAIN (FORMAT JSON) {query.sql}", query.parameters))).rows
        for scan in _scans(cast("list[dict[str, Any]]", plan)[0]["Plan"]):
            if HISTORY.match(scan["Relation Name"]):
                conditions = " ".join(str(value) for key, value in scan.items() if key.endswith(("Cond", "Filter")))
                if scan["Node Type"] == "Bitmap Heap Scan":
                    conditions += str(scan["Plans"])
                assert TIME.search(conditions), (panel.title, scan["Relation Name"], conditions)
    await reader.close()


@pytest.mark.parametrize("dashboard", DASHBOARDS)
async def test_variables_offer_what_is_registered(dashboard: Dashboard, reader_database: ReaderDatabase) -> None:
    """Options come from the registry; a value that isn't there is kept and named as unknown."""
    if not dashboard.variables:
        pytest.skip("has none")
    reader = Reader(reader_database.reader_url)
    name = dashboard.variables[0].name
    time_range = _scope().range
    found = await resolve(reader, dashboard.variables, {}, time_range, "All")
    plants = 1 if "gangue" in dashboard.uid else 4
    assert len(found.options[name]) == {"site": plants, "city": 12, "set": 300}[name]
    assert all(found.values.values())
    assert not found.unknown
    lost = await resolve(reader, dashboard.variables, {name: "nowhere"}, time_range, "All")
    assert lost.unknown == {name: "nowhere"}
    assert lost.values[name] == "nowhere"
    await reader.close()


async def _rows(title: str, database: ReaderDatabase, scope: Scope) -> list[dict[str, object]]:
    panels = (p for d in DEFINITIONS for p in load(dashboard_json(d, Language.EN)).panels)
    panel = next(p for p in panels if p.title == title)
    rows = await _fetch(database.reader_url, panel, scope)
    return [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]


async def test_a_silent_meter_has_no_rate(reader_database: ReaderDatabase) -> None:
    """Offline is never zero: rate and age of a meter that is silent or was never seen are null, not 0."""
    meters = {str(row["meter"]): row for row in await _rows("Meters", reader_database, _scope())}
    silent, never = meters["Compressor house"], meters["Natural gas"]
    assert (silent["state"], silent["rate"]) == ("stale", None)
    assert silent["total"] is not None
    assert (never["state"], never["rate"], never["age"], never["total"]) == ("never", None, None, None)
    assert meters["Incoming feeder 1"]["state"] == "live"


async def test_a_virtual_meter_stands_beside_those_it_is_made_of(reader_database: ReaderDatabase) -> None:
    """Its rate is that of its known minutes, unknown where there are none; a register it does not have."""
    rows = {row["meter"]: row for row in await _rows("Meters", reader_database, _scope())}
    both = rows["Both feeders"]
    assert (both["role"], both["state"], both["rate"], both["total"]) == ("virtual", "live", "42,000.0 kW", None)
    assert both["device_id"] == "taihang-steel-v1"
    rows = {row["meter"]: row for row in await _rows("Meters", reader_database, _scope(site="fenyang-coking"))}
    assert (rows["Both feeders"]["state"], rows["Both feeders"]["rate"]) == ("stale", None)


async def test_a_missing_window_is_a_null_in_its_place(reader_database: ReaderDatabase) -> None:
    """A gap is a moment with null, so that the line breaks; the quality there is unknown."""
    power = await _rows("Power, kW", reader_database, _scope())
    gap = {row["time"] for row in power if row["power_1_h"] is None}
    assert 10 <= len(gap) <= 20
    quality = await _rows("Data quality", reader_database, _scope())
    assert quality[0]["quality_1_h"] == "good"
    assert {row["quality_1_h"] for row in quality if row["time"] in gap} == {"unknown"}
    assert {row["quality_1_h"] for row in quality} == {"good", "partial", "unknown"}


async def test_what_flows_into_a_medium_flows_out_of_it_and_what_is_not_known_is_said(
    reader_database: ReaderDatabase,
) -> None:
    """In standard coal: both feeders, the compressors, the rest without a meter; gas, not balanced, has no width."""
    rows = await _rows("Energy flow, kgce · newest whole day", reader_database, _scope())
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
    rows = await _rows("Tree of meters · 24 h", reader_database, _scope())
    names = [str(row["node"]).replace("\u00a0", " ") for row in rows]
    assert names[:4] == ["electricity", "└ Incoming feeder 1", "└ Incoming feeder 2", "    └ Compressor house"]
    gas = rows[names.index("└ Natural gas") - 1 :][:2]
    assert [(row["amount"], row["share"]) for row in gas] == [(None, None), (None, None)]
    assert next(row for row in rows if row["node"] == "electricity")["device_id"] is None


async def test_a_night_of_a_day_under_way_hides_no_night_that_is_known(migrated_database: ReaderDatabase) -> None:
    """A day's night flow needs 92 of its quarters: until midnight the newest known one is yesterday's."""
    populate(migrated_database.owner_url, sets=22, hours=2, days=10)
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        owner.execute("DELETE FROM night_flow WHERE ts > now() - interval '1 day'")
        before = await _rows("Night flow by meter", migrated_database, _scope())
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
    assert await _rows("Night flow by meter", migrated_database, _scope()) == before


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
        rows = await _rows("Power, kW", migrated_database, _scope("now-1h", compare=compared))
        pairs = [(row["power_1_h"], row["compared"]) for row in rows]
        both = [(cast("float", now), cast("float", then)) for now, then in pairs if None not in {now, then}]
        assert {round(now - then, 3) for now, then in both} == days


async def test_a_day_under_way_or_known_in_part_has_no_bar(reader_database: ReaderDatabase) -> None:
    """Its sum would look like a fall; the days around it have theirs."""
    rows = await _rows("Water per day, m³", reader_database, _scope("now-6d"))
    known = [row["water_in_m3"] is not None for row in rows]
    assert known[-4:] == [False, True, True, False]
    assert all(known[:-4])


async def test_sets_are_counted_once(reader_database: ReaderDatabase) -> None:
    """Registered = reporting + silent, in total and over the cities; one city shows only its own."""
    (total,) = await _rows("Sets reporting", reader_database, _scope())
    assert total["registered"] == 300
    assert total == {"registered": 300, "reporting": total["reporting"], "silent": 300 - float(str(total["reporting"]))}
    cities = await _rows("By city", reader_database, _scope())
    for column in ("registered", "reporting", "silent"):
        assert sum(float(str(row[column])) for row in cities) == total[column]
    (one,) = await _rows("By city", reader_database, _scope(city="太原"))
    assert one in cities


async def test_no_outage_is_claimed_where_nothing_reports(migrated_database: ReaderDatabase) -> None:
    """Without a reporting site the number of outages is unknown, not 0."""
    (row,) = await _rows("Outages and discharges", migrated_database, _scope())
    assert (row["mains_failed"], row["discharging"]) == (None, None)


async def test_an_outage_whose_sets_are_silent_does_not_claim_that_none_discharges(
    migrated_database: ReaderDatabase,
) -> None:
    """A site without mains and without a reporting set has an unknown number of discharging sets, not 0."""
    populate(migrated_database.owner_url, sets=62, hours=1)
    with psycopg.connect(migrated_database.owner_url) as owner:
        owner.execute("UPDATE battery_latest SET ts = ts - interval '1 day' WHERE device_id = 'bs00031-b1'")
    sites = {row["site"]: row for row in await _rows("Outages in progress", migrated_database, _scope())}
    assert (sites["Base station 31"]["discharging"], sites["Base station 31"]["soc"]) == (None, None)
    assert sites["Base station 62"]["discharging"] == 1


async def test_the_preview_cannot_write_even_as_the_owner(migrated_database: ReaderDatabase) -> None:
    """A wrong address in the settings does not turn a dashboard into a writer."""
    reader = Reader(migrated_database.owner_url)
    with pytest.raises(QueryError, match="read-only"):
        await reader.fetch(Query("INSERT INTO registry_version VALUES (true, 2)", {}))
    await reader.close()


async def test_missing_tables_are_told_apart_from_a_missing_server(empty_database: str) -> None:
    """An operator reads what to do: migrate, or look after the server."""
    reader = Reader(empty_database)
    with pytest.raises(NotMigratedError):
        await reader.fetch(Query("SELECT * FROM plant_window", {}))
    await reader.close()
    away = Reader("postgresql://fenhe_reader@127.0.0.1:1/none")
    with pytest.raises(AwayError):
        await away.fetch(Query("SELECT 1", {}))


async def test_a_broken_connection_is_replaced(reader_database: ReaderDatabase) -> None:
    """After the server cut a connection the next query gets a new one."""
    reader = Reader(reader_database.reader_url)
    ((pid,),) = (await reader.fetch(Query("SELECT pg_backend_pid()", {}))).rows
    with psycopg.connect(reader_database.reader_url) as same_role:
        same_role.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with pytest.raises(AwayError):
        await reader.fetch(Query("SELECT 1", {}))
    assert (await reader.fetch(Query("SELECT 1", {}))).rows == [(1,)]
    await reader.close()


async def test_a_slow_query_holds_up_nobody_else(
    reader_database: ReaderDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one page's query runs into its time limit, another page's is answered."""
    monkeypatch.setattr("dashboards.preview.reader.STATEMENT_TIMEOUT_S", 1)
    reader = Reader(reader_database.reader_url, connections=2)
    slow = asyncio.create_task(reader.fetch(Query("SELECT pg_sleep(60)", {})))
    assert (await reader.fetch(Query("SELECT 1", {}))).rows == [(1,)]
    assert not slow.done()
    with pytest.raises(SlowError):
        await slow
    await reader.close()


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
        rows = await _fetch(migrated_database.reader_url, panel, _scope(**(everything | chosen)))
        return [(row[rows.columns.index("alarm_id")], row[rows.columns.index("others")]) for row in rows.rows]

    assert await shown() == [("b", "drift, unusual for the hour"), ("e", None), ("d", None)]
    assert sorted(await shown(kind="drift")) == [("a", None), ("e", None)]

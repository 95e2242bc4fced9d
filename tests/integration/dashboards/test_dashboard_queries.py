"""Every panel's query on a real database, as the read-only role."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from typing import TYPE_CHECKING, Any, cast

import psycopg
import pytest

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.kit import fields, panels
from dashboards.kit.fields import Field
from dashboards.kit.panels import About
from dashboards.kit.query import SqlQuery
from dashboards.preview.access.accounts import SignedIn, SignedOutError
from dashboards.preview.access.confined import ConfinedReader
from dashboards.preview.formats import show
from dashboards.preview.macros import Query, Scope, parse_range
from dashboards.preview.model import load
from dashboards.preview.reader import AwayError, NotMigratedError, QueryError, Reader, SlowError
from dashboards.preview.search import query as search
from dashboards.preview.variable_pick import found
from dashboards.preview.variables import resolve
from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.preview.model import Dashboard, Panel
    from dashboards.preview.reader import Rows
    from tests.fixtures.dashboards import ReaderDatabase
from tests.support.dashboard_queries import DASHBOARDS, account_of, bound, fetch, standard_scope

SITES = {"gangue": "pinglu-power"}
"""Plants that a dashboard wants in place of the steel works."""


def _run_together(panel: Panel, rows: Rows) -> set[str]:
    """Columns of figures of four digits that nothing separates: Grafana does so only for a column with a unit."""
    return {
        name
        for row in (rows.rows if panel.type in {"table", "stat"} else ())
        for name, value in zip(rows.columns, row, strict=True)
        if isinstance(value, int | float) and abs(value) >= 1000 and not panel.field(name).properties.get("unit")
    }


@pytest.mark.parametrize("dashboard", DASHBOARDS)
async def test_every_query_returns_the_columns_its_panel_shows(
    dashboard: Dashboard, reader_database: ReaderDatabase
) -> None:
    """Each query runs as the reader, returns rows, and every field of the panel is one of its columns."""
    for panel in dashboard.panels:
        site = SITES.get(dashboard.uid.removeprefix("fenhe-").rpartition("-")[0], "taihang-steel")
        rows = await fetch(reader_database.reader_url, panel, standard_scope(dashboard.range_from, site=site))
        assert rows.rows, panel.title
        assert set(panel.fields) <= set(rows.columns), panel.title
        # Of a column without a field Grafana shows the SQL's name.
        others = set() if panel.type == "table" else {"time"}
        assert set(rows.columns) - others == set(panel.fields), panel.title
        assert not _run_together(panel, rows), panel.title


@pytest.mark.parametrize("dashboard", [each for each in DASHBOARDS if cast("Dashboard", each.values[0]).annotations])
async def test_what_is_marked_on_charts_has_a_time_and_a_text(
    dashboard: Dashboard, reader_database: ReaderDatabase
) -> None:
    """Alarms and events of meters, as the reader; Grafana wants these two columns by name."""
    reader = Reader(reader_database.reader_url)
    try:
        for annotation in dashboard.annotations:
            rows = await reader.fetch(standard_scope(dashboard.range_from).bind(annotation.sql))
            assert rows.columns == ["time", "text"]
            assert all(row[1] for row in rows.rows)
    finally:
        await reader.close()


OTHERS = re.compile(
    r"Pinglu|平鲁|Fenyang|汾阳|Lucheng|潞城|pinglu-power|fenyang-coking|lucheng-methanol|bs0\d+", re.IGNORECASE
)
"""Names and identifiers of what is not the steel works."""


@pytest.fixture(scope="module")
def steelman(tmp_path_factory: pytest.TempPathFactory) -> SignedIn:
    """Somebody who sees the steel works, and nothing else."""
    return account_of(tmp_path_factory.mktemp("accounts"), "taihang-steel")


@pytest.mark.parametrize("dashboard", [case for case in DASHBOARDS if str(case.id).endswith("-zh")])
async def test_an_account_of_one_site_sees_nothing_of_another(
    dashboard: Dashboard, reader_database: ReaderDatabase, steelman: SignedIn
) -> None:
    """Every query runs, whatever the address asks for: variables, panels and marks name no other plant or set."""
    reader = Reader(reader_database.reader_url)
    own, strange = ConfinedReader(reader, steelman), {"site": "fenyang-coking", "meter": "fenyang-coking-e1"}
    seen: list[object] = []
    for scope in (standard_scope(dashboard.range_from), standard_scope(dashboard.range_from, **strange)):
        for panel in dashboard.panels:
            rows = (await own.fetch(bound(panel, scope))).rows
            seen += rows
            if scope.variables["site"] in strange.values() and "${site" in panel.sql:
                assert not any(value for row in rows for value in row if isinstance(value, float)), panel.title
        for annotation in dashboard.annotations:
            seen += (await own.fetch(scope.bind(annotation.sql))).rows
    offered = await resolve(own, dashboard.variables, {}, scope.range)
    seen += [text for name, options in offered.options.items() if name != "kind" for text in options.items()]
    await reader.close()
    found = OTHERS.search(str(seen))
    assert found is None, found


async def test_an_account_sees_what_was_done_to_its_own_alarms(
    reader_database: ReaderDatabase, steelman: SignedIn
) -> None:
    """The history, how many came, and the last word on one: of its own plant, and of no other."""
    reader = Reader(reader_database.reader_url)
    own = ConfinedReader(reader, steelman)
    counted = (
        "SELECT count(*), count(DISTINCT a.site_id), min(a.site_id)"
        " FROM alarm_transition t JOIN alarm a USING (alarm_id)"
    )
    ((seen, sites, site),) = (await own.fetch(Query(counted, {}))).rows
    ((there,),) = (await reader.fetch(Query("SELECT count(*) FROM alarm_transition", {}))).rows
    ((transitions,),) = (await own.fetch(Query("SELECT count(*) FROM alarm_transition", {}))).rows
    await reader.close()
    assert (sites, site) == (1, "taihang-steel")
    assert seen == transitions
    assert 0 < int(str(seen)) < int(str(there))


async def test_search_finds_only_what_an_account_sees(reader_database: ReaderDatabase, steelman: SignedIn) -> None:
    """Its own meters, and no set of the same province."""
    reader = Reader(reader_database.reader_url)
    own = ConfinedReader(reader, steelman)
    assert len((await own.fetch(search("feeder"))).rows) == 2
    assert (await own.fetch(search("bs000"))).rows == []
    assert len((await reader.fetch(search("bs000"))).rows) == 20
    await reader.close()


async def test_who_is_signed_out_reads_nothing(reader_database: ReaderDatabase, steelman: SignedIn) -> None:
    """An open page asks at each query whose it is."""
    reader = Reader(reader_database.reader_url)
    with pytest.raises(SignedOutError):
        await ConfinedReader(reader, steelman._replace(token="none")).fetch(Query("SELECT 1", {}))  # noqa: S106
    await reader.close()


@pytest.mark.parametrize("dashboard", DASHBOARDS)
async def test_every_query_runs_on_an_empty_database(dashboard: Dashboard, fresh_database: ReaderDatabase) -> None:
    """A fresh installation has pages, not errors, and nothing on them is green: a count of what is bad is not known."""
    for panel in dashboard.panels:
        scope = standard_scope(site="", city="*", set="", unit="", meter="")
        rows = await fetch(fresh_database.reader_url, panel, scope)
        assert panel.type != "heatmap" or not rows.rows, panel.title  # its scale would go from ∞ to −∞
        for row in rows.rows if panel.type in {"stat", "gauge", "table"} else ():
            for name, value in zip(rows.columns, row, strict=True):
                shown = show(value, panel.field(name), no_value=panel.no_value, zone=dashboard.time_zone)
                assert shown.color != fields.GOOD, (panel.title, name, value)


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
    assert isinstance(target, SqlQuery)
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
        query = bound(panel, standard_scope())
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
    """Options come from the registry; a value that isn't there is kept and named as unknown.

    Times to compare with are not registered: one that a page does not offer is none, and nothing is missing.
    """
    if not dashboard.variables:
        pytest.skip("has none")
    reader = Reader(reader_database.reader_url)
    name = dashboard.variables[0].name
    time_range = standard_scope().range
    found = await resolve(reader, dashboard.variables, {}, time_range)
    plants = 1 if "gangue" in dashboard.uid else 4
    assert len(found.options[name]) == {"site": plants, "city": 12, "set": 300, "compare": 3}[name]
    assert all(found.values.values())
    assert not found.unknown
    lost = await resolve(reader, dashboard.variables, {name: "nowhere"}, time_range)
    is_fixed = name == "compare"
    assert lost.unknown == ({} if is_fixed else {name: "nowhere"})
    assert lost.values[name] == ("none" if is_fixed else "nowhere")
    await reader.close()


@pytest.mark.parametrize(
    ("put_in", "found"),
    [
        pytest.param("%", 300, id="12.3, nothing typed"),
        pytest.param("00012-b%", 1, id="12.3"),
        pytest.param("$__searchFilter", 300, id="13, nothing typed"),
        pytest.param("00012-b", 1, id="13"),
        pytest.param("''", 0, id="a quotation mark"),
    ],
)
def test_the_set_s_list_is_full_until_somebody_types(reader_database: ReaderDatabase, put_in: str, found: int) -> None:
    """Whatever a Grafana puts in place of `$__searchFilter`: `metricFindQuery` of 12.3, `SQLVariableSupport` of 13."""
    queries = [v.sql for case in DASHBOARDS for v in cast("Dashboard", case.values[0]).variables if v.name == "set"]
    searched = [each for each in queries if "$__searchFilter" in each and "kind = 'battery'" in each]
    assert len(searched) >= len(Language)
    with psycopg.connect(reader_database.reader_url) as connection:
        for query in searched:
            text = query.replace("$__searchFilter", put_in).replace("${city:sqlstring}", "'*'")
            assert len(connection.execute(text.encode()).fetchall()) == found


async def test_a_set_typed_in_full_is_offered_before_all_that_it_is_a_part_of(
    migrated_database: ReaderDatabase,
) -> None:
    """S1 among 700 of which 211 have it in their name: an address that names it, or who types it, finds it."""
    with psycopg.connect(migrated_database.owner_url) as owner:
        owner.execute(
            "INSERT INTO site (site_id, name, name_zh, sector, city, product_unit)"
            " VALUES ('s', '', '', 'base_station', '太原', 't')"
        )
        owner.execute(
            "INSERT INTO device (device_id, site_id, kind, name, name_zh, period_s, role, detail)"
            " SELECT 'S_' || n, 's', 'battery', 'a' || (9999 - n) || ' of S_1', '', 60, 'internal', '{}'"
            " FROM generate_series(1, 700) AS n"
        )
    page = load(dashboard_json(next(each for each in DEFINITIONS if each.slug == "battery-set"), Language.EN))
    (variable,) = [each for each in page.variables if each.name == "set"]
    reader = Reader(migrated_database.reader_url)
    when = parse_range("now-6h", "now", dt.datetime.now(dt.UTC))
    resolved = await resolve(reader, page.variables, {"set": "S_1"}, when)
    assert (resolved.values["set"], resolved.unknown) == ("S_1", {})
    offered = await found(reader, variable, Scope(when, {}), "s_1")
    assert [choice.value for choice in offered][:1] == ["S_1"]
    assert len(offered) == 20
    assert await found(reader, variable, Scope(when, {}), "S%1") == []
    await reader.close()


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

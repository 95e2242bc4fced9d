"""Time every panel's query as the reader, on a populated database: `python -m bench.dashboards [--help]`.

`PG_BIN=/opt/ts/lib/postgresql/15/bin` measures on TimescaleDB. Prints a Markdown table, slowest first.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import statistics
import time

import psycopg

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.preview.macros import Scope, parse_range
from dashboards.preview.model import load
from dashboards.preview.reader import QueryError, Reader
from fenhe.local import Postgres, Services, find_postgres_binaries, scratch_directory
from schemas.words import Language
from storage.migrate import migrate
from tests.fixtures.dashboards import populate

CHOSEN = {
    "site": "taihang-steel", "meter": "taihang-steel-e1", "unit": "pinglu-power-u1", "set": "bs00001-b1",
    "city": "*", "product_unit": "t", "tests": "20", "compare": "none", "severity": "*", "kind": "*",
}  # fmt: skip
LIMIT_MS = 200


async def measure(reader_url: str, repeats: int, start: str) -> list[tuple[float, float, str, str]]:
    """Return (median ms, slowest ms, dashboard, panel) of every panel; the first run of each only warms up."""
    reader = Reader(reader_url)
    found = []
    for definition in DEFINITIONS:
        dashboard = load(dashboard_json(definition, Language.EN))
        values = CHOSEN | ({"site": "pinglu-power"} if definition.slug == "gangue" else {})
        for panel in dashboard.panels:
            if panel.title.startswith(("Books:", "Quarantine by")) and definition.slug != "pipeline":
                continue  # the shared last row is measured once
            whole = parse_range(start or dashboard.range_from, "now", dt.datetime.now(dt.UTC))
            query = Scope(whole, values).bind(panel.sql, shortest_interval_s=panel.shortest_interval_s)
            taken = []
            try:
                for _ in range(repeats + 1):
                    before = time.perf_counter()
                    await reader.fetch(query)
                    taken.append(1000 * (time.perf_counter() - before))
            except QueryError as error:
                print(f"{definition.slug} · {panel.title}: {error}")
                taken = [float("inf")] * 2
            found.append((statistics.median(taken[1:]), max(taken[1:]), definition.slug, panel.title))
    await reader.close()
    return sorted(found, reverse=True)


def main() -> None:
    """Populate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plants", type=int, default=200)
    parser.add_argument("--sets", type=int, default=7000)
    parser.add_argument("--days", type=int, default=30, help="how far back rows of hours and days go")
    parser.add_argument("--fine-hours", type=int, default=72, help="how far back rows of minutes and quarters go")
    parser.add_argument("--range", default="", help="the pages' time range, as now-6h; each page's own without it")
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    binaries = find_postgres_binaries(Services.AUTO)
    with scratch_directory("bench") as path, Postgres(path, binaries=binaries) as server:
        owner_url = server.create_database("bench")
        migrate(owner_url)
        before = time.perf_counter()
        populate(owner_url, plants=asked.plants, sets=asked.sets, hours=asked.fine_hours, days=asked.days)
        with psycopg.connect(owner_url) as connection:
            row = connection.execute(
                "SELECT version(), (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'),"
                " pg_size_pretty(pg_database_size(current_database()))"
            ).fetchone()
        assert row is not None  # noqa: S101 - a select without FROM has a row
        print(f"{row[0].split(',')[0]}, TimescaleDB {row[1] or 'none'}, {row[2]}, "
              f"populated in {time.perf_counter() - before:.0f} s, range {asked.range}\n")  # fmt: skip
        found = asyncio.run(measure(server.url("fenhe_reader", "bench"), asked.repeats, asked.range))
    print("| median ms | slowest ms | dashboard | panel |\n|--:|--:|---|---|")
    for median, slowest, slug, title in found:
        print(f"| {median:.0f} | {slowest:.0f} | {slug} | {title} |")
    print(f"\n{len(found)} queries, {sum(median > LIMIT_MS for median, *_ in found)} with a median over {LIMIT_MS} ms")


if __name__ == "__main__":
    main()

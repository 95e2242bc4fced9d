"""Time every page in Chromium beside its own queries: `python -m bench.pages [--help]`.

First paint, all panels drawn (from the click on, of a fresh browser page), and the same queries by themselves through
the page's own reader, as many at once as a page may have. Then search: from the last key to the hits on the screen.
Prints a Markdown table, slowest first.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

from playwright.sync_api import sync_playwright

from bench.dashboards import CHOSEN
from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.preview.macros import Scope, parse_range
from dashboards.preview.model import load
from dashboards.preview.page import PARALLEL
from dashboards.preview.reader import Reader
from fenhe.local import Postgres, Services, find_postgres_binaries, scratch_directory
from schemas.words import Language
from storage.migrate import migrate
from tests.fixtures.browser import CHROMIUM, FLAGS, served, wait_until_drawn
from tests.fixtures.dashboards import populate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser

    from dashboards.preview.macros import Query

TYPED = ("bs0", "bs00001", "feeder", "平鲁", "Pinglu", "steel-e1")
OF_A_PAGE = ("site", "meter", "set")
SHOWN = "Boolean(document.querySelector('.hits .hit')?.offsetParent)"
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


class PageTimes(NamedTuple):
    """Of one page, medians in ms."""

    slug: str
    panels: int
    queries: float
    paint: float
    drawn: float


def queries_of(slug: str) -> list[Query]:
    """What a page asks for its panels, without what it may choose from."""
    definition = next(each for each in DEFINITIONS if each.slug == slug)
    dashboard = load(dashboard_json(definition, Language.EN))
    values = CHOSEN | ({"site": "pinglu-power"} if slug == "gangue" else {})
    whole = parse_range(dashboard.range_from, "now", dt.datetime.now(dt.UTC))
    scope = Scope(whole, values)
    return [scope.bind(panel.sql, shortest_interval_s=panel.shortest_interval_s) for panel in dashboard.panels]


async def asked_alone(reader_url: str, queries: list[Query], repeats: int) -> float:
    """Ms until all of them are answered, as many at once as a page may have."""
    reader, places, taken = Reader(reader_url), asyncio.Semaphore(PARALLEL), []

    async def ask(query: Query) -> None:
        async with places:
            await reader.fetch(query)

    for _ in range(repeats + 1):
        before = time.perf_counter()
        await asyncio.gather(*map(ask, queries))
        taken.append(1000 * (time.perf_counter() - before))
    await reader.close()
    return statistics.median(taken[1:])


def opened(browser: Browser, address: str) -> tuple[float, float]:
    """Ms until something is seen, and until every panel is drawn."""
    page = browser.new_page(viewport={"width": 1920, "height": 1080}, color_scheme="dark")
    before = time.perf_counter()
    page.goto(address, wait_until="commit")
    wait_until_drawn(page)
    drawn = 1000 * (time.perf_counter() - before)
    painted = float(page.evaluate(PAINTED))
    page.close()
    return painted, drawn


def searched(browser: Browser, address: str, repeats: int) -> list[tuple[str, float, float]]:
    """Ms from the last key to the hits, by what was typed: median and slowest."""
    page = browser.new_page(viewport={"width": 1920, "height": 1080}, color_scheme="dark")
    page.goto(f"{address}/d/pipeline?lang=zh&theme=dark&refresh=off")
    wait_until_drawn(page)
    page.wait_for_function("window.did_handshake")
    box, found = page.locator(".search input"), []
    for typed in TYPED:
        taken = []
        for _ in range(repeats):
            box.fill("")
            page.wait_for_function(f"!{SHOWN}")
            box.fill(typed)
            before = time.perf_counter()
            page.wait_for_function(SHOWN)
            taken.append(1000 * (time.perf_counter() - before))
        found.append((typed, statistics.median(taken), max(taken)))
    page.close()
    return found


def measure(browser: Browser, address: str, alone: Mapping[str, float], repeats: int) -> list[PageTimes]:
    """Time every page, after one look that only warms up."""
    times = []
    for definition in DEFINITIONS:
        chosen = "" if definition.slug == "gangue" else "".join(f"&var-{name}={CHOSEN[name]}" for name in OF_A_PAGE)
        link = f"{address}/d/{definition.slug}?lang=en&theme=dark&refresh=off{chosen}"
        opened(browser, link)
        seen = [opened(browser, link) for _ in range(repeats)]
        paint, drawn = (statistics.median(column) for column in zip(*seen, strict=True))
        times.append(PageTimes(definition.slug, len(queries_of(definition.slug)), alone[definition.slug], paint, drawn))
    return times


def main() -> None:
    """Populate, open, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plants", type=int, default=200)
    parser.add_argument("--sets", type=int, default=7000)
    parser.add_argument("--days", type=int, default=30, help="how far back rows of hours and days go")
    parser.add_argument("--fine-hours", type=int, default=7, help="how far back rows of minutes and quarters go")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    binaries = find_postgres_binaries(Services.AUTO)
    with scratch_directory("bench") as path, Postgres(path, binaries=binaries) as server:
        owner_url, reader_url = server.create_database("bench"), server.url("fenhe_reader", "bench")
        migrate(owner_url)
        populate(owner_url, plants=asked.plants, sets=asked.sets, hours=asked.fine_hours, days=asked.days)
        slugs = [definition.slug for definition in DEFINITIONS]
        alone = {each: asyncio.run(asked_alone(reader_url, queries_of(each), asked.repeats)) for each in slugs}
        with served(reader_url) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            times = measure(browser, address, alone, asked.repeats)
            hits = searched(browser, address, asked.repeats)
            browser.close()
    print("| page | panels | their queries alone, ms | first paint, ms | all panels, ms |\n|---|--:|--:|--:|--:|")
    for each in sorted(times, key=lambda each: -each.drawn):
        print(f"| {each.slug} | {each.panels} | {each.queries:.0f} | {each.paint:.0f} | {each.drawn:.0f} |")
    print("\n| typed | median ms | slowest ms |\n|---|--:|--:|")
    for typed, median, slowest in hits:
        print(f"| {typed} | {median:.0f} | {slowest:.0f} |")


if __name__ == "__main__":
    main()

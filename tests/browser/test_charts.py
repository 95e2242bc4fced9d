"""Charts in Chromium: zoomed by dragging, compared with another day, kept as a picture."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.fixtures.browser import opened, screenshots, wait_until_drawn

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

STEEL = "lang=en&var-site=taihang-steel"
LEGEND = "box => getElement(Number(box.id.slice(1))).chart.getOption().series.map(one => one.name)"
HOUR_MS = 3_600_000


def _chart(page: Page, title: str) -> Locator:
    return page.locator(f".panel:has(.panel-title:text-is('{title}')) .chart")


def _drag(page: Page, chart: Locator, start: float, end: float) -> None:
    """Drag over a chart between two shares of its width."""
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] * 0.4
    page.mouse.move(box["x"] + box["width"] * start, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, middle, steps=4)
    page.mouse.up()


def _range_ms(page: Page) -> tuple[int, int]:
    query = parse_qs(urlsplit(page.url).query)
    return int(query["from"][0]), int(query["to"][0])


@pytest.mark.parametrize("title", ["Power, kW", "Data quality"])
def test_dragging_over_a_chart_sets_the_pages_range(browser: Browser, preview: str, title: str) -> None:
    """A tenth of six hours, dragged from right to left, is the range of page and address; "back" undoes it."""
    with opened(browser, f"{preview}/d/plant-energy?{STEEL}&from=now-6h") as page:
        wait_until_drawn(page)
        page.wait_for_function("window.did_handshake")
        before = page.url
        chart = _chart(page, title)
        _drag(page, chart, 0.6, 0.5)
        page.wait_for_url(re.compile(r"from=\d+&to=\d+"))
        start, end = _range_ms(page)
        assert 0.5 * HOUR_MS < end - start < 0.75 * HOUR_MS
        assert re.fullmatch(r"\d\d-\d\d \d\d:\d\d – .*", page.locator("[data-control=range]").inner_text().strip())
        page.screenshot(path=screenshots() / "zoomed.en.1920.png")
        chart.dblclick(position={"x": 300, "y": 60})
        page.wait_for_function("ms => { const q = new URLSearchParams(location.search);"
                               " return q.get('to') - q.get('from') > ms }", arg=1.9 * (end - start))  # fmt: skip
        page.evaluate("history.go(-2)")
        page.wait_for_url(before)
        wait_until_drawn(page)
        assert "Last 6 hours" in page.locator("[data-control=range]").inner_text()


def test_a_heat_map_is_zoomed_by_whole_cells(browser: Browser, preview: str) -> None:
    """Its axis has a cell for each day: what is dragged over begins and ends with days of the province's clock."""
    with opened(browser, f"{preview}/d/plant-energy?{STEEL}&from=now-7d") as page:
        wait_until_drawn(page)
        page.wait_for_function("window.did_handshake")
        _drag(page, page.locator(".panel.is-heatmap .chart").first, 0.4, 0.5)
        page.wait_for_url(re.compile(r"from=\d+&to=\d+"))
        day_ms, zone_ms = 24 * HOUR_MS, 8 * HOUR_MS
        assert [(moment + zone_ms) % day_ms for moment in _range_ms(page)] == [0, 0]


def test_a_chart_is_compared_with_the_day_before_by_its_link(browser: Browser, preview: str) -> None:
    """The chosen day is a line and a word of its own, in the address too; with nothing chosen there is neither."""
    with opened(browser, f"{preview}/d/plant-energy?{STEEL}&from=now-1h") as page:
        wait_until_drawn(page)
        power = _chart(page, "Power, kW")
        assert power.evaluate(LEGEND) == ["rolling 15 min", "rolling 1 h"]
        page.wait_for_function("window.did_handshake")
        page.locator("[data-variable=compare]").click()
        page.get_by_role("option", name="the day before").click()
        page.wait_for_url("**var-compare=day**")
        page.wait_for_function(f"box => ({LEGEND})(box).includes('compared')", arg=power.element_handle())


def test_a_chart_is_kept_as_a_picture(browser: Browser, preview: str) -> None:
    """PNG, named by page and panel; a table has none."""
    with opened(browser, f"{preview}/d/plant-energy?{STEEL}&from=now-1h") as page:
        wait_until_drawn(page)
        panel = page.locator(".panel:has(.panel-title:text-is('Power, kW'))")
        panel.hover()
        with page.expect_download() as expected:
            panel.get_by_text("PNG", exact=True).click()
        assert re.fullmatch(r"fenhe-plant-energy-\d+-\d{8}-\d{4}\.png", expected.value.suggested_filename)
        picture = Path(expected.value.path()).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) > 5_000
        assert page.locator(".panel.is-table .is-picture").count() == 0


def test_no_page_shows_a_variables_name_while_it_loads(preview: str) -> None:
    """Before the first answer a title has a sign where the product's unit will stand."""
    with urllib.request.urlopen(f"{preview}/d/plant-energy?{STEEL}") as answer:  # noqa: S310 - our own server
        page = answer.read().decode()
    assert "kgce/…" in page
    assert "${product_unit}" not in page


def test_a_city_on_the_map_leads_to_its_sets(browser: Browser, preview: str) -> None:
    """A click on its mark; nothing of the map comes from the internet."""
    with opened(browser, f"{preview}/d/province?lang=en&refresh=off") as page:
        wait_until_drawn(page)
        page.wait_for_function("window.did_handshake")
        chart = page.locator(".panel.is-map .chart")
        chart.scroll_into_view_if_needed()
        x, y = chart.evaluate(
            "box => { const chart = getElement(Number(box.id.slice(1))).chart;"
            " const [{data}] = chart.getOption().series;"
            " return chart.convertToPixel({xAxisIndex: 0, yAxisIndex: 0}, data.find(p => p.name === 'Datong').value) }"
        )
        page.screenshot(path=screenshots() / "map.en.1920.png")
        chart.click(position={"x": x, "y": y})
        page.wait_for_url("**/d/battery-fleet?**")
        assert parse_qs(urlsplit(page.url).query)["var-city"] == ["大同"]

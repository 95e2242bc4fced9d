"""Markup in names, cities and reasons, in Chromium: shown as it is written, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from dashboards.grafana.build import DEFINITIONS
from fenhe.local.postgres import OWNER
from tests.fixtures.browser import opened, served, wait_until_drawn
from tests.fixtures.dashboards import populate
from tests.support.databases import own_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from fenhe.local import Postgres

pytestmark = pytest.mark.browser

HOSTILE = """
UPDATE device SET name = name || '<img src=x onerror="top.hit=1">';
UPDATE site SET name = name || '<img src=x onerror="top.hit=1">',
    virtual_meters = replace(virtual_meters::text, 'Both feeders', '<img src=x onerror=top.hit=1>')::jsonb,
    product_lines = replace(product_lines::text, 'blast furnace"', '<img src=x onerror=top.hit=1>"')::jsonb;
UPDATE site SET city = '<img src=x onerror="top.hit=1">' WHERE site_id LIKE 'bs%7';
INSERT INTO alarm_transition (alarm_id, event, from_state, to_state, presented, actor, reason, at)
SELECT alarm_id, 'acknowledge', 'active_unacknowledged', 'active_acknowledged', false,
       '<img src=x onerror="top.hit=1">', '<img src=x onerror="top.hit=1">', now() FROM alarm;
UPDATE alarm SET evidence = '{"<img src=x onerror=top.hit=1>": "<img src=x onerror=top.hit=1>"}';
UPDATE meter_event SET rule = '<img src=x onerror="top.hit=1">';
UPDATE quarantine SET detail = '<img src=x onerror="top.hit=1">';
UPDATE field_set_aside SET last_value = '<img src=x onerror="top.hit=1">';
"""
POINT_AT_ALL = """() => {
  let named = '';
  for (const box of document.querySelectorAll('.chart')) {
    const chart = getElement(Number(box.id.slice(1))).chart;
    chart.getOption().series.forEach((one, seriesIndex) => {
      const kinds = one.type === 'sankey' ? ['node', 'edge'] : [undefined];
      for (const dataType of kinds)
        for (let dataIndex = 0; dataIndex < Math.min((one.links ?? one.data).length, 20); dataIndex++) {
          chart.dispatchAction({type: 'showTip', seriesIndex, dataIndex, dataType});
          named += box.innerText;
        }
    });
  }
  return named;
}"""
MARKUP = "document.querySelectorAll('.panel img, .bar img, .sheet img, .hits img').length"


@pytest.fixture(scope="module")
def hostile(postgres: Postgres) -> Iterator[str]:
    """A preview of plants, meters, sets and alarms whose every free text is markup that would run a script."""
    with own_database(postgres) as name:
        owner_url = postgres.url(OWNER, name)
        populate(owner_url, sets=44, hours=2)
        with psycopg.connect(owner_url) as owner:
            owner.execute(HOSTILE)
        with served(postgres.url("fenhe_reader", name)) as address:
            yield address


@pytest.mark.parametrize("slug", [definition.slug for definition in DEFINITIONS])
def test_markup_in_a_name_is_shown_and_not_run(browser: Browser, hostile: str, slug: str) -> None:
    """In every table and figure, and in the tooltip of every point of every chart."""
    chosen = "&var-site=taihang-steel&var-meter=taihang-steel-e1&var-set=bs00001-b1"
    with opened(browser, f"{hostile}/d/{slug}?lang=en&refresh=off{chosen}") as page:
        wait_until_drawn(page)
        page.wait_for_function("window.did_handshake")
        named = page.evaluate(POINT_AT_ALL)
        assert page.evaluate(MARKUP) == 0
        assert page.evaluate("top.hit") is None
        if slug == "plant-energy":  # the meters of a flow
            assert "<img" in named


def test_markup_in_an_alarm_and_in_what_search_finds_is_shown_and_not_run(browser: Browser, hostile: str) -> None:
    """Who did what and why, the evidence, the device's name."""
    with opened(browser, f"{hostile}/d/alarms?lang=en&refresh=off") as page:
        wait_until_drawn(page)
        page.wait_for_function("window.did_handshake")
        page.locator(".search input").fill("feeder 1")
        page.wait_for_selector(".hit:has-text('<img')")
        assert page.evaluate(MARKUP) == 0
        page.locator("a[href*='/alarm/']").first.click()
        page.wait_for_selector("dl:has-text('<img')")
        page.wait_for_selector("td:has-text('<img')")
        assert page.evaluate(MARKUP) == 0
        assert page.evaluate("top.hit") is None

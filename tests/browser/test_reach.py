"""Pages in Chromium for hands that have no mouse, ears that read them, and paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fixtures.browser import opened, screenshots, wait_until_drawn

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

FOCUSED = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return null;
  const field = here.closest('.q-field')?.querySelector('.q-field__control');
  const style = getComputedStyle(here), ring = field && getComputedStyle(field, ':after');
  return {
    what: `${here.tagName} ${here.className} ${here.innerText ?? ''}`,
    name: (here.getAttribute('aria-label') || here.innerText || here.placeholder || '').trim(),
    is_seen: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1)
             || (ring && parseFloat(ring.borderTopWidth) >= 2),
  };
}"""
MOST_STOPS = 60
"""Of Tab on the page with the most panels (26): a bar of 21, then one a panel and one or two a table."""
INK = """selector => { const text = document.querySelector(selector);
  const light = color => { const [r, g, b] = color.match(/[\\d.]+/g).map(Number); return (r + g + b) / 765; };
  return light(getComputedStyle(text).color); }"""


def _walk(page: Page) -> list[dict[str, object]]:
    """Every stop of Tab, from the address to the end of the page."""
    stops: list[dict[str, object]] = []
    for _ in range(300):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None:
            return stops
        stops.append(stop)
    pytest.fail("Tab never leaves the page")


def test_tab_reaches_everything_and_each_stop_is_seen_and_named(browser: Browser, preview: str) -> None:
    """Links, controls, explanations and tables: a ring around each, and words for a screen reader."""
    with opened(browser, f"{preview}/d/plant-energy?lang=en&refresh=off") as page:
        wait_until_drawn(page)
        page.wait_for_function("window.did_handshake")
        stops = _walk(page)
        assert [stop["what"] for stop in stops if not (stop["name"] and stop["is_seen"])] == []
        names = [str(stop["name"]) for stop in stops]
        assert names[0] == "Skip to the content"
        assert {"Time range", "Refresh"} <= set(names)
        assert page.evaluate("document.documentElement.lang") == "en"
        assert len(stops) <= MOST_STOPS


def test_arrows_lead_to_what_one_stop_of_tab_stands_for(browser: Browser, preview: str) -> None:
    """From a panel's explanation to its files and back, from a table's first link to the next; Tab leaves."""
    with opened(browser, f"{preview}/d/province?lang=en&refresh=off") as page:
        wait_until_drawn(page)
        page.wait_for_function("window.did_handshake")
        words = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"
        head = page.locator(".panel:has(.panel-title:text-is('Plants')) .panel-head")
        head.locator(".info").focus()
        page.keyboard.press("ArrowRight")
        assert "CSV: Plants" in page.evaluate(words)
        page.keyboard.press("End")
        assert "XLSX: Plants" in page.evaluate(words)
        page.keyboard.press("Home")
        assert page.evaluate("document.activeElement.classList.contains('info')")
        links = page.locator(".panel:has(.panel-title:text-is('Plants')) tbody a.link")
        names = links.all_inner_texts()
        links.first.focus()
        page.keyboard.press("ArrowDown")
        assert page.evaluate(words) == names[1]
        page.keyboard.press("Tab")
        assert page.evaluate(words) not in names


def test_enter_skips_the_bar_and_opens_what_has_the_focus(browser: Browser, preview: str) -> None:
    """The first stop leads past the bar; a name in a table leads on as a click would."""
    with opened(browser, f"{preview}/d/province?lang=en&refresh=off") as page:
        wait_until_drawn(page)
        page.wait_for_function("window.did_handshake")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.classList.contains('grid')")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main.grid') !== null")
        page.get_by_role("link", name="Fenyang coking").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/d/plant-energy?**var-site=fenyang-coking**")


def test_the_dark_theme_is_printed_dark_on_white(browser: Browser, preview: str) -> None:
    """Text, figures and chosen values dark, charts turned light; on the screen they stay as they are."""
    with opened(browser, f"{preview}/d/plant-energy?lang=zh&theme=dark&refresh=off") as page:
        wait_until_drawn(page)
        shown = (".panel-title", ".stat-value", "tbody td", ".bar .q-field__native span")
        assert all(page.evaluate(INK, selector) > 0.5 for selector in shown)
        page.emulate_media(media="print")
        assert [selector for selector in shown if page.evaluate(INK, selector) > 0.5] == []
        assert "invert" in page.evaluate("getComputedStyle(document.querySelector('.chart canvas')).filter")
        page.screenshot(path=screenshots() / "print.zh.png", full_page=True)


def test_a_table_is_as_high_as_its_rows_and_no_higher_than_it_was_given(browser: Browser, preview: str) -> None:
    """Two gangue units take two rows of the page; three hundred alarms scroll within their panel."""
    with opened(browser, f"{preview}/d/province?lang=en&refresh=off") as page:
        wait_until_drawn(page)
        room = page.locator(".panel:has(.panel-title:text-is('Gangue units: capacity factor and coal rate · 24 h'))")
        below = room.evaluate(
            "panel => panel.getBoundingClientRect().bottom"
            " - [...panel.querySelectorAll('tbody tr')].at(-1).getBoundingClientRect().bottom"
        )
        assert 0 <= below < 12
        higher = "panel => panel.offsetHeight - panel.style.getPropertyValue('--h') * 38 + 8"
        assert all(panel.evaluate(higher) <= 0 for panel in page.locator(".panel.is-table").all())
        scroll = page.locator(".panel:has(.panel-title:text-is('Active alarms')) .scroll").first
        assert scroll.evaluate("box => box.scrollHeight > box.clientHeight")

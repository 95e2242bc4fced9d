"""The box in which one of thousands is chosen, in Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fixtures.browser import SIZES, opened, wait_until_drawn

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
def test_one_of_thousands_is_typed_and_found(browser: Browser, preview: str, size: tuple[int, int]) -> None:
    """Its list stands on the screen; Enter takes what is meant; who leaves without a choice finds what is shown."""
    with opened(browser, f"{preview}/d/battery-set?lang=zh&var-set=bs00001-b1", size) as page:
        wait_until_drawn(page)
        box = page.locator("[data-variable=set] input")
        assert box.input_value().endswith("bs00001-b1")
        box.fill("bs0029")
        page.wait_for_function("document.querySelectorAll('.pick .hit').length === 10")
        there = page.locator(".pick .hits").bounding_box()
        assert there is not None
        assert 0 <= there["x"] <= there["x"] + there["width"] <= size[0]
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Escape")
        page.wait_for_function("document.querySelector('.pick input').value.endsWith('bs00001-b1')")
        assert not page.locator(".pick .hit").first.is_visible()
        box.fill("BS00297-B1")
        box.press("Enter")
        page.wait_for_url("**var-set=bs00297-b1**")
        page.wait_for_function("document.querySelector('.pick input').value.endsWith('bs00297-b1')")

"""What keeps a shift informed, in Chromium: the sign that an alarm waits, its sound, and the handover's sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from dashboards.preview.access.accounts import Account, AccountRole, changed, hash_of, key_of
from tests.fixtures.browser import SIZES, opened, screenshots, served, wait_until_drawn
from tests.fixtures.dashboards import populate

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from tests.fixtures.dashboards import ReaderDatabase

pytestmark = pytest.mark.browser

WAITING = "SELECT count(*) FROM alarm WHERE state IN ('active_unacknowledged', 'returned_unacknowledged')"
SILENCED = """localStorage.setItem('fenhe-sound', 'on');
let touched = false;
addEventListener('click', () => { touched = true; }, true);
window.AudioContext = class {
  state = 'suspended';
  resume() { return touched ? (this.state = 'running', Promise.resolve()) : new Promise(() => {}); }
};"""
"""A browser where somebody wanted the sound, and which lets no page sound before it is clicked on."""


def raise_alarm(owner: psycopg.Connection) -> None:
    """One that was not there, as the worker raises it."""
    owner.execute(
        "INSERT INTO alarm (alarm_id, site_id, device_id, metric, kind, severity, event_at, raised_at, group_id)"
        " VALUES ('new', 'taihang-steel', 'taihang-steel-e1', '', 'step', 'high', now(), now(), 'new')"
    )
    owner.execute("SELECT alarm_apply('new', 'raise', 'fenhe', 'the condition holds')")


def test_a_new_alarm_is_counted_in_the_tab_and_rings_where_somebody_wants_it(
    browser: Browser, migrated_database: ReaderDatabase
) -> None:
    """On any page; what stood when the page was opened rings for nobody, and the browser remembers the switch."""
    populate(migrated_database.owner_url, sets=4, hours=2, days=2)
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        (before,) = owner.execute(WAITING).fetchone() or (0,)
        assert before > 0
        with (
            served(migrated_database.reader_url) as address,
            opened(browser, f"{address}/d/water?lang=zh&theme=dark") as page,
        ):
            badge = "document.querySelector('.nav a[href*=\"/d/alarms\"]').dataset.waiting"
            page.wait_for_function(f"{badge} === '{before}'")
            assert page.title().startswith(f"({before}) ")
            bell = page.get_by_role("button", name="新告警响铃")
            assert bell.get_attribute("aria-pressed") == "false"
            bell.click()
            page.wait_for_selector(".bell.is-on:not(.is-waiting)")
            assert page.evaluate("document.documentElement.dataset.rang") is None
            raise_alarm(owner)
            page.wait_for_function(f"{badge} === '{before + 1}'", timeout=20_000)
            assert page.title().startswith(f"({before + 1}) ")
            assert page.evaluate("document.documentElement.dataset.rang") == "1"
            page.reload()
            page.wait_for_function(f"{badge} === '{before + 1}'")
            assert page.get_by_role("button", name="新告警响铃").get_attribute("aria-pressed") == "true"
            assert page.evaluate("document.documentElement.dataset.rang") is None
            owner.execute("SELECT alarm_acknowledge('new', 'Wang', 'seen')")
            page.wait_for_function(f"{badge} === '{before}'", timeout=20_000)


def test_a_sound_that_waits_for_a_click_says_so_on_a_wall_and_on_an_operators_page(
    browser: Browser, migrated_database: ReaderDatabase
) -> None:
    """In words beside the switch; a wall shows the switch, and the alarms while any wait. The click only wakes it.

    Who then acknowledges without a word has it written down in the one word that each page puts into its language.
    """
    populate(migrated_database.owner_url, sets=4, hours=2, days=2)
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        raise_alarm(owner)
        running = served(migrated_database.reader_url, migrated_database.operator_url)
        with running as address, opened(browser, f"{address}/healthz") as page:
            page.add_init_script(SILENCED)
            for path in ("/d/water?lang=zh&kiosk", "/alarm/new?lang=zh", "/shift?lang=zh"):
                page.goto(f"{address}{path}")
                page.wait_for_selector(".bell.is-waiting:has-text('点一下页面才会响')")
                page.wait_for_selector(".nav a[href*='/d/alarms']:not([data-waiting=''])")
                page.screenshot(path=screenshots() / f"bell.zh.{path.strip('/')[:5]}.png")
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                page.locator(".bell").click()
                page.wait_for_selector(".bell.is-on:not(.is-waiting)")
                assert page.locator(".bell").inner_text() == "♪"
            page.goto(f"{address}/alarm/new?lang=zh")
            page.wait_for_function("window.did_handshake")
            page.get_by_label("姓名").fill("Wang")
            page.get_by_role("button", name="确认").click()
            page.wait_for_selector("td:has-text('已看到')")
            done = owner.execute("SELECT reason FROM alarm_transition WHERE alarm_id = 'new' AND actor = 'Wang'")
            assert done.fetchall() == [("seen",)]


def press_while_others_are_looked_up(page: Page, offered: Locator) -> None:
    """Press the button of the mouse on one that is offered, and let it go once another list has taken its place."""
    there = offered.bounding_box()
    assert there is not None
    page.mouse.move(there["x"] + 20, there["y"] + 10)
    page.keyboard.type(" steel")
    page.mouse.down()
    page.wait_for_timeout(500)
    page.mouse.up()


def write_of_a_site(page: Page, owner: psycopg.Connection) -> None:
    """Look a note's site up among all; a part of names that was typed and not chosen is none, a whole name is one."""
    about = page.get_by_label("About")
    about.fill("bs0002")
    page.wait_for_function("document.querySelectorAll('.hits .hit').length === 4")  # all sites, and three
    page.get_by_label("Note").fill("of nothing that was chosen")
    page.get_by_role("button", name="Write").click()
    page.wait_for_function("document.querySelector('.banner').innerText.includes('choose a site')")
    about.fill("taihang")
    page.wait_for_function(
        "document.querySelectorAll('.hits .hit').length === 2"
    )  # no longer what stood there at first
    offered = page.get_by_role("button", name="Taihang steel works")
    press_while_others_are_looked_up(page, offered)
    page.get_by_label("Note").fill("furnace 3 was relined")
    page.get_by_role("button", name="Write").click()
    page.wait_for_selector("td:has-text('furnace 3 was relined')")
    about.fill("TAIHANG-STEEL")
    about.press("Enter")
    page.wait_for_function("document.querySelector('.pick input').value === 'Taihang steel works'")
    about.fill("taihang steel works")
    page.get_by_label("Note").fill("its name was typed")
    page.get_by_role("button", name="Write").click()
    page.wait_for_selector("td:has-text('its name was typed')")
    assert owner.execute("SELECT site_id, note FROM shift_note ORDER BY id DESC LIMIT 2").fetchall() == [
        ("taihang-steel", "its name was typed"),
        ("taihang-steel", "furnace 3 was relined"),
    ]


def test_a_shift_is_handed_over_on_one_sheet(
    browser: Browser, migrated_database: ReaderDatabase, tmp_path: Path
) -> None:
    """From the alarms to the sheet: what stands, what was done, a note that stays; an account sees its own plant's."""
    populate(migrated_database.owner_url, sets=22, hours=2)
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as owner:
        raise_alarm(owner)
        owner.execute("SELECT alarm_acknowledge('new', 'Wang', 'crew is on its way')")
        running = served(migrated_database.reader_url, migrated_database.operator_url)
        with running as address, opened(browser, f"{address}/d/alarms?lang=en") as page:
            wait_until_drawn(page)
            page.get_by_role("link", name="Shift handover").click()
            page.wait_for_selector("h2:has-text('What operators did')")
            page.wait_for_function("window.did_handshake")
            assert "crew is on its way" in page.locator(".sheet").inner_text()
            assert "night flow risen" in page.locator(".sheet").inner_text()
            page.wait_for_selector("dd:text-is('all cities')")
            write = page.get_by_role("button", name="Write")
            page.get_by_label("Note").fill("x" * 1001)
            page.wait_for_selector(".hand:has-text('1000 / 1000')")
            page.get_by_label("Note").fill("pump 2 stands <b>until Friday</b>")
            write.click()
            page.wait_for_function("document.querySelector('.banner').innerText.includes('a name and a note')")
            page.get_by_label("Your name").fill("Wang")
            write.click()
            page.wait_for_selector("td:has-text('pump 2 stands <b>until Friday</b>')")
            assert owner.execute("SELECT site_id, actor, note FROM shift_note").fetchall() == [
                ("", "Wang", "pump 2 stands <b>until Friday</b>")
            ]
            write_of_a_site(page, owner)
            for width, height in SIZES:
                page.set_viewport_size({"width": width, "height": height})
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                page.screenshot(path=screenshots() / f"shift.en.{width}.png", full_page=True)
            page.emulate_media(media="print")
            assert page.locator(".hand").is_hidden()
    file = tmp_path / "accounts.json"
    with changed(file) as accounts:
        password_hash = hash_of("Li has a sentence")
        account = Account(name="Li", role=AccountRole.OPERATOR, password_hash=password_hash, sites=("taihang-steel",))
        accounts[key_of("Li")] = account
    running = served(migrated_database.reader_url, migrated_database.operator_url, str(file))
    with running as address, opened(browser, f"{address}/shift?lang=zh", SIZES[2]) as page:
        page.get_by_label("姓名").fill("Li")
        page.get_by_label("密码").fill("Li has a sentence")
        page.get_by_role("button", name="登录").click()
        page.wait_for_selector("td:has-text('furnace 3')")
        seen = page.locator(".sheet").inner_text()
        assert "crew is on its way" in seen
        assert "pump 2" not in seen
        assert page.get_by_label("关于").input_value() == "太行钢铁"
        assert "过温" not in seen
        page.screenshot(path=screenshots() / "shift.zh.390.png", full_page=True)

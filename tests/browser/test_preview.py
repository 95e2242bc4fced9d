"""The preview in Chromium: every panel drawn, both languages, live values, and a database that goes away."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from dashboards.grafana.build import DEFINITIONS
from dashboards.preview.access.accounts import Account, AccountRole, changed, hash_of, key_of
from fenhe.local import Postgres, find_postgres_binaries, scratch_directory
from schemas.words import Language
from storage.migrate import migrate
from tests.fixtures.browser import INKED, SIZES, opened, screenshots, served, wait_until_drawn
from tests.fixtures.dashboards import populate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, FloatRect, Page

    from fenhe.local import Services
    from tests.fixtures.dashboards import ReaderDatabase

pytestmark = pytest.mark.browser

TOOLS_HEIGHT = """(() => { const boxes = [...document.querySelectorAll('.bar-tools > :not(.state)')]
  .map(each => each.getBoundingClientRect()).filter(box => box.width > 0);
  return Math.max(...boxes.map(box => box.bottom)) - Math.min(...boxes.map(box => box.top)); })()"""
"""From the first to the last line of controls: a state that is to be acted on has a line of its own above them."""
CLIP: FloatRect = {"x": 0, "y": 0, "width": 1920, "height": 200}


@pytest.mark.parametrize(
    ("slug", "language"), [(definition.slug, language) for definition in DEFINITIONS for language in Language]
)
def test_every_panel_is_drawn(browser: Browser, preview: str, slug: str, language: Language) -> None:
    """Each panel shows something in either size; no console error, nothing from the internet, no sideways scroll."""
    chosen = "&var-set=bs00001-b1" if slug == "battery-set" else ""
    with opened(browser, f"{preview}/d/{slug}?lang={language}{chosen}") as page:
        folder = screenshots()
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            wait_until_drawn(page)
            panels: Any = page.locator(".panel")
            for index in range(panels.count()):
                panel = panels.nth(index)
                assert panel.locator(".panel-title").inner_text()
                canvas = panel.locator("canvas")
                if canvas.count():
                    page.wait_for_function(f"canvas => ({INKED})(canvas)", arg=canvas.first.element_handle())
                else:
                    body = panel.locator(".panel-body").element_handle()
                    page.wait_for_function("body => body.innerText.trim() !== ''", arg=body)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            assert page.locator("nav a").count() == len(DEFINITIONS)
            page.screenshot(path=folder / f"{slug}.{language}.{width}.png", full_page=True)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("slug", ["plant-energy", "alarms"])
def test_the_bar_is_a_line_of_pages_and_a_line_of_controls(
    browser: Browser, preview: str, slug: str, language: Language
) -> None:
    """At 1920 and at 1280, every page in sight of the first; the state of the data begins the second."""
    with opened(browser, f"{preview}/d/{slug}?lang={language}&refresh=off") as page:
        wait_until_drawn(page)
        page.wait_for_function("window.did_handshake")
        for width, height in SIZES[:2]:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_function(f"innerWidth === {width}")
            assert page.evaluate("document.querySelector('.bar-line').offsetHeight") < 44
            assert page.evaluate(TOOLS_HEIGHT) < 40
            page.screenshot(path=screenshots() / f"bar-{slug}.{language}.{width}.png", clip={**CLIP, "width": width})
            line = page.locator(".bar-line").bounding_box()
            assert line is not None
            for link in page.locator(".nav a").all():
                box = link.bounding_box()
                assert box is not None
                assert line["y"] <= box["y"] < box["y"] + box["height"] <= line["y"] + line["height"]
                assert box["x"] + box["width"] <= page.locator(".search").evaluate("e => e.getBoundingClientRect().x")
        assert page.locator(".bar-tools > :first-child").get_attribute("data-control") == "state"


def test_pages_without_room_in_the_bar_show_below_it(browser: Browser, preview: str) -> None:
    """On a narrow screen a sign tells of them, the pointer brings them; the page one is on is never among them."""
    with opened(browser, f"{preview}/d/pipeline?lang=en&refresh=off") as page:
        page.set_viewport_size({"width": 1010, "height": 720})
        page.wait_for_selector(".nav.is-cut")
        bar, here = page.locator(".bar").bounding_box(), page.locator(".nav .is-here").bounding_box()
        assert bar is not None
        assert here is not None
        assert here["y"] + here["height"] <= bar["y"] + bar["height"] / 2
        page.locator(".nav .is-here").hover()
        page.locator(".nav a:not(.is-here)").last.click()
        page.wait_for_url(lambda url: "/d/pipeline?" not in url)


def test_a_page_is_light_where_the_system_is_and_its_address_names_no_theme(browser: Browser, preview: str) -> None:
    """What the address names wins, and the switch names one; nothing else of the address is lost."""
    ground = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, f"{preview}/d/water?lang=en&from=now-1h") as page:
        dark = page.evaluate(ground)
        page.emulate_media(color_scheme="light")
        page.goto(f"{preview}/d/water?lang=en&from=now-1h")
        page.wait_for_url("**theme=light")
        assert "lang=en&from=now-1h" in page.url
        assert page.evaluate(ground) != dark
        page.wait_for_function("window.did_handshake")
        page.get_by_role("link", name="◐").click()
        page.wait_for_url("**theme=dark**")
        assert page.evaluate(ground) == dark


def test_a_panels_rows_are_downloaded_as_the_page_shows_them(browser: Browser, preview: str) -> None:
    """The file of a panel has the rows of the plant, range and language that the page shows, and names its page."""
    address = f"{preview}/d/plant-energy?lang=zh&var-site=lucheng-methanol&from=now-1h"
    with opened(browser, address) as page:
        wait_until_drawn(page)
        meters = page.locator(".panel:has(.panel-title:text-is('表计'))")
        meters.hover()
        with page.expect_download() as expected:
            meters.get_by_role("link", name="CSV").click()
        assert re.fullmatch(r"fenhe-plant-energy-\d+-\d{8}-\d{4}\.csv", expected.value.suggested_filename)
        written = Path(expected.value.path()).read_text(encoding="utf-8-sig").splitlines()
        assert written[0].startswith("表计,类别,")
        shown = meters.locator("tbody tr td:first-child").all_inner_texts()
        assert [line.split(",")[0] for line in written[1:]] == shown
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{preview}/csv/plant-energy/999")  # noqa: S310 - our own server


def test_a_plant_leads_to_its_energy_and_its_meter(browser: Browser, preview: str) -> None:
    """Province → plant → meter: the same range, and the very plant and meter that were clicked."""
    with opened(browser, f"{preview}/d/province?lang=en&from=now-1h") as page:
        wait_until_drawn(page)
        page.get_by_role("link", name="Fenyang coking").first.click()
        page.wait_for_url("**/d/plant-energy?**var-site=fenyang-coking**")
        wait_until_drawn(page)
        assert "from=now-1h" in page.url
        page.get_by_role("link", name="Incoming feeder 2").first.click()
        page.wait_for_url("**/d/meter?**var-site=fenyang-coking&var-meter=fenyang-coking-e2**")
        wait_until_drawn(page)
        assert "from=now-1h" in page.url
        assert "Incoming feeder 2" in page.locator(".bar").inner_text()


def test_search_finds_a_set_by_keyboard_alone(browser: Browser, preview: str) -> None:
    """`/` goes to the box, a part of a name finds the set, Enter opens it; what is not there is said."""
    with opened(browser, f"{preview}/d/province?lang=en") as page:
        wait_until_drawn(page)
        page.wait_for_function("window.did_handshake")
        page.keyboard.press("/")
        page.keyboard.type("no such thing")
        page.wait_for_selector(".hits:has-text('nothing found')")
        page.locator(".search input").fill("bs00001-b")
        page.wait_for_selector(".hit:has-text('bs00001-b1')")
        page.keyboard.press("Enter")
        page.wait_for_url("**/d/battery-set?**var-set=bs00001-b1**")


def test_a_worst_set_leads_to_its_own_page(browser: Browser, preview: str) -> None:
    """Fleet → set: the set that was clicked is the one that is shown."""
    with opened(browser, f"{preview}/d/battery-fleet?lang=en&kiosk") as page:
        wait_until_drawn(page)
        link = page.get_by_role("link", name=re.compile(r"^Base station \d+ set 1$")).first
        name = link.inner_text()
        link.click()
        page.wait_for_url("**/d/battery-set?**var-set=bs*-b1**")
        wait_until_drawn(page)
        assert "kiosk" in page.url
        page.locator(".kiosk").click()
        page.wait_for_url(lambda url: "kiosk" not in url)
        wait_until_drawn(page)
        assert page.locator("[data-variable=set] input").input_value().startswith(name)


@pytest.mark.parametrize(("width", "level"), [(1280, "stopped"), (1280, "empty"), (900, "live")])
def test_a_wall_keeps_its_clock_and_its_way_back_in_sight(
    browser: Browser, preview: str, width: int, level: str
) -> None:
    """However loud the state of the data is, and however narrow the screen."""
    with opened(browser, f"{preview}/d/alarms?lang=zh&kiosk&refresh=off") as page:
        wait_until_drawn(page)
        page.set_viewport_size({"width": width, "height": 720})
        page.wait_for_function(f"innerWidth === {width}")
        page.evaluate(f"document.querySelector('.state').className = 'state is-{level}'")
        for part in (".bar .clock", ".bar .kiosk"):
            box = page.locator(part).bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width


def test_an_alarm_is_dealt_with_under_a_name(browser: Browser, migrated_database: ReaderDatabase) -> None:
    """List → alarm: what is refused is said; what is done stands in the history with who and why; the page follows.

    What else stands at the same device is listed, and dealt with in the same act where the operator says so.
    """
    populate(migrated_database.owner_url, sets=22, hours=2)
    with psycopg.connect(migrated_database.owner_url) as owner:
        columns = [each.name for each in owner.execute("SELECT * FROM alarm LIMIT 0").description or ()]
        changed = {"alarm_id": "'second'", "group_id": "'second'", "kind": "'drift'"}
        taken = ", ".join(changed.get(name, name) for name in columns)
        owner.execute(
            f"INSERT INTO alarm ({', '.join(columns)}) SELECT {taken} FROM alarm WHERE kind = 'night_flow' LIMIT 1"  # noqa: S608 - our own columns
        )
    running = served(migrated_database.reader_url, migrated_database.operator_url)
    with running as address, opened(browser, f"{address}/d/alarms?lang=en") as page:
        wait_until_drawn(page)
        page.get_by_role("link", name="night flow risen (leak?)").first.click()
        page.wait_for_url("**/alarm/**")
        page.wait_for_function("window.did_handshake")  # a click before that goes nowhere
        acknowledge = page.get_by_role("button", name="Acknowledge")
        acknowledge.click()
        page.wait_for_function("document.querySelector('.banner').innerText.includes('a name and a reason')")
        page.locator(".banner").click()  # it stays until then
        page.wait_for_selector(".banner", state="hidden")
        page.get_by_label("Your name").fill("Wang")
        page.get_by_label("Reason").fill("valve is being closed")
        page.get_by_role("link", name="drift").wait_for()
        page.get_by_role("checkbox", name="also the other alarms").click()
        acknowledge.click()
        page.wait_for_selector("td:has-text('valve is being closed')")
        with psycopg.connect(migrated_database.owner_url) as owner:
            dealt_with = owner.execute("SELECT state, acknowledged_by FROM alarm WHERE alarm_id = 'second'").fetchone()
        assert dealt_with == ("active_acknowledged", "Wang")
        assert page.locator("tbody tr").first.locator("td").nth(3).inner_text() == "Wang"
        assert acknowledge.is_hidden()
        assert "acknowledged" in page.locator("dl").inner_text()
        page.screenshot(path=screenshots() / "alarm.en.1920.png", full_page=True)
        page.get_by_role("link", name="Its device at that time").click()
        page.wait_for_url("**/d/meter?**from=1**")


def test_an_alarm_is_dealt_with_under_the_name_that_signed_in(
    browser: Browser, migrated_database: ReaderDatabase, tmp_path: Path
) -> None:
    """Sign in, act, sign out: the history has the account's name, a viewer has no buttons, one of elsewhere no alarm.

    Whose account is taken away sees the sign-in page again, on the page that is open.
    """
    populate(migrated_database.owner_url, sets=22, hours=2)
    with psycopg.connect(migrated_database.owner_url) as owner:
        found = owner.execute("SELECT alarm_id, site_id FROM alarm WHERE kind = 'night_flow'").fetchone()
    assert found is not None
    alarm_id, site_id = found
    file = tmp_path / "accounts.json"
    with changed(file) as accounts:
        for name, role, sites in (
            ("Wang", "operator", [site_id]),
            ("Li", "viewer", []),
            ("Zhao", "operator", ["none"]),
        ):
            password_hash = hash_of(f"{name} has a sentence")
            account = Account(name=name, role=AccountRole(role), password_hash=password_hash, sites=tuple(sites))
            accounts[key_of(name)] = account

    def sign_in(page: Page, name: str) -> None:
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(f"{name} has a sentence")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/alarm/**")
        page.wait_for_function("window.did_handshake")

    running = served(migrated_database.reader_url, migrated_database.operator_url, str(file))
    with running as address, opened(browser, f"{address}/alarm/{alarm_id}?lang=en", SIZES[2]) as page:
        page.screenshot(path=screenshots() / "sign-in.en.390.png")
        sign_in(page, "Wang")
        page.get_by_label("Reason").fill("valve is being closed")
        page.get_by_role("button", name="Acknowledge").click()
        page.wait_for_selector("td:has-text('valve is being closed')")
        assert page.locator("tbody tr").first.locator("td").nth(3).inner_text() == "Wang"
        page.screenshot(path=screenshots() / "alarm-signed-in.en.390.png", full_page=True)
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/sign-in")
        page.goto(f"{address}/alarm/{alarm_id}?lang=en")
        sign_in(page, "Li")
        page.wait_for_selector("text=Your account may look")
        assert page.locator("[data-action]").count() == 0
        with changed(file) as accounts:
            del accounts[key_of("Li")]
        page.wait_for_url("**/sign-in?next=**", timeout=20_000)
        sign_in(page, "Zhao")
        page.wait_for_function("document.querySelector('.banner').innerText.includes('no such alarm')")


def test_an_alarm_only_shows_without_an_operators_connection(browser: Browser, preview: str) -> None:
    """The reader's page has no buttons but that of the sound, and says what it lacks."""
    with opened(browser, f"{preview}/d/alarms?lang=zh") as page:
        wait_until_drawn(page)
        page.get_by_role("link", name="过温").first.click()
        page.wait_for_selector("text=FENHE_DB_OPERATOR_URL")
        assert [button.get_attribute("class") for button in page.get_by_role("button").all()] == ["chip bell"]
    with opened(browser, f"{preview}/alarm/nothing?lang=zh") as page:
        page.wait_for_function("document.querySelector('.banner').innerText.includes('没有这个告警')")


def test_controls_lead_where_they_say(browser: Browser, preview: str) -> None:
    """Variable, range and language are kept in the address; the other language shows the same plant."""
    with opened(browser, f"{preview}/d/plant-energy?lang=zh&var-site=taihang-steel&from=now-1h") as page:
        wait_until_drawn(page)
        page.locator("[data-variable=site] input").fill("甲醇")
        page.get_by_role("button", name="潞城甲醇").click()
        page.wait_for_url("**var-site=lucheng-methanol**")
        page.get_by_role("link", name="English").click()
        page.wait_for_url("**lang=en**")
        wait_until_drawn(page)
        assert "from=now-1h" in page.url
        assert page.locator("[data-variable=site] input").input_value() == "Lucheng methanol"
        page.get_by_role("link", name="Battery fleet").click()
        page.wait_for_url("**/d/battery-fleet**")
        wait_until_drawn(page)


def test_an_unknown_plant_is_named_and_nothing_is_shown_for_it(browser: Browser, preview: str) -> None:
    """A link to a plant that isn't registered shows unknown, not another plant's figures."""
    with opened(browser, f"{preview}/d/plant-energy?lang=en&var-site=nowhere") as page:
        wait_until_drawn(page)
        assert "nowhere" in page.locator(".banner").inner_text()
        assert "unknown" in page.locator("[data-panel='1'] .panel-body").inner_text()


def test_a_meter_that_stops_is_unknown_after_three_of_its_periods(
    browser: Browser, migrated_database: ReaderDatabase
) -> None:
    """Live with its newest reading; nothing more comes, and on the open page its rate is unknown and it is silent."""
    populate(migrated_database.owner_url, sets=22, hours=2)
    period_s, refresh_s = 4, 5
    rows = "[...document.querySelectorAll('tr')].map(row => row.innerText)"
    says = f"{rows}.find(text => /feeder 1\\s+electricity/.test(text))"
    with (
        served(migrated_database.reader_url) as address,
        opened(browser, f"{address}/d/plant-energy?lang=en&refresh={refresh_s}s") as page,
    ):
        wait_until_drawn(page)
        with psycopg.connect(migrated_database.owner_url) as owner:
            owner.execute("UPDATE device SET period_s = %s WHERE name = 'Incoming feeder 1'", [period_s])
            owner.execute("UPDATE meter_latest SET ts = now(), rate = 4321.5 WHERE device_id LIKE '%%-e1'")
        page.wait_for_function(f"{says}.includes('4,321.5') && {says}.includes('live')", timeout=10_000)
        unknown_after_ms = (3 * period_s + refresh_s) * 1000
        page.wait_for_function(f"{says}.includes('silent')", timeout=unknown_after_ms)
        assert "4,321.5" not in page.evaluate(says)


@pytest.fixture
def own_postgres(services: Services) -> Iterator[Postgres]:
    """A server that the test may stop."""
    with scratch_directory("preview") as path, Postgres(path, binaries=find_postgres_binaries(services)) as server:
        yield server


@pytest.mark.slow
@pytest.mark.chaos
def test_values_change_by_themselves_and_the_page_outlives_the_database(
    browser: Browser, own_postgres: Postgres
) -> None:
    """A new row appears on the open page; a stopped database is said and dimmed; a started one is shown again."""
    owner_url = own_postgres.create_database("live")
    migrate(owner_url)
    populate(owner_url, sets=22, hours=2)
    reader_url = own_postgres.url("fenhe_reader", "live")
    power = "[data-panel='1'] .stat-value"
    with served(reader_url) as address, opened(browser, f"{address}/d/plant-energy?lang=en&refresh=5s") as page:
        wait_until_drawn(page)
        _set_power(owner_url, 4321)
        page.wait_for_function(f"document.querySelector(\"{power}\").innerText.includes('4,321')", timeout=15_000)
        own_postgres.stop()
        page.wait_for_selector(".banner:visible", timeout=20_000)
        page.wait_for_selector(".panel.is-away")
        assert "cannot be reached" in page.locator(".banner").inner_text()
        assert "4,321" in page.locator(power).inner_text()
        own_postgres.start()
        _set_power(owner_url, 1234)
        page.wait_for_function(f"document.querySelector(\"{power}\").innerText.includes('1,234')", timeout=20_000)
        page.wait_for_selector(".banner", state="hidden")
        assert page.locator(".panel.is-away").count() == 0


def _set_power(owner_url: str, kw: float) -> None:
    with psycopg.connect(owner_url) as owner:
        owner.execute("UPDATE plant_window SET power_kw = %s WHERE window_min = 15", [kw])

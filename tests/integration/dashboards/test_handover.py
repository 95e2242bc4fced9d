"""The sheet of a shift's handover on a real database: of what it is, what it does not know, and what it leaves out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import pytest

from dashboards.preview.operators.bell import WAITING
from dashboards.preview.operators.handover import ALL, MOST, Place, Sheet, Shift, preset, queries
from dashboards.preview.operators.shift import LONGEST
from dashboards.preview.reader import Reader
from dashboards.preview.view import View
from dashboards.words import shift
from schemas.words import Language
from schemas.words.alarm_reasons import SEEN, refusal
from tests.fixtures.dashboards import populate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fixtures.dashboards import ReaderDatabase


@pytest.fixture
def owner(migrated_database: ReaderDatabase) -> Iterator[psycopg.Connection]:
    """A database of four plants and a few base stations, as its owner."""
    populate(migrated_database.owner_url, sets=4, hours=1, days=1)
    with psycopg.connect(migrated_database.owner_url, autocommit=True) as connection:
        yield connection


class Read(NamedTuple):
    """What a sheet is of, the sites it offers, its lines above the lists, and its lists."""

    place: Place
    sites: dict[str, str]
    facts: dict[str, str]
    lists: str


async def read(database: ReaderDatabase, *, site: str = "*", city: str = "*", language: Language = Language.EN) -> Read:
    """Read the sheet of the last twelve hours."""
    reader = Reader(database.reader_url)
    asked = Shift(time.time() - 43_200, time.time() + 60, site, city)
    answers = [await reader.fetch(query) for query in queries(asked, language)]
    await reader.close()
    standing, counts, to_do, done, notes, sites, where = answers
    place = Place.of(asked, where)
    sheet = Sheet(View("alarms", language), place)
    facts = [*sheet.place_facts(shift.ALL_SITES), *sheet.summary(standing, counts)]
    return Read(
        place,
        {str(each): str(name) for each, name in sites.rows},
        {text(language): value for text, value in facts},
        sheet.notes(notes) + sheet.to_do(to_do) + sheet.done(done),
    )


async def test_a_sheet_says_of_which_site_and_city_it_is(
    migrated_database: ReaderDatabase, owner: psycopg.Connection
) -> None:
    """Also of a site that the list of sites is too short for; a note is of that one then, not of all."""
    whole = await read(migrated_database)
    assert (whole.facts["Plant or site"], whole.facts["City"]) == ("all sites", "all cities")
    assert preset([ALL, *whole.sites], whole.place) == ALL
    of_city = await read(migrated_database, city="太原")
    assert (of_city.facts["Plant or site"], of_city.facts["City"]) == ("all sites", "Taiyuan")
    owner.execute(
        "INSERT INTO site (site_id, name, name_zh, sector, city, product_unit)"
        " SELECT 'zz' || n, 'Z ' || n, '', 'base_station', '大同', 't' FROM generate_series(1000, 1600) AS n"
    )
    last = await read(migrated_database, site="zz1600")
    assert "zz1600" not in last.sites
    assert last.facts["Plant or site"] == "Z 1600"
    assert preset([ALL, "zz1600", *last.sites], last.place) == "zz1600"


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(("site", "city"), [("taihang-stel", "*"), ("*", "Gotham")])
async def test_nothing_is_known_of_what_is_not_registered(
    migrated_database: ReaderDatabase, site: str, city: str
) -> None:
    """A name that was mistyped is said to be, nothing of it is none, and no note is preset to be of all sites."""
    found = await read(migrated_database, site=site, city=city)
    assert f"“{'Gotham' if site == '*' else site}” is not registered" in found.facts.values()
    assert "none" not in found.facts.values()
    assert "<p>none</p>" not in found.lists
    assert found.lists.count("<p>unknown</p>") == 3
    assert preset([ALL, *found.sites], found.place) == (ALL if site == "*" else None)


async def test_no_alarm_is_unknown_while_nothing_is_stored(
    migrated_database: ReaderDatabase, owner: psycopg.Connection
) -> None:
    """What operators did and wrote is known all the same; that a plant is well is not."""
    owner.execute(
        "INSERT INTO site (site_id, name, name_zh, sector, city, product_unit)"
        " VALUES ('quiet', '', '', 'base_station', '大同', 't')"
    )
    before = await read(migrated_database, site="quiet")
    assert before.facts["Holding now"] == "none"
    owner.execute("UPDATE checkpoint SET updated_at = now() - interval '3 hours'")
    found = await read(migrated_database, site="quiet")
    assert (found.facts["Holding now"], found.facts["Acts of operators"]) == ("unknown", "none")
    assert found.lists.count("<p>none</p>") == 2
    assert found.lists.count("<p>unknown</p>") == 1


async def test_a_note_has_no_preset_where_an_account_sees_several_sites(migrated_database: ReaderDatabase) -> None:
    """The first of a list is nobody's choice; the only one is."""
    place = (await read(migrated_database)).place
    assert preset(["fenyang-coking", "taihang-steel"], place) is None
    assert preset(["taihang-steel"], place) == "taihang-steel"
    assert preset([], place) is None


async def test_how_many_notes_are_left_out_is_said(
    migrated_database: ReaderDatabase, owner: psycopg.Connection
) -> None:
    """A list shows a hundred of them."""
    write = "SELECT shift_note_write('', 'Wang', 'pump ' || n) FROM generate_series(1, %s) AS n"
    owner.execute(write, (MOST,))
    assert "earlier ones" not in (await read(migrated_database)).lists
    owner.execute(write, (2,))
    assert "and 2 earlier ones: choose a shorter period" in (await read(migrated_database)).lists


async def test_what_was_only_seen_is_said_in_the_pages_language(
    migrated_database: ReaderDatabase, owner: psycopg.Connection
) -> None:
    """The history keeps one word of an acknowledgement without any; what a person wrote stays as written."""
    owner.execute("SELECT alarm_acknowledge(alarm_id, 'Wang', %s) FROM alarm WHERE kind = 'night_flow'", (SEEN,))
    assert "<td class=t>seen</td>" in (await read(migrated_database)).lists
    lists = (await read(migrated_database, language=Language.ZH)).lists
    assert lists.count("<td class=t>已看到</td>") >= 2
    assert "<td class=t>seen</td>" not in lists


@pytest.mark.parametrize(
    ("site", "name", "note", "said", "in_chinese"),
    [
        ("", "Wang", " \n", "a name and a note are required", "请填写姓名和记事"),
        ("", "", "pump 2 stands", "a name and a note are required", "请填写姓名和记事"),
        ("", "Wang", "x" * (LONGEST + 1), "at most 1000 characters, this one 1001", "记事最多 1000 字，现有 1001 字"),
        (
            "",
            "fenhe",
            "pump 2 stands",
            "the name fenhe cannot be used, or is too long",
            "不能使用姓名“fenhe”，或姓名过长",
        ),
        ("nowhere", "Wang", "pump 2 stands", "there is no site nowhere", "没有这个站点"),
    ],
)
def test_a_note_is_refused_in_words_of_its_own(  # noqa: PLR0917 - what is written, and what is said of it
    migrated_database: ReaderDatabase, site: str, name: str, note: str, said: str, in_chinese: str
) -> None:
    """A note has no reason, and is told how much too long it is."""
    with (
        psycopg.connect(migrated_database.operator_url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InvalidParameterValue, match=said) as refused,
    ):
        connection.execute("SELECT shift_note_write(%s, %s, %s)", (site, name, note))
    assert refusal(refused.value.diag.message_primary or "", Language.ZH) == in_chinese


async def test_what_is_over_before_anybody_saw_it_waits_and_rings(
    migrated_database: ReaderDatabase, owner: psycopg.Connection
) -> None:
    """An alarm that comes and goes between two looks is counted, and is newer than what was heard before."""
    reader = Reader(migrated_database.reader_url)
    ((before, heard),) = (await reader.fetch(WAITING)).rows
    owner.execute(
        "INSERT INTO alarm (alarm_id, site_id, device_id, metric, kind, severity, event_at, raised_at, group_id)"
        " VALUES ('new', 'taihang-steel', 'taihang-steel-e1', '', 'step', 'high', now(), now(), 'new')"
    )
    for event, why in (("raise", "the condition holds"), ("clear", "the condition is over")):
        owner.execute("SELECT alarm_apply('new', %s, 'fenhe', %s)", (event, why))
    assert owner.execute("SELECT state FROM alarm WHERE alarm_id = 'new'").fetchone() == ("returned_unacknowledged",)
    ((waiting, newest),) = (await reader.fetch(WAITING)).rows
    await reader.close()
    assert int(str(waiting)) == int(str(before)) + 1
    assert int(str(newest)) > int(str(heard))

"""Which of many somebody means who typed, and which are offered."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from dashboards.parts.plants import sites
from dashboards.preview.pick import Choice, meant
from dashboards.preview.variable_pick import VariablePick, nearest
from schemas.words import Language

OFFERED = [
    Choice("bs00001", "基站一"),
    Choice("bs00012", "基站十二"),
    Choice("twin-1", "Twin"),
    Choice("twin-2", "twin"),
]


@pytest.mark.parametrize(
    ("typed", "site_id"),
    [
        ("bs00001", "bs00001"),
        ("BS00012", "bs00012"),
        ("基站一", "bs00001"),
        ("bs0001", None),
        ("Twin", None),
        ("", None),
    ],
)
def test_a_whole_name_or_identifier_is_a_choice_a_part_is_none(typed: str, site_id: str | None) -> None:
    """Two sites of one name are told apart by a click alone."""
    one = meant(typed, OFFERED)
    assert (one and one.value) == site_id


def test_what_is_typed_in_full_is_offered_first_and_all_of_them_last() -> None:
    """An Enter takes the first: "bs1" is that set, not all of them, and not the first that has it in its name."""
    offered = [Choice("*", "All"), Choice("x", "a bs1 of old"), Choice("bs12", "bs12"), Choice("bs1", "North · bs1")]
    assert [each.value for each in nearest(offered, "BS1")] == ["bs1", "bs12", "x", "*"]
    assert [each.value for each in nearest(offered, "")] == ["*", "x", "bs12", "bs1"]
    assert len(nearest([Choice(str(n), "") for n in range(500)], "")) == 20


def test_a_name_with_blanks_around_it_can_be_chosen_and_stays_so() -> None:
    """Lists that came out of a spreadsheet have some: no note could be written of such a site."""
    one = Choice("bs1", " North ")
    assert meant("north", [one]) == one
    pick, values = pick_that_finds([one])
    pick.choose(one)
    asyncio.run(pick._typed())  # what the box tells of a choice
    assert (pick._text, values) == ("North", ["bs1"])
    assert pick._asked == 1, "nothing is looked up for it"


def test_an_enter_counts_for_who_goes_away_before_it_is_looked_up() -> None:
    """The database takes a moment, and Tab comes at once."""
    pick, values = pick_that_finds([Choice("bs2", "South")])
    pick.show(Choice("bs1", "North"))
    pick._box.value = "south"

    async def enter_and_leave() -> None:
        entered = asyncio.create_task(pick._entered())
        await asyncio.sleep(0)
        pick._left()
        await entered

    asyncio.run(enter_and_leave())
    assert (pick._text, values) == ("South", ["bs2"])


def pick_that_finds(choices: list[Choice]) -> tuple[VariablePick, list[str]]:
    """A box outside of a page, and what it told."""

    async def find(_typed: str) -> list[Choice]:
        await asyncio.sleep(0.01)
        return choices

    values: list[str] = []
    pick = VariablePick(find, Language.EN, values.append)
    pick._box = SimpleNamespace(value="")  # type: ignore[assignment]
    pick._hits = SimpleNamespace(clear=lambda: None)  # type: ignore[assignment]
    return pick, values


def test_a_plant_without_a_name_is_found_by_the_identifier_that_is_shown_for_it() -> None:
    """Each name is searched as it is shown."""
    for language in Language:
        assert "COALESCE(NULLIF(s.name, ''), s.site_id) ILIKE" in sites("true").query(language)
        assert "COALESCE(NULLIF(s.name_zh, ''), s.site_id) ILIKE" in sites("true").query(language)

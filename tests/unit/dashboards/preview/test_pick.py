"""Which of many somebody means who typed, and which are offered."""

from __future__ import annotations

import pytest

from dashboards.preview.pick import Choice, meant
from dashboards.preview.variable_pick import nearest

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

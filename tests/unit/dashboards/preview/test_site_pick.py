"""Which site an operator means who typed and clicked on nothing."""

from __future__ import annotations

import pytest

from dashboards.preview.operators.site_pick import Choice, meant

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
    assert (one and one.site_id) == site_id

"""Zoom: what a browser tells of a drag becomes a range, or nothing."""

from __future__ import annotations

import datetime as dt

import pytest

from dashboards.preview.macros import TimeRange
from dashboards.preview.zoom import LEAST_S, in_words, relative_in_words, zoomed
from schemas.words import Language

ZONE = "Asia/Shanghai"
AT_8 = dt.datetime(2026, 11, 30, 8, tzinfo=dt.UTC).timestamp() * 1000
"""Eight o'clock on the axis, which is midnight UTC of the province's clock."""
HOUR_MS = 3_600_000


def test_an_axis_is_the_provinces_clock_and_its_ends_come_in_either_order() -> None:
    """Eight to ten in Shanxi, dragged from right to left, is midnight to two UTC."""
    found = zoomed({"from": AT_8 + 2 * HOUR_MS, "to": AT_8}, ZONE)
    assert found == TimeRange(dt.datetime(2026, 11, 30, 0, tzinfo=dt.UTC), dt.datetime(2026, 11, 30, 2, tzinfo=dt.UTC))
    assert in_words(found, ZONE) == "11-30 08:00 – 10:00"


def test_a_drag_that_is_too_short_is_widened_about_its_middle() -> None:
    """A minute is less than a window needs."""
    found = zoomed({"from": AT_8, "to": AT_8 + 60_000}, ZONE)
    assert found is not None
    assert found.seconds == LEAST_S
    assert found.start + (found.end - found.start) / 2 == dt.datetime(2026, 11, 30, 0, 0, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "dragged",
    [
        None,
        {},
        {"from": "x", "to": 1},
        {"from": None, "to": 1},
        {"from": float("nan"), "to": 1},
        {"from": 1e30, "to": 2e30},
        {"from": 0, "to": AT_8},
        [1, 2],
    ],
)
def test_what_is_no_range_changes_nothing(dragged: object) -> None:
    """A browser may tell anything."""
    assert zoomed(dragged, ZONE) is None


def test_a_range_over_midnight_names_both_days() -> None:
    """23:00 to 01:00."""
    found = zoomed({"from": AT_8 + 15 * HOUR_MS, "to": AT_8 + 17 * HOUR_MS}, ZONE)
    assert found is not None
    assert in_words(found, ZONE) == "11-30 23:00 – 12-01 01:00"


def test_a_range_until_now_moves_with_it_and_is_named_so() -> None:
    """A fixed beginning and end would be those of the moment the page was opened."""
    assert relative_in_words("now-3h", Language.EN) == "Last 3 hours"
    assert relative_in_words("now-3d", Language.ZH) == "最近 3 天"
    assert relative_in_words("1764000000000", Language.EN) == ""

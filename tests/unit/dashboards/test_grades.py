"""A grade that rests on an estimate is neither over nor within a limit."""

from __future__ import annotations

import sqlite3

import pytest

from dashboards.kit import fields
from dashboards.parts.plant_limits import GRADE_WORDS, grade
from schemas.metrics.common import Quality


@pytest.mark.parametrize("known", range(4))
def test_an_estimated_grade_has_a_mark_and_a_colour_of_its_own(known: int) -> None:
    """Whatever its number, it is violet; a measured one is not."""
    with sqlite3.connect(":memory:") as connection:
        shown = {
            quality: connection.execute(
                f"SELECT {grade('month')} FROM (SELECT ? AS grade, ? AS quality) AS month",  # noqa: S608 - ours
                (known, quality),
            ).fetchone()[0]
            for quality in Quality
        }
    words = {quality: GRADE_WORDS[str(value)] for quality, value in shown.items()}
    assert words[Quality.ESTIMATED].color == fields.ESTIMATED
    assert words[Quality.ESTIMATED].text.zh.startswith("◇")
    assert all(word.color != fields.ESTIMATED for quality, word in words.items() if quality is not Quality.ESTIMATED)

"""Laboratory results in the database: several of one moment are several readings."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from schemas.readings import Kind
from storage.pool import connect
from tests.support.pipeline import START_TS, Sent, open_engine, prepare, record

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR_MS = 3_600_000


def result(fuel: str, begin_h: int, lhv_mj_kg: float | None, ash_pct: float | None = None) -> Sent:
    """A result of one shift, released together with all others."""
    begin = START_TS - begin_h * HOUR_MS
    sample = {"sample_from": begin, "sample_to": begin + 8 * HOUR_MS, "fuel": fuel}
    return Sent("plant-2", Kind.LAB, "l-1", {"ts": START_TS, **sample, "lhv_mj_kg": lhv_mj_kg, "ash_pct": ash_pct})


RELEASED = [
    result("gangue", 16, 12.0),
    result("coal", 16, 22.0),
    result("gangue", 8, 13.0),
    result("coal", 16, None, 20.0),
]
"""Two fuels, two shifts of one of them, and of the coal its ash in a message of its own."""


@pytest.mark.parametrize("order", list(permutations(RELEASED))[::5])
def test_results_released_at_one_moment_are_all_taken(own_url: str, order: Sequence[Sent]) -> None:
    """In any order, in one record or in several; sent again they are duplicates, with another value a conflict."""
    prepare(own_url)
    engine = open_engine(own_url)
    partition = engine.open(0)
    for offset, sent in enumerate([order[:2], order[2:], [*order, result("gangue", 8, 13.5)]]):
        engine.apply(partition, [record(offset, sent)])
    with connect(own_url, name="test") as connection:
        raw = connection.execute("SELECT fuel, lhv_mj_kg, ash_pct FROM reading_lab ORDER BY 1, 2").fetchall()
        derived = connection.execute("SELECT fuel, lhv_mj_kg, ash_pct FROM fuel_assay ORDER BY 1, 2").fetchall()
        refused = connection.execute("SELECT reason, count(*) FROM quarantine GROUP BY 1").fetchall()
    assert raw == derived == [("coal", 22.0, 20.0), ("gangue", 12.0, None), ("gangue", 13.0, None)]
    assert refused == [("conflict", 1)]

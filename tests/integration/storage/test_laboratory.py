"""Laboratory results in the database: several of one moment are several readings."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from schemas.readings import Kind
from storage import enpi
from storage.pool import connect
from tests.support.pipeline import START_TS, Sent, open_engine, prepare, record

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR_MS = 3_600_000


def result(fuel: str, begin_h: int, lhv_mj_kg: float | None, ash_pct: float | None = None, *, hours: int = 8) -> Sent:
    """A result of one shift, or of so many hours, released together with all others."""
    begin = START_TS - begin_h * HOUR_MS
    sample = {"sample_from": begin, "sample_to": begin + hours * HOUR_MS, "fuel": fuel}
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


FROM_ONE_HOUR = [
    result("gangue", 25, 12.0),
    result("gangue", 25, 14.0, hours=24),
    result("gangue", 25, 16.0, hours=16),
]
"""A shift, its day, and two shifts together: of one fuel, from one hour on, released at one moment."""


@pytest.mark.parametrize("order", list(permutations(FROM_ONE_HOUR)))
@pytest.mark.parametrize("at_once", [1, 3])
def test_samples_that_begin_and_are_released_together_are_several_results(
    own_url: str, order: Sequence[Sent], at_once: int
) -> None:
    """In any order, in one record or one by one, all are derived; each hour is told by its shortest sample."""
    prepare(own_url)
    engine = open_engine(own_url)
    partition = engine.open(0)
    for offset in range(0, len(order), at_once):
        engine.apply(partition, [record(offset, order[offset : offset + at_once])])
    begin = START_TS - 25 * HOUR_MS
    with connect(own_url, name="test") as connection:
        derived = connection.execute(
            "SELECT extract(epoch FROM until_at - ts)::int / 3600, lhv_mj_kg FROM fuel_assay ORDER BY 1"
        ).fetchall()
        by_hour = enpi.variable(connection, "plant-2", "gangue.lhv_mj_kg", [begin])
    assert derived == [(8, 12.0), (16, 16.0), (24, 14.0)]
    assert by_hour == {begin: pytest.approx((12.0 + 16.0 + 14.0) / 3)}

"""What a reading costs the worker, in rounds of a loop of plain Python that is timed in the same run."""

from __future__ import annotations

import gc

import pytest

from bench.offline import measure

ROUNDS = {1: 50.0, 50: 50.0}
"""CPU of the worker's thread for one reading, by readings in a message."""


@pytest.mark.parametrize("array", ROUNDS)
def test_a_reading_costs_the_worker_no_more_than_its_limit(own_url: str, array: int) -> None:
    """A ratio, so that a slow or busy machine says the same as a fast one; the limits have half as much head room."""
    thresholds = gc.get_threshold()
    try:
        result = measure(own_url, sets=200, plants=10, array=array, count=3_000, take=700)
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
    assert result.readings > 1_500
    assert result.worker_rounds < ROUNDS[array], result.worker

"""A real water network's night flow and volumes through the pipeline, beside an independent computation."""

from __future__ import annotations

import pytest

from storage.pool import connect
from tests.support.pipeline import open_engine, prepare, record
from tests.support.worlds import battledim

DAYS = 15
RECORD = 3 * battledim.PER_DAY

pytestmark = pytest.mark.skipif(not battledim.FLOWS.exists(), reason=f"BattLeDIM's flows are not at {battledim.FLOWS}")


def test_night_flow_and_volumes_equal_an_independent_computation(own_url: str) -> None:
    """Zone A is p227 + p235 − PUMP_1: registers in, and the same lowest hour and daily volumes out, day by day."""
    measured = battledim.flows(DAYS)
    prepare(own_url, battledim.REGISTRY)
    sent = list(battledim.sent(measured))
    engine = open_engine(own_url)
    partition = engine.open(0)
    for offset, start in enumerate(range(0, len(sent), RECORD)):
        engine.apply(partition, [record(offset, sent[start : start + RECORD])])
    engine.close()
    with connect(own_url, name="test") as connection:
        found = battledim.derived_days(connection)
    expected = battledim.expected(measured)
    assert len(found) == len(expected) == DAYS
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.inlets_m3 == pytest.approx(theirs.inlets_m3, rel=1e-9)
        assert ours.zone_m3 == pytest.approx(theirs.zone_m3, rel=1e-9)
        assert ours.night_m3_h == pytest.approx(theirs.night_m3_h, rel=1e-6)

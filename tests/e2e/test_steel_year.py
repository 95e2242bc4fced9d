"""A steel works' real year over MQTT in a hopeless order: energy is exact, and every fault of its meter is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.metrics import MeterEventKind
from schemas.registry import Registry, Sector, Site
from schemas.topics import Topic
from simulators.wire.disorder import Disorder
from simulators.wire.message import DeviceMessage, batch
from storage.pool import connect
from tests.support.running import Pipeline
from tests.support.worlds import steel
from tests.support.worlds.steel import (
    FIELD,
    QUARTER_MS,
    ROLLOVER_KWH,
    START_TS,
    TOTAL_KWH,
    faulted,
    kinds_near,
    quarters,
    register,
)

if TYPE_CHECKING:
    from pathlib import Path

    from fenhe.local import Stack

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not steel.FILE.exists(), reason=f"no real data at {steel.FILE}"),
]

YEAR_S = 366 * 86_400
STORED_S = 300.0
"""No bound on speed: how long the slowest machine may take for it beside another test."""
WORKS = Site(site_id="works", name="Steel works", name_zh="钢铁厂", sector=Sector.STEEL, city="太原")


def in_any_order(points: steel.Points) -> list[DeviceMessage]:
    """Give a meter's year in arrays of 50 readings: 2 % of them twice, 5 % late, and all of it shuffled."""
    topic = str(Topic("works", "electricity", "steel"))
    every = (
        DeviceMessage(topic, "steel", [{"ts": START_TS + number * QUARTER_MS, FIELD: value}])
        for number, value in points
    )
    disorder = Disorder(duplicates=0.02, late=0.05, late_by_s=86_400.0, shuffle_s=YEAR_S, seed=4)
    return list(disorder.carry(batch(every, 50, 86_400_000)))


@pytest.mark.parametrize("faults", [False, True])
def test_a_year_in_any_order_is_exact_and_its_faults_are_named(
    real_stack: Stack, tmp_path: Path, *, faults: bool
) -> None:
    """959 636.7 kWh within 0.01 % and no event; through faults within 0.1 %, and each is found where it was put."""
    points, expected = register(quarters()), dict[int, set[MeterEventKind]]()
    if faults:
        points, expected = faulted(points)
    device = steel.steel_meter(rollover=ROLLOVER_KWH)
    with Pipeline(real_stack, tmp_path, Registry(sites=[WORKS], devices=[device]), environment={}) as pipeline:
        pipeline.start()
        pipeline.publish(in_any_order(points))
        pipeline.wait_stored(len(points), timeout=STORED_S)
        pipeline.settle()
        books = pipeline.books()
        with connect(pipeline.owner_url, name="test") as connection:
            totals = connection.execute(
                """SELECT (SELECT sum(increment) FROM meter_minute WHERE quantity = %(field)s),
                          (SELECT sum(increment) FROM meter_day WHERE quantity = %(field)s)""",
                {"field": FIELD},
            ).fetchone()
            events = connection.execute("SELECT ts, kind FROM meter_event ORDER BY ts").fetchall()
    assert books.closed
    assert books.stored == len(points)
    assert books.duplicate > 0
    assert totals == pytest.approx((TOTAL_KWH, TOTAL_KWH), rel=1e-3 if faults else 1e-4)
    stored = [(ts.timestamp() * 1000, MeterEventKind(kind)) for ts, kind in events]
    assert {number: kinds_near(number, stored) for number in expected} == expected
    assert len(events) == sum(map(len, expected.values()))

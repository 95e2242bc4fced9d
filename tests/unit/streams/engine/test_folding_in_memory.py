"""Late readings of a meter on tables in memory: whatever a reading behind them gave anew is given again as it is."""

from __future__ import annotations

import random

import pytest

from schemas.arrival import Arrival
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device
from schemas.time import HOUR_MS
from streams.kernels.metering.register import RegisterMetering
from tests.support.folded_in_memory import InMemory, take_in_pieces
from tests.support.worlds.meter_worlds import draw

METER = Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY, rated=500, period_s=3600)
MOST_READINGS = 120


def at(hour: int, energy_kwh: float) -> Arrival:
    """A reading at an hour."""
    return Arrival("m", 0, ElectricityReading(ts=1_780_000_200_000 + hour * HOUR_MS, energy_import_kwh=energy_kwh))


def own(hours: range) -> list[Arrival]:
    """What the meter itself shows."""
    return [at(hour, round(50_000 + 10.3 * hour + hour % 5, 1)) for hour in hours]


def test_late_readings_disprove_a_return_over_days() -> None:
    """Another's value stands for eight days, then the meter's own comes back: all of it is spread over these days.

    Late readings show that the other one counted, so it was no return. The days before the newest snapshot are said
    anew as well, though the late readings lie behind it.
    """
    sent = [*own(range(60)), *(at(hour, 700_000.0) for hour in range(60, 250)), *own(range(276, 296))]
    late = [at(hour, 700_001.0 + hour - 250) for hour in range(250, 276)]
    ordered, cut = InMemory(RegisterMetering(), METER), InMemory(RegisterMetering(), METER)
    ordered.take([*sent, *late])
    for start in range(0, len(sent), 24):
        cut.take(sent[start : start + 24])
    cut.take(late)
    assert cut.held() == ordered.held()


@pytest.mark.parametrize("seed", [3, 8, 19])
def test_any_order_of_a_meters_readings_comes_to_the_same(seed: int) -> None:
    """A meter of `meter_worlds` with what goes wrong of it; some readings late, workers that start anew between."""
    rng = random.Random(seed)
    world = draw(seed)
    sent = sorted({arrival.ts: arrival for arrival in world.arrivals}.values(), key=lambda arrival: arrival.ts)
    sent = sent[:MOST_READINGS]
    ordered, cut = InMemory(RegisterMetering(), world.device), InMemory(RegisterMetering(), world.device)
    ordered.take(sent)
    take_in_pieces(cut, sent, rng, late=0.1, sizes=(1, 10, 40))
    assert cut.held() == ordered.held()

"""A pack voltage that parts from its cells: what leads take of it under load is no contradiction, all else is."""

from __future__ import annotations

import pytest

from schemas.arrival import Arrival
from schemas.metrics.battery_health import BatteryEpisode, EpisodeKind
from schemas.readings import BatteryReading
from streams.kernels.battery.limits import Limits
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.contradiction import parts_from_cells
from streams.kernels.battery.tracking.health import SetHealth
from tests.support.worlds.sets import Rig, lfp_set


def kinds(rig: Rig, lead_ohm: float) -> set[EpisodeKind]:
    """What a rig's set is told to do while its pack is measured behind leads."""
    arrivals = []
    for arrival in rig.readings:
        reading = arrival.reading
        assert isinstance(reading, BatteryReading)
        assert reading.pack_voltage_v is not None
        lost_v = (reading.current_a or 0.0) * lead_ohm
        behind = reading.model_copy(update={"pack_voltage_v": reading.pack_voltage_v + lost_v})
        arrivals.append(Arrival(arrival.device_id, 0, behind))
    rows = SetHealth(health_reference()).fold(None, rig.device, arrivals)[1]
    return {row.kind for row in rows if isinstance(row, BatteryEpisode)}


@pytest.mark.parametrize(("cells", "amps", "lead_ohm"), [(1, -60.0, 0.003), (16, -60.0, 0.05)])
def test_a_discharge_behind_leads_is_no_contradiction(cells: int, amps: float, lead_ohm: float) -> None:
    """A cell of 3.20 V with 3.02 V at the terminals, and a pack that loses 3 V of 51: all of it was told as silence."""
    rig = Rig(lfp_set(cells=cells))
    rig.run(2)
    rig.run(1, amps)
    assert EpisodeKind.DISCHARGE in (given := kinds(rig, lead_ohm))
    assert EpisodeKind.OFFLINE not in given


def test_what_no_lead_explains_is_a_contradiction() -> None:
    """3 V too little while nothing flows, or the pack's float voltage while its cells come down under 20 A."""
    limits = Limits(lfp_set(), health_reference())
    assert parts_from_cells(51.0, [3.375] * 16, limits.lead_v(0.0))
    assert parts_from_cells(54.0, [3.1] * 16, limits.lead_v(-20.0))
    assert parts_from_cells(52.0, [0.0] * 16, limits.lead_v(-20.0))
    assert not parts_from_cells(51.5, [3.375] * 16, limits.lead_v(0.0))

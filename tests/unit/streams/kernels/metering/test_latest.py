"""A meter's newest reading bears the unit of what was sent, not that of its kind."""

from __future__ import annotations

import pytest

from schemas.arrival import Arrival
from schemas.readings import FlowReading, Kind
from schemas.registry import Device
from streams.kernels.metering.latest import latest


@pytest.mark.parametrize(
    ("sent", "total", "rate"),
    [
        ({"volume_m3": 812.0, "flow_m3_h": 31.0}, (812.0, "m3"), (31.0, "m3/h")),
        ({"mass_t": 96.0, "flow_t_h": 3.5}, (96.0, "t"), (3.5, "t/h")),
        ({"volume_m3": 812.0, "mass_t": 96.0, "flow_t_h": 3.5}, (812.0, "m3"), (3.5, "t/h")),
        ({"pressure_mpa": 0.6}, (None, None), (None, None)),
    ],
)
@pytest.mark.parametrize("kind", [Kind.STEAM, Kind.GAS])
def test_a_total_has_the_unit_it_was_sent_in(
    kind: Kind, sent: dict[str, float], total: tuple[float, str], rate: tuple[float, str]
) -> None:
    """Steam is counted in t, and a meter of it that sends m³ shows m³."""
    meter = Device(device_id="m", site_id="s", kind=kind)
    row = latest(meter, Arrival("m", 0, FlowReading.model_validate({"ts": 1_780_000_000_000} | sent)))
    assert ((row.total, row.total_unit), (row.rate, row.rate_unit)) == (total, rate)

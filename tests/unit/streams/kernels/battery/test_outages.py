"""A failure of mains is told with what the bus was before it, also once it is over."""

from __future__ import annotations

from schemas.arrival import Arrival
from schemas.metrics.battery_sites import SiteOutage
from schemas.readings import Kind, SitePowerReading
from schemas.registry import Device
from streams.kernels.battery.outages import SiteOutages

T0 = 1_780_000_020_000
POWER = Device(device_id="p", site_id="s", kind=Kind.SITE_POWER, period_s=60)


def test_the_end_of_an_outage_keeps_the_bus_that_was_before_it() -> None:
    """Mains is back and charges: the bus is at 51.4 V now, and was at 54.0 V."""
    bus = [54.0] * 5 + [53.0, 52.0, 51.0] * 5 + [51.4, 51.9]
    readings = [
        SitePowerReading(ts=T0 + at * 60_000, dc_voltage_v=volts, mains_failed=5 <= at < 20)
        for at, volts in enumerate(bus)
    ]
    rows = SiteOutages().fold(None, POWER, [Arrival("p", 0, reading) for reading in readings])[1]
    last = [row for row in rows if isinstance(row, SiteOutage)][-1]
    assert (last.ended_ts, last.bus_before_v, last.bus_low_v) == (T0 + 20 * 60_000, 54.0, 51.0)

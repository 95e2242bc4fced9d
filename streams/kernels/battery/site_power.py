"""A base station's power system: its newest view."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, cast

from schemas.metrics import Row, SitePowerLatest
from schemas.readings import Kind
from schemas.time import QUARTER_DAY_MS
from streams.kernels.codec import Codec, Saved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
    from schemas.readings import SitePowerReading
    from schemas.registry import Device


class SitePowerView(Saved[None]):
    """Fold of site power readings; it remembers nothing."""

    name = "site_power_view"
    version = 1
    source = frozenset({Kind.SITE_POWER})
    events = ()
    snapshot_ms = QUARTER_DAY_MS
    codec = Codec[None](None)

    def fold(self, _state: None, device: Device, arrivals: Sequence[Arrival]) -> tuple[None, list[Row]]:
        """Give out the newest reading."""
        if not arrivals:
            return None, []
        arrival = arrivals[-1]
        reading = cast("SitePowerReading", arrival.reading)  # by kind
        mains = reading.mains_voltage_v
        row = SitePowerLatest(
            device.device_id,
            reading.ts,
            device.site_id,
            arrival.received_ts,
            reading.mains_failed,
            statistics.fmean(mains) if mains else None,
            reading.dc_voltage_v,
            reading.dc_load_current_a,
            reading.smoke,
            reading.water,
            reading.door,
        )
        return None, [row]

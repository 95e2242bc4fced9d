"""A meter's newest reading, for live pages: its main register and its instantaneous rate, as the device says them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.kinds import described
from schemas.metrics import MeterLatest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
    from schemas.readings import Reading
    from schemas.registry import Device


def latest(device: Device, arrival: Arrival) -> MeterLatest:
    """Newest reading of a meter."""
    reading = arrival.reading
    kind = described(device.kind)
    return MeterLatest(
        device.device_id,
        reading.ts,
        device.site_id,
        device.kind.value,
        arrival.received_ms,
        _first(reading, kind.totals),
        _first(reading, kind.rates),
    )


def _first(reading: Reading, names: Sequence[str]) -> float | None:
    return next((value for name in names if (value := getattr(reading, name)) is not None), None)

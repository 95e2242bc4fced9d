"""A meter's newest reading, for live pages: its main register as it shows it, and its instantaneous rate."""

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
        _rate(device, reading, kind.rates),
    )


def _first(reading: Reading, names: Sequence[str]) -> float | None:
    return next((value for name in names if (value := getattr(reading, name)) is not None), None)


def _rate(device: Device, reading: Reading, names: Sequence[str]) -> float | None:
    value = _first(reading, names)
    if value is None or device.is_as_it_shows:
        return value
    field = next(name for name in names if getattr(reading, name) is not None)
    return value * device.terms_at(field, reading.ts).factor

"""A meter's newest reading, for live pages: its main register as it shows it, and its instantaneous rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.kinds import RATE_UNIT_NAMES, described, unit_name
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
    total = _first(reading, kind.totals)
    rate = _first(reading, kind.rates)
    return MeterLatest(
        device.device_id,
        reading.ts,
        device.site_id,
        device.kind.value,
        arrival.received_ts,
        None if total is None else getattr(reading, total),
        None if rate is None else _rate(device, reading, rate),
        None if total is None else unit_name(total),
        None if rate is None else RATE_UNIT_NAMES[rate],
    )


def _first(reading: Reading, names: Sequence[str]) -> str | None:
    """The first field that a reading holds."""
    return next((name for name in names if getattr(reading, name) is not None), None)


def _rate(device: Device, reading: Reading, field: str) -> float:
    value: float = getattr(reading, field)
    return value if device.is_as_it_shows else value * device.terms_at(field, reading.ts).factor

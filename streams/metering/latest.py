"""A meter's newest reading, for live pages: its main register and its instantaneous rate, as the device says them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import MeterLatest
from schemas.readings import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.readings import Reading
    from schemas.registry import Device
    from storage.readings import Arrival


class Headline(NamedTuple):
    """Fields that stand for a kind of meter: the first one that a reading holds."""

    totals: tuple[str, ...] = ()
    rates: tuple[str, ...] = ()


_FLOWS = Headline(("volume_m3", "mass_t"), ("flow_m3_h", "flow_t_h"))
HEADLINES: dict[Kind, Headline] = dict.fromkeys(Kind, Headline()) | {
    Kind.ELECTRICITY: Headline(("energy_import_kwh",), ("power_kw",)),
    Kind.WATER: _FLOWS,
    Kind.STEAM: _FLOWS,
    Kind.GAS: _FLOWS,
    Kind.PRODUCTION: Headline(("mass_t",)),
    Kind.GANGUE_UNIT: Headline(("generated_mwh",), ("power_mw",)),
}


def latest(device: Device, arrival: Arrival) -> MeterLatest:
    """Newest reading of a meter."""
    reading = arrival.reading
    totals, rates = HEADLINES[device.kind]
    return MeterLatest(
        device.device_id,
        reading.ts,
        device.site_id,
        device.kind.value,
        arrival.received_ms,
        _first(reading, totals),
        _first(reading, rates),
    )


def _first(reading: Reading, names: Sequence[str]) -> float | None:
    return next((value for name in names if (value := getattr(reading, name)) is not None), None)

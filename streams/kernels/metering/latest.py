"""A meter's newest reading, for live pages: its main register and its instantaneous rate, as the device says them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

from schemas.metrics import MeterLatest
from schemas.readings import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.arrival import Arrival
    from schemas.readings import Reading
    from schemas.registry import Device


class Headline(NamedTuple):
    """Fields that stand for a kind of meter: the first one that a reading holds."""

    totals: tuple[str, ...] = ()
    rates: tuple[str, ...] = ()


def headline(kind: Kind) -> Headline:
    """Fields of a kind of meter; none of what is no meter."""
    match kind:
        case Kind.ELECTRICITY:
            return Headline(("energy_import_kwh",), ("power_kw",))
        case Kind.WATER | Kind.STEAM | Kind.GAS:
            return Headline(("volume_m3", "mass_t"), ("flow_m3_h", "flow_t_h"))
        case Kind.PRODUCTION:
            return Headline(("mass_t",))
        case Kind.GANGUE_UNIT:
            return Headline(("generated_mwh",), ("power_mw",))
        case Kind.LAB | Kind.BATTERY | Kind.SITE_POWER:
            return Headline()
        case _:
            assert_never(kind)


def latest(device: Device, arrival: Arrival) -> MeterLatest:
    """Newest reading of a meter."""
    reading = arrival.reading
    totals, rates = headline(device.kind)
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

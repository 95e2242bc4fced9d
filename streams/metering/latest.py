"""A meter's newest reading, for live pages: its main register and its instantaneous rate, as the device says them."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from schemas.metrics import MeterLatest
from schemas.readings import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.readings import Reading
    from schemas.registry import Device
    from storage.readings import Arrival


def latest(device: Device, arrival: Arrival) -> MeterLatest:
    """Newest reading of a meter."""
    reading = arrival.reading
    total, rate = _headline(device.kind, reading)
    return MeterLatest(
        device.device_id, reading.ts, device.site_id, device.kind.value, arrival.received_ms, total, rate
    )


def _headline(kind: Kind, reading: Reading) -> tuple[float | None, float | None]:
    """Main register and instantaneous rate of a reading."""
    totals: tuple[str, ...]
    rates: tuple[str, ...]
    match kind:
        case Kind.ELECTRICITY:
            totals, rates = ("energy_import_kwh",), ("power_kw",)
        case Kind.WATER | Kind.STEAM | Kind.GAS:
            totals, rates = ("volume_m3", "mass_t"), ("flow_m3_h", "flow_t_h")
        case Kind.PRODUCTION:
            totals, rates = ("mass_t",), ()
        case Kind.GANGUE_UNIT:
            totals, rates = ("generated_mwh",), ("power_mw",)
        case Kind.LAB | Kind.BATTERY | Kind.SITE_POWER:
            totals, rates = (), ()
        case _:
            assert_never(kind)
    return _first(reading, totals), _first(reading, rates)


def _first(reading: Reading, names: Sequence[str]) -> float | None:
    return next((value for name in names if (value := getattr(reading, name)) is not None), None)

"""Meters that were exchanged or reset: told once, unless the final reading is registered."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.arrival import Arrival
from schemas.metrics import MeterEvent, Signal
from schemas.metrics.signal import SignalKind
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device
from schemas.time import MINUTE_MS
from streams.kernels.detection.changed_meters import ChangedMeters
from streams.kernels.metering.register import RegisterMetering

T0 = 1_780_243_200_000
FIELD = "energy_import_kwh"


def signals(shown: list[float], **known: Any) -> list[Signal]:  # noqa: ANN401 - any field of a device
    """Signals of a meter that is read every minute."""
    device = Device.model_validate(
        {"device_id": "e-1", "site_id": "s", "kind": Kind.ELECTRICITY, "period_s": 60, **known}
    )
    arrivals = [
        Arrival("e-1", 0, ElectricityReading(ts=T0 + at * MINUTE_MS, energy_import_kwh=value, power_kw=30.0))
        for at, value in enumerate(shown)
    ]
    rows = RegisterMetering().fold(None, device, arrivals)[1]
    events = {(row.quantity, row.ts, row.kind): row for row in rows if isinstance(row, MeterEvent)}
    given = ChangedMeters("test").fold(None, device, sorted(events.values(), key=lambda row: row.ts))[1]
    return [row for row in given if isinstance(row, Signal)]


OLD = [80_000 + 0.5 * at for at in range(600)]


@pytest.mark.parametrize("first", [0.0, 12_345.0, 900_000.0])
def test_an_exchange_or_reset_is_raised_once_and_waits_for_a_person(first: float) -> None:
    """Raised with the reading that settles it, over at once, and so left to be acknowledged."""
    raised, over = signals([*OLD, *(first + 0.5 * at for at in range(600))])
    assert (raised.kind, raised.active, over.active) == (SignalKind.METER_CHANGED, True, False)
    assert raised.since_ts == T0 + 599 * MINUTE_MS
    assert (raised.ts, over.ts) == (T0 + 601 * MINUTE_MS, T0 + 601 * MINUTE_MS + 1)


def test_a_registered_exchange_asks_for_nothing() -> None:
    """Its final reading is known."""
    change = {"valid_from": T0 + 600 * MINUTE_MS, "final": {FIELD: OLD[-1] + 0.5}}
    assert not signals([*OLD, *(0.5 * at for at in range(600))], changes=[change])


def test_noise_and_excursions_ask_for_nothing() -> None:
    """A spike, and half an hour of zeros that come back."""
    shown = [80_000 + 0.5 * at for at in range(1200)]
    shown[300] = 9_000_000.0
    shown[700:730] = [0.0] * 30
    assert not signals(shown)

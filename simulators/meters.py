"""Meters: a true flow, carried exactly between ticks, and a device that shows it with its own error and resolution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

from schemas.readings import Kind
from schemas.topics import Topic

if TYPE_CHECKING:
    import random

    from schemas.registry import Device
    from simulators.campaign import Campaign

HOUR_MS = 3_600_000.0


class Flow:
    """A rate per hour, constant between ticks, and its running total."""

    __slots__ = ("rate", "total")

    def __init__(self) -> None:
        self.rate = 0.0
        self.total = 0.0

    def carry(self, ms: int) -> None:
        """Add `ms` milliseconds at the present rate."""
        self.total += self.rate * ms / HOUR_MS

    def after(self, ms: int) -> float:
        """Return the total `ms` milliseconds into the present tick."""
        return self.total + self.rate * ms / HOUR_MS


class Meter(Protocol):
    """Anything that sends readings at its own period."""

    device: Device
    topic: str
    due_ms: int

    def read(self, since_tick_ms: int) -> dict[str, Any]:
        """Values to show `since_tick_ms` into the present tick, without the common fields."""


class FlowMeter:
    """Shows one flow; its gain is its class error, its base what it counted before the simulation."""

    def __init__(self, device: Device, flow: Flow, rng: random.Random, *, gain: float, start_ms: int) -> None:
        self.device = device
        self.topic = str(Topic(device.site_id, device.kind, device.device_id))
        self.flow = flow
        self._rng = rng
        self._gain = gain
        rated = device.rated or 100.0
        self._base = round(rated * rng.uniform(2_000, 9_000), 1)
        self.due_ms = start_ms + rng.randrange(0, max(1, round(device.period_s * 1_000)))

    def register(self, since_tick_ms: int, digits: int) -> float:
        """Total as the register shows it."""
        return round(self._base + self._gain * self.flow.after(since_tick_ms), digits)

    def rate(self, digits: int) -> float:
        """Rate per hour as the display shows it."""
        return round(self._gain * self.flow.rate, digits)


class ElectricityMeter(FlowMeter):
    """A three-phase meter on a feeder of `volts` between phases; an exporting one counts what leaves through it."""

    def __init__(
        self,
        device: Device,
        flow: Flow,
        rng: random.Random,
        *,
        gain: float,
        start_ms: int,
        volts: float = 10_300.0,
        exports: bool = False,
    ) -> None:
        super().__init__(device, flow, rng, gain=gain, start_ms=start_ms)
        self._phase_v = volts / math.sqrt(3)
        self._power_factor = rng.uniform(0.90, 0.97)
        self._exports = exports
        self._register = "energy_export_kwh" if exports else "energy_import_kwh"

    def read(self, since_tick_ms: int) -> dict[str, Any]:
        """Registers, power and phases."""
        rng = self._rng
        power = -self.rate(2) if self._exports else self.rate(2)
        volts = [self._phase_v * (1 + rng.gauss(0, 0.003)) for _ in range(3)]
        factor = self._power_factor + rng.gauss(0, 0.002)
        total = self.register(since_tick_ms, 2)
        return {
            self._register: total,
            "reactive_kvarh": round(total * math.tan(math.acos(self._power_factor)), 2),
            "power_kw": power,
            "voltage_v": [round(value, 1) for value in volts],
            "current_a": [round(power * 1_000 / (3 * factor * value), 2) for value in volts],
            "power_factor": round(factor, 3),
            "frequency_hz": round(50 + rng.gauss(0, 0.015), 3),
        }


class PipeMeter(FlowMeter):
    """A water, gas (by volume) or steam (by mass) meter."""

    def __init__(
        self,
        device: Device,
        flow: Flow,
        rng: random.Random,
        *,
        gain: float,
        start_ms: int,
        pressure_mpa: float,
        temperature_c: float,
    ) -> None:
        super().__init__(device, flow, rng, gain=gain, start_ms=start_ms)
        self._pressure_mpa, self._temperature_c = pressure_mpa, temperature_c
        self._names = ("mass_t", "flow_t_h") if device.kind is Kind.STEAM else ("volume_m3", "flow_m3_h")

    def read(self, since_tick_ms: int) -> dict[str, Any]:
        """Register, flow and the state of the fluid."""
        rng, (register, flow) = self._rng, self._names
        return {
            register: self.register(since_tick_ms, 3),
            flow: self.rate(3),
            "pressure_mpa": round(self._pressure_mpa * (1 + rng.gauss(0, 0.01)), 3),
            "temperature_c": round(self._temperature_c + rng.gauss(0, 0.3), 1),
            "status": 0,
        }


class ProductionMeter(FlowMeter):
    """A weighbridge or the MES: mass, and the state of the campaign where it is the product."""

    def __init__(
        self,
        device: Device,
        flow: Flow,
        rng: random.Random,
        *,
        gain: float,
        start_ms: int,
        campaign: Campaign | None = None,
        grade: str = "",
    ) -> None:
        super().__init__(device, flow, rng, gain=gain, start_ms=start_ms)
        self._campaign, self._grade = campaign, grade

    def read(self, since_tick_ms: int) -> dict[str, Any]:
        """Register, state and grade."""
        values: dict[str, Any] = {"mass_t": self.register(since_tick_ms, 3)}
        if self._campaign is not None:
            values["state"] = self._campaign.state.value
        if self._grade:
            values["grade"] = self._grade
        return values

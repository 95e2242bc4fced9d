"""Meters in arrays: true flows, carried exactly between ticks, and banks of devices that show them.

A meter shows its flow with a gain (its class error), on top of what it counted before the simulation, at its
resolution. Banks of a kind read all meters that are due within a tick at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from schemas.readings import Kind
from schemas.time import HOUR_MS
from schemas.topics import Topic
from simulators.plants.campaign import STATES
from simulators.wire.message import DeviceMessage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from schemas.registry import Device
    from simulators.plants.campaign import Campaigns

    Array = NDArray[np.float64]
    Index = NDArray[np.int64]

BASE_HOURS = (2_000.0, 9_000.0)
"""Hours at rated flow that a meter counted before the simulation."""
POWER_FACTOR = (0.90, 0.97)


class Flows:
    """Rates per hour, constant between ticks, and their running totals."""

    def __init__(self, count: int) -> None:
        self.rate = np.zeros(count)
        self.total = np.zeros(count)

    def carry(self, ms: int) -> None:
        """Add `ms` milliseconds at the present rates."""
        self.total += self.rate * (ms / HOUR_MS)

    def after(self, flows: Index, ms: Array) -> Array:
        """Totals of `flows`, each `ms` milliseconds into the present tick."""
        totals: Array = self.total[flows] + self.rate[flows] * (ms / HOUR_MS)
        return totals


@dataclass(frozen=True, slots=True)
class Meter:
    """One meter before it joins a bank."""

    device: Device
    flow: int
    """Index of the flow it shows."""
    gain: float
    usual: float
    """Flow at usual production, per hour."""
    volts: float = 10_300.0
    exports: bool = False
    pressure_mpa: float = 0.3
    temperature_c: float = 20.0
    plant: int = -1
    """Index of the plant whose campaign it tells, for a product meter."""
    grade: str = ""


class Bank:
    """Meters of one kind; a period is at least a tick, so that each reads at most once within one."""

    register = "mass_t"

    def __init__(self, meters: Sequence[Meter], flows: Flows, rng: np.random.Generator, start_ts: int) -> None:
        count = len(meters)
        self.meters = meters
        self._flows, self.rng = flows, rng
        self._flow: Index = np.array([meter.flow for meter in meters], dtype=np.int64)
        self.gain = np.array([meter.gain for meter in meters])
        rated = np.array([meter.device.rated or 100.0 for meter in meters])
        self._base = np.round(rated * rng.uniform(*BASE_HOURS, count), 1)
        self._period_ms = np.array([round(meter.device.period_s * 1_000) for meter in meters], dtype=np.int64)
        self._due_ts = start_ts + np.floor(rng.random(count) * self._period_ms).astype(np.int64)
        self._seq = np.zeros(count, dtype=np.int64)
        self._topics = [str(Topic(m.device.site_id, m.device.kind, m.device.device_id)) for m in meters]
        self._ids = [meter.device.device_id for meter in meters]

    def read(self, tick_ts: int, end_ts: int) -> Iterator[DeviceMessage]:
        """Messages of all meters due before `end_ts`, the flows standing at `tick_ts`."""
        due = np.flatnonzero(self._due_ts < end_ts).astype(np.int64)
        if len(due):
            yield from self._messages(due, self._due_ts[due], self._seq[due], tick_ts)
            self._due_ts[due] += self._period_ms[due]
            self._seq[due] += 1

    def read_long(
        self, tick_ts: int, end_ts: int, heard: frozenset[str] | None = None, *, sampled: bool = False
    ) -> Iterator[DeviceMessage]:
        """The same over a tick longer than the periods: everything of the meters `heard`, by default of all.

        `sampled`: only the first reading of each within the tick.
        """
        times = np.maximum(0, -(-(end_ts - self._due_ts) // self._period_ms))
        sent = times if heard is None else np.where([device_id in heard for device_id in self._ids], times, 0)
        sent = np.minimum(sent, 1) if sampled else sent
        due = np.repeat(np.arange(len(sent)), sent).astype(np.int64)
        if len(due):
            turn = np.arange(len(due)) - np.repeat(np.cumsum(sent) - sent, sent)
            ts = self._due_ts[due] + turn * self._period_ms[due]
            yield from self._messages(due, ts, self._seq[due] + turn, tick_ts)
        self._due_ts += times * self._period_ms
        self._seq += sent

    def _messages(self, due: Index, ts: Index, seq: Index, tick_ts: int) -> Iterator[DeviceMessage]:
        """Readings of meters `due`, each at its `ts`."""
        shown = self._base[due] + self.gain[due] * self._flows.after(self._flow[due], (ts - tick_ts).astype(float))
        values = self.values(due, shown, self.gain[due] * self._flows.rate[self._flow[due]])
        for meter, at, number, value in zip(due.tolist(), ts.tolist(), seq.tolist(), values, strict=True):
            yield DeviceMessage(self._topics[meter], self._ids[meter], [{"ts": at, "seq": number, **value}])

    def values(self, due: Index, total: Array, rate: Array) -> Iterator[dict[str, Any]]:
        """What meters `due` show beside the common fields, from register and flow as they see them."""
        raise NotImplementedError

    def flow_of(self) -> Iterator[tuple[str, str, int]]:
        """Device, register and flow of every meter."""
        for meter in self.meters:
            yield meter.device.device_id, self.register, meter.flow


class ElectricityBank(Bank):
    """Three-phase meters; an exporting one counts what leaves through it."""

    register = "energy_import_kwh"

    def __init__(self, meters: Sequence[Meter], flows: Flows, rng: np.random.Generator, start_ts: int) -> None:
        super().__init__(meters, flows, rng, start_ts)
        self._phase_v = np.array([meter.volts for meter in meters]) / np.sqrt(3.0)
        self._power_factor = rng.uniform(*POWER_FACTOR, len(meters))
        self._reactive = np.sqrt(1 - self._power_factor**2) / self._power_factor
        self._sign = np.array([-1.0 if meter.exports else 1.0 for meter in meters])
        self._registers = ["energy_export_kwh" if meter.exports else "energy_import_kwh" for meter in meters]

    def values(self, due: Index, total: Array, rate: Array) -> Iterator[dict[str, Any]]:
        """Registers, power and phases."""
        rng, count = self.rng, len(due)
        power = np.round(self._sign[due] * rate, 2)
        volts = self._phase_v[due][:, None] * (1 + 0.003 * rng.standard_normal((count, 3)))
        factor = self._power_factor[due] + 0.002 * rng.standard_normal(count)
        amps = (power * 1_000 / (3 * factor))[:, None] / volts
        total = np.round(total, 2)
        columns = (
            due.tolist(),
            total.tolist(),
            np.round(total * self._reactive[due], 2).tolist(),
            power.tolist(),
            np.round(volts, 1).tolist(),
            np.round(amps, 2).tolist(),
            np.round(factor, 3).tolist(),
            np.round(50 + 0.015 * rng.standard_normal(count), 3).tolist(),
        )
        for meter, register, reactive, kw, phases, currents, pf, hertz in zip(*columns, strict=True):
            yield {
                self._registers[meter]: register,
                "reactive_kvarh": reactive,
                "power_kw": kw,
                "voltage_v": phases,
                "current_a": currents,
                "power_factor": pf,
                "frequency_hz": hertz,
            }

    def flow_of(self) -> Iterator[tuple[str, str, int]]:
        """Device, register and flow of every meter."""
        for meter, register in zip(self.meters, self._registers, strict=True):
            yield meter.device.device_id, register, meter.flow


class PipeBank(Bank):
    """Water and gas meters (by volume) or steam meters (by mass)."""

    def __init__(self, meters: Sequence[Meter], flows: Flows, rng: np.random.Generator, start_ts: int) -> None:
        super().__init__(meters, flows, rng, start_ts)
        self._pressure = np.array([meter.pressure_mpa for meter in meters])
        self._temperature = np.array([meter.temperature_c for meter in meters])
        self._names = [
            ("mass_t", "flow_t_h") if meter.device.kind is Kind.STEAM else ("volume_m3", "flow_m3_h")
            for meter in meters
        ]

    def values(self, due: Index, total: Array, rate: Array) -> Iterator[dict[str, Any]]:
        """Register, flow and the state of the fluid."""
        rng, count = self.rng, len(due)
        columns = (
            due.tolist(),
            np.round(total, 3).tolist(),
            np.round(rate, 3).tolist(),
            np.round(self._pressure[due] * (1 + 0.01 * rng.standard_normal(count)), 3).tolist(),
            np.round(self._temperature[due] + 0.3 * rng.standard_normal(count), 1).tolist(),
        )
        for meter, register, flow, pressure, temperature in zip(*columns, strict=True):
            names = self._names[meter]
            yield {
                names[0]: register,
                names[1]: flow,
                "pressure_mpa": pressure,
                "temperature_c": temperature,
                "status": 0,
            }

    def flow_of(self) -> Iterator[tuple[str, str, int]]:
        """Device, register and flow of every meter."""
        for meter, names in zip(self.meters, self._names, strict=True):
            yield meter.device.device_id, names[0], meter.flow


class ProductionBank(Bank):
    """Weighbridges, belt scales and the MES: mass, and the state of the campaign where it is the product."""

    def __init__(
        self, meters: Sequence[Meter], flows: Flows, rng: np.random.Generator, start_ts: int, campaigns: Campaigns
    ) -> None:
        super().__init__(meters, flows, rng, start_ts)
        self._campaigns = campaigns

    def values(self, due: Index, total: Array, rate: Array) -> Iterator[dict[str, Any]]:  # noqa: ARG002 - a mass has no rate on the wire
        """Register, state and grade."""
        states = self._campaigns.state.tolist()
        for number, mass in zip(due.tolist(), np.round(total, 3).tolist(), strict=True):
            meter = self.meters[number]
            value: dict[str, Any] = {"mass_t": mass}
            if meter.plant >= 0:
                value["state"] = STATES[states[meter.plant]].value
            if meter.grade:
                value["grade"] = meter.grade
            yield value

"""Coal-gangue power units (煤矸石机组) of 300 MW with circulating fluidised beds, in arrays: fuel, ash and the DCS.

Heat rate rises 8–12 % at half load; fuel heat value walks from shift to shift and is known only when the laboratory
releases it. Sources: docs/simulators.md, "Parameters and their sources";
ash, gypsum and checks: docs/plant-metrics.md, "Coal-gangue power".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from schemas.readings import Kind
from schemas.registry import Device, Role
from schemas.time import HOUR_MS
from schemas.topics import Topic
from simulators.plants.fuel import ASH, FUELS, LHV, MOISTURE, SULPHUR, FuelLaboratory
from simulators.plants.meters import Meter
from simulators.truth import TrueValue
from simulators.wire.message import DeviceMessage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from simulators.plants.layout import PlantLayout
    from simulators.plants.meters import Flows

    Array = NDArray[np.float64]

RATED_MW = 300.0
LOWEST_LOAD = 0.5
STOPPED_BELOW = 0.1
NET_COAL_RATE = (294.0, 300.0)
"""Net coal rate at full load, gce per kWh supplied: GB 21258-2024 has 309 / 285 / 321 for a mean load."""
HALF_LOAD_PENALTY = (0.08, 0.12)
"""By how much a unit's net heat rate is worse at half load.

Source: docs/simulators.md, "Parameters and their sources".
"""
KJ_PER_GCE = 29.3076
AUXILIARY_BASE_MW, AUXILIARY_SHARE = 6.0, 0.057
"""Station service 8–10 % over the usual loads."""
START_UP_KW = 250.0
HEAT_EXPORT_GJ_H = 250.0
HEATING_BELOW_C = 5.0
HEATING_BASE_C = 18.0
HEAT_EFFICIENCY = 0.92
CALCIUM_TO_SULPHUR = 2.2
LIMESTONE_PER_SULPHUR = 100.09 / 32.06 * CALCIUM_TO_SULPHUR
GYPSUM_PER_SULPHUR = 5.375
DESULPHURISATION, GYPSUM_PURITY = 0.9, 0.9
FLY_SHARE = 0.5
BED_C, BED_SWING_C, COLD_BED_C = 880.0, 60.0, 600.0
USUAL_LOAD = 0.61
STEAM_T_H = 1_065.0
NOISE = 0.01
SERVICE_SPLIT = 0.54

REGISTERS = (
    "generated_mwh", "auxiliary_mwh", "gangue_t", "slime_t", "coal_t", "limestone_t",
    "fly_ash_t", "bed_ash_t", "gypsum_t", "heat_export_gj",
)  # fmt: skip
PERIOD_MS = 10_000


class GangueUnits:
    """One unit in each of the plants at `power`; its meters are the layout's, its ten registers its own."""

    def __init__(self, layout: PlantLayout, power: Sequence[int], *, seed: int, start_ts: int) -> None:
        self._rng = rng = np.random.default_rng([seed, 3])
        self._power = np.array(power, dtype=np.int64)
        count = len(power)
        self._sites = [layout.plans[plant].site.site_id for plant in power]
        self._coal_rate = rng.uniform(*NET_COAL_RATE, count)
        self._penalty = rng.uniform(*HALF_LOAD_PENALTY, count)
        self._base = np.round(rng.uniform(1e5, 9e5, (count, len(REGISTERS))), 1)
        self._bed_c = np.full(count, BED_C)
        self.power_mw = np.full(count, RATED_MW * USUAL_LOAD)
        self.heat_rate = np.zeros(count)
        """Net, kJ per kWh supplied; 0 while a unit stands."""
        self._register_flow = np.array([[layout.flow() for _ in REGISTERS] for _ in power], dtype=np.int64)
        feeders = [_add_feeders(layout, layout.plans[plant].site.site_id) for plant in power]
        self._feeder_flow = np.array(feeders, dtype=np.int64)
        self._due_ts = start_ts + np.floor(rng.random(count) * PERIOD_MS).astype(np.int64)
        self._seq = np.zeros(count, dtype=np.int64)
        self.devices: list[Device] = [_unit(site_id) for site_id in self._sites]
        self._topics = [str(Topic(device.site_id, device.kind, device.device_id)) for device in self.devices]
        self.laboratories = [FuelLaboratory(site_id, seed=seed, start_ts=start_ts) for site_id in self._sites]
        self.devices += [laboratory.device for laboratory in self.laboratories]
        self._flows: Flows | None = None

    def join(self, flows: Flows) -> None:
        """Take the flows that the layout numbered."""
        self._flows = flows

    @property
    def flows(self) -> Flows:
        """The works' flows."""
        assert self._flows is not None, "join() before the first tick"  # noqa: S101
        return self._flows

    def process(self, at_ts: int, produced: Array, *, efficiency: Array, outdoor_c: Array) -> None:
        """Load first, then heat, fuel and ash. Turns the units' entries of `produced` into MW generated.

        `efficiency` and `outdoor_c` are of all plants, as `produced` is.
        """
        rng, count, rate = self._rng, len(self._power), self.flows.rate
        power = self._dispatch(produced)
        running = power > 0
        noise = np.maximum(0.0, 1 + NOISE * rng.standard_normal(count))
        auxiliary = (AUXILIARY_BASE_MW + AUXILIARY_SHARE * power) * noise
        net = np.where(running, power - auxiliary, 0.0)
        outdoor = outdoor_c[self._power]
        wanted = HEAT_EXPORT_GJ_H * np.minimum(1.0, (HEATING_BASE_C - outdoor) / 30)
        heat_export = np.where(running & (outdoor < HEATING_BELOW_C), wanted, 0.0)
        load = power / RATED_MW
        at_load = 1 + self._penalty * (1 - load) / (1 - LOWEST_LOAD)
        heat_rate = self._coal_rate * KJ_PER_GCE * at_load * efficiency[self._power]
        self.heat_rate = np.where(running, heat_rate, 0.0)
        heat_gj = heat_rate * net / 1_000 + heat_export / HEAT_EFFICIENCY

        for laboratory in self.laboratories:
            laboratory.advance(at_ts)
        assay = np.array([laboratory.assays for laboratory in self.laboratories])  # units × fuels × properties
        share = np.array([fuel.share for fuel in FUELS])
        burnt = heat_gj / (share * assay[:, :, LHV]).sum(axis=1)
        mass = burnt[:, None] * share
        ash = (mass * assay[:, :, ASH]).sum(axis=1) / 100
        sulphur = (mass * assay[:, :, SULPHUR]).sum(axis=1) / 100
        service = np.where(running, auxiliary, AUXILIARY_BASE_MW / 3)
        columns = (
            *(power, service, *mass.T, sulphur * LIMESTONE_PER_SULPHUR),
            *(ash * FLY_SHARE, ash * (1 - FLY_SHARE)),
            *(sulphur * DESULPHURISATION * GYPSUM_PER_SULPHUR / GYPSUM_PURITY, heat_export),
        )
        rate[self._register_flow] = np.stack(columns, axis=1)
        bed = np.where(running, BED_C + BED_SWING_C * (load - USUAL_LOAD), COLD_BED_C)
        self._bed_c += (bed - self._bed_c) * PERIOD_MS / HOUR_MS

        start_up = START_UP_KW * (1 + 0.03 * rng.standard_normal(count)) + np.where(running, 0.0, service * 1_000)
        feeders = (start_up, net * 995.0, service * 1_000 * SERVICE_SPLIT, service * 1_000 * (1 - SERVICE_SPLIT))
        rate[self._feeder_flow] = np.stack(feeders, axis=1)

    def _dispatch(self, produced: Array) -> Array:
        """Load as the grid asks for it, between half load and rated; zero when the unit is down."""
        wanted = produced[self._power]
        swing = 1 + 0.003 * self._rng.standard_normal(len(wanted))
        power = np.minimum(RATED_MW, np.maximum(LOWEST_LOAD * RATED_MW, wanted) * swing)
        self.power_mw = np.where(wanted < STOPPED_BELOW * RATED_MW, 0.0, power)
        produced[self._power] = self.power_mw
        return self.power_mw

    def read(self, tick_ts: int, end_ts: int) -> Iterator[DeviceMessage]:
        """What the units' control systems and laboratories say before `end_ts`."""
        due = np.flatnonzero(self._due_ts < end_ts)
        if len(due):
            yield from self._read_units(due, tick_ts)
        for laboratory in self.laboratories:
            yield from laboratory.release(end_ts)

    def read_once(self, tick_ts: int, end_ts: int, heard: frozenset[str]) -> Iterator[DeviceMessage]:
        """Of a tick longer than the period, each unit's first reading and what laboratories say, of those `heard`."""
        due = np.flatnonzero(self._due_ts < end_ts)
        reporting = due[[self.devices[unit].device_id in heard for unit in due.tolist()]]
        if len(reporting):
            yield from self._read_units(reporting, tick_ts)
        self._due_ts += np.maximum(0, -(-(end_ts - self._due_ts) // PERIOD_MS)) * PERIOD_MS
        for laboratory in self.laboratories:
            said = list(laboratory.release(end_ts))
            if laboratory.device.device_id in heard:
                yield from said

    def _read_units(self, due: NDArray[np.int64], tick_ts: int) -> Iterator[DeviceMessage]:
        rng, count = self._rng, len(due)
        ts, seq = self._due_ts[due], self._seq[due]
        since = (ts - tick_ts).astype(float)[:, None]
        shown = np.round(self._base[due] + self.flows.after(self._register_flow[due], since), 3)
        load = self.power_mw[due] / RATED_MW
        steam = np.maximum(0.0, STEAM_T_H * load * (1 + 0.005 * rng.standard_normal(count)))
        pressure = (9.5 + 7.2 * load) * (1 + 0.003 * rng.standard_normal(count))
        hot = np.where(load > 0, 541 + 1.5 * rng.standard_normal(count), 420.0)
        self._due_ts[due] += PERIOD_MS
        self._seq[due] += 1
        columns = (
            due.tolist(),
            ts.tolist(),
            seq.tolist(),
            np.round(self.power_mw[due], 2).tolist(),
            shown.tolist(),
            np.round(self._bed_c[due] + 3 * rng.standard_normal(count), 1).tolist(),
            np.round(steam, 1).tolist(),
            np.round(pressure, 2).tolist(),
            np.round(hot, 1).tolist(),
        )
        for unit, at, number, megawatts, registers, bed, flow, bar, degrees in zip(*columns, strict=True):
            values: dict[str, Any] = {
                "ts": at,
                "seq": number,
                "power_mw": megawatts,
                **dict(zip(REGISTERS, registers, strict=True)),
                "bed_temperature_c": bed,
                "steam_flow_t_h": flow,
                "steam_pressure_mpa": bar,
                "steam_temperature_c": degrees,
            }
            yield DeviceMessage(self._topics[unit], self.devices[unit].device_id, [values])

    def flow_of(self) -> Iterator[tuple[str, str, int]]:
        """Device, register and flow of every unit's register."""
        for unit, flows in enumerate(self._register_flow.tolist()):
            for register, flow in zip(REGISTERS, flows, strict=True):
                yield self.devices[unit].device_id, register, flow

    def states(self, at_ts: int) -> Iterator[TrueValue]:
        """Heat rate of every unit, and the true composition of its fuels."""
        for unit, laboratory in enumerate(self.laboratories):
            device_id = self.devices[unit].device_id
            yield TrueValue(device_id, at_ts, "net_heat_rate_kj_kwh", float(self.heat_rate[unit]))
            for fuel, assay in zip(FUELS, laboratory.assays, strict=True):
                yield TrueValue(device_id, at_ts, f"{fuel.key}_lhv_mj_kg", assay[LHV])
                yield TrueValue(device_id, at_ts, f"{fuel.key}_ash_pct", assay[ASH])
                yield TrueValue(device_id, at_ts, f"{fuel.key}_sulphur_pct", assay[SULPHUR])
                yield TrueValue(device_id, at_ts, f"{fuel.key}_moisture_pct", assay[MOISTURE])


def _unit(site_id: str) -> Device:
    return Device(
        device_id=f"{site_id}-U1",
        site_id=site_id,
        kind=Kind.GANGUE_UNIT,
        name="Unit 1",
        name_zh="1#机组",
        period_s=PERIOD_MS / 1_000,
        role=Role.CONSUMED,
        rated=RATED_MW,
        lhv_mj_kg={fuel.register: fuel.lhv_mj_kg for fuel in FUELS},
    )


def _add_feeders(layout: PlantLayout, site_id: str) -> list[int]:
    """Start-up feeder across the boundary; the grid and service meters repeat what the unit itself counts."""
    feeders = (
        ("E0", "Start-up and standby feeder", "启备变", Role.CONSUMED, 40_000.0, START_UP_KW, 110_000.0, False),
        ("E1", "Grid gateway meter", "上网关口表", Role.INTERNAL, 330_000.0, 175_000.0, 220_000.0, True),
        ("E2", "Station service A", "厂用变A", Role.INTERNAL, 20_000.0, 9_000.0, 6_300.0, False),
        ("E3", "Station service B", "厂用变B", Role.INTERNAL, 20_000.0, 8_000.0, 6_300.0, False),
    )
    flows = []
    for key, name, name_zh, role, rated, usual, volts, exports in feeders:
        device = Device(
            device_id=f"{site_id}-{key}",
            site_id=site_id,
            kind=Kind.ELECTRICITY,
            name=name,
            name_zh=name_zh,
            period_s=15,
            role=role,
            carrier="electricity",
            rated=rated,
        )
        flows.append(layout.flow())
        meter = Meter(device, flows[-1], layout.gain(0.002), usual, volts=volts, exports=exports)
        layout.meters.append(meter)
    return flows

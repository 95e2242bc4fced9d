"""All plants of a scene in arrays: production first, then what it consumes, then what the meters show.

Ticks of ten seconds; within one, every flow is constant and every meter is read at its own moment.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.readings import Kind
from schemas.registry import Role, Sector
from schemas.time import FOREVER_TS
from simulators.climate import CITIES, wet_bulb_c
from simulators.plants.campaign import Campaigns, Programme
from simulators.plants.condition import PlantCondition
from simulators.plants.disturbance import Influence
from simulators.plants.gangue import GangueUnits
from simulators.plants.layout import lay_out
from simulators.plants.meters import Bank, ElectricityBank, Flows, PipeBank, ProductionBank
from simulators.truth import TrueTotal, TrueValue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from schemas.registry import Device, Site
    from simulators.climate import Climate
    from simulators.plants.campaign import Order
    from simulators.plants.disturbance import Disturbance
    from simulators.plants.layout import PlantLayout
    from simulators.plants.meters import Meter
    from simulators.plants.plan import PlantPlan
    from simulators.truth import Label
    from simulators.wire.message import DeviceMessage

    Array = NDArray[np.float64]

TICK_MS = 10_000
"""Within a tick every flow is constant. Units are read once in one, so only works without any may take longer ones."""
PAST_TICK_MS = 900_000
NOISE = 0.01
"""Of each consumer's draw over a tick of ten seconds; over a longer one it averages out."""
HEAT_S = 3_000.0
"""Tap-to-tap time of an arc furnace. (unsourced)"""
HEAT_ON_SHARE = 0.72
HEAT_OFF_LEVEL = 0.08
HEAT_ON_LEVEL = (1 - (1 - HEAT_ON_SHARE) * HEAT_OFF_LEVEL) / HEAT_ON_SHARE
REFERENCE_C = 15.0
"""T₀ of the weather term."""
WET_BULB_REFERENCE_C = 8.0
MAKE_UP_A_KELVIN = 0.012
"""Relative rise of cooling make-up with the wet-bulb temperature. (unsourced)"""
MAKE_UP_LIMITS = (0.6, 1.4)


class Past(NamedTuple):
    """A long past of which only some meters are heard, simulated in coarse ticks: what detectors learn from."""

    until_ts: int
    """Whole quarters of an hour after the start."""
    meters: Mapping[str, int]
    """From when on each of them is heard, ms, whatever its place: whole quarters of an hour after the start."""
    boundary_ms: int = FOREVER_TS
    """From when on the meters at a plant's boundary, its units and its laboratory are heard, ms."""
    inner_ms: int = FOREVER_TS
    """From when on the meters behind them are heard, ms."""
    sampled: bool = False
    """Whether of each quarter of an hour one reading is sent, as an archive keeps it; otherwise all of them."""

    def heard_from(self, device: Device) -> int:
        """From when on a device of a plant is heard, ms."""
        inner = device.role is Role.INTERNAL and device.kind is not Kind.LAB
        return self.meters.get(device.device_id, self.inner_ms if inner else self.boundary_ms)


class Works:
    """Plants after `plans`; deterministic for a seed, a start and what is planned to happen."""

    def __init__(
        self,
        plans: Sequence[PlantPlan],
        *,
        seed: int,
        start_ts: int,
        climate: Climate,
        orders: Sequence[Order] = (),
        past: Past | None = None,
        tick_ts: int = TICK_MS,
    ) -> None:
        self._past = past
        self._length_ms = tick_ts
        self._rng = rng = np.random.default_rng([seed, 2])
        self._climate = climate
        self.plans = plans
        self.start_ts = self._tick_ts = start_ts
        self.layout = layout = lay_out(plans, rng)
        self._capacity = np.array([plan.capacity_t_h for plan in plans])
        self._city = np.array([_city(plan.site) for plan in plans])
        number = {plan.site.site_id: place for place, plan in enumerate(plans)}
        self.campaigns = Campaigns(
            [Programme(plan.level, plan.daily, plan.peak_hour, plan.weekly, plan.noise) for plan in plans],
            rng,
            [(number[order.site_id], order) for order in orders],
        )
        self.condition = PlantCondition(plans, rng, start_ts)
        self._heat_s = rng.uniform(0, HEAT_S, len(plans))
        self.produced = self._capacity * self.campaigns.utilisation
        """t/h of each plant; MW of a power plant."""

        power = [number for number, plan in enumerate(plans) if plan.site.sector is Sector.GANGUE_POWER]
        if power and tick_ts != TICK_MS:
            msg = f"a gangue unit is simulated in ticks of {TICK_MS} ms, not of {tick_ts} ms"
            raise ValueError(msg)
        self.units = GangueUnits(layout, power, seed=seed, start_ts=start_ts) if power else None
        self.flows = Flows(layout.flows)
        self._given = np.zeros(layout.flows)
        """Totals already told to the truth."""
        self._lay_arrays(layout)
        self._open_tanks(layout)
        self.banks = self._make_banks(layout.meters)
        if self.units is not None:
            self.units.join(self.flows)
        self._heard_from = {} if past is None else {d.device_id: past.heard_from(d) for d in self.devices_registered()}
        self.disturbances: list[Disturbance] = []
        self.influence = Influence(len(layout.consumers), len(layout.mains), len(plans))

    def _lay_arrays(self, layout: PlantLayout) -> None:
        rows = layout.consumers
        self._base = np.array([row.consumer.base for row in rows])
        self._per_t = np.array([row.consumer.per_t for row in rows])
        self._per_k = np.array([row.consumer.per_k for row in rows])
        self._pulsed = np.array([row.consumer.pulsed for row in rows], dtype=bool)
        self._cooling = np.array([row.consumer.cooling for row in rows], dtype=bool)
        self._energy = np.array([row.energy for row in rows], dtype=bool)
        self._plant_of = np.array([row.plant for row in rows], dtype=np.int64)
        self._flow_of = np.array([row.flow for row in rows], dtype=np.int64)
        self._main_of = np.array([row.main for row in rows], dtype=np.int64)
        self._main_flow = np.array([row.flow for row in layout.mains], dtype=np.int64)
        self._kept = np.array([1 - row.utility.loss for row in layout.mains])
        self._feed_plant = np.array([plant for plant, _, _ in layout.feeds], dtype=np.int64)
        self._feed_flow = np.array([flow for _, flow, _ in layout.feeds], dtype=np.int64)
        self._feed_per_t = np.array([per_t for _, _, per_t in layout.feeds])
        self._product_flow = np.array(layout.products, dtype=np.int64)

    def _open_tanks(self, layout: PlantLayout) -> None:
        tanks = layout.tanks
        number = {row.main: place for place, row in enumerate(tanks)}
        self._tank_of = np.array(
            [number[row.main] if row.consumer.from_tank else -1 for row in layout.consumers], dtype=np.int64
        )
        self._from_tank = self._tank_of >= 0
        self._tank_fill = np.array([row.fill for row in tanks], dtype=np.int64)
        self._tank_draw = np.array([row.draw for row in tanks], dtype=np.int64)
        self._tank_main = np.array([row.main for row in tanks], dtype=np.int64)
        self._pump = np.array([row.tank.pump_m3_h for row in tanks])
        capacity = np.array([row.tank.capacity_m3 for row in tanks])
        self._low = np.array([row.tank.low for row in tanks]) * capacity
        self._high = np.array([row.tank.high for row in tanks]) * capacity
        self.stored_m3 = self._low + (self._high - self._low) * self._rng.random(len(tanks))
        self._filling = np.zeros(len(tanks), dtype=bool)

    def _make_banks(self, meters: Sequence[Meter]) -> list[Bank]:
        """One bank a kind."""
        by_kind: dict[type[Bank], list[Meter]] = {ElectricityBank: [], PipeBank: [], ProductionBank: []}
        for meter in meters:
            by_kind[_BANK_OF[meter.device.kind]].append(meter)
        rng, start_ts = self._rng, self.start_ts
        banks: list[Bank] = []
        if chosen := by_kind[ElectricityBank]:
            banks.append(ElectricityBank(chosen, self.flows, rng, start_ts))
        if chosen := by_kind[PipeBank]:
            banks.append(PipeBank(chosen, self.flows, rng, start_ts))
        if chosen := by_kind[ProductionBank]:
            banks.append(ProductionBank(chosen, self.flows, rng, start_ts, self.campaigns))
        return banks

    def sites_registered(self) -> list[Site]:
        """All plants, for the registry."""
        return [plan.site for plan in self.plans]

    def devices_registered(self) -> list[Device]:
        """All meters, units and laboratories, for the registry."""
        meters = [meter.device for meter in self.layout.meters]
        return meters if self.units is None else [*meters, *self.units.devices]

    @property
    def readings_per_s(self) -> float:
        """Readings per second of event time."""
        return sum(1 / device.period_s for device in self.devices_registered())

    def generate(self, until_ts: int) -> list[DeviceMessage]:
        """All messages of whole ticks up to `until_ts` that have not been given yet; not sorted."""
        messages: list[DeviceMessage] = []
        past = self._past
        if past is not None:
            while self._tick_ts < past.until_ts and self._tick_ts + PAST_TICK_MS <= until_ts:
                tick, end = self._tick_ts, self._tick_ts + PAST_TICK_MS
                self._process(tick, PAST_TICK_MS)
                heard = frozenset(name for name, from_ts in self._heard_from.items() if from_ts <= tick)
                for bank in self.banks:
                    messages += bank.read_long(tick, end, heard, sampled=past.sampled)
                if self.units is not None:
                    messages += self.units.read_once(tick, end, heard)
                self._go_to(end)
            if self._tick_ts < past.until_ts:
                return messages
        while self._tick_ts + self._length_ms <= until_ts:
            tick, end = self._tick_ts, self._tick_ts + self._length_ms
            self._process(tick, self._length_ms)
            for bank in self.banks:
                messages += bank.read(tick, end) if self._length_ms == TICK_MS else bank.read_long(tick, end)
            if self.units is not None:
                messages += self.units.read(tick, end)
            self._go_to(end)
        return messages

    def _go_to(self, end_ts: int) -> None:
        self.flows.carry(end_ts - self._tick_ts)
        self._tick_ts = end_ts

    def _process(self, at_ts: int, tick_ts: int) -> None:
        """Set the rates of all flows for the tick of `tick_ts` that begins at `at_ts`."""
        rate, seconds, influence = self.flows.rate, tick_ts / 1_000, self.influence
        outdoor = self._climate.all_outdoor_c(at_ts)[self._city]
        self.produced = self._capacity * self.campaigns.step(at_ts, seconds)
        influence.clear()
        for disturbance in self.disturbances:
            disturbance.act(at_ts, influence)
        efficiency = self.condition.at(at_ts) * influence.plant_factor
        if self.units is not None:
            self.units.process(at_ts, self.produced, efficiency=efficiency, outdoor_c=outdoor)
        rate[self._product_flow] = self.produced
        rate[self._feed_flow] = self._feed_per_t * self.produced[self._feed_plant]

        wet = np.clip(1 + MAKE_UP_A_KELVIN * (wet_bulb_c(outdoor, at_ts) - WET_BULB_REFERENCE_C), *MAKE_UP_LIMITS)
        variable = self._per_t * self.produced[self._plant_of]
        variable *= np.where(self._pulsed, self._heat_level(seconds)[self._plant_of], 1.0)
        variable *= np.where(self._cooling, wet[self._plant_of], 1.0)
        drawn = self._base + variable + self._per_k * (outdoor[self._plant_of] - REFERENCE_C)
        drawn *= np.where(self._energy, efficiency[self._plant_of], 1.0) * influence.factor
        noise = NOISE * math.sqrt(TICK_MS / tick_ts)
        drawn *= np.maximum(0.0, 1 + noise * self._rng.standard_normal(len(drawn)))
        drawn = np.maximum(drawn, 0.0) + influence.extra
        rate[self._flow_of] = drawn
        through = np.bincount(self._main_of, np.where(self._from_tank, 0.0, drawn), minlength=len(self._main_flow))
        if len(self._tank_fill):
            fill = self._run_tanks(drawn, seconds)
            through += np.bincount(self._tank_main, fill, minlength=len(through))
        rate[self._main_flow] = through / self._kept + influence.leak

    def _run_tanks(self, drawn: Array, seconds: float) -> Array:
        """Carry the tanks' contents over a tick; return what their pumps fill in, m³/h."""
        chosen = self._from_tank
        out = np.bincount(self._tank_of[chosen], drawn[chosen], minlength=len(self._tank_fill))
        self._filling = np.where(self._filling, self.stored_m3 < self._high, self.stored_m3 < self._low)
        fill: Array = np.where(self._filling, self._pump, 0.0)
        self.flows.rate[self._tank_fill], self.flows.rate[self._tank_draw] = fill, out
        self.stored_m3 += (fill - out) * seconds / 3_600
        return fill

    def _heat_level(self, seconds: float) -> Array:
        """Power of batch furnaces relative to their mean over a heat (plants,)."""
        self._heat_s = np.where(self.produced > 0, (self._heat_s + seconds) % HEAT_S, self._heat_s)
        return np.where(self._heat_s < HEAT_ON_SHARE * HEAT_S, HEAT_ON_LEVEL, HEAT_OFF_LEVEL)

    def labels(self) -> list[Label]:
        """Maintenance, leaks and anomalies."""
        return [*self.condition.labels(), *(each.label for each in self.disturbances)]

    def states(self, at_ts: int) -> Iterator[TrueValue]:
        """Production, efficiency, tank contents and leaks at `at_ts`; every meter's gain once, at the start."""
        if at_ts == self.start_ts:
            for meter in self.layout.meters:
                yield TrueValue(meter.device.device_id, at_ts, "gain", meter.gain)
        efficiency = self.condition.at(at_ts) * self.influence.plant_factor
        for plan, produced, worse in zip(self.plans, self.produced.tolist(), efficiency.tolist(), strict=True):
            yield TrueValue(plan.site.site_id, at_ts, f"production_{plan.site.product_unit.lower()}_h", produced)
            yield TrueValue(plan.site.site_id, at_ts, "efficiency", worse)
        for row, stored in zip(self.layout.tanks, self.stored_m3.tolist(), strict=True):
            yield TrueValue(self.layout.mains[row.main].device_id, at_ts, "stored_m3", stored)
        for each in self.disturbances:
            label = each.label
            if "diameter_mm" in label.params and label.start_ts <= at_ts < (label.end_ts or at_ts + 1):
                yield TrueValue(label.device_id, at_ts, "leak_m3_h", each.flow_m3_h(at_ts))
        if self.units is not None:
            yield from self.units.states(at_ts)

    def totals(self, from_ts: int, to_ts: int) -> Iterator[TrueTotal]:
        """What has passed every meter since the last call; virtual meters last."""
        grown = (self.flows.total - self._given).tolist()
        self._given = self.flows.total.copy()
        counted = {
            (device_id, register): grown[flow] * meter.gain
            for bank in self.banks
            for meter, (device_id, register, flow) in zip(bank.meters, bank.flow_of(), strict=True)
        }
        for bank in self.banks:
            for device_id, register, flow in bank.flow_of():
                yield TrueTotal(device_id, register, from_ts, to_ts, grown[flow])
        if self.units is not None:
            for device_id, register, flow in self.units.flow_of():
                yield TrueTotal(device_id, register, from_ts, to_ts, grown[flow])
        for plan in self.plans:
            for virtual in plan.site.virtual_meters:
                whole = sum(part.sign * counted[part.meter_id, part.quantity] for part in virtual.parts)
                yield TrueTotal(virtual.meter_id, virtual.quantity, from_ts, to_ts, whole)


_BANK_OF: dict[Kind, type[Bank]] = {
    Kind.ELECTRICITY: ElectricityBank,
    Kind.WATER: PipeBank,
    Kind.STEAM: PipeBank,
    Kind.GAS: PipeBank,
    Kind.PRODUCTION: ProductionBank,
}


def _city(site: Site) -> int:
    """Index of a site's city. Raises ValueError for one that Shanxi does not have."""
    for number, city in enumerate(CITIES):
        if city.name_zh == site.city:
            return number
    msg = f"site {site.site_id}: no city {site.city}; there are {'、'.join(city.name_zh for city in CITIES)}"
    raise ValueError(msg)

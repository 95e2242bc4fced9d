"""A coal-gangue power plant (煤矸石电厂): one 300 MW circulating fluidised bed unit, its meters and its laboratory.

Heat rate rises 10 % at half load; fuel heat value walks from shift to shift and is known only when the laboratory
releases it. Sources: simulator specification "gangue unit"; metric specification §2 (ash, gypsum, checks).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.readings import Kind
from schemas.registry import Device, ProductLine, Role, Sector, Site
from schemas.topics import Topic
from simulators.campaign import Campaign
from simulators.climate import CITIES, HOUR_MS
from simulators.meters import ElectricityMeter, Flow
from simulators.process_plant import NOISE, TICK_MS, Consumer, Plant, Utility, add_utility, gain

if TYPE_CHECKING:
    import random

    from simulators.climate import Climate
    from simulators.message import Message

SITE = Site(
    site_id="GANGUE1",
    name="Mayi gangue power plant",
    name_zh="马邑矸石电厂",
    sector=Sector.GANGUE_POWER,
    city="朔州",
    product_unit="MWh",
    product_lines=[ProductLine(name="Power supplied", name_zh="供电", product="power_subcritical_300")],
)
CITY = next(number for number, city in enumerate(CITIES) if city.name_zh == SITE.city)
RATED_MW = 300.0
LOWEST_LOAD = 0.5
LEVEL, DAILY, PEAK_HOUR = 0.64, 0.2, 19.0
"""Capacity factor near 0.60, highest in the evening."""
NET_COAL_RATE = (294.0, 300.0)
"""Net coal rate at full load, gce per kWh supplied: GB 21258-2024 has 309 / 285 / 321 for a mean load."""
HALF_LOAD_PENALTY = 0.10
KJ_PER_GCE = 29.3076
AUXILIARY_BASE_MW, AUXILIARY_SHARE = 6.0, 0.057
"""Station service 8–10 % over the usual loads."""
START_UP_KW = 250.0
HEAT_EXPORT_GJ_H = 250.0
HEATING_BELOW_C = 5.0
HEATING_BASE_C = 18.0
HEAT_EFFICIENCY = 0.92
SHIFT_MS = 8 * HOUR_MS
LAB_LATE_H = (4.0, 12.0)
LHV_KEPT = 0.8
CALCIUM_TO_SULPHUR = 2.2
LIMESTONE_PER_SULPHUR = 100.09 / 32.06 * CALCIUM_TO_SULPHUR
GYPSUM_PER_SULPHUR = 5.375
DESULPHURISATION, GYPSUM_PURITY = 0.9, 0.9
FLY_SHARE = 0.5
BED_C, BED_SWING_C, COLD_BED_C = 880.0, 60.0, 600.0
STEAM_T_H = 1_065.0


class Fuel(NamedTuple):
    """A fuel of the unit: its share of the mass burnt, and the walk of its heat value."""

    register: str
    key: str
    share: float
    lhv_mj_kg: float
    sd: float
    limits: tuple[float, float]


FUELS = (
    Fuel("gangue_t", "gangue", 0.70, 12.6, 0.9, (10.9, 17.1)),
    Fuel("slime_t", "slime", 0.22, 13.8, 0.7, (10.9, 17.1)),
    Fuel("coal_t", "coal", 0.08, 21.0, 0.8, (18.0, 24.0)),
)
"""2 600–4 100 kcal/kg for gangue and slime."""


class Assay(NamedTuple):
    """True composition of a fuel during one shift."""

    lhv_mj_kg: float
    ash_pct: float
    sulphur_pct: float
    moisture_pct: float


UTILITIES = (
    Utility(
        "W", Kind.WATER, "fresh_water", "Fresh water", "新水", 900,
        period_s=60, sub_period_s=900, loss=0.02, pressure_mpa=0.5, temperature_c=12,
        consumers=(
            Consumer("COOL", "cooling tower make-up", "冷却塔补水", base=25, per_t=1.7),
            Consumer("FGD", "desulphurisation", "脱硫", base=3, per_t=0.15),
            Consumer("LIFE", "offices and canteen", "生活", base=5),
        ),
    ),
)  # fmt: skip

UNIT_REGISTERS = (
    "generated_mwh", "auxiliary_mwh", "gangue_t", "slime_t", "coal_t", "limestone_t",
    "fly_ash_t", "bed_ash_t", "gypsum_t", "heat_export_gj",
)  # fmt: skip


class Unit:
    """The unit's control system as a device: ten registers and the state of steam and bed."""

    def __init__(self, device: Device, flows: dict[str, Flow], plant: GanguePlant) -> None:
        self.device = device
        self.topic = str(Topic(device.site_id, device.kind, device.device_id))
        self.due_ms = plant.start_ms + plant.rng.randrange(0, round(device.period_s * 1_000))
        self._flows, self._plant = flows, plant
        self._base = {name: round(plant.rng.uniform(1e5, 9e5), 1) for name in UNIT_REGISTERS}

    def read(self, since_tick_ms: int) -> dict[str, Any]:
        """Everything the unit shows."""
        plant, rng = self._plant, self._plant.rng
        load = plant.power_mw / RATED_MW
        values: dict[str, Any] = {"power_mw": round(plant.power_mw, 2)}
        for name in UNIT_REGISTERS:
            values[name] = round(self._base[name] + self._flows[name].after(since_tick_ms), 3)
        return values | {
            "bed_temperature_c": round(plant.bed_c + rng.gauss(0, 3), 1),
            "steam_flow_t_h": round(max(0.0, STEAM_T_H * load * (1 + rng.gauss(0, 0.005))), 1),
            "steam_pressure_mpa": round((9.5 + 7.2 * load) * (1 + rng.gauss(0, 0.003)), 2),
            "steam_temperature_c": round(541 + rng.gauss(0, 1.5) if load > 0 else 420.0, 1),
        }


class GanguePlant(Plant):
    """The unit, its grid meter, station service, water and laboratory."""

    def __init__(self, seed: int, start_ms: int, climate: Climate) -> None:
        super().__init__(SITE, seed, start_ms)
        rng = self.rng
        self._climate = climate
        self._net_coal_rate = rng.uniform(*NET_COAL_RATE)
        self.campaign = Campaign(rng, level=LEVEL, daily=DAILY, peak_hour=PEAK_HOUR, noise=0.05)
        self.power_mw = RATED_MW * LEVEL
        self.bed_c = BED_C
        self.assays = {fuel.key: _assay(fuel, fuel.lhv_mj_kg + rng.gauss(0, fuel.sd), rng) for fuel in FUELS}
        self._shift_ms = start_ms - start_ms % SHIFT_MS - 2 * SHIFT_MS  # results still due when the scene begins
        self._released: list[tuple[int, dict[str, object]]] = []

        self._unit = {name: self.flow() for name in UNIT_REGISTERS}
        self._grid, self._start_up = self.flow(), self.flow()
        self._service = (self.flow(), self.flow())
        self._add_unit()
        self._add_electricity()
        self._utilities = [(utility, *add_utility(self, utility)) for utility in UTILITIES]
        self._lab = Device(
            device_id=f"{SITE.site_id}-LAB",
            site_id=SITE.site_id,
            kind=Kind.LAB,
            name="Fuel laboratory",
            name_zh="燃料化验室",
            period_s=SHIFT_MS / 1_000,
        )
        self._lab_topic = str(Topic(SITE.site_id, Kind.LAB, self._lab.device_id))

    def devices_registered(self) -> list[Device]:
        """All devices of this plant, for the registry."""
        return [*super().devices_registered(), self._lab]

    def process(self, ts_ms: int) -> None:
        """Load first, then heat, fuel, ash and the meters."""
        rng, unit = self.rng, self._unit
        self._dispatch(ts_ms)
        auxiliary = (AUXILIARY_BASE_MW + AUXILIARY_SHARE * self.power_mw) * (1 + rng.gauss(0, NOISE))
        running = self.power_mw > 0
        net = self.power_mw - auxiliary if running else 0.0
        heat_export = self._heat_export(ts_ms) if running else 0.0
        load = self.power_mw / RATED_MW
        coal_rate = self._net_coal_rate * (1 + HALF_LOAD_PENALTY * (1 - load) / (1 - LOWEST_LOAD))
        heat_mj = coal_rate * KJ_PER_GCE * net + 1_000 * heat_export / HEAT_EFFICIENCY
        burnt = heat_mj / 1_000 / sum(fuel.share * self.assays[fuel.key].lhv_mj_kg for fuel in FUELS)

        unit["generated_mwh"].rate = self.power_mw
        unit["auxiliary_mwh"].rate = auxiliary if running else AUXILIARY_BASE_MW / 3
        unit["heat_export_gj"].rate = heat_export
        ash = sulphur = 0.0
        for fuel in FUELS:
            mass, assay = burnt * fuel.share, self.assays[fuel.key]
            unit[fuel.register].rate = mass
            ash += mass * assay.ash_pct / 100
            sulphur += mass * assay.sulphur_pct / 100
        unit["fly_ash_t"].rate, unit["bed_ash_t"].rate = ash * FLY_SHARE, ash * (1 - FLY_SHARE)
        unit["limestone_t"].rate = sulphur * LIMESTONE_PER_SULPHUR
        unit["gypsum_t"].rate = sulphur * DESULPHURISATION * GYPSUM_PER_SULPHUR / GYPSUM_PURITY
        bed = BED_C + BED_SWING_C * (load - LEVEL) if running else COLD_BED_C
        self.bed_c += (bed - self.bed_c) * TICK_MS / HOUR_MS

        service_kw = unit["auxiliary_mwh"].rate * 1_000
        self._service[0].rate, self._service[1].rate = 0.54 * service_kw, 0.46 * service_kw
        self._grid.rate = net * 1_000 * 0.995
        self._start_up.rate = START_UP_KW * (1 + rng.gauss(0, 0.03)) + (0.0 if running else service_kw)
        for utility, main, consumers in self._utilities:
            for consumer, flow in consumers:
                flow.rate = (consumer.base + consumer.per_t * self.power_mw) * max(0.0, 1 + rng.gauss(0, NOISE))
            main.rate = sum(flow.rate for _, flow in consumers) / (1 - utility.loss)

    def unmetered(self, until_ms: int) -> list[Message]:
        """Laboratory results that have been released; a shift's fuel is drawn when the shift begins."""
        rng = self.rng
        while self._shift_ms + SHIFT_MS < until_ms:
            end = self._shift_ms + SHIFT_MS
            for fuel in FUELS:
                released = end + round(rng.uniform(*LAB_LATE_H) * HOUR_MS)
                sheet = _sheet(self._shift_ms, end, fuel, self.assays[fuel.key], rng)
                if released >= self.start_ms:
                    self._released.append((released, sheet))
                before = self.assays[fuel.key].lhv_mj_kg
                shock = fuel.sd * math.sqrt(1 - LHV_KEPT**2) * rng.gauss(0, 1)
                self.assays[fuel.key] = _assay(fuel, fuel.lhv_mj_kg + LHV_KEPT * (before - fuel.lhv_mj_kg) + shock, rng)
            self._released.sort(key=lambda item: item[0])
            self._shift_ms = end
        messages = []
        while self._released and self._released[0][0] < until_ms:
            ts_ms, values = self._released.pop(0)
            messages.append(self.message(self._lab, self._lab_topic, ts_ms, values))
        return messages

    def _dispatch(self, ts_ms: int) -> None:
        """Load as the grid asks for it, between half load and rated; zero when the unit is down."""
        wanted = RATED_MW * self.campaign.step(ts_ms, TICK_MS / 1_000)
        if wanted < 0.1 * RATED_MW:
            self.power_mw = 0.0
            return
        self.power_mw = min(RATED_MW, max(LOWEST_LOAD * RATED_MW, wanted) * (1 + self.rng.gauss(0, 0.003)))

    def _heat_export(self, ts_ms: int) -> float:
        """District heat, GJ/h, in the heating season."""
        outdoor = self._climate.outdoor_c(CITY, ts_ms)
        if outdoor >= HEATING_BELOW_C:
            return 0.0
        return HEAT_EXPORT_GJ_H * min(1.0, (HEATING_BASE_C - outdoor) / 30)

    def _add_unit(self) -> None:
        device = Device(
            device_id=f"{SITE.site_id}-U1",
            site_id=SITE.site_id,
            kind=Kind.GANGUE_UNIT,
            name="Unit 1",
            name_zh="1#机组",
            period_s=10,
            role=Role.CONSUMED,
            rated=RATED_MW,
            lhv_mj_kg={fuel.register: fuel.lhv_mj_kg for fuel in FUELS},
        )
        self.meters.append(Unit(device, self._unit, self))

    def _add_electricity(self) -> None:
        """Start-up feeder across the boundary; the grid and service meters repeat what the unit itself counts."""
        feeders = (
            ("E0", "Start-up and standby feeder", "启备变", Role.CONSUMED, 40_000.0, self._start_up, 110_000.0, False),
            ("E1", "Grid gateway meter", "上网关口表", Role.INTERNAL, 330_000.0, self._grid, 220_000.0, True),
            ("E2", "Station service A", "厂用变A", Role.INTERNAL, 20_000.0, self._service[0], 6_300.0, False),
            ("E3", "Station service B", "厂用变B", Role.INTERNAL, 20_000.0, self._service[1], 6_300.0, False),
        )
        for key, name, name_zh, role, rated, flow, volts, exports in feeders:
            device = Device(
                device_id=f"{SITE.site_id}-{key}",
                site_id=SITE.site_id,
                kind=Kind.ELECTRICITY,
                name=name,
                name_zh=name_zh,
                period_s=15,
                role=role,
                carrier="electricity",
                rated=rated,
            )
            self.meters.append(
                ElectricityMeter(
                    device,
                    flow,
                    self.rng,
                    gain=gain(self.rng, 0.002),
                    start_ms=self.start_ms,
                    volts=volts,
                    exports=exports,
                )
            )


def _assay(fuel: Fuel, lhv_mj_kg: float, rng: random.Random) -> Assay:
    low, high = fuel.limits
    lhv = min(high, max(low, lhv_mj_kg))
    return Assay(
        lhv,
        ash_pct=75 - 1.9 * lhv + rng.gauss(0, 0.8),
        sulphur_pct=max(0.3, 1.1 + rng.gauss(0, 0.15)),
        moisture_pct=max(2.0, (24.0 if fuel.key == "slime" else 8.0) + rng.gauss(0, 0.7)),
    )


def _sheet(begin_ms: int, end_ms: int, fuel: Fuel, assay: Assay, rng: random.Random) -> dict[str, object]:
    """One laboratory result, with the error of sampling."""
    return {
        "sample_from": begin_ms,
        "sample_to": end_ms,
        "fuel": fuel.key,
        "lhv_mj_kg": round(assay.lhv_mj_kg + rng.gauss(0, 0.12), 3),
        "ash_pct": round(assay.ash_pct + rng.gauss(0, 0.3), 2),
        "sulphur_pct": round(assay.sulphur_pct + rng.gauss(0, 0.03), 2),
        "moisture_pct": round(assay.moisture_pct + rng.gauss(0, 0.2), 1),
    }

"""Plants obey physics: energy, water and mass balance at every tick, and every formula of docs/simulators.md."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
import pytest

from schemas.registry import Sector
from simulators.climate import Climate, wet_bulb_c
from simulators.plants.campaign import Campaigns, Order, Programme
from simulators.plants.condition import MONTH_MS
from simulators.plants.fuel import ASH, FUELS, LHV, SULPHUR
from simulators.plants.gangue import HEAT_EFFICIENCY, RATED_MW, REGISTERS
from simulators.plants.plan import numbered
from simulators.plants.works import Works
from simulators.scenes.scene import ONE_OF_EACH, Scene
from simulators.sectors import PLANS, plans_for
from simulators.wire.message import encode
from simulators.wire.network import NetworkPlan
from tests.unit.simulators.support import HOUR_MS, START_TS

if TYPE_CHECKING:
    from collections.abc import Sequence

TICK_MS = 10_000


def works(counts: dict[Sector, int], orders: Sequence[Order] = (), seed: int = 5) -> Works:
    """Plants on their own."""
    return Works(plans_for(counts, seed), seed=seed, start_ts=START_TS, climate=Climate(seed), orders=orders)


def run(plants: Works, ticks: int) -> None:
    """Carry them on."""
    plants.generate(plants._tick_ts + ticks * TICK_MS)


def test_every_plant_has_a_price_of_its_coal() -> None:
    """So that pages can say what a deviation and a kilowatt-hour cost; a further plant of a sector pays the same."""
    prices = {site.sector: site.coal_yuan_t for site in works(ONE_OF_EACH).sites_registered()}
    assert None not in prices.values()
    assert {site.coal_yuan_t for site in works({Sector.COKING: 3}).sites_registered()} == {prices[Sector.COKING]}


def test_every_main_carries_its_consumers_its_loss_and_its_tank() -> None:
    """What enters is what is used, what no sub-meter sees, and what the tank takes; and the tank keeps its books."""
    plants = works(ONE_OF_EACH)
    layout, rate = plants.layout, plants.flows.rate
    tanks = {row.main: row for row in layout.tanks}
    assert len(tanks) == 1
    pumped = {main: set[float]() for main in tanks}
    direct_of, tank_of = (
        [
            [row.flow for row in layout.consumers if row.main == place and row.consumer.from_tank is from_tank]
            for place in range(len(layout.mains))
        ]
        for from_tank in (False, True)
    )
    for _ in range(720):
        before = plants.stored_m3.copy()
        run(plants, 1)
        for place, main in enumerate(layout.mains):
            direct = rate[direct_of[place]].sum()
            if place in tanks:
                tank, number = tanks[place], layout.tanks.index(tanks[place])
                drawn = rate[tank_of[place]].sum()
                assert rate[tank.draw] == pytest.approx(drawn)
                stored = plants.stored_m3[number] - before[number]
                assert stored == pytest.approx((rate[tank.fill] - drawn) * TICK_MS / 3_600_000, abs=1e-9)
                assert 0 < plants.stored_m3[number] < tank.tank.capacity_m3
                pumped[place].add(rate[tank.fill])
                direct += rate[tank.fill]
            assert rate[main.flow] * (1 - main.utility.loss) == pytest.approx(direct), main.device_id
    assert all(len(rates) == 2 for rates in pumped.values()), "each pump has switched"


def test_a_gangue_unit_balances_heat_ash_and_sulphur() -> None:
    """Fuel heat is heat rate × net output + exported heat; ash and gypsum follow from the fuel's true assay."""
    plants = works({Sector.GANGUE_POWER: 4})
    units = plants.units
    assert units is not None
    for _ in range(30):
        run(plants, 20)
        rates = plants.flows.rate[units._register_flow]
        for unit, row in enumerate(rates.tolist()):
            flow = dict(zip(REGISTERS, row, strict=True))
            assays = units.laboratories[unit].assays
            mass = [flow[fuel.register] for fuel in FUELS]
            heat_gj = sum(burnt * assay[LHV] for burnt, assay in zip(mass, assays, strict=True))
            net = flow["generated_mwh"] - flow["auxiliary_mwh"]
            expected = units.heat_rate[unit] * net / 1_000 + flow["heat_export_gj"] / HEAT_EFFICIENCY
            assert heat_gj == pytest.approx(expected)
            ash = sum(burnt * assay[ASH] / 100 for burnt, assay in zip(mass, assays, strict=True))
            assert flow["fly_ash_t"] + flow["bed_ash_t"] == pytest.approx(ash)
            sulphur = sum(burnt * assay[SULPHUR] / 100 for burnt, assay in zip(mass, assays, strict=True))
            assert flow["gypsum_t"] == pytest.approx(sulphur * 0.9 * 172 / 32 / 0.9)
            assert 10.9 <= assays[0][LHV] <= 17.1, "2 600–4 100 kcal/kg"


def test_heat_rate_is_8_to_12_per_cent_worse_at_half_load() -> None:
    """The same units at full load and at half."""
    rates = []
    for share in (1.0, 0.5):
        counts = {Sector.GANGUE_POWER: 6}
        orders = [Order(plan.site.site_id, START_TS, START_TS + HOUR_MS * 3, share) for plan in plans_for(counts, 5)]
        plants = works(counts, orders)
        run(plants, 2 * 360)
        assert plants.units is not None
        assert plants.units.power_mw == pytest.approx(share * RATED_MW, rel=0.02)
        rates.append(plants.units.heat_rate.copy())
    worse = rates[1] / rates[0] - 1
    assert ((worse > 0.0775) & (worse < 0.1225)).all(), worse


def test_capacity_factor_is_near_sixty_per_cent() -> None:
    """Over a month of two hundred units, with what they stand still."""
    plan = PLANS[Sector.GANGUE_POWER]
    programme = Programme(plan.level, plan.daily, plan.peak_hour, plan.weekly, plan.noise)
    campaigns = Campaigns([programme] * 200, np.random.default_rng(3))
    steps = range(START_TS, START_TS + 30 * 24 * HOUR_MS, 600_000)
    mean = np.mean([campaigns.step(ts, 600.0) for ts in steps])
    assert mean == pytest.approx(0.60, abs=0.03)


def test_drift_is_at_most_two_per_cent_a_month_and_maintenance_takes_it_back() -> None:
    """Between steps efficiency only gets worse; at a step it gets better by what the label says."""
    plants = works(dict.fromkeys(PLANS, 3))
    condition, labels = plants.condition, plants.condition.labels()
    assert len(labels) == len(condition.steps) > 24
    site = [plan.site.site_id for plan in plants.plans]
    before = condition.at(START_TS)
    ts = START_TS
    for step, label in zip(condition.steps, labels, strict=True):
        now = condition.at(step.ts - 1)
        months = (step.ts - 1 - ts) / MONTH_MS
        grown = now / before - 1
        assert ((grown >= -1e-9) & (grown <= 0.02 * months + 1e-9)).all()
        after = condition.at(step.ts)
        start = condition._start[step.plant]
        assert label.site_id == site[step.plant]
        assert (after[step.plant] - now[step.plant]) / start == pytest.approx(label.size, abs=2e-6)
        assert label.size <= 0
        before, ts = after, step.ts


def test_cooling_make_up_rises_with_the_wet_bulb() -> None:
    """The wet bulb is below the air, and a summer's make-up above a winter's."""
    outdoor = np.array([-10.0, 0.0, 10.0, 20.0, 30.0])
    assert (wet_bulb_c(outdoor, START_TS) < outdoor).all()
    used = []
    for start in (START_TS - 40 * 24 * HOUR_MS, START_TS + 130 * 24 * HOUR_MS):
        plants = Works(plans_for({Sector.METHANOL: 1}, 5), seed=5, start_ts=start, climate=Climate(5))
        run(plants, 1)
        cooling = next(row.flow for row in plants.layout.consumers if row.consumer.cooling)
        used.append(plants.flows.rate[cooling] / plants.produced[0])
    assert used[1] > 1.15 * used[0]


def test_an_arc_furnace_draws_in_heats_and_a_smelter_does_not() -> None:
    """Batch sectors are pulsed, continuous ones flat."""
    plants = works({Sector.STEEL: 1, Sector.ALUMINIUM: 1})
    rates = []
    for _ in range(720):
        run(plants, 1)
        rates.append(plants.flows.rate.copy())
    series = np.array(rates)
    row = {consumer.device_id: consumer.flow for consumer in plants.layout.consumers}
    furnace, pots = series[:, row["STEEL1-E1"]], series[:, row["ALU1-E1"]]
    assert furnace.max() > 5 * furnace.min()
    assert pots.std() < 0.03 * pots.mean()


def test_further_plants_of_a_sector_differ_and_stay_the_same_beside_others() -> None:
    """The third coking plant is itself, whether there are three or thirty."""
    few, many = plans_for({Sector.COKING: 3}, 9), plans_for({Sector.COKING: 30, Sector.STEEL: 2}, 9)
    assert few == [plan for plan in many if plan.site.sector is Sector.COKING][:3]
    assert len({plan.capacity_t_h for plan in many}) > 20
    assert numbered(PLANS[Sector.COKING], 1, np.random.default_rng(0)) is PLANS[Sector.COKING]


def test_a_longer_tick_changes_neither_when_meters_are_read_nor_what_flows() -> None:
    """Ticks of a minute give each meter the same moments and, but for noise, the same totals; units want short ones."""

    def read(tick_ts: int) -> dict[str, list[dict[str, float]]]:
        plants = {Sector.ALUMINIUM: 1, Sector.AMMONIA: 1}
        scene = Scene(seed=3, sets=0, start_ts=START_TS, plants=plants, tick_ts=tick_ts)
        found: dict[str, list[dict[str, float]]] = {}
        for message in scene.advance(START_TS + HOUR_MS):
            found.setdefault(message.device_id, []).append(message.readings[0])
        return found

    short, long = read(TICK_MS), read(60_000)
    assert short.keys() == long.keys()
    for device, readings in short.items():
        assert [(each["ts"], each["seq"]) for each in readings] == [(each["ts"], each["seq"]) for each in long[device]]
    for meter in ("ALU1-E0", "AMMON1-E0"):
        passed = [
            readings[-1]["energy_import_kwh"] - readings[0]["energy_import_kwh"]
            for readings in (short[meter], long[meter])
        ]
        assert passed[0] == pytest.approx(passed[1], rel=0.02)
    with pytest.raises(ValueError, match="gangue unit"):
        Scene(seed=3, sets=0, start_ts=START_TS, plants={Sector.GANGUE_POWER: 1}, tick_ts=60_000)


def test_lines_side_by_side_make_up_their_plant_and_lie_within_their_own_limits() -> None:
    """Both potlines' metal is the smelter's, each over meters of its own, at 12 950 to 13 350 kWh AC a tonne."""
    scene = Scene(seed=5, sets=0, start_ts=START_TS, plants={Sector.ALUMINIUM: 2})
    plants = scene.works
    assert plants is not None
    run(plants, 60)
    flow = {meter.device.device_id: meter.flow for meter in plants.layout.meters}
    rate = plants.flows.rate
    for site, whole in zip(scene.registry().sites, plants.produced, strict=True):
        _, *lines = site.lines
        assert [line.meters for line in lines] == [
            [f"{site.site_id}-{x}0", f"{site.site_id}-MES{n}"] for x, n in ("A1", "B2")
        ]
        assert sum(rate[flow[line.meters[1]]] for line in lines) == pytest.approx(whole)
        for line in lines:
            feeder, scale = (rate[flow[meter]] for meter in line.meters)
            assert 12_950 < feeder / scale < 13_350


def test_a_virtual_meters_truth_is_what_its_parts_would_count() -> None:
    """Gains included, signs kept: its own total is the sum of the others'."""
    plants = works({Sector.ALUMINIUM: 1})
    run(plants, 360)
    meters = {meter.device.device_id: meter for meter in plants.layout.meters}
    totals = {total.device_id: total.increment for total in plants.totals(START_TS, plants._tick_ts)}
    counted = {name: totals[name] * meter.gain for name, meter in meters.items()}
    assert totals["ALU1-POTS"] == pytest.approx(counted["ALU1-A0"] + counted["ALU1-B0"])
    seen = sum(counted[f"ALU1-W{place}"] for place in (1, 2, 3))
    assert totals["ALU1-UNSEEN"] == pytest.approx(counted["ALU1-W0"] - seen)
    assert abs(totals["ALU1-UNSEEN"]) < 0.04 * counted["ALU1-W0"]


def bytes_of_a_scene() -> str:
    """SHA-256 of half an hour of all sectors over a bad network, with faults and disturbances."""
    from simulators.planned_events import Chance  # noqa: PLC0415 - also run as a program
    from simulators.truth import LabelKind  # noqa: PLC0415

    end = START_TS + HOUR_MS // 2
    kinds = [LabelKind.FREEZE, LabelKind.SLOW_BIAS, LabelKind.LEAK_ABRUPT, LabelKind.EFFICIENCY_STEP, LabelKind.RESET]
    scene = Scene(
        seed=7,
        sets=0,
        start_ts=START_TS,
        chances=[Chance(kinds, 2, START_TS, end, 300_000, 600_000)],
        network=NetworkPlan(duplicates=0.05, reordered=0.05, malformed_per_h=60, foreign_per_h=60, skewed=0.2),
    )
    whole = hashlib.sha256()
    for message in scene.advance(end):
        whole.update(message.topic.encode() + encode(message))
    return whole.hexdigest()


BYTES = "c9c0f77531467fb09103bf2f7b3abbab05db7ae665804b068e8e62268cbbe187"


def test_the_same_seed_gives_the_same_bytes_on_any_machine() -> None:
    """Pinned, and the same with the processor's wide instructions switched off. A change of the models changes it."""
    assert bytes_of_a_scene() == BYTES
    core = import_module("numpy._core._multiarray_umath")
    wide = " ".join(name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name))
    program = "from tests.unit.simulators.plants.test_works import bytes_of_a_scene; print(bytes_of_a_scene())"
    plain = subprocess.run(  # noqa: S603 - this very file
        [sys.executable, "-c", program],
        env={**os.environ, "NPY_DISABLE_CPU_FEATURES": wide},
        capture_output=True,
        text=True,
        check=True,
    )
    assert plain.stdout.strip() == BYTES

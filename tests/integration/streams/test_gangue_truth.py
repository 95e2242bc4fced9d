"""Late truth: a gangue unit's day by laboratory values that arrive hours after what they hold for."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

import pytest

from schemas.metrics import GangueSum, GangueWindow, PlantHour, Quality
from schemas.metrics.gangue import UnitWindow, WindowSpan
from schemas.readings import Kind
from schemas.registry import Device, ProductLine, Registry, Role, Sector, Site
from schemas.time import DAY_MS, FOREVER_TS, HOUR_MS, MINUTE_MS, Span, day_of
from storage import derived
from storage.pool import connect
from tests.support.pipeline import Sent, open_engine, prepare, record

if TYPE_CHECKING:
    from schemas.metrics import Row

DAY = day_of(1_780_000_000_000)
SHIFT_MS = 8 * HOUR_MS
RATED_MW = 300.0
SHARES = {"gangue": 0.7, "slime": 0.22, "coal": 0.08}
REGISTERED = {"gangue_t": 12.6, "slime_t": 13.8, "coal_t": 21.0}
FLY, REMOVED, PURITY = 0.5, 0.9, 0.9

REGISTRY = Registry(
    sites=[
        Site(
            site_id="power",
            name="Power",
            name_zh="电厂",
            sector=Sector.GANGUE_POWER,
            city="朔州",
            product_unit="MWh",
            product_lines=[ProductLine(product="power_subcritical_300")],
        )
    ],
    devices=[
        Device(
            device_id="unit",
            site_id="power",
            kind=Kind.GANGUE_UNIT,
            role=Role.CONSUMED,
            rated=RATED_MW,
            period_s=60,
            lhv_mj_kg=REGISTERED,
        ),
        Device(device_id="lab", site_id="power", kind=Kind.LAB, period_s=8 * 3600),
    ],
)


class Truth(NamedTuple):
    """What the simulated unit really did over the day."""

    generated_mwh: float
    supplied_mwh: float
    heat_gj: float
    export_gj: float
    gangue_t: float
    ash_t: float
    gypsum_t: float


def simulate(seed: int) -> tuple[list[Sent], Truth]:
    """A 300 MW unit at a capacity factor of 60 % over the day before and the day; laboratory values 4–12 h late."""
    rng = random.Random(seed)
    sent: list[Sent] = []
    registers = dict.fromkeys(
        ("generated_mwh", "auxiliary_mwh", "heat_export_gj", "gangue_t", "slime_t", "coal_t"), 1e5
    )
    truth = Truth(*([0.0] * 7))
    for start in range(DAY - SHIFT_MS, DAY + DAY_MS, SHIFT_MS):
        assay = {
            "gangue": (rng.uniform(10.9, 17.1), rng.uniform(45, 60), rng.uniform(0.8, 1.6)),
            "slime": (rng.uniform(10.9, 17.1), rng.uniform(45, 55), rng.uniform(0.8, 1.6)),
            "coal": (rng.uniform(19, 23), rng.uniform(20, 30), rng.uniform(0.5, 1.0)),
        }
        for fuel, (lhv, ash, sulphur) in assay.items():
            released = start + SHIFT_MS + round(rng.uniform(4, 12) * HOUR_MS)
            values = {"sample_from": start, "sample_to": start + SHIFT_MS, "fuel": fuel, "lhv_mj_kg": lhv}
            result = {"ts": released, **values, "ash_pct": ash, "sulphur_pct": sulphur}
            sent.append(Sent("power", Kind.LAB, "lab", result))
        mixed = sum(SHARES[fuel] * assay[fuel][0] for fuel in SHARES)
        for ts in range(start, start + SHIFT_MS, MINUTE_MS):
            hour = (ts - DAY) / HOUR_MS % 24
            power = RATED_MW * (0.6 + 0.02 * (hour - 12))  # a mean of 60 % over the day
            auxiliary, export = 6 + 0.057 * power, 2.0
            coal_rate = 300 * (1 + 0.1 * (1 - power / RATED_MW) / 0.5)
            heat = coal_rate * 29.3076 * (power - auxiliary) / 60 / 1000 + export
            burnt = {fuel: heat / mixed * share for fuel, share in SHARES.items()}
            sent.append(Sent("power", Kind.GANGUE_UNIT, "unit", {"ts": ts, **_shown(registers), "power_mw": power}))
            registers["generated_mwh"] += power / 60
            registers["auxiliary_mwh"] += auxiliary / 60
            registers["heat_export_gj"] += export
            for fuel, mass in burnt.items():
                registers[f"{fuel}_t"] += mass
            if ts >= DAY:
                sulphur_t = sum(mass * assay[fuel][2] / 100 for fuel, mass in burnt.items())
                truth = Truth(
                    truth.generated_mwh + power / 60,
                    truth.supplied_mwh + (power - auxiliary) / 60,
                    truth.heat_gj + heat,
                    truth.export_gj + export,
                    truth.gangue_t + burnt["gangue"],
                    truth.ash_t + sum(mass * assay[fuel][1] / 100 for fuel, mass in burnt.items()),
                    truth.gypsum_t + sulphur_t * REMOVED * 172 / 32 / PURITY,
                )
    end = DAY + DAY_MS
    sent.append(Sent("power", Kind.GANGUE_UNIT, "unit", {"ts": end, **_shown(registers)}))
    sent.append(Sent("power", Kind.GANGUE_UNIT, "unit", {"ts": end + 1, **_shown(registers)}))
    return sorted(sent, key=lambda item: item.reading["ts"]), truth


def _shown(registers: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in registers.items()}


def rows(url: str, row_type: type[Row], entity: str) -> list[Row]:
    """All rows of an entity."""
    with connect(url, name="test") as connection:
        return derived.load(connection, row_type, [Span(entity, 0, FOREVER_TS)])


def hour_sums(url: str) -> list[GangueSum]:
    """Hour sums of the unit within the day."""
    found = (row for row in rows(url, GangueSum, "unit") if isinstance(row, GangueSum))
    return [row for row in found if row.span is WindowSpan.HOUR and row.ts >= DAY]


def test_a_day_by_late_laboratory_values_ends_at_the_truth(own_url: str) -> None:
    """Coal and heat rate, gangue, ash, gypsum within 0.5 %; `estimated` until the value that covers them is there."""
    prepare(own_url, REGISTRY)
    sent, truth = simulate(7)
    engine = open_engine(own_url)
    partition = engine.open(0)
    end = DAY + DAY_MS
    at_end = [item for item in sent if item.reading["ts"] <= end + 1]
    for offset, start in enumerate(range(0, len(at_end), 120)):
        engine.apply(partition, [record(offset, at_end[start : start + 120])])

    early = hour_sums(own_url)
    assert len(early) == 24
    released = [item.reading for item in at_end if item.kind is Kind.LAB]
    covered_to = min(
        max((each["sample_to"] for each in released if each["fuel"] == fuel), default=0) for fuel in SHARES
    )
    assert {row.quality for row in early if row.ts >= covered_to} == {Quality.ESTIMATED}
    assert {row.quality for row in early if row.ts < covered_to} <= {Quality.GOOD}
    assert any(row.ts >= covered_to for row in early)
    windows = [row for row in rows(own_url, PlantHour, "power") if isinstance(row, PlantHour)]
    assert {row.quality for row in windows if covered_to <= row.ts < end} == {Quality.ESTIMATED}

    late = [item for item in sent if item.reading["ts"] > end + 1]
    assert late
    engine.apply(partition, [record(partition.next_offset, late)])
    engine.close()

    assert {row.quality for row in hour_sums(own_url)} == {Quality.GOOD}
    assert {row.laboratory_share for row in hour_sums(own_url)} == {1.0}
    day = next(
        row
        for row in rows(own_url, GangueWindow, "unit")
        if isinstance(row, GangueWindow) and row.span is UnitWindow.DAY and row.ts == end
    )
    net_heat_rate = 1000 * (truth.heat_gj - truth.export_gj) / truth.supplied_mwh
    within = 5e-3
    assert day.net_heat_rate_kj_kwh == pytest.approx(net_heat_rate, rel=within)
    assert day.net_coal_rate_gce_kwh == pytest.approx(net_heat_rate / 29.3076, rel=within)
    assert day.net_coal_rate_check_gce_kwh == pytest.approx(net_heat_rate / 29.3076, rel=within)
    assert day.gangue_t == pytest.approx(truth.gangue_t, rel=within)
    assert day.ash_t == pytest.approx(truth.ash_t, rel=within)
    assert day.fly_ash_t == pytest.approx(FLY * truth.ash_t, rel=within)
    assert day.gypsum_t == pytest.approx(truth.gypsum_t, rel=within)
    assert day.capacity_factor_pct == pytest.approx(60.0, rel=within)
    assert day.quality is Quality.GOOD
    month = next(
        row
        for row in rows(own_url, GangueWindow, "unit")
        if isinstance(row, GangueWindow) and row.span is UnitWindow.MONTH
    )
    assert month.generated_mwh == pytest.approx(truth.generated_mwh + 8 * 0.76 * RATED_MW, rel=within)
    power = sum(
        row.energy_kgce or 0.0
        for row in rows(own_url, PlantHour, "power")
        if isinstance(row, PlantHour) and DAY <= row.ts < end
    )
    assert power / truth.supplied_mwh == pytest.approx(net_heat_rate / 29.3076, rel=within)

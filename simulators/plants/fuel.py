"""Fuel of a gangue unit: its true composition, walking from shift to shift, and the laboratory that tells it late."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.readings import Kind
from schemas.registry import Device
from schemas.time import HOUR_MS
from schemas.topics import Topic
from simulators.wire.message import DeviceMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

SHIFT_MS = 8 * HOUR_MS
LATE_H = (4.0, 12.0)
LHV_KEPT = 0.8
"""How much of a shift's deviation in heat value the next one keeps. (unsourced)"""
LHV, ASH, SULPHUR, MOISTURE = range(4)
"""Places in an assay: MJ/kg, %, %, %."""


class Fuel(NamedTuple):
    """A fuel of the unit: its share of the mass burnt, and the walk of its heat value."""

    register: str
    key: str
    share: float
    lhv_mj_kg: float
    sd: float
    limits: tuple[float, float]
    moisture_pct: float


FUELS = (
    Fuel("gangue_t", "gangue", 0.70, 12.6, 0.9, (10.9, 17.1), 8.0),
    Fuel("slime_t", "slime", 0.22, 13.8, 0.7, (10.9, 17.1), 24.0),
    Fuel("coal_t", "coal", 0.08, 21.0, 0.8, (18.0, 24.0), 8.0),
)
"""2 600–4 100 kcal/kg for gangue and slime."""


class FuelLaboratory:
    """One plant's fuel and its laboratory; a shift's fuel is drawn when the shift begins."""

    def __init__(self, site_id: str, *, seed: int, start_ts: int) -> None:
        self._rng = rng = random.Random(f"{seed}/{site_id}/fuel")
        self._start_ts = start_ts
        self.device = Device(
            device_id=f"{site_id}-LAB",
            site_id=site_id,
            kind=Kind.LAB,
            name="Fuel laboratory",
            name_zh="燃料化验室",
            period_s=SHIFT_MS / 1_000,
        )
        self._topic = str(Topic(site_id, Kind.LAB, self.device.device_id))
        self.assays: list[tuple[float, ...]] = [
            _assay(fuel, fuel.lhv_mj_kg + rng.gauss(0, fuel.sd), rng) for fuel in FUELS
        ]
        """True composition of what is burnt now, by fuel."""
        self._shift_ms = start_ts - start_ts % SHIFT_MS - 2 * SHIFT_MS  # results still due when the scene begins
        self._released: list[tuple[int, dict[str, Any]]] = []
        self._seq = 0

    def advance(self, at_ts: int) -> None:
        """Go on to the shift in which `at_ts` lies."""
        rng = self._rng
        while self._shift_ms + SHIFT_MS <= at_ts:
            end = self._shift_ms + SHIFT_MS
            for number, fuel in enumerate(FUELS):
                released = end + round(rng.uniform(*LATE_H) * HOUR_MS)
                sheet = _sheet(self._shift_ms, end, fuel, self.assays[number], rng)
                if released >= self._start_ts:
                    self._released.append((released, sheet))
                deviation = LHV_KEPT * (self.assays[number][LHV] - fuel.lhv_mj_kg)
                shock = fuel.sd * math.sqrt(1 - LHV_KEPT**2) * rng.gauss(0, 1)
                self.assays[number] = _assay(fuel, fuel.lhv_mj_kg + deviation + shock, rng)
            self._released.sort(key=lambda item: item[0])
            self._shift_ms = end

    def release(self, until_ts: int) -> Iterator[DeviceMessage]:
        """Results that come out before `until_ts`."""
        while self._released and self._released[0][0] < until_ts:
            at_ts, values = self._released.pop(0)
            yield DeviceMessage(self._topic, self.device.device_id, [{"ts": at_ts, "seq": self._seq, **values}])
            self._seq += 1


def _assay(fuel: Fuel, lhv_mj_kg: float, rng: random.Random) -> tuple[float, ...]:
    low, high = fuel.limits
    lhv = min(high, max(low, lhv_mj_kg))
    return (
        lhv,
        75 - 1.9 * lhv + rng.gauss(0, 0.8),
        max(0.3, 1.1 + rng.gauss(0, 0.15)),
        max(2.0, fuel.moisture_pct + rng.gauss(0, 0.7)),
    )


def _sheet(begin_ts: int, end_ts: int, fuel: Fuel, assay: tuple[float, ...], rng: random.Random) -> dict[str, Any]:
    """One laboratory result, with the error of sampling."""
    return {
        "sample_from": begin_ts,
        "sample_to": end_ts,
        "fuel": fuel.key,
        "lhv_mj_kg": round(assay[LHV] + rng.gauss(0, 0.12), 3),
        "ash_pct": round(assay[ASH] + rng.gauss(0, 0.3), 2),
        "sulphur_pct": round(assay[SULPHUR] + rng.gauss(0, 0.03), 2),
        "moisture_pct": round(assay[MOISTURE] + rng.gauss(0, 0.2), 1),
    }

"""Random worlds of one meter each: a load, a register that counts it, and what goes wrong between it and fenhe.

Known of each world is what truly passed in every minute, so that a figure that is wrong and yet marked `good` can be
counted. What goes wrong is drawn from what real meters and gateways do: a register that shows 0, an old value or
another device's for a while, first readings of 0, units that change, trembling digits, doubles, gaps, resets and
exchanges; with and without a rating, power and earlier history, sampled every second to every day.
"""

from __future__ import annotations

import math
import random
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.arrival import Arrival
from schemas.metrics import MeterEvent, MeterMinute, Quality
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device
from schemas.time import DAY_MS, HOUR_MS, MINUTE_MS
from streams.kernels.metering.register import RegisterMetering

if TYPE_CHECKING:
    from collections.abc import Sequence

START_TS = 1_780_000_020_000
PERIODS_S = (1, 5, 10, 60, 60, 60, 60, 300, 300, 900, 900, 900, 900, 900, 3600, 3600, 86_400)
TOLERANCE = 0.001
"""A sum of good minutes may be wrong by this share of what passed in all."""
FIELD = "energy_import_kwh"
KERNEL = RegisterMetering()


class World(NamedTuple):
    """A meter, what it sends, and what truly passed."""

    seed: int
    device: Device
    arrivals: list[Arrival]
    times: list[int]
    """Times of the true readings, ms."""
    energy: list[float]
    """What had truly passed by each of them, kWh."""
    unit: float
    """Weight of the last digit."""
    faults: list[str]
    field: str = FIELD
    """The register."""
    shifted: float = 0.0
    """What good minutes may hold more or less because a clock was off: another time, and the same sum."""


class Judged(NamedTuple):
    """What metering made of a world."""

    wrong_kwh: float
    """By how much good minutes are wrong, at the worst moment."""
    allowed_kwh: float
    good_share: float
    """Of the minutes that were given out."""
    total_error: float
    """Of the sum of all known minutes, as a share of what passed."""
    events: list[MeterEvent]

    @property
    def is_wrong(self) -> bool:
        """Whether a wrong figure is marked `good`."""
        return self.wrong_kwh > self.allowed_kwh


def draw(seed: int, *, most_faults: int = 4) -> World:  # noqa: C901, PLR0915 - one draw after the other
    """Draw a world; with no faults at most, a healthy one."""
    rng = random.Random(seed)
    period_ms = rng.choice(PERIODS_S) * 1000
    count = rng.randint(40, 260) if period_ms < DAY_MS else rng.randint(20, 50)
    digits = rng.choice((0, 1, 1, 2, 2, 3))
    unit = 10.0**-digits
    load = 10 ** rng.uniform(-0.3, 3.5)
    while load * period_ms / HOUR_MS < 0.5 * unit:
        load *= 10
    times = [START_TS + period_ms * at + rng.randint(0, period_ms // 50) for at in range(count)]
    shape = rng.choice(("steady", "noisy", "noisy", "daily", "bursts"))
    powers = [_power(rng, shape, load, ts) for ts in times]
    steps = [0.0] + [
        (powers[at - 1] + powers[at]) / 2 * (times[at] - times[at - 1]) / HOUR_MS for at in range(1, count)
    ]
    energy = list(accumulate(steps))
    base = rng.choice((0.0, rng.uniform(1, 100), 10 ** rng.uniform(2, 7)))
    shown: list[float | None] = [round(base + passed, digits) for passed in energy]
    faults: list[str] = []
    history = rng.choice((0, 0, 3, 20, 100))
    at = history
    for _ in range(min(rng.choice((1, 1, 1, 2, 4)), most_faults)):
        if at >= count - 8:
            break
        length = min(round(10 ** rng.uniform(0, 2.2)), count - at - 6)
        kind = rng.choice(
            ("zero", "zero", "zero", "old", "other", "other stands", "rubbish", "gap", "mixed", "scale", "reset",
             "exchange", "tremble", "doubles")
        )  # fmt: skip
        faults.append(f"{kind}@{at}+{length}")
        stop = at + max(1, length)
        own = [value for value in shown[:at] if value is not None]
        if kind == "scale" and at:
            factor = 10.0 ** rng.choice((3, -1, 1, -3))
            shown[at:stop] = [None if value is None else round(value * factor, 6) for value in shown[at:stop]]
        elif kind in {"reset", "exchange"} and at:
            by = (own[-1] if own else 0.0) if kind == "reset" else rng.uniform(-2.0, 0.9) * max(1.0, (own or [1.0])[-1])
            by = min(by, own[-1]) if own else 0.0
            shown[at:] = [None if value is None else round(max(0.0, value - by), digits) for value in shown[at:]]
        elif kind == "tremble":
            shown[at:stop] = [
                None if value is None else round(value + rng.choice((-2, -1, 0, 1, 2)) * unit, digits)
                for value in shown[at:stop]
            ]
        elif kind == "gap":
            shown[at:stop] = [None] * (stop - at)
        elif kind != "doubles":
            wrong = _wrong(rng, kind, own, stop - at, load * period_ms / HOUR_MS)
            shown[at:stop] = [
                None if value is None else round(each, digits)
                for value, each in zip(shown[at:stop], wrong, strict=False)
            ]
        at = stop + rng.choice((3, 12, 30, 60))
    has_power = rng.random() < 0.5
    device = Device(
        device_id="m",
        site_id="s",
        kind=Kind.ELECTRICITY,
        period_s=period_ms / 1000,
        rated=None if rng.random() < 0.5 else max(powers) * rng.choice((1.0, 1.3, 3.0, 20.0)) + 0.001,
    )
    arrivals = []
    for number, (ts, value) in enumerate(zip(times, shown, strict=True)):
        if value is not None and value >= 0:
            power = powers[number] if has_power else None
            arrivals.append(Arrival("m", 0, ElectricityReading(ts=ts, energy_import_kwh=value, power_kw=power)))
            if any(fault.startswith("doubles") for fault in faults) and number % 3 == 0 and period_ms > 2000:
                jitter = round(max(0.0, value + rng.choice((-1, 0, 1)) * unit), digits)
                reading = ElectricityReading(ts=ts + rng.choice((40, 500)), energy_import_kwh=jitter, power_kw=power)
                arrivals.append(Arrival("m", 0, reading))
    unique = {arrival.ts: arrival for arrival in arrivals}
    return World(seed, device, [unique[ts] for ts in sorted(unique)], times, energy, unit, faults)


def _power(rng: random.Random, shape: str, load: float, ts: int) -> float:
    if shape == "steady":
        return load
    if shape == "noisy":
        return load * rng.uniform(0.6, 1.4)
    if shape == "bursts":
        return load * (3.0 if rng.random() < 0.1 else rng.uniform(0.05, 0.2))
    hour = ts // HOUR_MS % 24
    return load * rng.uniform(0.9, 1.1) if 8 <= hour < 18 else 0.0


def _wrong(rng: random.Random, kind: str, own: Sequence[float], length: int, step: float) -> list[float]:
    """What a register shows that is not its own."""
    if kind == "zero":
        return [0.0] * length
    if kind == "old":
        return [rng.choice(own) if own else 0.0] * length
    other = 10 ** rng.uniform(0, 7)
    if kind == "other stands":
        return [other] * length
    if kind == "other":
        speed = step * 10 ** rng.uniform(-1, 1)
        return [other + speed * number for number in range(length)]
    if kind == "rubbish":
        return [10 ** rng.uniform(0, 7) for _ in range(length)]
    levels = [0.0, other, rng.choice(own) if own else 1.0]
    return [levels[number * 3 // length] for number in range(length)]


def judge(world: World) -> Judged:
    """Meter a world, and hold the minutes marked `good` against what truly passed in them."""
    _, rows = KERNEL.fold(None, world.device, world.arrivals)
    minutes = {row.ts: row for row in rows if isinstance(row, MeterMinute) and row.quantity == world.field}
    events = {(row.ts, row.kind): row for row in rows if isinstance(row, MeterEvent)}
    total = world.energy[-1]
    good = [ts for ts, row in minutes.items() if row.quality is Quality.GOOD and row.increment is not None]
    good.sort()
    starts = np.array(good, dtype=np.float64)
    passed = np.interp([starts, starts + MINUTE_MS], world.times, world.energy)
    given = np.array([minutes[ts].increment for ts in good], dtype=np.float64)
    drift = np.concatenate(([0.0], np.cumsum(given - (passed[1] - passed[0]))))
    known = math.fsum(row.increment or 0.0 for row in minutes.values())
    reached = _passed(world, max(minutes) + MINUTE_MS) if minutes else 0.0
    allowed = TOLERANCE * total + 8 * world.unit + world.shifted
    return Judged(
        float(drift.max() - drift.min()),
        allowed,
        len(good) / max(1, len(minutes)),
        abs(known - reached) / total if total else 0.0,
        list(events.values()),
    )


def _passed(world: World, ts: int) -> float:
    """What had passed by a moment, in the register's unit."""
    return float(np.interp(ts, world.times, world.energy))

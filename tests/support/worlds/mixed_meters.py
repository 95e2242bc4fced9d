"""Random worlds of one meter each that combine what plants combine: media, pulses, ratios, clocks, wraps and exchanges.

`meter_worlds` draws what goes wrong between an electricity meter and fenhe one after the other. Here two or three such
things come together, of meters of every medium that count in pulses, are read every second to every day or only when
they change, with what the registry says of them (a ratio, an exchange, a rollover) and what it does not. As there, what
truly passed is known.
"""

from __future__ import annotations

import math
import random
from itertools import accumulate, pairwise
from typing import Any

from schemas.arrival import Arrival
from schemas.readings import MODELS, Kind
from schemas.registry import Device
from schemas.time import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.worlds.meter_worlds import START_TS, World
from tests.support.worlds.mixed_faults import FAULTS, ONCE, Metered, Sending

METERED = (
    *(Metered(Kind.ELECTRICITY, "energy_import_kwh", "power_kw"),) * 3,
    Metered(Kind.WATER, "volume_m3", "flow_m3_h"),
    Metered(Kind.GAS, "volume_m3", "flow_m3_h"),
    Metered(Kind.STEAM, "mass_t", "flow_t_h"),
    Metered(Kind.HEAT, "heat_gj", None),
    Metered(Kind.PRODUCTION, "mass_t", None),
    Metered(Kind.GANGUE_UNIT, "generated_mwh", "power_mw"),
)
PERIODS_S = (1, 2, 5, 10, 15, 30, 60, 60, 60, 120, 300, 300, 600, 900, 900, 900, 1800, 3600, 3600, 7200, 21_600, 86_400)
PULSES = (0.001, 0.01, 0.1, 0.1, 1.0, 1.0, 10.0)
HALF_SECOND_MS = 500


def draw(seed: int) -> World:
    """Draw a world."""
    rng = random.Random(seed)
    sending = _healthy(rng)
    count = len(sending.times)
    at = max(1, rng.choice((1, 3, 20, 60, 120)))
    kinds = [*FAULTS]
    for _ in range(rng.choice((1, 2, 2, 3))):
        if at >= count - 8:
            break
        length = min(max(1, round(10 ** rng.uniform(0, 2.0))), count - at - 6)
        name = rng.choice(kinds)
        if FAULTS[name](sending, at, at + length):
            sending.faults.append(f"{name}@{at}+{length}")
            if name in ONCE:
                kinds.remove(name)
        at += length + rng.choice((1, 3, 12, 40))
    return _sent(seed, sending)


def _healthy(rng: random.Random) -> Sending:
    metered = rng.choice(METERED)
    period_ms = rng.choice(PERIODS_S) * 1000
    count = rng.randint(40, 260) if period_ms < 6 * HOUR_MS else rng.randint(20, 60)
    pulse = rng.choice(PULSES)
    load = 10 ** rng.uniform(-0.3, 3.5)
    while load * period_ms / HOUR_MS < rng.choice((0.2, 0.5, 3.0)) * pulse:
        load *= 10
    most_jitter = rng.choice((0, period_ms // 50, period_ms // 10))
    times = [START_TS + period_ms * at + rng.randint(0, most_jitter) for at in range(count)]
    shape = rng.choice(("steady", "noisy", "noisy", "daily", "bursts", "batches", "steps"))
    powers, level = [], 1.0
    for ts in times:
        if rng.random() < 0.03:
            level = rng.choice((0.0, 0.2, 0.5, 1.0, 1.0, 2.0))
        powers.append(load * _shape(rng, shape, ts, level))
    has_export = metered.kind is Kind.ELECTRICITY and rng.random() < 0.3
    net = [power - load * _sun(ts) * rng.choice((0.5, 1.5)) for ts, power in zip(times, powers, strict=True)]
    exported = _counted(times, [max(0.0, -each) for each in net]) if has_export else []
    powers = [max(0.0, each) for each in net] if has_export else powers
    energy = _counted(times, powers)
    steps = [0.0] + [new - old for old, new in pairwise(energy)]
    base = rng.choice((0.0, rng.uniform(1, 100), 10 ** rng.uniform(2, 7)))
    has_rate = metered.rate is not None and rng.random() < 0.5
    blur = rng.choice((0.0, 0.01, 0.03))
    rates = [power * (1 + rng.gauss(0, blur)) if has_rate else None for power in (net if has_export else powers)]
    sending = Sending(rng, metered, period_ms, pulse, times, powers, energy, has_rate, [], [*times], [*rates])
    sending.shown = [sending.pulses(base + passed) for passed in energy]
    also = rng.choice((0.0, rng.uniform(1, 100), 10 ** rng.uniform(2, 7)))
    sending.exported = [sending.pulses(also + passed) for passed in exported]
    if rng.random() < 0.15:
        sending.faults.append("on change")
        last, since = None, 0
        for at, value in enumerate(sending.shown):
            since += 1
            if value == last and since < rng.choice((5, 20)):
                sending.shown[at] = None
            else:
                if since > 1 and value != last:  # when after the reading before it changed is not known
                    sending.shifted += steps[at]
                last, since = value, 0
    return sending


def _counted(times: list[int], powers: list[float]) -> list[float]:
    """What a register has counted at each reading."""
    steps = [(powers[at - 1] + powers[at]) / 2 * (times[at] - times[at - 1]) / HOUR_MS for at in range(1, len(times))]
    return list(accumulate(steps, initial=0.0))


def _sun(ts: int) -> float:
    return max(0.0, math.sin(2 * math.pi * (ts % DAY_MS / DAY_MS - 0.25)))


def _shape(rng: random.Random, shape: str, ts: int, level: float) -> float:
    if shape == "steady":
        return 1.0
    if shape == "noisy":
        return rng.uniform(0.6, 1.4)
    if shape == "bursts":
        return 3.0 if rng.random() < 0.1 else rng.uniform(0.05, 0.2)
    if shape == "steps":
        return level
    if shape == "batches":
        return level * rng.uniform(0.9, 1.1) if ts // (40 * MINUTE_MS) % 3 else 0.0
    return rng.uniform(0.9, 1.1) if 8 <= ts // HOUR_MS % 24 < 18 else 0.0


def _sent(seed: int, s: Sending) -> World:
    """Put readings together as they are sent."""
    rng, metered = s.rng, s.metered
    rated = None
    if rng.random() < 0.5:
        rated = max(s.powers) * rng.choice((1.0, 1.3, 3.0, 20.0)) + 0.001
    device = Device.model_validate(
        {"device_id": "m", "site_id": "s", "kind": metered.kind, "period_s": s.period_ms / 1000, "rated": rated}
        | s.registered
    )
    model = MODELS[metered.kind]
    sent: dict[int, Arrival] = {}

    def send(ts: int, value: float, rate: float | None, exported: float | None) -> None:
        values: dict[str, Any] = {"ts": ts, metered.register: value}
        if rate is not None and metered.rate is not None:
            values[metered.rate] = rate
        if exported is not None:
            values["energy_export_kwh"] = exported
        sent.setdefault(ts, Arrival("m", 0, model.model_construct(**values)))

    for number, (ts, value, rate) in enumerate(zip(s.stamps, s.shown, s.rates, strict=True)):
        if value is None or value < 0:
            continue
        exported = s.exported[number] if s.exported else None
        send(ts, value, rate, exported)
        if s.doubled and number % 3 == 0 and value != s.own(number) and s.period_ms > 4 * HALF_SECOND_MS:
            step = 0.0 if "changes" in s.registered else s.pulse
            other = round(max(0.0, value + rng.choice((-1, 0, 1)) * step), 6)
            send(ts + rng.choice((40, HALF_SECOND_MS)), other, rate, exported)
    arrivals = [sent[ts] for ts in sorted(sent)]
    return World(seed, device, arrivals, s.times, s.energy, s.pulse, s.faults, metered.register, s.shifted)

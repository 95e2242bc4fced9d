"""What goes wrong with a meter's readings, one kind a function: each changes what is sent from a reading on.

A kind returns whether it fitted. What nothing but another meter could tell is not drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.time import QUARTER_MS
from streams.kernels.metering.witness import STRETCH_PERIODS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from schemas.readings import Kind

WRAPS = (
    65_536.0,
    6_553.6,
    655.36,
    16_777.216,
    167_772.16,
    42_949.67296,
    4_294_967.296,
    10_000.0,
    100_000.0,
    1_000_000.0,
)


class Metered(NamedTuple):
    """A register, and the instantaneous value beside it."""

    kind: Kind
    register: str
    rate: str | None


KNOWN = 20
"""Readings before which hardly anything is known of a register."""
MOST_JITTER = 0.35
"""A clock that is off by less than this share of a period looks like readings that come early and late."""


@dataclass
class Sending:
    """What a meter is about to send, and what truly passed."""

    rng: random.Random
    metered: Metered
    period_ms: int
    pulse: float
    times: list[int]
    powers: list[float]
    energy: list[float]
    has_rate: bool
    shown: list[float | None]
    stamps: list[int]
    rates: list[float | None]
    faults: list[str] = field(default_factory=list)
    registered: dict[str, object] = field(default_factory=dict)
    exported: list[float] = field(default_factory=list)
    """What the export register shows, of a meter that has one."""
    doubled: bool = False
    shifted: float = 0.0
    """What may be good and yet stand at another time, because a clock was off."""

    @property
    def is_settled(self) -> bool:
        """Whether what holds of it from when on is drawn already, or times are not what they say."""
        return "changes" in self.registered or any("clock" in fault for fault in self.faults)

    @property
    def per_reading(self) -> float:
        """What passes between two readings in the mean."""
        return self.energy[-1] / max(1, len(self.energy) - 1)

    @property
    def greatest(self) -> float:
        """Most that passes between two readings."""
        return max(new - old for old, new in zip(self.energy, self.energy[1:], strict=False))

    def pulses(self, value: float) -> float:
        """What a register shows that has counted so much: whole pulses."""
        return round(int(value / self.pulse + 1e-6) * self.pulse, 6)

    def own(self, at: int) -> float:
        """What it showed last before a reading."""
        return next((value for value in reversed(self.shown[:at]) if value is not None), 0.0)

    def shift(self, at: int, by: float) -> None:
        """Show another value from a reading on, and count on from there."""
        self.shown[at:] = [None if value is None else round(max(0.0, value + by), 6) for value in self.shown[at:]]

    def between(self, at: int) -> tuple[int, float]:
        """A moment between a reading and the one before it, and what had passed by then."""
        share = self.rng.uniform(0.1, 0.9)
        before, after = self.times[at - 1], self.times[at]
        passed = self.energy[at - 1] + share * (self.energy[at] - self.energy[at - 1])
        return int(before + share * (after - before)), passed


def _zero(s: Sending, at: int, stop: int) -> bool:
    s.shown[at:stop] = [0.0] * (stop - at)
    return True


def _old(s: Sending, at: int, stop: int) -> bool:
    s.shown[at:stop] = [s.rng.choice(s.shown[:at])] * (stop - at)
    return True


def _other(s: Sending, at: int, stop: int) -> bool:
    value, speed = 10 ** s.rng.uniform(0, 7), s.per_reading * s.rng.choice((0.0, 0.1, 0.5, 1.0, 3.0))
    s.shown[at:stop] = [s.pulses(value + speed * number) for number in range(stop - at)]
    return True


def _gap(s: Sending, at: int, stop: int) -> bool:
    s.shown[at:stop] = [None] * (stop - at)
    return True


def _near(s: Sending, at: int, _stop: int) -> bool:
    """Exchanged for a meter that shows a few readings' usage more or less."""
    by = s.greatest * s.rng.choice((-1, 1)) * s.rng.uniform(4, 40)
    if "changes" in s.registered or s.own(at) < abs(by):
        return False
    s.shift(at, s.pulses(abs(by)) * (1 if by > 0 else -1))
    return True


def _swapped(s: Sending, at: int, _stop: int) -> bool:
    """Import and export are swapped from now on; power says so."""
    if not s.exported or not s.has_rate or abs(s.own(at) - s.exported[at]) < 4 * s.greatest:
        return False
    imported = s.shown[at:]
    s.shown[at:] = list(s.exported[at:])
    s.exported[at:] = [s.own(at) if value is None else value for value in imported]
    return True


def _far(s: Sending, at: int, _stop: int) -> bool:
    by = s.rng.uniform(0.1, 1.0) * s.own(at)
    if by < 4 * s.greatest:
        return False
    s.shift(at, -s.pulses(by))
    return True


def _reset(s: Sending, at: int, _stop: int) -> bool:
    if s.own(at) < 4 * s.greatest:
        return False
    s.shift(at, -s.own(at))
    return True


def _exchanged(s: Sending, at: int, _stop: int) -> bool:
    """An exchange whose final reading is registered."""
    if s.is_settled:
        return False
    moment, passed = s.between(at)
    final = s.pulses(s.own(at) + passed - s.energy[at - 1])
    first = s.rng.choice((0.0, s.pulses(s.rng.uniform(0, 2 * final))))
    s.shown[at:] = [s.pulses(first + energy - passed) for energy in s.energy[at:]]
    name = s.metered.register
    s.registered["changes"] = [{"valid_from": moment, "final": {name: final}, "first": {name: first}}]
    return True


def _ratio(s: Sending, at: int, _stop: int) -> bool:
    """Other transformers, registered from a moment on; the meter counts on, or shows the same in another unit."""
    if s.is_settled:
        return False
    old, new = s.rng.choice(((1.0, 80.0), (80.0, 120.0), (200.0, 1.0), (40.0, 20.0), (1.0, 0.001)))
    moment, passed = s.between(at)
    name, rate = s.metered.register, s.metered.rate
    before = [None if value is None else round(value / old, 6) for value in s.shown[:at]]
    face = next((value for value in reversed(before) if value is not None), 0.0) + (passed - s.energy[at - 1]) / old
    after: list[float | None] = [round(face + (energy - passed) / new, 6) for energy in s.energy[at:]]
    if s.rng.random() < 0.3:
        after = [None if value is None else round(value / new, 6) for value in s.shown[at:]]
    s.shown = [*before, *after]
    fields = [name] if rate is None else [name, rate]
    s.registered["multiplier"] = dict.fromkeys(fields, old)
    s.registered["changes"] = [{"valid_from": moment, "multiplier": dict.fromkeys(fields, new)}]
    s.rates = [None if each is None else each / (old if ts < moment else new)
               for ts, each in zip(s.times, s.rates, strict=True)]  # fmt: skip
    s.pulse *= max(old, new)
    return True


def _wrap(s: Sending, at: int, _stop: int) -> bool:
    """The register wraps at a reading, registered or not."""
    if set(s.faults) - {"on change"}:
        return False
    fits = [wrap for wrap in WRAPS if wrap > 3 * s.energy[-1] and wrap >= 100 * s.pulse]
    if not fits or s.shown[at] is None:
        return False
    wraps_at = s.rng.choice(fits)
    value = s.shown[at] or 0.0
    by = wraps_at - value + s.rng.uniform(0, 0.9) * (s.energy[at] - s.energy[at - 1])
    s.shown = [None if each is None else round((each + by) % wraps_at, 6) for each in s.shown]
    if s.rng.random() < 0.4:
        s.registered["rollover"] = {s.metered.register: wraps_at}
    return True


def _doubles(s: Sending, _at: int, _stop: int) -> bool:
    if any("cached" in fault for fault in s.faults):
        return False
    s.doubled = True
    return True


def _clock_steps(s: Sending, at: int, stop: int) -> bool:
    """Its clock is off for a while; that no two readings bear one time is left to who takes them in."""
    by = s.rng.choice((-28_807_000, -3_607_000, -125_000, -17_000, 3_607_000, 28_807_000, 12 * s.period_ms + 7_000))
    if s.is_settled or not s.times[0] <= s.stamps[at] + by <= s.stamps[stop] + by <= s.times[-1]:
        return False
    s.stamps[at:stop] = [ts + by for ts in s.stamps[at:stop]]
    moments = np.array(s.times[at - 1 : stop + 1], dtype=np.float64)
    passed = np.interp(moments + by, s.times, s.energy) - np.interp(moments, s.times, s.energy)
    is_jitter = abs(by) < MOST_JITTER * s.period_ms
    s.shifted += float(np.abs(passed).max() if is_jitter else passed.max() - passed.min())
    return True


def _clock_crawls(s: Sending, at: int, stop: int) -> bool:
    if at < 12 or s.is_settled:
        return False
    speed = s.rng.choice((0.1, 0.3, 0.5, 0.7))
    begun = s.stamps[at]
    s.shifted += s.greatest  # so much jitter may come to
    s.stamps[at:stop] = [round(begun + speed * (ts - begun)) for ts in s.stamps[at:stop]]
    return stop - at > 1


def _cached(s: Sending, at: int, stop: int) -> bool:
    """A gateway sends its last reading again and again, value and power."""
    if s.doubled or (not s.has_rate and s.energy[stop] - s.energy[at - 1] < 2 * s.greatest):
        return False
    s.shown[at:stop] = [s.own(at)] * (stop - at)
    s.rates[at:stop] = [s.rates[at - 1]] * (stop - at)
    return True


def _torn(s: Sending, at: int, stop: int) -> bool:
    """A register of two words is read between the two: now and again one carry too much or too little."""
    carry = s.rng.choice((65_536, 256)) * s.pulse
    if carry < 4 * s.greatest:
        return False
    for each in range(at, stop):
        if s.shown[each] is not None and s.rng.random() < 0.2:
            s.shown[each] = round(max(0.0, (s.shown[each] or 0.0) + s.rng.choice((-1, 1)) * carry), 6)
    return True


def _sentinel(s: Sending, at: int, stop: int) -> bool:
    s.shown[at:stop] = [s.rng.choice((4_294_967_295.0, 65_535.0, 2_147_483_647.0)) * s.rng.choice((1.0, s.pulse))] * (
        stop - at
    )
    return True


def _rate_stands(s: Sending, at: int, stop: int) -> bool:
    """Power stands, while the register counts on as it should."""
    s.rates[at:stop] = [s.rates[at - 1]] * (stop - at)
    return s.has_rate


def _pulses_lost(s: Sending, at: int, stop: int) -> bool:
    """The register stands, or counts too little, and what passed meanwhile is lost; power is sent."""
    lasts = stop - at >= STRETCH_PERIODS and s.times[stop] - s.times[at] >= QUARTER_MS
    if not s.has_rate or not lasts or s.per_reading * (stop - at) < 100 * s.pulse:
        return False
    share = s.rng.choice((0.0, 0.3, 2 / 3))
    lost, found = 0.0, []
    for each in range(at, len(s.shown)):
        if each < stop:
            lost += (1 - share) * (s.energy[each] - s.energy[each - 1])
        found.append(None if s.shown[each] is None else s.pulses((s.shown[each] or 0.0) - lost))
    s.shown[at:] = [None if value is None else max(0.0, value) for value in found]
    return True


def _coarser(s: Sending, at: int, _stop: int) -> bool:
    """From now on it shows a digit less."""
    if s.is_settled or s.per_reading < 40 * s.pulse:
        return False
    s.pulse *= 10
    s.shown[at:] = [None if value is None else s.pulses(value) for value in s.shown[at:]]
    return True


def _unit(s: Sending, at: int, stop: int) -> bool:
    if s.own(at) < 100 * s.greatest:
        return False
    factor, until = s.rng.choice((1000.0, 0.001, 10.0, 0.1)), s.rng.choice((stop, len(s.shown)))
    until = stop if at < KNOWN else until  # else nobody can tell which unit is right
    s.shown[at:until] = [None if value is None else round(value * factor, 6) for value in s.shown[at:until]]
    return True


FAULTS: dict[str, Callable[[Sending, int, int], bool]] = {
    "zero": _zero,
    "old": _old,
    "other": _other,
    "gap": _gap,
    "near": _near,
    "swapped": _swapped,
    "far": _far,
    "reset": _reset,
    "exchanged": _exchanged,
    "ratio": _ratio,
    "wrap": _wrap,
    "doubles": _doubles,
    "clock steps": _clock_steps,
    "clock crawls": _clock_crawls,
    "cached": _cached,
    "torn": _torn,
    "sentinel": _sentinel,
    "rate stands": _rate_stands,
    "pulses lost": _pulses_lost,
    "coarser": _coarser,
    "unit": _unit,
}
ONCE = frozenset({"wrap", "doubles", "coarser", "swapped"})

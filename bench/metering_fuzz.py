"""`python -m bench.metering_fuzz --seeds 20`: a steel works' real year with faults drawn at random, and what is missed.

    python -m bench.metering_fuzz --minutes 60 --digits 1 --wrap 1e6 --apart 6 --edges
    python -m bench.metering_fuzz --worlds 10000
    python -m bench.metering_fuzz --worlds 1000 --healthy
    python -m bench.metering_fuzz --worlds 10000 --mixed

Each seed puts fourteen faults of every kind that a meter shows into the year, at random places, of random size, in
random order; even seeds have a rating registered, odd ones do not. Printed is each fault that was not recognised as
what it is, every event that nothing caused, and the error of energy.

`--worlds` draws worlds of a meter each instead (`tests/support/worlds/meter_worlds.py`), and counts those in which a
figure that is wrong by more than 0.1 % is marked `good`; with `--mixed` those of `mixed_meters.py`, where several
things come together.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter
from functools import partial
from time import process_time
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import MeterEventKind
from tests.support.worlds import mixed_meters
from tests.support.worlds.meter_worlds import draw, judge
from tests.support.worlds.steel import meter, quarters, register

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.support.worlds.meter_worlds import World as Drawn
    from tests.support.worlds.steel import Points

KINDS = (
    *(MeterEventKind.GAP,) * 3,
    *(MeterEventKind.CATCH_UP,) * 2,
    *(MeterEventKind.SPIKE,) * 4,
    *(MeterEventKind.NOISE_DIP,) * 2,
    MeterEventKind.RESET,
    MeterEventKind.REPLACEMENT,
    MeterEventKind.ROLLOVER,
)
MOST_FAULTS = 4
"""In a random world."""
SETTLED_DAYS = 15
"""Nothing is drawn before: a meter's habits are learned first."""
IDLE_KWH = 10.0
"""A quarter of an hour with less is one in which the works stand."""


class World(NamedTuple):
    """How the register is read, and where faults may be."""

    minutes: int
    """Between two readings."""
    digits: int
    wrap: float
    """Where it rolls over, kWh."""
    apart_h: float
    """At least this long between two faults."""
    at_edges: bool
    """Only where the works start or stop."""
    days: int

    @property
    def per_day(self) -> int:
        """Readings in a day."""
        return 1440 // self.minutes


class Fault(NamedTuple):
    """One fault, put in at a reading."""

    kind: MeterEventKind
    number: int
    length: int
    detail: str


class Faulted(NamedTuple):
    """A register with its faults."""

    points: Points
    faults: list[Fault]


def increments(kwh: Sequence[float], minutes: int) -> list[float]:
    """Energy between readings, of a register that counts evenly within each quarter of an hour."""
    if minutes >= 15:
        width = minutes // 15
        return [math.fsum(kwh[at : at + width]) for at in range(0, len(kwh) - width + 1, width)]
    parts = 15 // minutes
    return [each / parts for each in kwh for _ in range(parts)]


def faulted(steps: Sequence[float], world: World, seed: int) -> Faulted:
    """Draw faults and put them in."""
    draw = random.Random(seed)
    base = min(1_234_567.8, 0.3 * world.wrap)
    points = [(number, round(value, world.digits)) for number, value in register(list(steps), base)]
    faults = []
    for number, kind in _in_turn(draw, _places(draw, steps, world)):
        points, fault = _put(draw, points, kind, number, world)
        faults.append(fault)
    return Faulted(points, faults)


def _places(draw: random.Random, steps: Sequence[float], world: World) -> list[int]:
    """Readings at which faults begin."""
    first, last = SETTLED_DAYS * world.per_day, len(steps) - 8 * world.per_day
    idle = IDLE_KWH * world.minutes / 15
    candidates = [
        number
        for number in range(first, last)
        if not world.at_edges or (steps[number - 1] > idle) != (steps[number] > idle)
    ]
    apart = world.apart_h * 60 / world.minutes
    places: list[int] = []
    while len(places) < len(KINDS):
        number = draw.choice(candidates)
        if all(abs(number - other) >= apart for other in places):
            places.append(number)
    return sorted(places)


def _in_turn(draw: random.Random, places: list[int]) -> list[tuple[int, MeterEventKind]]:
    """Places and kinds in the order they are put in: a register rolls over before it is reset or replaced."""
    kinds = [*KINDS]
    draw.shuffle(kinds)
    breaks = {MeterEventKind.ROLLOVER, MeterEventKind.RESET, MeterEventKind.REPLACEMENT}
    at_breaks = [at for at, kind in enumerate(kinds) if kind in breaks]
    first = next(at for at in at_breaks if kinds[at] is MeterEventKind.ROLLOVER)
    kinds[first], kinds[at_breaks[0]] = kinds[at_breaks[0]], kinds[first]
    planned = list(zip(places, kinds, strict=True))
    rollover = planned.pop(at_breaks[0])
    return [rollover, *planned]


def _put(draw: random.Random, points: Points, kind: MeterEventKind, number: int, world: World) -> tuple[Points, Fault]:
    """Put one fault in."""
    value = dict(points)
    before = max(at for at in value if at < number)
    held_back = 60 // world.minutes or 1
    if number not in value and kind is not MeterEventKind.ROLLOVER:
        return points, Fault(kind, -1, 0, "")  # within a gap: nothing is there to go wrong
    if kind is MeterEventKind.GAP:
        length = max(4, round(draw.choice((1, 1.5, 3, 7.5, 24, 37.5)) * held_back))
        kept = [point for point in points if not number <= point[0] < number + length]
        return kept, Fault(kind, number, length, f"{length} readings")
    if kind is MeterEventKind.CATCH_UP:
        length = max(4, round(draw.choice((2, 3, 5, 7.5)) * held_back))
        held = {at: value[before] for at in range(number, number + length) if at in value}
        return _changed(points, held, world), Fault(kind, number, length, f"{length} readings")
    if kind in {MeterEventKind.SPIKE, MeterEventKind.NOISE_DIP}:
        sign = 1 if kind is MeterEventKind.SPIKE else -1
        size = min(draw.choice((300.0, 2_000.0, 50_000.0, 0.9 * value[before])), 0.95 * (world.wrap - value[before]))
        wrong = {number: value.get(number, value[before]) + sign * size}
        return _changed(points, wrong, world), Fault(kind, number, 1, f"{sign * size:.0f} kWh")
    if kind is MeterEventKind.ROLLOVER:
        base = world.wrap - draw.uniform(1.0, 20.0) - value[before]
        rolled = [(at, round((energy + base) % world.wrap, world.digits)) for at, energy in points]
        falls = next(at for (at, energy), (_, last) in zip(rolled[1:], rolled, strict=False) if energy < last)
        return rolled, Fault(kind, falls, 1, f"at {world.wrap:g} kWh")
    by = (
        -value[before]
        if kind is MeterEventKind.RESET
        else draw.choice((-1, 1)) * draw.uniform(0.05, 0.9) * value[before]
    )
    by = min(by, 0.95 * world.wrap - value[before])
    return (
        [(at, round(energy + by, world.digits) if at >= number else energy) for at, energy in points],
        Fault(kind, number, 1, f"{by:.0f} kWh"),
    )


def _changed(points: Points, values: dict[int, float], world: World) -> Points:
    return [(at, round(values.get(at, energy), world.digits)) for at, energy in points]


def worlds(drawn: Callable[[int], Drawn], first: int, count: int) -> None:
    """Count worlds in which a wrong figure is marked `good`."""
    wrong = Counter[str]()
    good = seconds = 0.0
    readings = 0
    for seed in range(first, first + count):
        world = drawn(seed)
        begun = process_time()
        judged = judge(world)
        seconds += process_time() - begun
        readings += len(world.arrivals)
        good += judged.good_share
        if judged.is_wrong:
            wrong["+".join(sorted({fault.split("@")[0] for fault in world.faults}))] += 1
            print(
                f"seed {seed}: {judged.wrong_kwh:.3f} of {world.energy[-1]:.1f} kWh wrong and good: {world.faults}",
                flush=True,
            )
    share = 100 * good / count
    print(f"\n{wrong.total()} of {count} worlds hold a wrong figure marked good; {share:.1f} % of minutes are good")
    print(f"{1e6 * seconds / readings:.1f} us of CPU per reading; {dict(wrong.most_common())}")


def main() -> None:
    """Draw, meter, compare."""
    parser = argparse.ArgumentParser(prog="python -m bench.metering_fuzz", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--minutes", type=int, default=15, help="between two readings: a part or a multiple of 15")
    parser.add_argument("--digits", type=int, default=2, help="decimals that the register shows")
    parser.add_argument("--wrap", type=float, default=1e7, help="where the register rolls over, kWh")
    parser.add_argument("--apart", type=float, default=36.0, help="hours between two faults, at least")
    parser.add_argument("--edges", action="store_true", help="only where the works start or stop")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--worlds", type=int, default=0, help="so many random worlds instead of the steel year")
    parser.add_argument("--mixed", action="store_true", help="worlds in which several things come together")
    parser.add_argument("--healthy", action="store_true", help="worlds in which nothing goes wrong")
    options = parser.parse_args()
    if options.worlds:
        one_kind = partial(draw, most_faults=0 if options.healthy else MOST_FAULTS)
        worlds(mixed_meters.draw if options.mixed else one_kind, options.first, options.worlds)
        return
    world = World(options.minutes, options.digits, options.wrap, options.apart, options.edges, options.days)
    steps = increments(quarters()[: 96 * world.days], world.minutes)
    truth = math.fsum(steps)
    missed, seen = Counter[str](), Counter[str]()
    extra = 0
    worst = 0.0
    for seed in range(options.first, options.first + options.seeds):
        points, faults = faulted(steps, world, seed)
        found = meter(points, rated=None if seed % 2 else 800.0, rollover=world.wrap, period_s=60 * world.minutes)
        faults = [fault for fault in faults if fault.number >= 0]
        for fault in faults:
            seen[fault.kind] += 1
            before = max(at for at, _ in points if at < fault.number)  # where a gap's end and a break are the same
            kinds = set[MeterEventKind]().union(
                *(found.kinds(at, reach=2) for at in (before, fault.number, fault.number + fault.length))
            )
            if fault.kind not in kinds:
                missed[fault.kind] += 1
                day, reading = divmod(fault.number, world.per_day)
                hour = 24 * reading / world.per_day
                print(f"seed {seed}: {fault.kind} ({fault.detail}) on day {day} at {hour:.2f} h: {sorted(kinds)}")
        caused = sum(1 + (fault.kind is MeterEventKind.CATCH_UP) for fault in faults)  # a freeze comes before it
        surplus = len(found.events) - caused
        error = found.total / truth - 1
        worst = max(worst, abs(error))
        extra += max(0, surplus)
        print(f"seed {seed}: energy {error:+.4%}, {surplus:+d} events", flush=True)
    print(f"\n{sum(seen.values())} faults, missed {dict(missed)} of {dict(seen)}; {extra} events too many;"
          f" worst error of energy {worst:.4%}")  # fmt: skip


if __name__ == "__main__":
    main()

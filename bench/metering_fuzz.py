"""`python -m bench.metering_fuzz --seeds 20`: a steel works' real year with faults drawn at random, and what is missed.

Each seed puts fourteen faults of every kind that a meter shows into the year, at random places, of random size, in
random order; even seeds have a rating registered, odd ones do not. Printed is each fault that was not recognised as
what it is, every event that nothing caused, and the year's error of energy.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import MeterEventKind
from tests.support.steel import TOTAL_KWH, meter, quarters, register

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.steel import Points

DAY = 96
WRAP = 10_000_000.0
KINDS = (
    *(MeterEventKind.GAP,) * 3,
    *(MeterEventKind.CATCH_UP,) * 2,
    *(MeterEventKind.SPIKE,) * 4,
    *(MeterEventKind.NOISE_DIP,) * 2,
    MeterEventKind.RESET,
    MeterEventKind.REPLACEMENT,
    MeterEventKind.ROLLOVER,
)
SETTLED_DAYS = 15
"""Nothing is drawn before: a meter's habits are learned first."""


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


def faulted(kwh: Sequence[float], seed: int) -> Faulted:
    """Draw a year's faults and put them in, at least a day and a half apart."""
    draw = random.Random(seed)
    points = register(list(kwh))
    days = draw.sample(range(SETTLED_DAYS, 355, 2), len(KINDS))
    faults = []
    for day, kind in _in_turn(draw, sorted(days)):
        number = day * DAY + draw.randrange(DAY)
        points, length, detail = _put(draw, points, kind, number)
        faults.append(Fault(kind, number, length, detail))
    return Faulted(points, faults)


def _in_turn(draw: random.Random, days: list[int]) -> list[tuple[int, MeterEventKind]]:
    """Days and kinds in the order they are put in: a register rolls over before it is reset or replaced, if at all."""
    kinds = [*KINDS]
    draw.shuffle(kinds)
    breaks = {MeterEventKind.ROLLOVER, MeterEventKind.RESET, MeterEventKind.REPLACEMENT}
    places = [at for at, kind in enumerate(kinds) if kind in breaks]
    first = next(at for at in places if kinds[at] is MeterEventKind.ROLLOVER)
    kinds[first], kinds[places[0]] = kinds[places[0]], kinds[first]
    planned = list(zip(days, kinds, strict=True))
    rollover = planned.pop(places[0])
    return [rollover, *planned]


def _put(draw: random.Random, points: Points, kind: MeterEventKind, number: int) -> tuple[Points, int, str]:
    """Put one fault in; returns the points, how many readings it spans, and what was drawn."""
    value = dict(points)
    before = max(at for at in value if at < number)
    if kind is MeterEventKind.GAP:
        length = draw.choice((4, 6, 12, 30, 96, 150))
        return [point for point in points if not number <= point[0] < number + length], length, f"{length} quarters"
    if kind is MeterEventKind.CATCH_UP:
        # A freeze that holds back no more than ordinary quarters do is none.
        length = draw.choice((8, 12, 20, 30))
        held = {at: value[before] for at in range(number, number + length) if at in value}
        return [(at, held.get(at, energy)) for at, energy in points], length, f"{length} quarters"
    if kind in {MeterEventKind.SPIKE, MeterEventKind.NOISE_DIP}:
        sign = 1 if kind is MeterEventKind.SPIKE else -1
        size = min(draw.choice((300.0, 2_000.0, 50_000.0, 0.9 * value[before])), 0.95 * (WRAP - value[before]))
        wrong = {number: round(value.get(number, value[before]) + sign * size, 2)}
        return [(at, wrong.get(at, energy)) for at, energy in points], 1, f"{sign * size:.0f} kWh"
    if kind is MeterEventKind.RESET:
        by = -value[before]
    elif kind is MeterEventKind.ROLLOVER:
        distance = draw.uniform(1.0, 20.0)
        base = WRAP - distance - value[before]
        return [(at, round((energy + base) % WRAP, 2)) for at, energy in points], 1, f"{distance:.1f} kWh before"
    else:
        by = draw.choice((-1, 1)) * draw.uniform(0.05, 0.9) * value[before]
    return [(at, round(energy + by, 2) if at >= number else energy) for at, energy in points], 1, f"{by:.0f} kWh"


def main() -> None:
    """Draw, meter, compare."""
    parser = argparse.ArgumentParser(prog="python -m bench.metering_fuzz", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    options = parser.parse_args()
    kwh = quarters()
    missed, seen = Counter[str](), Counter[str]()
    extra = 0
    worst = 0.0
    for seed in range(options.first, options.first + options.seeds):
        points, faults = faulted(kwh, seed)
        found = meter(points, rated=None if seed % 2 else 800.0, rollover=WRAP)
        for fault in faults:
            seen[fault.kind] += 1
            kinds = found.kinds(fault.number, reach=2) | found.kinds(fault.number + fault.length, reach=2)
            if fault.kind not in kinds:
                missed[fault.kind] += 1
                day, quarter = divmod(fault.number, DAY)
                print(
                    f"seed {seed}: {fault.kind} ({fault.detail}) on day {day} at {quarter / 4:.2f} h: {sorted(kinds)}"
                )
        surplus = len(found.events) - sum(2 if fault.kind is MeterEventKind.CATCH_UP else 1 for fault in faults)
        error = found.total / TOTAL_KWH - 1
        worst = max(worst, abs(error))
        extra += max(0, surplus)
        print(f"seed {seed}: energy {error:+.4%}, {surplus:+d} events", flush=True)
    print(f"\n{sum(seen.values())} faults, missed {dict(missed)} of {dict(seen)}; {extra} events too many;"
          f" worst error of energy {worst:.4%}")  # fmt: skip


if __name__ == "__main__":
    main()

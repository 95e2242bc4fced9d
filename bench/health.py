"""`python -m bench.health`: battery health against the simulator's truth, and what its kernels cost.

A fleet (by default 700 sets, a tenth of the real one, drawn from the same distributions) over a year in compressed
time, straight through the kernels: the wire and the database add nothing to an estimate, and a year of 7 000 sets is
3.7 billion readings. `tests/support/worlds/fleet_year.py` says what is left out. `--burst` measures the kernels:
7 000 sets, each a reading a second, one call of each fold a reading.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from itertools import pairwise
from typing import TYPE_CHECKING

from schemas.metrics.battery_health import BatteryCapacity
from streams.kernels.battery.pack import PackMonitor
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth
from tests.support.worlds.battery_faults import KINDS, tally, worlds_of
from tests.support.worlds.battery_worlds import MAKERS, World, scored
from tests.support.worlds.fleet_year import FleetYear
from tests.support.worlds.health_score import score
from tests.support.worlds.sets import NASA_SET, Rig, lfp_set, nasa_discharges, nasa_readings

if TYPE_CHECKING:
    from streams.kernels.contract import Fold
    from tests.support.worlds.health_score import Score

SETS = 7_000


def main() -> None:
    """Run what the arguments ask for and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench.health", description=__doc__)
    parser.add_argument("--sets", type=int, default=700)
    parser.add_argument("--days", type=float, default=365)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--burst", action="store_true", help="measure the kernels at a reading a second of 7 000 sets")
    parser.add_argument("--nasa", action="store_true", help="the NASA cell B0005 at full rate and at 60 s")
    parser.add_argument("--worlds", type=int, help="so many sets a row of cells that the estimator has never seen")
    parser.add_argument("--faults", type=int, help="so many sets a kind whose sensor, cells or registration deceive")
    parser.add_argument("--site", action="store_true", help="with --faults: the power system measures the site's load")
    parser.add_argument("--first", type=int, default=70, help="with --faults: first seed")
    options = parser.parse_args()
    if options.burst:
        burst()
    elif options.faults:
        for kind in KINDS:
            seeds = range(options.first, options.first + options.faults)
            print(f"{kind:<28} {tally(worlds_of(kind, seeds, has_site=options.site))}")
    elif options.worlds:
        worlds(options.worlds)
    elif options.nasa:
        nasa()
    else:
        reference = health_reference()
        began = time.process_time()
        result = score(FleetYear(seed=options.seed, sets=options.sets, days=options.days), reference)
        spent = time.process_time() - began
        print(f"{options.sets} sets, {options.days:g} days, seed {options.seed}: {spent:.0f} s of CPU")
        show(result)
        if result.forecasts:
            bands(result)


def show(result: Score) -> None:
    """Print the SoH's figures."""
    single = result.single_errors
    print(f"readings through the kernel      {result.readings}, {result.kernel_us:.1f} µs each")
    print(f"largest state                    {result.state_bytes} B")
    print(f"sets cut off at least once       {result.possible} of {result.sets}: the most that can be known")
    print(f"sets with a published SoH        {len(result.errors)}")
    print(f"SoH MAE / bias                   {result.mae:.2f} / {statistics.fmean(result.errors):+.2f} points")
    print(f"90 % interval holds the truth    {result.hit_rate:.1%}")
    print(f"single discharges                {len(single)}, MAE {statistics.fmean(abs(e) for e in single):.2f} points")
    print(f"published from the flat region   {result.published_flat}")
    print(f"cells taken for others           {result.exchanged}, perhaps {result.doubted}")
    print(f"refused                          {dict(sorted(result.reasons.items()))}")


def bands(result: Score) -> None:
    """Print the forecasts' figures, by the battery's temperature at load-on."""
    print(f"backup forecasts                 {len(result.forecasts)}, within 15 % {result.within(0.15):.1%}")
    below = statistics.fmean(item.p10_h <= item.true_h for item in result.forecasts)
    print(f"true time beyond the p10         {below:.1%}")
    edges = [-30, -10, -5, 0, 5, 10, 20, 60]
    for low, high in pairwise(edges):
        own = [item.error for item in result.forecasts if low <= (item.temperature_c or 0.0) < high]
        if own:
            share = statistics.fmean(abs(error) <= 0.15 for error in own)
            mean = statistics.fmean(own)
            print(f"  {low:>3} to {high:>2} °C  {len(own):>4}  mean error {mean:+.1%}  within 15 % {share:.1%}")


def burst() -> None:
    """Cost per reading of each battery fold, one reading a call, 7 000 sets in a discharge."""
    rig = Rig(lfp_set())
    rig.say(0.0)
    rig.run(2)
    settled = len(rig.readings)
    rig.run(20 / 3600, -30.0, period_s=1.0)
    kernels: tuple[Fold, ...] = (PackMonitor(health_reference()), SetHealth(health_reference()))
    for kernel in kernels:
        start, _ = kernel.fold(None, rig.device, rig.readings[:settled])
        states = [start] * SETS
        began, rows = time.process_time(), 0
        for arrival in rig.readings[settled:]:
            for number in range(SETS):
                states[number], given = kernel.fold(states[number], rig.device, [arrival])
                rows += len(given)
        count = SETS * (len(rig.readings) - settled)
        micros = (time.process_time() - began) / count * 1e6
        size = len(kernel.dump(states[0]))
        print(f"{kernel.name:<13} {micros:.1f} µs and {rows / count:.3f} rows a reading, state {size} B")


def worlds(count: int) -> None:
    """Sets of several curves, sensors and samplers, by kind of discharge and by method."""
    makers = sorted(MAKERS)
    rng = random.Random(7)
    left = [[rng.uniform(10, 25), rng.uniform(10, 25)] for _ in range(count)]
    near = [[rng.uniform(2, 5)] for _ in range(count)]
    rows: dict[str, list[tuple[World, list[float | None]]]] = {
        "LFP to the cut-off": [(World(i, makers[i % 3]), [None] * 2) for i in range(count)],
        "LMFP and NMC to the cut-off": [(World(i, ("lmfp", "nmc")[i % 2]), [None] * 2) for i in range(count)],
        "LFP with 10-25 % left": [(World(1000 + i, makers[i % 3]), [*left[i]]) for i in range(count)],
        "  exact sensor, no hysteresis": [
            (World(1000 + i, "lfp_a", hysteresis_v=0.0, gain=0.0, offset_c=0.0), [left[i][0]]) for i in range(count)
        ],
        "  exact sensor, 5 mV": [
            (World(1000 + i, "lfp_a", hysteresis_v=0.005, gain=0.0, offset_c=0.0), [left[i][0]]) for i in range(count)
        ],
        "LFP with 2-5 % left": [(World(i, makers[i % 3]), [*near[i]]) for i in range(count)],
        "gain off by 3 %": [(World(i, makers[i % 3], gain=(-0.03, 0.03)[i % 2]), [None]) for i in range(count)],
        "  registered": [
            (World(i, makers[i % 3], gain=(-0.03, 0.03)[i % 2], accuracy=0.03), [None]) for i in range(count)
        ],
        "offset of 0.5 A": [(World(i, makers[i % 3], offset_c=(-0.005, 0.005)[i % 2]), [None]) for i in range(count)],
        "weakest cell's channel dead": [(World(i, makers[i % 3], dead_channel=-1), [None]) for i in range(count)],
    }
    for name, of_row in rows.items():
        print(name)
        for method, found in scored(of_row).items():
            if found.errors or found.refused:
                print(f"    {method}: {found}")


def nasa() -> None:
    """SoH of every discharge of the NASA cell against the data set's label."""
    discharges = nasa_discharges()
    for every_s in (0.0, 60.0):
        rows = SetHealth(health_reference()).fold(None, NASA_SET, nasa_readings(discharges, every_s=every_s))[1]
        last = {row.ts: row for row in rows if isinstance(row, BatteryCapacity)}
        errors = [
            abs(row.capacity_ah - discharge.capacity_ah) / 2.0 * 100
            for row, discharge in zip(last.values(), discharges, strict=True)
            if row.capacity_ah is not None
        ]
        rate = f"one sample in {every_s:g} s" if every_s else "full rate"
        mean = statistics.fmean(errors)
        print(f"{rate}: {len(errors)} of {len(discharges)}, MAE {mean:.4f} points, worst {max(errors):.3f}")


if __name__ == "__main__":
    main()

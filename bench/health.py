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
from streams.kernels.battery.fusion import Z_90
from streams.kernels.battery.pack import PackMonitor
from streams.kernels.battery.prospects.state_of_health import StateOfHealth
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth
from tests.support.worlds.battery_faults import Doubtful
from tests.support.worlds.battery_worlds import MAKERS, MethodScore, scored
from tests.support.worlds.fault_kinds import KINDS, tally, turn_of, worlds_of
from tests.support.worlds.fleet_year import FleetYear
from tests.support.worlds.health_score import score
from tests.support.worlds.method_worlds import METHODS, scores_of
from tests.support.worlds.scenario_sets import scores_of_scenario
from tests.support.worlds.sets import NASA_SET, Rig, lfp_set, nasa_discharges, nasa_readings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streams.kernels.contract import Fold
    from tests.support.worlds.health_score import Score
    from tests.support.worlds.method_worlds import Scores

    Drawn = tuple[Doubtful, list[float | None]]

SETS = 7_000
REGISTERED = 0.01
"""Class of the current sensors of the worlds, which are drawn within."""


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
    parser.add_argument("--kind", help="with --faults: of this kind alone")
    parser.add_argument("--methods", type=int, help="so many sets of five makers, discharged in every way, by method")
    parser.add_argument("--scenario", type=int, help="so many sets of the scenario `capacity-tests`, by method; --seed")
    parser.add_argument("--site", action="store_true", help="with --faults: the power system measures the site's load")
    parser.add_argument("--first", type=int, default=70, help="with --faults, --methods and --worlds: first seed")
    options = parser.parse_args()
    if options.burst:
        burst()
    elif options.faults:
        for kind in [options.kind] if options.kind else KINDS:
            faults(kind, range(options.first, options.first + options.faults), has_site=options.site)
    elif options.methods:
        methods(range(options.first, options.first + options.methods))
    elif options.scenario:
        by_method("capacity-tests", scores_of_scenario(seed=options.seed, sets=options.scenario))
    elif options.worlds:
        worlds(options.worlds, options.first)
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
    if apart := result.two_point_errors:
        print(
            f"between two rests, not fused     {len(apart)}, MAE {statistics.fmean(abs(e) for e in apart):.2f} points"
        )
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


def faults(kind: str, seeds: Sequence[int], *, has_site: bool) -> None:
    """Sets of one kind that deceive: what is shown of them, and whether it holds."""
    sets = worlds_of(kind, seeds, has_site=has_site)
    turn = turn_of(sets)
    print(f"{kind:<28} {tally(sets)}" + (f"; {turn}" if turn else ""), flush=True)


def methods(seeds: Sequence[int]) -> None:
    """Every method by itself, and what is shown after each discharge."""
    for group, scores in scores_of(seeds).items():
        by_method(group, scores)


def by_method(group: str, scores: Scores) -> None:
    """Print the figures of one group of sets."""
    for name in METHODS:
        if name in scores.by_method:
            print(f"{group:<10} {name:<10} {scores.by_method[name]}")
    print(f"{group:<10} refused    {dict(sorted(scores.refused.items()))}", flush=True)


def worlds(count: int, first: int) -> None:
    """Sets of several curves, sensors and samplers, by kind of discharge and by method; from a first seed on."""
    makers = sorted(MAKERS)
    rng = random.Random(first)
    seeds = range(first, first + count)
    left = {i: [rng.uniform(10, 25), rng.uniform(10, 25)] for i in seeds}
    near = {i: [rng.uniform(2, 5)] for i in seeds}

    def row(drawn: Callable[[int], list[float | None]], names: Sequence[str] = makers, **how: float) -> list[Drawn]:
        return [(Doubtful(i, names[i % len(names)], **how), drawn(i)) for i in seeds]  # type: ignore[arg-type]

    def far(i: int, share: float) -> float:
        return share if i % 2 else -share

    rows: dict[str, list[Drawn]] = {
        "LFP to the cut-off": row(lambda _: [None] * 2, accuracy=REGISTERED),
        "  not registered": row(lambda _: [None] * 2),
        "LMFP and NMC to the cut-off": row(lambda _: [None] * 2, ("lmfp", "nmc"), accuracy=REGISTERED),
        "LFP with 10-25 % left": row(lambda i: [*left[i]], accuracy=REGISTERED),
        "  exact sensor, no hysteresis": row(
            lambda i: [left[i][0]], gain=0.0, offset_c=0.0, accuracy=REGISTERED, hysteresis_v=0.0
        ),
        "  exact sensor, 5 mV": row(
            lambda i: [left[i][0]], gain=0.0, offset_c=0.0, accuracy=REGISTERED, hysteresis_v=0.005
        ),
        "LFP with 2-5 % left": row(lambda i: [*near[i]], accuracy=REGISTERED),
        "gain off by 3 %": [(Doubtful(i, makers[i % 3], gain=far(i, 0.03)), [None]) for i in seeds],
        "  registered": [(Doubtful(i, makers[i % 3], gain=far(i, 0.03), accuracy=0.03), [None]) for i in seeds],
        "offset of 0.5 A": [
            (Doubtful(i, makers[i % 3], offset_c=far(i, 0.005), accuracy=REGISTERED), [None]) for i in seeds
        ],
        "weakest cell's channel dead": row(lambda _: [None], dead_channel=-1, accuracy=REGISTERED),
    }
    for name, of_row in rows.items():
        print(name)
        for method, found in scored(of_row).items():
            if found.errors or found.refused:
                print(f"    {method}: {found}", flush=True)


def nasa() -> None:
    """SoH of every discharge of the NASA cell, alone and as shown after it, against the data set's label."""
    discharges = nasa_discharges()
    for every_s, phase_s in ((0.0, 0.0), *((60.0, 10.0 * step) for step in range(6))):
        readings = nasa_readings(discharges, every_s=every_s, phase_s=phase_s)
        rows = SetHealth(health_reference()).fold(None, NASA_SET, readings)[1]
        last = {row.ts: row for row in rows if isinstance(row, BatteryCapacity)}
        labels = {ts: 100 * one.capacity_ah / 2.0 for ts, one in zip(sorted(last), discharges, strict=True)}
        shown = StateOfHealth(health_reference()).history(NASA_SET, [last[ts] for ts in sorted(last)])
        single = MethodScore()
        fused = MethodScore()
        for row in last.values():
            if row.soh_pct is not None and row.sigma_ah is not None:
                note(single, row.soh_pct - labels[row.ts], 100 * row.sigma_ah / 2.0)
        for shown_row in shown:
            if shown_row.soh_pct is not None and shown_row.sigma_pct is not None:
                note(fused, shown_row.soh_pct - labels[shown_row.ts], shown_row.sigma_pct)
        print(f"one sample in {every_s:g} s from {phase_s:g} s on" if every_s else "full rate")
        print(f"    single: {single}\n    shown:  {fused}", flush=True)


def note(score: MethodScore, error: float, sigma: float) -> None:
    """Count an error, and whether the 90 % interval holds it; points."""
    score.errors.append(error)
    score.hits.append(abs(error) <= Z_90 * sigma)


if __name__ == "__main__":
    main()

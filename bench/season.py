"""How fast a fleet simulates as arrays, without messages: `python bench/season.py --days 3`.

One simulated minute of 7 000 sets must cost at most 60 ms of one core (1 000 times real time), memory stay below 1 GB.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time

from schemas.time import DAY_MS
from simulators.fleet.fleet import PERIOD_MS, Fleet

START_TS = 1_764_547_200_000
"""2025-12-01T00:00:00Z: a winter."""


REPORT_DAYS = 10
"""So often it is told how far it is: a whole season takes more than an hour."""


def main() -> None:
    """Measure and print; how far it is, in days, goes to standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=3.0)
    parser.add_argument("--sets", type=int, default=7_000)
    options = parser.parse_args()
    fleet = Fleet(seed=1, sets=options.sets, start_ts=START_TS)
    began, wall, readings = time.process_time(), time.perf_counter(), 0

    def measured(minutes: int) -> str:
        cpu_s = time.process_time() - began
        return json.dumps(
            {
                "sets": options.sets,
                "days": round(minutes * PERIOD_MS / DAY_MS, 2),
                "cpu_s": round(cpu_s, 1),
                "wall_s": round(time.perf_counter() - wall, 1),
                "ms_per_minute": round(1_000 * cpu_s / minutes, 2),
                "times_real_time": round(60 * minutes / cpu_s),
                "readings": readings,
                "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024),
            }
        )

    minutes = round(options.days * DAY_MS / PERIOD_MS)
    for minute in range(1, minutes + 1):
        for sets, power in fleet.polls(START_TS + minute * PERIOD_MS):
            readings += len(sets.number) + len(power.number)
        if minute * PERIOD_MS % (REPORT_DAYS * DAY_MS) == 0:
            print(measured(minute), file=sys.stderr, flush=True)
    print(measured(minutes))


if __name__ == "__main__":
    main()

"""`python -m bench.perturbed`: BattLeDIM's zone A with other parameters and other data than those it was tuned on.

Every parameter of the leak detectors by ±25 %, one at a time, and the flows with a later beginning, noise, thinned
samples, unknown quarters and gaps. Results should get worse gently; where they fall off, a parameter sits on a cliff.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import random
from pathlib import Path
from typing import TYPE_CHECKING

from bench.detection import LEAK_KINDS, alarms_of, beside_random, ms
from bench.water_year import ROLES, leaks_of
from schemas.time import DAY_MS, QUARTER_MS
from streams.kernels.detection.judgement import Subject
from streams.kernels.detection.reference import detection
from streams.kernels.detection.series.series import SeriesDetectors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.detection import Leak
    from schemas.detection import SeriesRules

    Quarters = Sequence[float | None]

RULES = detection().series["volume_m3"]
SUBJECT = Subject("m", "s", "volume_m3", "m3/h", "bench")
A_DAY = 96
ARMED_DAYS = 21
SEED = 3


def variants() -> Iterator[tuple[str, SeriesRules]]:
    """Rules with one parameter changed by a quarter; whole numbers stay whole."""
    yield "as shipped", RULES
    for kind in ("night_flow", "drift", "step", "seasonal"):
        rule = getattr(RULES, kind)
        for name, value in rule:
            if isinstance(value, bool) or value is None or name in {"from_hour", "to_hour", "weeks"}:
                continue
            for factor in (0.75, 1.25):
                other = round(value * factor) if isinstance(value, int) else value * factor
                changed = rule.model_copy(update={name: other})
                yield f"{kind}.{name} {value} → {other:g}", RULES.model_copy(update={kind: changed})


def data(five_minutes: Sequence[float]) -> Iterator[tuple[str, int, Quarters]]:
    """Name, days left out at the beginning, and quarters."""
    rng, whole = random.Random(SEED), quarters(five_minutes)
    for days in (14, 28, 45, 60):
        yield f"from day {days}", days, whole[days * A_DAY :]
    for noise in (0.01, 0.02, 0.05):
        yield f"noise of {noise:.0%}", 0, [flow * (1 + rng.gauss(0, noise)) for flow in whole]
    yield "every third sample", 0, list(five_minutes[::3])
    for share in (0.02, 0.1):
        yield f"{share:.0%} unknown", 0, [None if rng.random() < share else flow for flow in whole]
    starts = [rng.randrange(len(whole)) for _ in range(12)]
    lost = {at for start in starts for at in range(start, start + 3 * A_DAY)}
    yield "12 gaps of three days", 0, [None if at in lost else flow for at, flow in enumerate(whole)]


def quarters(five_minutes: Sequence[float]) -> list[float]:
    """Means of three samples."""
    return [sum(five_minutes[at : at + 3]) / 3 for at in range(0, len(five_minutes) - 2, 3)]


def show(name: str, rules: SeriesRules, flows: Quarters, start: int, leaks: Sequence[Leak]) -> None:
    """Run and print."""
    made = SeriesDetectors(rules, period_s=900, rated=None, version="bench")
    state, rows = None, []
    for at, flow in enumerate(flows, 1):
        state, given = made.advance(state, SUBJECT, start + at * QUARTER_MS, flow, start + at * QUARTER_MS)
        rows += given
    alarms, armed, end = alarms_of(rows), start + ARMED_DAYS * DAY_MS, start + len(flows) * QUARTER_MS
    for kinds in (LEAK_KINDS[:1], LEAK_KINDS):
        found = beside_random([alarm.ts for alarm in alarms if alarm.kind in kinds], leaks, armed, end)
        print(
            f"{name:34} {'night flow' if len(kinds) == 1 else 'all three':10}"
            f" abrupt {found['abrupt_found']}/{found['abrupt']} incipient {found['incipient_found']}/"
            f"{found['incipient']} false {found['false']}/{found['alarms']} random {found['random']}",
            flush=True,
        )


def main() -> None:
    """Run everything; about 4 s of CPU a line."""
    parser = argparse.ArgumentParser(prog="python -m bench.perturbed", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/battledim_2018"))
    options = parser.parse_args()
    with gzip.open(options.data / "flows_5min.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    signs = {name: -1.0 if role.value == "exported" else 1.0 for name, role in ROLES.items()}
    flow = [sum(sign * float(row[name]) for name, sign in signs.items()) for row in rows]
    start, leaks = ms(rows[0]["Timestamp"]), leaks_of(options.data / "leak_labels.csv")
    for name, rules in variants():
        show(name, rules, quarters(flow), start, leaks)
    for name, days, flows in data(flow):
        begin = start + days * DAY_MS
        show(
            name,
            RULES,
            flows,
            begin,
            leaks if not days else [x for x in leaks if x.until > begin + ARMED_DAYS * DAY_MS],
        )


if __name__ == "__main__":
    main()

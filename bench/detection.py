"""Detectors against labelled series: recall, precision, delay, false alarms, beside alarms drawn at random.

    python bench/detection.py [--data ../shared/data] [--quick]

Prints a table and writes bench/results/detection.json. Only detectors run here, no database: what a signal becomes is
the alarm engine's. An alarm is an onset of a signal; of kinds that an on-delay of two samples is due to, its second
sample.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import math
import random
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from schemas.metrics import Signal
from schemas.metrics.signal import CONFIRMED_KINDS, SAFETY_KINDS, SignalKind
from schemas.time import DAY_MS, HOUR_MS, QUARTER_MS
from streams.kernels.detection.batteries.set_safety import SetSafety
from streams.kernels.detection.efficiency import PlantEfficiency
from streams.kernels.detection.judgement import Subject
from streams.kernels.detection.reference import detection
from streams.kernels.detection.series.series import SeriesDetectors
from tests.support.detected import plants, sets
from tests.support.detected import units as watches
from tests.support.detected.series import CODEC, MONDAY_TS, habits

if TYPE_CHECKING:
    from collections.abc import Sequence

CHINA = timezone(timedelta(hours=8))
ABRUPT_DAYS, INCIPIENT_DAYS = 7, 30
DRAWS = 500
LEAK_KINDS = (SignalKind.NIGHT_FLOW, SignalKind.STEP, SignalKind.DRIFT)


class Leak(NamedTuple):
    """A labelled leak and how long an alarm after its start counts as a hit, ms."""

    name: str
    start: int
    is_abrupt: bool
    until: int


def ms(text: str) -> int:
    """Local time of a file, ms."""
    return round(datetime.fromisoformat(text).replace(tzinfo=CHINA).timestamp() * 1000)


def alarms_of(rows: Sequence[object]) -> list[Signal]:
    """Alarms of a run."""
    return [
        row
        for row in rows
        if isinstance(row, Signal)
        and row.active
        and row.samples == (1 if row.kind in CONFIRMED_KINDS | SAFETY_KINDS else 2)
    ]


def run(quantity: str, first_end: int, quarters: Sequence[float | None]) -> tuple[list[Signal], int, float]:
    """Alarms of a series, largest state in bytes (looked at once a day), µs a quarter."""
    made = SeriesDetectors(detection().series[quantity], period_s=900, rated=None, version="bench")
    subject, state, rows, largest = Subject("m", "s", quantity, "", "bench"), None, [], 0
    spent = 0.0
    for at, value in enumerate(quarters):
        end = first_end + at * QUARTER_MS
        began = time.perf_counter()
        state, given = made.advance(state, subject, end, value, end)
        spent += time.perf_counter() - began
        rows += given
        if at % 96 == 21:
            largest = max(largest, len(CODEC.dump(state)))
    return alarms_of(rows), largest, spent / max(1, len(quarters)) * 1e6


def score(times: Sequence[int], leaks: Sequence[Leak]) -> dict[str, float]:
    """Hits by label and precision of alarms at some times."""
    hit = {leak.name for leak in leaks if any(leak.start <= ts <= leak.until for ts in times)}
    true = sum(any(leak.start <= ts <= leak.until for leak in leaks) for ts in times)
    abrupt = [leak for leak in leaks if leak.is_abrupt]
    slow = [leak for leak in leaks if not leak.is_abrupt]
    return {
        "abrupt": len(abrupt),
        "abrupt_found": sum(leak.name in hit for leak in abrupt),
        "incipient": len(slow),
        "incipient_found": sum(leak.name in hit for leak in slow),
        "alarms": len(times),
        "precision": round(true / len(times), 3) if times else math.nan,
        "false": len(times) - true,
    }


def beside_random(times: Sequence[int], leaks: Sequence[Leak], low: int, high: int) -> dict[str, Any]:
    """A score, and the mean score of as many alarms at random times."""
    rng, found = random.Random(7), score(times, leaks)
    drawn = [score([rng.randrange(low, high) for _ in times], leaks) for _ in range(DRAWS if times else 0)]
    names = ("abrupt_found", "incipient_found", "precision")
    return {**found, "random": {name: round(sum(d[name] for d in drawn) / max(1, len(drawn)), 2) for name in names}}


def water_network(data: Path) -> dict[str, Any]:
    """BattLeDIM: zone A = p227 + p235 − PUMP_1, whole and by halves."""
    with gzip.open(data / "battledim_2018" / "flows_5min.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    flow = [float(row["p227"]) + float(row["p235"]) - float(row["PUMP_1"]) for row in rows]
    quarters = [sum(flow[at : at + 3]) / 3 for at in range(0, len(flow) - 2, 3)]
    start = ms(rows[0]["Timestamp"])
    with (data / "battledim_2018" / "leak_labels.csv").open() as file:
        leaks = []
        for row in csv.DictReader(file):
            begin, abrupt = ms(row["start"]), row["type"] == "abrupt"
            leaks.append(Leak(row["link"], begin, abrupt, begin + (ABRUPT_DAYS if abrupt else INCIPIENT_DAYS) * DAY_MS))
    alarms, largest, cost = run("volume_m3", start + QUARTER_MS, quarters)
    end, middle = start + len(quarters) * QUARTER_MS, start + len(quarters) // 2 * QUARTER_MS
    armed = start + 21 * DAY_MS
    out: dict[str, Any] = {"state_bytes": largest, "us_a_quarter": round(cost, 1)}
    for name, kinds in {**{kind.value: (kind,) for kind in LEAK_KINDS}, "all three": LEAK_KINDS}.items():
        times = [alarm.ts for alarm in alarms if alarm.kind in kinds]
        out[name] = beside_random(times, leaks, armed, end)
        if name == SignalKind.NIGHT_FLOW.value:
            for half, low, high in (("first half", armed, middle), ("second half", middle, end)):
                own = [leak for leak in leaks if low <= leak.start < high or (low == armed and leak.start < armed)]
                out[f"{name}, {half}"] = beside_random([ts for ts in times if low <= ts < high], own, low, high)
    return out


def steel_works(data: Path, seeds: int) -> dict[str, Any]:
    """The steel year as it is, and with three base-load shifts of two weeks a year."""
    with gzip.open(data / "steel" / "steel_15min.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    power = [float(row["kwh"]) * 4 for row in rows]
    first = ms(rows[0]["ts_end"])
    clean, largest, cost = run("energy_import_kwh", first, power)
    out: dict[str, Any] = {
        "clean_alarms": {kind.value: sum(a.kind is kind for a in clean) for kind in sorted({a.kind for a in clean})},
        "state_bytes": largest,
        "us_a_quarter": round(cost, 1),
    }
    for size in (12.0, 20.0, 30.0):
        found, late, false, total = 0, 0, 0, 0
        for seed in range(seeds):
            rng = random.Random(seed)
            starts = [rng.randrange(from_day * 96, (from_day + 60) * 96) for from_day in (75, 165, 255)]
            shifted = list(power)
            for start in starts:
                for at in range(start, start + 14 * 96):
                    shifted[at] += size
            times = [a.ts for a in run("energy_import_kwh", first, shifted)[0] if a.kind is SignalKind.BASE_LOAD]
            onsets = [first + start * QUARTER_MS for start in starts]
            for onset in onsets:
                total += 1
                found += any(onset < ts <= onset + DAY_MS for ts in times)
                late += any(onset + DAY_MS < ts <= onset + 3 * DAY_MS for ts in times)
            false += sum(not any(onset < ts <= onset + 14 * DAY_MS for onset in onsets) for ts in times)
        out[f"shift of {size:g} kW"] = {
            "shifts": total, "within_a_day": found, "within_three": found + late, "false_a_year": false / seeds,
        }  # fmt: skip
    return out


def leaks_of_plants(count: int) -> dict[str, Any]:
    """Made-up intakes (100 m³/h by day, 35 by night, 2 % noise and 1.5 % slow noise) with one abrupt leak each."""
    delays, false, days = [], 0, 56
    for seed in range(count):
        rng = random.Random(seed)
        start, size = rng.randrange(35 * 96, 45 * 96), rng.uniform(10, 34)
        values = [value and value + size * (at >= start) for at, value in enumerate(habits(days, seed))]
        onset = MONDAY_TS + start * QUARTER_MS
        times = [a.ts for a in run("volume_m3", MONDAY_TS + QUARTER_MS, values)[0]]
        delays.append(min((ts - onset for ts in times if ts > onset), default=999 * HOUR_MS) / HOUR_MS)
        false += sum(ts < onset for ts in times)
    ordered = sorted(delays)
    return {
        "leaks": count,
        "within_24_h": sum(delay <= 24 for delay in delays) / count,
        "median_delay_h": ordered[count // 2],
        "p90_delay_h": ordered[int(0.9 * count)],
        "false_alarms_a_meter_week": round(false / (count * 40 / 7), 4),
    }


def efficiency_of_plants(count: int) -> dict[str, Any]:
    """Made-up plants with campaigns and 2 % noise; a step of 5 % in hour 1 000."""
    kernel = PlantEfficiency(detection().efficiency, "bench")
    hits, false, hours, spent = 0, 0, 0, 0.0
    for seed in range(count):
        rows = plants.plant(1_040, 0.05, 1_000, seed)
        began = time.perf_counter()
        given = kernel.fold(None, plants.SITE, rows)[1]
        spent += time.perf_counter() - began
        times = [(alarm.ts - plants.T0) / HOUR_MS for alarm in alarms_of(given)]
        hits += any(1_000 < at <= 1_008 for at in times)
        false += sum(at <= 1_000 for at in times)
        hours += 1_000
    return {
        "plants": count,
        "step_within_8_h": hits / count,
        "false_alarms_a_plant_week": round(false / (hours / 168), 4),
        "us_an_hour": round(spent / (count * 1_040) * 1e6, 1),
    }


def units_of_power(count: int) -> dict[str, Any]:
    """Made-up 300 MW units: 1.5 % noise an hour and 5 % more heat from hour 800 on; 4 % a day and a fifth less load."""
    hits, false, spent, rows = 0, 0, 0.0, 0
    low_hits, low_false = 0, 0
    for seed in range(count):
        hours = watches.unit_hours(840, worse=0.05, from_hour=800, seed=seed)
        began = time.perf_counter()
        given = watches.DRIFT.fold(None, watches.UNIT, hours)[1]
        spent, rows = spent + time.perf_counter() - began, rows + len(hours)
        times = [(alarm.ts - watches.T0) / HOUR_MS for alarm in alarms_of(given)]
        hits += any(800 < at <= 808 for at in times)
        false += sum(at <= 800 for at in times)
        rng = random.Random(seed)
        usual = [60 * (1 + rng.gauss(0, 0.04)) for _ in range(200)]
        less = [48 * (1 + rng.gauss(0, 0.04)) for _ in range(10)]
        days = watches.DRIFT.fold(None, watches.UNIT, watches.unit_days([*usual, *less]))[1]
        at_day = [
            (alarm.ts - watches.T0) / DAY_MS
            for alarm in days
            if isinstance(alarm, Signal) and alarm.active and alarm.samples == 1
        ]
        low_hits += any(200 < at <= 207 for at in at_day)
        low_false += sum(at <= 200 for at in at_day)
    return {
        "units": count,
        "heat_within_8_h": hits / count,
        "heat_false_a_unit_week": round(false / (count * 800 / 168), 4),
        "load_within_7_days": low_hits / count,
        "load_false_a_unit_year": round(low_false / (count * 200 / 365.25), 3),
        "us_an_hour": round(spent / rows * 1e6, 1),
    }


def phases_of_meters(readings: int) -> dict[str, Any]:
    """Cost of a reading whose phases are all well."""
    arrivals = watches.phases([5_946.1, 5_939.8, 5_951.2], [40.0, 41.0, 40.5]) * (readings // 6)
    began = time.perf_counter()
    given = watches.PHASES.fold(None, watches.METER, arrivals)[1]
    return {"us_a_reading": round((time.perf_counter() - began) / len(arrivals) * 1e6, 2), "false": len(given)}


def batteries(precursors: int, healthy: int, days: int) -> dict[str, Any]:
    """Made-up sets in float at 60 s; a runaway at a random hour of day 2 after 35 min to 3 h of precursor."""
    kernel = SetSafety(detection().battery, "bench")
    leads, spent, readings, false = [], 0.0, 0, 0
    for seed in range(precursors):
        rng = random.Random(seed)
        sets.RUNAWAY, sets.PRECURSOR_MINUTES = rng.randrange(1_700, 2_880), rng.randrange(35, 181)
        rows = kernel.fold(None, sets.SET, sets.floating(sets.RUNAWAY, sets.sick, seed=seed))[1]
        first = [a.ts for a in alarms_of(rows) if a.kind in SAFETY_KINDS]
        leads.append(sets.RUNAWAY - (min(first) - sets.T0) / 60_000 if first else -1.0)
    for seed in range(healthy):
        arrivals = sets.floating(days * sets.DAY, seed=1_000 + seed)
        began = time.perf_counter()
        rows = kernel.fold(None, sets.SET, arrivals)[1]
        spent += time.perf_counter() - began
        readings += len(arrivals)
        false += len(alarms_of(rows))
    years = readings / (365.25 * sets.DAY)
    return {
        "precursors": precursors,
        "found_30_min_before": sum(lead >= 30 for lead in leads) / precursors,
        "shortest_lead_min": min(leads),
        "set_years": round(years, 2),
        "false_alarms": false,
        "false_a_set_year_95_pct_below": round(3 / years, 2) if not false else None,
        "us_a_reading": round(spent / readings * 1e6, 1),
    }


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--quick", action="store_true", help="a tenth of the made-up series")
    options = parser.parse_args()
    part = 10 if options.quick else 1
    results: dict[str, Any] = {}

    def show(name: str, result: dict[str, Any]) -> None:
        results[name] = result
        print(f"\n{name}")
        for key, value in result.items():
            print(f"  {key:34} {json.dumps(value)}", flush=True)
        where = Path(__file__).parent / "results" / "detection.json"
        where.parent.mkdir(exist_ok=True)
        where.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")

    if options.data.is_dir():
        show("BattLeDIM 2018, zone A", water_network(options.data))
        show("steel works 2018", steel_works(options.data, max(1, 5 // part)))
    else:
        print(f"no recorded data at {options.data}")
    show("leaks of plants", leaks_of_plants(100 // part))
    show("efficiency of plants", efficiency_of_plants(200 // part))
    show("units of power stations", units_of_power(100 // part))
    show("phases of meters", phases_of_meters(60_000))
    show("battery sets", batteries(100 // part, max(1, 10 // part), 60 if part == 1 else 10))


if __name__ == "__main__":
    main()

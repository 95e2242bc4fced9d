"""`python -m bench.battery_alarms`: battery safety over a simulated fleet, with its noise, outages and tests.

    --precursors 60              sets that run away after 35 min to 3 h of precursor: recall and lead
    --sets 60 --days 60          a fleet in which nothing is wrong: false alarms per set and year
    --every-s 300                the same fleet polled less often: more set-years for the time, another polling

Readings go straight through the fold of the detectors; alarms are what the alarm engine's on-delays would raise.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from schemas.arrival import Arrival
from schemas.metrics import Signal
from schemas.metrics.signal import SAFETY_KINDS
from schemas.readings import BatteryReading, Kind
from simulators.fleet.bms import SetsShown
from simulators.fleet.fleet import PERIOD_MS, Fleet
from simulators.planned_events import PlannedEvent
from simulators.truth import LabelKind
from streams.kernels.alarms.reference import alarm_rules
from streams.kernels.detection.batteries.set_safety import SetSafety
from streams.kernels.detection.reference import detection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from schemas.registry import Device
    from streams.kernels.detection.batteries.safety_state import SafetyState

START_TS = 1_780_243_200_000
"""2026-06-01, local midnight + 8 h: a summer."""
DAY_MS, MINUTE_MS = 86_400_000, 60_000
SETTLED_DAYS = 3
"""Before the first precursor: what a set usually looks like is learned in this time."""
CHUNK = 240


def readings_of(shown: SetsShown) -> Iterator[tuple[int, BatteryReading]]:
    """The readings that detectors look at, by set."""
    columns = (shown.number, shown.ts, shown.pack_v, shown.current_a, shown.cell_v, shown.channels)
    rest = (shown.temperature_c, shown.ambient_c)
    for number, ts, v, a, cells, channels, celsius, ambient in zip(
        *(column.tolist() for column in (*columns, *rest)), strict=True
    ):
        known = [volts or None for volts in cells[:channels]]
        yield (
            number,
            BatteryReading.model_construct(
                ts=ts, pack_voltage_v=v, current_a=a, cell_voltage_v=known, temperature_c=celsius, ambient_c=ambient
            ),
        )


class Watch:
    """Every set's detectors."""

    def __init__(self, devices: Sequence[Device], every_ms: int) -> None:
        self._kernel = SetSafety(detection().battery, "bench")
        self._devices, self._every_ms = devices, every_ms
        self._states: list[SafetyState | None] = [None] * len(devices)
        self._waiting: list[list[Arrival]] = [[] for _ in devices]
        self._last_ts = np.zeros(len(devices), dtype=np.int64)
        self.alarms: list[Signal] = []
        self.readings, self.spent_s = 0, 0.0

    def take(self, shown: SetsShown) -> None:
        """Take one poll."""
        due = shown.ts - self._last_ts[shown.number] >= self._every_ms
        if not due.all():
            shown = SetsShown._make(column[due] for column in shown)
        self._last_ts[shown.number] = shown.ts
        for number, reading in readings_of(shown):
            waiting = self._waiting[number]
            waiting.append(Arrival(self._devices[number].device_id, 0, reading))
            if len(waiting) >= CHUNK:
                self._fold(number)

    def finish(self) -> None:
        """Judge what still waits."""
        for number in range(len(self._devices)):
            if self._waiting[number]:
                self._fold(number)

    def _fold(self, number: int) -> None:
        arrivals, self._waiting[number] = self._waiting[number], []
        began = time.process_time()
        self._states[number], rows = self._kernel.fold(self._states[number], self._devices[number], arrivals)
        self.spent_s += time.process_time() - began
        self.readings += len(arrivals)
        rules = alarm_rules()
        self.alarms += [
            row
            for row in rows
            if isinstance(row, Signal) and row.active and row.samples == rules.handling(row.kind.value).on_delay_samples
        ]


def run(fleet: Fleet, days: float, every_s: float) -> Watch:
    """Let a fleet live for some days."""
    sets = [device for device in fleet.devices_registered() if device.kind is Kind.BATTERY]
    sets = [device.model_copy(update={"period_s": every_s}) for device in sets]
    watch = Watch(sets, 0 if every_s * 1000 <= PERIOD_MS else round(every_s * 1000))
    for minute in range(1, round(days * DAY_MS / MINUTE_MS) + 1):
        for shown, _ in fleet.polls(START_TS + minute * MINUTE_MS):
            watch.take(shown)
    watch.finish()
    return watch


def precursors(count: int, every_s: float) -> None:
    """Every set of a fleet runs away in its own hour."""
    rng = random.Random(11)
    ends = [START_TS + SETTLED_DAYS * DAY_MS + rng.randrange(180, 1_440) * MINUTE_MS for _ in range(count)]
    planned_events = [
        PlannedEvent(LabelKind.RUNAWAY_PRECURSOR, f"B{at + 1:04d}", end - rng.randrange(35, 181) * MINUTE_MS, end)
        for at, end in enumerate(ends)
    ]
    fleet = Fleet(seed=5, sets=count, start_ts=START_TS, planned_events=planned_events)
    watch = run(fleet, SETTLED_DAYS + 1.1, every_s)
    leads, early = [], 0
    for planned_event in planned_events:
        assert planned_event.end_ts is not None  # noqa: S101 - planned with one
        own = [a.ts for a in watch.alarms if a.device_id == planned_event.target and a.kind in SAFETY_KINDS]
        early += sum(ts < planned_event.start_ts for ts in own)
        hits = [ts for ts in own if planned_event.start_ts <= ts < planned_event.end_ts]
        leads.append((planned_event.end_ts - min(hits)) / MINUTE_MS if hits else -1.0)
    print(f"precursors                       {count}, a reading every {every_s:g} s")
    print(f"found 30 min or more before      {sum(lead >= 30 for lead in leads)}")
    print(f"lead, min: shortest, median      {min(leads):.1f}, {sorted(leads)[count // 2]:.1f}")
    print(f"safety alarms before any begins  {early}")


def healthy(sets: int, days: float, every_s: float, seed: int) -> None:
    """A fleet in which nothing is wrong on purpose."""
    began = time.process_time()
    watch = run(Fleet(seed=seed, sets=sets, start_ts=START_TS), days, every_s)
    years = sets * days / 365.25
    safety = [alarm for alarm in watch.alarms if alarm.kind in SAFETY_KINDS]
    print(f"healthy sets                     {sets} over {days:g} days, a reading every {every_s:g} s, seed {seed}")
    print(f"set-years                        {years:.1f}, {watch.readings} readings")
    print(f"safety alarms, all false         {len(safety)} on {len({a.device_id for a in safety})} sets")
    print(f"a set and year                   {len(safety) / years:.3f}; with none, below {3 / years:.3f} (95 %)")
    print(f"by kind, condition alarms too    {dict(Counter(alarm.kind.value for alarm in watch.alarms))}")
    print(f"detectors                        {watch.spent_s / watch.readings * 1e6:.1f} µs of CPU a reading")
    print(f"whole run                        {time.process_time() - began:.0f} s of CPU")


def main() -> None:
    """Run what the arguments ask for and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench.battery_alarms", description=__doc__)
    parser.add_argument("--precursors", type=int, default=0)
    parser.add_argument("--sets", type=int, default=0)
    parser.add_argument("--days", type=float, default=60)
    parser.add_argument("--every-s", type=float, default=60)
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    if options.precursors:
        precursors(options.precursors, options.every_s)
    if options.sets:
        healthy(options.sets, options.days, options.every_s, options.seed)


if __name__ == "__main__":
    main()

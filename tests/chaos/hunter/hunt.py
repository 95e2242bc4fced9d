"""One hunt: run everything, break it at random, hold what it came to against one quiet pass, and say how it went."""

from __future__ import annotations

import contextlib
import random
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from fenhe.local import wait_until
from storage.pool import connect
from tests.chaos.hunter.causes import Cause
from tests.chaos.hunter.devices import Devices, probes, world_of
from tests.chaos.hunter.faults import LONG, Fault, Way, all_faults
from tests.chaos.hunter.long_pauses import long_pauses
from tests.chaos.hunter.recovery import Recovery, Trial
from tests.chaos.hunter.rig import PARTITIONS, Rig
from tests.chaos.hunter.verdict import Verdict, judged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.worlds.small import World

CALM_S = 10.0
"""Before the first fault: the broker has written its first session by then."""
PAUSE_S = 2.2
"""On average between the beginnings of two faults, unless said otherwise."""
AT_ONCE = 5
"""Faults that may last at the same time."""
LONG_FROM_MINUTES = 2.0
"""A shorter hunt does without faults that last for long."""
PAUSED_S = (15.0, 30.0)
"""For so long a worker is paused at least: longer than its session, and than it may hold a lock."""
HEIR_S = 120.0
"""So soon everything comes through again while it is; other faults last for a dozen seconds meanwhile."""
QUIET_S = 150.0
"""After the last fault: for so long everything may take to be as it was."""


class Outcome(NamedTuple):
    """What a hunt came to."""

    seed: int
    engines: str
    readings: int
    odd: int
    trials: list[Trial]
    ended: dict[str, int]
    """How often our own processes ended by themselves and were started again."""
    memory_mib: dict[str, int]
    """Most that each of our own processes was seen to hold."""
    verdict: Verdict


def hunt(seed: int, minutes: float, folder: Path, *, pause_s: float = PAUSE_S) -> Outcome:
    """Run everything for some minutes under faults of a seed, and judge what is left."""
    world = world_of(seed, minutes, PARTITIONS)
    with Rig(folder, world.registry) as rig, Devices(rig, world, seed, minutes) as devices:
        engines = rig.stack.describe()
        with Recovery(rig, devices, [probe.device.device_id for probe in probes(PARTITIONS)]) as recovery:
            faults = [*all_faults(rig, devices), *long_pauses(rig)]
            if minutes < LONG_FROM_MINUTES:
                faults = [fault for fault in faults if LONG not in fault.name]
            _break(random.Random(seed), faults, recovery, minutes * 60, pause_s)
            for part in rig.parts.values():
                part.shift(0)
            recovery.wait(QUIET_S)
            devices.finish()
            _rest(rig)
        ended = {part.name: part.ended for part in rig.parts.values() if part.ended}
        memory = {part.name: part.most_bytes // 2**20 for part in rig.parts.values()}
        rig.end()
        rig.pipeline.settle()
        verdict = judged(rig, [*world.sent, *devices.probes], devices.odd)
        readings = _count(world, devices)
        return Outcome(seed, engines, readings, len(devices.odd), recovery.trials, ended, memory, verdict)


def _count(world: World, devices: Devices) -> int:
    return len(world.sent) + len(devices.probes)


def _break(rng: random.Random, faults: Sequence[Fault], recovery: Recovery, seconds: float, pause_s: float) -> None:
    """Do one fault after the other, several at a time, but never two to one part."""
    begun, busy, lock = time.monotonic(), set[str](), threading.Lock()

    def do(fault: Fault, own: random.Random) -> None:
        started = time.monotonic()
        try:
            # a server that takes long to come up on a busy machine: that it never did would be told by its recovery
            with recovery.causes.lasting(fault.way), contextlib.suppress(TimeoutError):
                fault.act(own)
            trial = recovery.note(fault.name, fault.way, started)
            if fault.end is not None:
                until = time.monotonic() + own.uniform(*PAUSED_S)
                recovery.must_come(trial, HEIR_S)
                time.sleep(max(0.0, until - time.monotonic()))
                fault.end()
                recovery.note(f"{fault.name}; it goes on", fault.way, started)
        finally:
            if fault.end is not None:
                fault.end()
            with lock:
                busy.difference_update(fault.parts)

    time.sleep(CALM_S)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = []
        while time.monotonic() - begun < seconds - CALM_S:
            with lock:
                free = [fault for fault in faults if not busy & fault.parts] if len(busy) < AT_ONCE else []
                chosen = rng.choices(free, [each.weight for each in free]) if free else []
                busy.update(*(fault.parts for fault in chosen))
            running += [pool.submit(do, fault, random.Random(rng.random())) for fault in chosen]
            time.sleep(min(rng.expovariate(1 / pause_s), 4 * pause_s))
        for each in running:
            each.result()


def _rest(rig: Rig) -> None:
    """Wait until what was asked for is computed again, and everybody was told."""

    def is_done() -> bool:
        with connect(rig.pipeline.owner_url, name="test") as connection:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM recompute_request WHERE finished_at IS NULL)"
                " + (SELECT count(*) FROM notification_outbox WHERE planned_at IS NULL)"
                " + (SELECT count(*) FROM notification WHERE sent_at IS NULL)"
            ).fetchone()
        return row == (0,)

    with contextlib.suppress(TimeoutError):  # the verdict says what was not done
        wait_until(is_done, what="everything to come to rest", timeout=QUIET_S)


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def _waits(trials: Sequence[Trial]) -> list[str]:
    """What the recoveries of one way waited for: the mean of all, and of the slowest twentieth."""
    ordered = sorted(trials, key=lambda trial: sum(trial.waits.values()))
    slowest = ordered[-max(1, len(ordered) // 20) :]
    lines = []
    for cause in Cause:
        all_s, slow_s = (sum(trial.waits[cause] for trial in group) / len(group) for group in (trials, slowest))
        if slow_s or all_s:
            lines.append(f"  {cause}: {all_s:.1f} s on average, {slow_s:.1f} s of the slowest twentieth")
    return lines


def report(outcome: Outcome) -> str:
    """What a hunt came to, to be read."""
    trials = outcome.trials
    kinds = len({trial.name for trial in trials})
    never = [trial for trial in trials if trial.seconds is None]
    lines = [
        f"seed {outcome.seed} on {outcome.engines}",
        f"{len(trials)} faults of {kinds} kinds, {outcome.readings} readings, {outcome.odd} odd messages",
        f"ended by themselves and started again: {outcome.ended or 'none'}",
        f"most memory, MiB: {outcome.memory_mib}",
    ]
    for way in Way:
        seconds = [trial.seconds for trial in trials if trial.way is way and trial.seconds is not None]
        if seconds:
            lines.append(
                f"{way}: {len(seconds)} recoveries, p50 {statistics.median(seconds):.1f} s,"
                f" p95 {_percentile(seconds, 0.95):.1f} s, longest {max(seconds):.1f} s"
            )
            lines += _waits([trial for trial in trials if trial.way is way])
    by_name: dict[str, list[float]] = {}
    for trial in trials:
        by_name.setdefault(trial.name, []).append(-1.0 if trial.seconds is None else trial.seconds)
    slowest = sorted(by_name.items(), key=lambda entry: -max(entry[1]))[:12]
    lines += [f"  {name}: {len(seconds)} times, longest {max(seconds):.1f} s" for name, seconds in slowest]
    lines += [f"NOT OVERCOME: {trial.name}" for trial in never]
    lines += [f"WRONG: {line}" for line in outcome.verdict.lines()]
    clean = "nothing lost, nothing doubled, all tables, alarms and notices the same"
    lines.append("FAILED" if has_failed(outcome) else clean)
    return "\n".join(lines)


def has_failed(outcome: Outcome) -> bool:
    """Whether a hunt has found something."""
    return not outcome.verdict.is_clean or any(trial.seconds is None for trial in outcome.trials)

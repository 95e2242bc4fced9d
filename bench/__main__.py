"""`make bench`: the whole way on this machine, every service of it on the same two cores.

Finds the highest rate that is sustained: for the whole run the publisher keeps its schedule, what is not yet stored
does not grow, and everything published is in the books at the end. One reading per message, then arrays of 50.

The speed of the machine is measured before, beside and after each run, and CPU is told as a multiple of it too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Self

import psutil
from rich.console import Console
from rich.table import Table

from bench.reference import MachineSpeed, reference_ns, round_us
from fenhe.books import read_balance
from fenhe.local import Process, Stack, scratch_directory
from simulators.wire.load import registry
from storage.books.latency import commit_latency
from storage.migrate import migrate
from storage.pool import connect
from storage.registry import import_registry

if TYPE_CHECKING:
    from storage.books.latency import Latency

RESULTS = Path(__file__).parent / "results" / "latest.json"
STAGES = ("simulator", "mosquitto", "collector", "kafka", "worker", "postgresql")
PARTITIONS = 4
"""Two for each of two workers: more would only cut their transactions smaller."""
INTRODUCTION_RATE = 1_000.0
WARM_UP_S = 5.0
DRAIN_S = 120.0
P99_LIMIT_MS = 2_000.0
BEHIND_LIMIT_S = 1.0
console = Console()


@dataclass(frozen=True)
class Run:
    """One rate, tried."""

    rate: float
    array: int
    seconds: float
    sent_per_s: float
    stored: int
    lost: int
    behind_s: float
    drain_s: float
    lag_growth_per_s: float
    lag_growth_error_per_s: float
    """Standard error: a transaction more or less makes a short run's growth uncertain."""
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    onset_p99_ms: float | None
    """Over the first five seconds, in which with `--outage` every set comes under load at once; of arrays None.

    An array's readings lie before it, so of those of its first seconds nobody can tell when they were published.
    """
    cpu_us_per_reading: dict[str, float]
    cores_busy: float
    machine: MachineSpeed

    @property
    def cpu_rounds_per_reading(self) -> dict[str, float]:
        """CPU of each stage in rounds of the reference loop: comparable between runs on a machine of changing speed."""
        return {stage: us / self.machine.beside_us for stage, us in self.cpu_us_per_reading.items()}

    @property
    def sustained(self) -> bool:
        """Whether the rate can be kept up for ever."""
        return (
            self.lost == 0
            and self.behind_s < BEHIND_LIMIT_S
            and self.latency_p99_ms is not None
            and self.latency_p99_ms < P99_LIMIT_MS
            and self.lag_growth_per_s - 2 * self.lag_growth_error_per_s < 0.01 * self.rate
        )


class Bench:
    """A running pipeline to load."""

    def __init__(self, stack: Stack, sets: int, plants: int, workers: int, *, outage: bool = False) -> None:
        self._options = ["--outage"] if outage else []
        self._stack = stack
        self._sets, self._plants = sets, plants
        self._environment = stack.environment()
        self._reader = self._environment["FENHE_DB_READER_URL"]
        migrate(self._environment["FENHE_DB_OWNER_URL"])
        with connect(self._environment["FENHE_DB_OWNER_URL"], name="bench") as connection:
            registered = registry(sets, plants)
            import_registry(connection, registered)
        self._devices = len(registered.devices)
        self._processes = {
            name: Process(
                name,
                [sys.executable, "-m", "fenhe", command, "--ready-file", stack.directory / f"{name}.ready"],
                log=stack.directory / f"{name}.log",
                environment=self._environment,
            )
            for name, command in [("collector", "collect"), *((f"worker-{at}", "work") for at in range(workers))]
        }

    def __enter__(self) -> Self:
        """Start collector and worker."""
        for name, process in self._processes.items():
            process.start()
            process.wait_until((self._stack.directory / f"{name}.ready").exists, what=name, timeout=60)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop them."""
        for process in reversed(self._processes.values()):
            process.terminate()

    def introduce(self) -> None:
        """Have every device heard of once: what is measured is a region at work, not its first minute."""
        self.run(INTRODUCTION_RATE, 1, self._devices / INTRODUCTION_RATE, "--introduce")

    def run(self, rate: float, array: int, seconds: float, *options: str) -> Run:
        """Load the pipeline at a rate for some seconds and see it through."""
        before = read_balance(self._reader)
        report_path = self._stack.directory / "load.json"
        before_us = round_us()
        cpu_before = self._cpu_seconds()
        arguments = [
            "--rate",
            str(rate),
            "--seconds",
            str(seconds),
            "--array",
            str(array),
            "--report",
            report_path,
            *self._options,
            *options,
        ]
        arguments += [
            "--sets",
            str(self._sets),
            "--plants",
            str(self._plants),
            "--url",
            self._environment["FENHE_MQTT_URL"],
        ]
        booked_at: list[tuple[float, int]] = []
        rounds_ns: list[int] = []
        load = subprocess.Popen(  # noqa: S603 - our own publisher
            [sys.executable, "-m", "simulators.wire.load", *map(str, arguments)], stdout=subprocess.DEVNULL
        )
        done = threading.Event()
        watch = threading.Thread(target=self._watch_books, args=(booked_at, rounds_ns, done))
        watch.start()
        load.wait()
        ended = time.monotonic()
        report = json.loads(report_path.read_text())
        while self._received() - before.received < report["acknowledged"] and time.monotonic() - ended < DRAIN_S:
            time.sleep(0.05)
        drained = time.monotonic() - ended
        done.set()
        watch.join()
        cpu = {stage: used - cpu_before[stage] for stage, used in self._cpu_seconds().items()}
        cpu["simulator"] = report["cpu_us_per_reading"] * report["acknowledged"] / 1e6
        after_us = round_us()
        after = read_balance(self._reader)
        first_ts = report["first_ts"]
        warm_ts = first_ts + round(WARM_UP_S * 1000)
        onset = self._latency(first_ts, warm_ts, array) if array == 1 else None
        latency = self._latency(warm_ts, time.time_ns() // 1_000_000, array)
        growth, error = _slope(
            [
                (at - first_ts / 1000, round(rate * (at - first_ts / 1000)) - (booked - before.received))
                for at, booked in booked_at
                if warm_ts / 1000 < at <= first_ts / 1000 + report["seconds"]
            ]
        )
        stored = after.stored - before.stored
        booked = after.received - before.received
        acknowledged = report["acknowledged"]
        if report["error"]:
            console.print(f"[red]load: {report['error']}[/]")
        if not after.closed:
            console.print(f"[red]the books do not close: {after.discrepancies[:3]}[/]")
        return Run(
            rate=rate,
            array=array,
            seconds=report["seconds"],
            sent_per_s=report["readings_per_s"],
            stored=stored,
            lost=acknowledged - booked,
            behind_s=report["behind_s_max"],
            drain_s=drained,
            lag_growth_per_s=growth,
            lag_growth_error_per_s=error,
            latency_p50_ms=latency.p50,
            latency_p99_ms=latency.p99,
            onset_p99_ms=None if onset is None else onset.p99,
            cpu_us_per_reading={stage: cpu[stage] * 1e6 / acknowledged for stage in STAGES},
            cores_busy=sum(cpu.values()) / (report["seconds"] + drained),
            machine=MachineSpeed(before_us, median(rounds_ns) / 1000, after_us),
        )

    def _latency(self, since_ts: int, until_ts: int, array: int) -> Latency:
        with connect(self._reader, name="bench") as connection:
            return commit_latency(connection, since_ts, until_ts, newest_of_transaction=array > 1)

    def _received(self) -> int:
        with connect(self._reader, name="bench") as connection:
            row = connection.execute("SELECT coalesce(sum(received), 0)::bigint FROM ledger_total").fetchone()
        return int(row[0]) if row else 0

    def _watch_books(self, booked_at: list[tuple[float, int]], rounds_ns: list[int], done: threading.Event) -> None:
        """Note once a second what is in the books, and how fast the machine is: 3 ms of one core."""
        rounds_ns.append(reference_ns())
        while not done.wait(1.0):
            booked_at.append((time.time(), self._received()))
            rounds_ns.append(reference_ns())

    def _cpu_seconds(self) -> dict[str, float]:
        pids = {
            "mosquitto": self._stack.mqtt.process.pid,
            "kafka": self._stack.kafka.process.pid,
            "postgresql": self._stack.postgres.process.pid,
        } | {name: process.pid for name, process in self._processes.items()}
        used = dict.fromkeys(STAGES, 0.0)
        for name, pid in pids.items():
            used[name.partition("-")[0]] += cpu_of_tree(pid)
        return used


def cpu_of_tree(pid: int) -> float:
    """CPU seconds of a process and its descendants, those that have ended included."""
    total = 0.0
    root = psutil.Process(pid)
    for process in [root, *root.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _slope(points: list[tuple[float, int]]) -> tuple[float, float]:
    """Least-squares slope, per second, and its standard error."""
    if len(points) < 3:
        return 0.0, 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    squares = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / squares
    residual = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in points)
    return slope, (residual / (len(points) - 2) / squares) ** 0.5


def search(bench: Bench, array: int, rates: list[float], probe_s: float, seconds: float) -> Run:
    """Climb the rates until one is not sustained, then hold the highest that was, stepping down if it must."""
    good = 0
    run = bench.run(rates[0], array, probe_s)
    for at, rate in enumerate(rates):
        run = run if at == 0 else bench.run(rate, array, probe_s)
        show(run)
        if not run.sustained:
            break
        good = at
    for at in range(good, -1, -1):
        run = bench.run(rates[at], array, seconds)
        show(run)
        if run.sustained:
            return run
    return run


def show(run: Run) -> None:
    """Print one line."""
    verdict = "[green]sustained[/]" if run.sustained else "[red]not sustained[/]"
    growth = f"{run.lag_growth_per_s:+,.0f} ± {run.lag_growth_error_per_s:.0f}/s"
    p50, p99 = run.latency_p50_ms or float("nan"), run.latency_p99_ms or float("nan")
    onset = "" if run.onset_p99_ms is None else f" (first {WARM_UP_S:.0f} s: {run.onset_p99_ms:,.0f} ms)"
    console.print(
        f"{run.array:>3} a message  {run.rate:>8,.0f}/s asked  {run.sent_per_s:>8,.0f}/s sent for {run.seconds:.0f} s"
        f"  p50 {p50:,.0f} ms  p99 {p99:,.0f} ms{onset}  lag {growth}"
        f"  drain {run.drain_s:.1f} s  lost {run.lost}  {run.cores_busy:.2f} cores  {verdict}"
    )
    console.print(
        f"    a round of the reference loop {run.machine.before_us:.2f} µs before, {run.machine.beside_us:.2f} beside,"
        f" {run.machine.after_us:.2f} after: {sum(run.cpu_rounds_per_reading.values()):.1f} rounds a reading"
        f" ({', '.join(f'{stage} {rounds:.1f}' for stage, rounds in run.cpu_rounds_per_reading.items())})"
    )


def document(run: Run) -> dict[str, Any]:
    """What goes into the results file."""
    return {
        "sustained_readings_per_s": run.sent_per_s if run.sustained else 0.0,
        "latency_ms": {"p50": run.latency_p50_ms, "p99": run.latency_p99_ms, "onset_p99": run.onset_p99_ms},
        "lost": run.lost,
        "cpu_us_per_reading": run.cpu_us_per_reading,
        "cpu_rounds_per_reading": run.cpu_rounds_per_reading,
        "reference_loop_us": run.machine._asdict(),
        "run": asdict(run),
    }


def main() -> int:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the run that counts")
    parser.add_argument("--probe", type=float, default=15.0, help="length of each step of the search")
    parser.add_argument("--single", type=float, nargs="+", default=[1_000, 1_500, 2_000, 3_000, 5_000, 8_000])
    parser.add_argument("--array50", type=float, nargs="+", default=[1_000, 2_000, 3_000, 4_000, 6_000, 10_000, 15_000])
    parser.add_argument("--sets", type=int, default=7_000)
    parser.add_argument("--plants", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2, help="a worker computes on one core")
    parser.add_argument("--outage", action="store_true", help="all sets carry their sites instead of floating")
    parser.add_argument("--services", default="real", help="auto, real or embedded")
    options = parser.parse_args()
    results: dict[str, Any] = {}
    with (
        scratch_directory("bench") as directory,
        Stack(directory, services=options.services, partitions=PARTITIONS) as stack,
    ):
        console.print(f"{stack.describe()} · {os.cpu_count()} cores")
        results["services"] = stack.describe()
        with Bench(stack, options.sets, options.plants, options.workers, outage=options.outage) as bench:
            bench.introduce()
            for name, array, rates in (("single", 1, options.single), ("array50", 50, options.array50)):
                results[name] = document(search(bench, array, rates, options.probe, options.seconds))
    table = Table("CPU, µs per reading", *STAGES, "all")
    for name in ("single", "array50"):
        cpu = results[name]["cpu_us_per_reading"]
        table.add_row(name, *(f"{cpu[stage]:.1f}" for stage in STAGES), f"{sum(cpu.values()):.1f}")
    console.print(table)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    console.print(f"written to {RESULTS}")
    return 0 if all(results[name]["lost"] == 0 for name in ("single", "array50")) else 1


if __name__ == "__main__":
    sys.exit(main())

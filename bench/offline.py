"""`python -m bench.offline`: what one reading costs the worker and PostgreSQL, without broker, Kafka and Faust.

    python -m bench.offline --array 50 --readings 40000

The mix of `make bench` (7 000 battery sets once a second each, 20 meters for each of 200 plants every ten seconds) is
judged and cut into records as the collector does it, in a time of its own, and put through the engine. CPU time of
the worker's thread and of its PostgreSQL backend is told by step, and bytes of write-ahead log a reading.

The machine's own speed is measured in the same run, by a loop that does what a worker mostly does in plain Python;
a figure divided by that loop's can be compared between machines, and between an idle one and a busy one.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import sys
import time
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console
from rich.table import Table

from bench.reference import reference_ns
from fenhe.garbage import spare_what_stays
from fenhe.local import Postgres, Services, find_postgres_binaries, scratch_directory
from ingest.batches import MicroBatchBuilder, Token
from ingest.judgement import judge
from schemas.settings import CollectorSettings
from schemas.topics import Topic, partition_of
from simulators.wire.load import SECONDS_A_ROUND, registry, templates
from storage import derived, readings, state
from storage.books import ledger, quarantine
from storage.migrate import migrate
from storage.pool import connect, open_pool
from storage.registry import import_registry
from storage.statements import trusted
from storage.tables import DERIVED_TABLES, READING_TABLES
from streams.engine import engine as engine_module
from streams.engine.derivation import Derivation
from streams.engine.engine import Engine
from streams.engine.transaction import Transaction
from streams.installed import installed
from streams.intake.decode import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from psycopg import Connection

BEGIN_TS = 1_790_000_000_000
PARTITIONS = 4
WARM_UP = 0.25
"""Of the readings, so many are put through before measuring begins."""
STEPS = ("decode", "admission", "raw rows", "folds", "derived rows", "states", "ledger", "rest")
console = Console()


class Log(NamedTuple):
    """A part of what the collector wrote, in order: (partition, when the record was written, readings, its bytes)."""

    records: list[tuple[int, int, int, bytes]]


class Writer:
    """Cuts the mix's readings into records, in a time of its own."""

    def __init__(self, sets: int, plants: int, *, outage: bool = False) -> None:
        settings = CollectorSettings(mqtt_url="mqtt://nowhere", kafka_bootstrap="nowhere")
        self._sets = sets
        self._templates = templates(sets, plants, outage=outage)
        self._topics = [
            str(Topic(each.device.site_id, each.device.kind, each.device.device_id)) for each in self._templates
        ]
        self._partitions = [partition_of(each.device.site_id, PARTITIONS) for each in self._templates]
        self._flush_readings, self._flush_ms = settings.flush_readings, settings.flush_ms
        self._max_bytes = settings.max_payload_bytes

    @property
    def devices(self) -> int:
        """How many devices there are."""
        return len(self._templates)

    def introduce(self) -> Log:
        """One reading of every device."""
        return self._written(iter(range(self.devices)), self.devices, 1, 4_000.0, BEGIN_TS)

    def mix(self, count: int, array: int, rate: float) -> Log:
        """So many readings, `array` to a message, in the mix's proportions."""
        return self._written(self._order(), count // array, array, rate, BEGIN_TS + 20_000)

    def _order(self) -> Iterator[int]:
        meters = list(range(self._sets, self.devices))
        while True:
            for second in range(SECONDS_A_ROUND):
                yield from range(self._sets)
                yield from meters[second::SECONDS_A_ROUND]

    def _written(self, owners: Iterator[int], messages: int, array: int, rate: float, begin_ts: int) -> Log:
        log = Log([])
        making: dict[int, MicroBatchBuilder] = {}
        now = begin_ts

        def flush(partition: int) -> None:
            batch = making.pop(partition)
            log.records.append((partition, now, batch.readings, batch.encode("offline")))

        for template in self._templates:
            template.last_ts = max(template.last_ts, begin_ts - array)
        for number in range(messages):
            now = begin_ts + int(number * array * 1000 / rate)
            for partition in [at for at, batch in making.items() if now - batch.opened_ts >= self._flush_ms]:
                flush(partition)
            owner = next(owners)
            partition = self._partitions[owner]
            payload = self._templates[owner].payload(now, array)
            judgement = judge(self._topics[owner], payload, now, max_bytes=self._max_bytes)
            batch = making.get(partition)
            if batch is not None and not (batch.is_of_hour(now) and batch.has_room_for(judgement)):
                flush(partition)
            batch = making.setdefault(partition, MicroBatchBuilder(now))
            batch.add(judgement, Token(1, 1), now)
            if batch.is_full(self._flush_readings):
                flush(partition)
        for partition in list(making):
            flush(partition)
        return log


@dataclass
class Costs:
    """CPU nanoseconds by step, of the worker's thread and of its PostgreSQL backend."""

    backend: int
    worker: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STEPS, 0))
    postgres: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STEPS, 0))
    _within: list[str] = field(default_factory=lambda: ["rest"])
    _last: tuple[int, int] = (0, 0)

    def begin(self) -> None:
        """Forget what was counted, and count from now on."""
        self.worker = dict.fromkeys(STEPS, 0)
        self.postgres = dict.fromkeys(STEPS, 0)
        self.skip()

    def end(self) -> None:
        """Count what was done since the last step."""
        self._charge()

    def skip(self) -> None:
        """Leave out what was done since."""
        self._last = self._now()

    def step(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Have a function's time counted as a step's."""

        @wraps(function)
        def timed(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever it takes
            self._charge()
            self._within.append(name)
            try:
                return function(*arguments, **options)
            finally:
                self._charge()
                self._within.pop()

        return timed

    def _charge(self) -> None:
        now = self._now()
        step = self._within[-1]
        self.worker[step] += now[0] - self._last[0]
        self.postgres[step] += now[1] - self._last[1]
        self._last = now

    def _now(self) -> tuple[int, int]:
        return time.thread_time_ns(), _cpu_ns(self.backend)


def _cpu_ns(pid: int) -> int:
    """CPU time that Linux counts for a process's first thread; 0 where there is no such count."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    except FileNotFoundError:
        return 0


def _instrument(costs: Costs) -> None:
    """Have each step of the engine counted."""
    for owner, name, step in (
        (engine_module, "decode", "decode"),
        (Transaction, "_judge", "admission"),
        (readings, "store", "raw rows"),
        (Derivation, "feed", "folds"),
        (Derivation, "finish", "derived rows"),
        (Transaction, "_run_stages", "derived rows"),
        (derived, "write", "derived rows"),
        (Transaction, "_remember", "states"),
        (state, "save", "states"),
        (ledger, "add", "ledger"),
        (ledger, "settle", "ledger"),
        (quarantine, "add", "rest"),
    ):
        setattr(owner, name, costs.step(step, getattr(owner, name)))


@dataclass(frozen=True)
class Result:
    """Figures of one run; CPU in microseconds a reading."""

    readings: int
    transactions: int
    worker: Mapping[str, float]
    postgres: Mapping[str, float]
    wal_bytes: float
    reference_us: float
    """One round of the reference loop."""

    @property
    def worker_rounds(self) -> float:
        """What a reading costs the worker, in rounds of the reference loop."""
        return sum(self.worker.values()) / self.reference_us

    @property
    def postgres_rounds(self) -> float:
        """What a reading costs PostgreSQL's backend, in rounds of the reference loop."""
        return sum(self.postgres.values()) / self.reference_us


def measure(url: str, *, sets: int, plants: int, array: int, count: int, take: int, outage: bool = False) -> Result:
    """Put the mix through an engine on a migrated, empty database; `outage`: all sets discharge all the while."""
    writer = Writer(sets, plants, outage=outage)
    with connect(url, name="bench") as connection:
        import_registry(connection, registry(sets, plants))
    introduction = writer.introduce()
    mix = writer.mix(count, array, 4_000.0 if array == 1 else 10_000.0)
    with contextlib.ExitStack() as stack:
        pool = open_pool(url, size=1, name="worker")
        with pool.connection() as connection:
            backend = connection.info.backend_pid
        costs = Costs(backend)
        stack.enter_context(_restored())
        _instrument(costs)
        engine = Engine(pool, installed(), "offline", PARTITIONS)
        stack.callback(engine.close)
        engine.warm_up()
        partitions = [engine.open(number) for number in range(PARTITIONS)]
        for number, run in _runs(introduction, [0] * PARTITIONS, take):
            engine.apply(partitions[number], run)
        runs = list(_runs(mix, [partition.next_offset for partition in partitions], take))
        warm = int(len(runs) * WARM_UP)
        spare_what_stays()
        for number, run in runs[:warm]:
            engine.apply(partitions[number], run)
        wal = _wal_bytes(url)
        costs.begin()
        reference = stored = 0
        for number, run in runs[warm:]:
            stored += engine.apply(partitions[number], run).stored
            costs.end()
            reference += reference_ns()
            costs.skip()
        wal = _wal_bytes(url) - wal
    transactions = len(runs) - warm
    return Result(
        stored,
        transactions,
        {step: spent / 1000 / stored for step, spent in costs.worker.items()},
        {step: spent / 1000 / stored for step, spent in costs.postgres.items()},
        wal / stored,
        reference / 1000 / transactions,
    )


@contextlib.contextmanager
def _restored() -> Iterator[None]:
    """Take the instruments out again at the end."""
    owners = (engine_module, Transaction, readings, Derivation, derived, state, ledger, quarantine)
    before = [(owner, dict(vars(owner))) for owner in owners]
    try:
        yield
    finally:
        for owner, names in before:
            for name, value in names.items():
                if vars(owner).get(name) is not value:
                    setattr(owner, name, value)


def _runs(log: Log, offsets: list[int], take: int) -> Iterator[tuple[int, list[Record]]]:
    """What a worker takes at once: a partition's records in turn, of about `take` readings together."""
    held: dict[int, list[Record]] = {number: [] for number in range(PARTITIONS)}
    sizes = dict.fromkeys(held, 0)
    for number, written_ts, count, value in log.records:
        held[number].append(Record(offsets[number], written_ts, value))
        offsets[number] += 1
        sizes[number] += count
        if sizes[number] >= take:
            yield number, held[number]
            held[number], sizes[number] = [], 0
    yield from ((number, run) for number, run in held.items() if run)


def _wal_bytes(url: str) -> int:
    with connect(url, name="bench") as connection:
        row = connection.execute("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint").fetchone()
    return int(row[0]) if row else 0


def digests(connection: Connection) -> dict[str, str]:
    """What stands in each table of readings and derived rows, in short: equal before and after a change of the code."""
    found = {}
    for name in sorted({t.name for t in DERIVED_TABLES.values()} | {t.name for t in READING_TABLES.values()}):
        statement = trusted(f"SELECT t::text FROM {name} t ORDER BY 1")  # noqa: S608 - own names
        rows = [row[0] for row in connection.execute(statement)]
        found[name] = f"{len(rows)} {hashlib.sha256(chr(10).join(rows).encode()).hexdigest()[:16]}"
    return found


def show(result: Result) -> None:
    """Print it."""
    table = Table("CPU, µs a reading", *STEPS, "all", "rounds of the reference loop")
    for name, steps, rounds in (
        ("worker", result.worker, result.worker_rounds),
        ("PostgreSQL", result.postgres, result.postgres_rounds),
    ):
        table.add_row(name, *(f"{steps[step]:.1f}" for step in STEPS), f"{sum(steps.values()):.1f}", f"{rounds:.2f}")
    console.print(table)
    print(
        f"{result.readings} readings in {result.transactions} transactions;"
        f" {result.wal_bytes:,.0f} bytes of WAL a reading; a round of the reference loop {result.reference_us:.2f} µs"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.offline", description=__doc__)
    parser.add_argument("--array", type=int, default=1, help="readings in one message")
    parser.add_argument("--readings", type=int, default=40_000)
    parser.add_argument("--take", type=int, default=700, help="about so many readings in one transaction")
    parser.add_argument("--sets", type=int, default=7_000)
    parser.add_argument("--plants", type=int, default=200)
    parser.add_argument("--outage", action="store_true", help="all sets discharge instead of floating")
    parser.add_argument("--digests", type=Path, help="write what then stands in the tables, in short, as JSON")
    options = parser.parse_args(arguments)
    console.width = max(console.width, 150)
    with (
        scratch_directory("offline") as path,
        Postgres(path, binaries=find_postgres_binaries(Services.REAL)) as server,
    ):
        url = server.create_database("offline")
        migrate(url)
        show(
            measure(
                url,
                sets=options.sets,
                plants=options.plants,
                array=options.array,
                count=options.readings,
                take=options.take,
                outage=options.outage,
            )
        )
        if options.digests is not None:
            with connect(url, name="bench") as connection:
                options.digests.write_text(json.dumps(digests(connection), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How a demo ends: a short wait for the last readings, the books, and a true sentence about what is not in them yet."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from rich.console import Console

from fenhe.books import print_balance, read_balance
from fenhe.clear_errors import PlainError
from fenhe.demo.figures import counted
from fenhe.demo.world import earlier_world, remember
from storage.books.latency import Latency, commit_latency
from storage.pool import connect

if TYPE_CHECKING:
    from pathlib import Path

    from fenhe.demo.figures import Counts
    from fenhe.local import Stack
    from fenhe.pipeline import Interrupts
    from storage.books.balance import BooksBalance

DRAIN_S = 60.0
"""How long the end of a demo waits for its last readings to be stored."""
PATIENCE_S = 3.0
"""How long it does where somebody pressed Ctrl-C and Kafka keeps what waits."""
COUNT_S = 5.0
"""How long each query of the books may take after Ctrl-C: of millions of rows the whole count takes minutes."""
SETTLE_MS = 5_000
"""Live readings of the first seconds queue behind the history's last; latency is measured after them."""

console = Console(stderr=True)


class DemoOutcome(NamedTuple):
    """What was published, and when it was live."""

    published: int
    """Of this run, and what an earlier one left in the broker and Kafka."""
    live_from_ts: int
    live_to_ts: int


def check_report(path: Path) -> None:
    """Raise PlainError if the report cannot be written: better before an hour's run than after it."""
    try:
        path.open("a").close()
    except OSError as error:
        msg = f"cannot write {path} ({error.strerror}): name another file with --report"
        raise PlainError(msg) from None


@dataclass(frozen=True)
class Ending:
    """The end of one run on a stack."""

    stack: Stack
    reader_url: str
    interrupts: Interrupts
    before: int
    """Readings in the books when the run began."""
    is_over: bool
    """Whether its duration ended it, not somebody."""
    report: Path | None

    @property
    def _keeps(self) -> bool:
        return self.stack.kafka.durable

    def drain(self, outcome: DemoOutcome) -> None:
        """Wait for the last readings: not for what Kafka keeps anyway, nor for what would take too long."""

        def left() -> int:
            return outcome.published - (counted(self.reader_url).received - self.before)

        first = left()
        if first <= 0:
            return
        longest_s = PATIENCE_S if self._keeps and not self.is_over else DRAIN_S
        leave = "leaves them in Kafka" if self._keeps else "gives them up"
        console.print(
            f"  waiting up to {longest_s:.0f} s for the last {first:,} readings to be stored; Ctrl-C again {leave}"
        )
        began = time.monotonic()
        while (waiting := left()) > 0 and not self.interrupts.abort.wait(0.2):
            gone_s = time.monotonic() - began
            in_time = (first - waiting) * longest_s >= first * gone_s
            if gone_s >= longest_s or (gone_s >= PATIENCE_S and not in_time):
                return

    def close(self, outcome: DemoOutcome) -> int:
        """Count the books, say what waits and write the report. Returns the exit code."""
        counts = counted(self.reader_url)
        missing = max(0, outcome.published - (counts.received - self.before))
        kept = missing > 0 and self._keeps
        world = earlier_world(self.stack.directory)
        assert world is not None  # noqa: S101 - written when the run began
        last_ts = max(world.last_ts, outcome.live_to_ts)
        remember(self.stack.directory, world._replace(last_ts=last_ts, waiting=missing))
        books, latency = self._count(outcome)
        if books is None:
            console.print(
                f"{counts.received:,} received, {counts.stored:,} stored, {counts.duplicate:,} duplicate,"
                f" {counts.quarantined:,} quarantined, says the ledger; counting the tables against it would take"
                " longer than Ctrl-C waits: `fenhe balance` does it while the demo runs"
            )
        else:
            print_balance(books, as_json=False)
        if kept:
            console.print(
                f"[yellow]{missing:,} readings wait in the broker and in Kafka, which keep them:"
                " the next start stores them first[/]"
            )
        elif missing:
            console.print(
                f"[bold red]{missing:,} readings were not stored in time, and the embedded Kafka forgets them[/]:"
                " let it run longer, or use Apache Kafka (`make kafka`)"
            )
        if latency.p50 is not None and latency.p99 is not None:
            console.print(
                f"publication to commit, {latency.readings:,} live readings:"
                f" p50 {latency.p50:.0f} ms, p99 {latency.p99:.0f} ms"
            )
        closed = (books is None or books.closed) and (missing == 0 or (kept and not self.is_over))
        if self.report is not None:
            is_closed = None if books is None else closed
            self._write_report(self.report, outcome, books or counts, latency, closed=is_closed)
        return 0 if closed else 1

    def _count(self, outcome: DemoOutcome) -> tuple[BooksBalance | None, Latency]:
        """The books held against the tables, and how fast live readings were; none where Ctrl-C would wait too long."""
        within_s = None if self.is_over else COUNT_S
        since = min(outcome.live_from_ts + SETTLE_MS, outcome.live_to_ts)
        books, latency = None, Latency(None, None, 0)
        with contextlib.suppress(psycopg.errors.QueryCanceled):
            books = read_balance(self.reader_url, each_within_s=within_s)
            with connect(self.reader_url, name="demo") as connection:
                latency = commit_latency(connection, since, outcome.live_to_ts, within_s=within_s)
        return books, latency

    def _write_report(
        self,
        path: Path,
        outcome: DemoOutcome,
        books: BooksBalance | Counts,
        latency: Latency,
        *,
        closed: bool | None,
    ) -> None:
        stack, timescaledb = self.stack, self.stack.postgres.timescaledb_version()
        report: dict[str, Any] = {
            "published": outcome.published,
            "stored": books.stored,
            "duplicate": books.duplicate,
            "quarantined": books.quarantined,
            "books_closed": closed,
            "latency_ms": {"p50": latency.p50, "p99": latency.p99},
            "engine": f"postgresql {stack.postgres.version}" + (f" + timescaledb {timescaledb}" if timescaledb else ""),
            "broker": f"{stack.mqtt.kind} {stack.mqtt.version} · {stack.kafka.kind} {stack.kafka.version}",
        }
        path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

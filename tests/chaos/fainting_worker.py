"""A worker that stops dead at the worst moment: `python -m tests.chaos.fainting_worker`, once FAINTS_ONCE exists.

It stops itself with SIGSTOP, all threads at once, and lives on when somebody resumes it: just before a transaction
begins, with the records in its hands, or (FAINTS=inside) in the middle of one, with its locks held.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import storage.checkpoint
import streams.worker.app
from fenhe.cli import app
from streams.engine.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import ParamSpec, TypeVar

    from streams.engine.partition import Partition
    from streams.engine.parts import Bounds
    from streams.engine.transaction import Outcome
    from streams.intake.decode import Record

    P = ParamSpec("P")
    T = TypeVar("T")

TRIGGER = Path(os.environ["FAINTS_ONCE"])
INSIDE = os.environ["FAINTS"] == "inside"


def faint() -> None:
    """Stop, once, if it is time to."""
    if TRIGGER.exists():
        TRIGGER.unlink()
        # To this very thread: a signal to the process is taken by any, and this one might begin its transaction first.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


class FaintingEngine(Engine):
    """Faints before a transaction that has something to store: no connection is borrowed yet."""

    def stored(
        self, partition: Partition, records: Sequence[Record], bounds: Bounds | None = None
    ) -> Iterator[Outcome | None]:
        """Redelivered records, which are skipped, and a gap, which is refused, are no occasion."""
        if records[0].offset <= partition.next_offset <= records[-1].offset:
            faint()
        yield from super().stored(partition, records, bounds)


def after(function: Callable[P, T]) -> Callable[P, T]:
    """Faint after a function."""

    def fainting(*args: P.args, **kwargs: P.kwargs) -> T:
        done = function(*args, **kwargs)
        faint()
        return done

    return fainting


if __name__ == "__main__":
    if INSIDE:
        vars(storage.checkpoint)["advance"] = after(storage.checkpoint.advance)  # it has locked the checkpoint's row
    else:
        vars(streams.worker.app)["Engine"] = FaintingEngine
    app()

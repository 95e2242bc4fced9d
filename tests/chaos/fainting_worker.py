"""A worker that stops dead at the worst moment: `python -m tests.chaos.fainting_worker`, once FAINTS_ONCE exists.

It stops itself with SIGSTOP, all threads at once, and lives on when somebody resumes it: just before a transaction
begins, with the records in its hands, or (FAINTS=inside) in the middle of one, with its locks held.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import storage.checkpoint
from fenhe.cli import app
from streams.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")

TRIGGER = Path(os.environ["FAINTS_ONCE"])
INSIDE = os.environ["FAINTS"] == "inside"


def faint() -> None:
    """Stop, once, if it is time to."""
    if TRIGGER.exists():
        TRIGGER.unlink()
        os.kill(os.getpid(), signal.SIGSTOP)


def before(function: Callable[P, T]) -> Callable[P, T]:
    """Faint before a function."""

    def fainting(*args: P.args, **kwargs: P.kwargs) -> T:
        faint()
        return function(*args, **kwargs)

    return fainting


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
        Engine.apply = before(Engine.apply)  # type: ignore[method-assign] # no connection is borrowed yet
    app()

"""A notifier that is killed, as by `kill -9`, before or after one of its statements."""

from __future__ import annotations

import itertools
import os
import signal
from typing import Any

import psycopg

from notify.sending import send
from notify.service import Notifier
from schemas.notifications import Routing
from storage.pool import open_pool


def run(database: str, routing: str, dies_at: int) -> None:
    """Plan and send until nothing is left, or until death: at 2k before the k-th statement, at 2k + 1 after it.

    What a transaction has done and not committed dies with it, so these are all the places there are.
    """
    pool = open_pool(database, size=1, name="dying")
    _die(dies_at)
    notifier = Notifier(pool, Routing.model_validate_json(routing), send)
    while notifier.plan() + notifier.send_next():
        pass
    os._exit(0)  # not to wait for the pool's threads


def _die(at: int) -> None:
    execute, places = psycopg.Connection.execute, itertools.count()

    def dying(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever psycopg takes and gives
        if next(places) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        result = execute(*arguments, **named)
        if next(places) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    psycopg.Connection.execute = dying  # type: ignore[method-assign]

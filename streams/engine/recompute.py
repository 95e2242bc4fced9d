"""Recompute: derive a site's rows again from its raw readings, step by step, while live work goes on.

A step is one transaction: it takes a request, holds the site's partition still, folds some devices' readings of a
quarter of a day again, computes what follows, and writes how far it has come. So a step happens whole or not at all,
whoever does it: several workers and commands share the requests, and a killed one costs a step. The partition's worker
waits for a step, then asks the database what is remembered. A step that fails puts its request off and says why there;
the others go on.

A request for all time also takes away what the registry asked for once and does not ask for any more: balances of a
medium, hours of a product line, minutes of a virtual meter, and what a device that moved brought to its former site.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import psycopg
from psycopg_pool import PoolTimeout

from schemas.time import DAY_MS, LOCAL, LONG_AGO_TS, MINUTE_MS, QUARTER_DAY_MS, day_of
from schemas.words import rederive
from storage import recompute, retention
from storage.errors import why
from storage.reference import is_current
from storage.tables import DERIVED_TABLES
from streams.engine.derivation import Rederivation, Sweep
from streams.engine.transaction import Transaction
from streams.kernels.contract import RegistryView
from streams.kernels.plant.reference import reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from schemas.registry import Device
    from storage.recompute import Request
    from streams.engine.engine import Engine

STEP_READINGS = 4_400
"""About so many readings are folded in one step, so that the partition's worker does not wait for long: twelve meters
at a reading a minute, two at one every ten seconds."""

LAP_MS = 5 * MINUTE_MS
"""A step ends so far behind the moment of a snapshot: the next one then finds the minute open there closed, and what
is folded from its minutes begins there, too, not a quarter of a day before."""


class RecomputeProgress(NamedTuple):
    """How far a request has come; times are ms of device time."""

    request_id: int
    site_id: str
    from_ts: int
    done_ts: int
    to_ts: int
    rows_written: int
    is_finished: bool


class Recompute:
    """Does requests, one step at a time; safe to run in any number of processes at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @cached_property
    def _tables_of_sites(self) -> list[str]:
        """Tables of a site's own rows, which may stand where none of its devices has a reading any more.

        Without those whose key has something before the time: no index has a site's first moment, and a step would
        read all of a site's windows of a year. They stand within the hours of the same site.
        """
        views = (kernel for kernel in self._engine.session.kernels.rows if isinstance(kernel, RegistryView))
        tables = {DERIVED_TABLES[view.gives] for view in views}
        return sorted(table.name for table in tables if table.key[:2] == ("site_id", "ts"))

    def step(self, request_id: int | None = None) -> RecomputeProgress | None:
        """Do one step of a request (None: of the oldest open one); None where there is nothing to do right now.

        Raises whatever a step fails of; its request then says so and is put off (`storage.recompute.put_off`).
        """
        request = None
        try:
            with self._engine.begin() as connection, connection.transaction():
                if not is_current(connection, reference().version):
                    return None  # a newer fenhe migrated this database: its workers shall do it
                request = recompute.claim(connection, request_id)
                return None if request is None else self._step(connection, request)
        except Exception as error:
            if request is not None:
                self._put_off(request, rederive.failed(why(error)))
            raise

    def _put_off(self, request: Request, error: str) -> None:
        """Write down that a step failed, in a transaction of its own, unless the database is away."""
        with contextlib.suppress(psycopg.Error, PoolTimeout), self._engine.begin() as connection:
            recompute.put_off(connection, request, error)

    def _step(self, connection: Connection, request: Request) -> RecomputeProgress:
        request = request._replace(error="")
        transaction = Transaction(self._engine.session, self._engine.whereabouts(request.site_id))
        devices = self._engine.registered(connection, request.site_id)
        stretch = recompute.stretch_of(connection, [(device.kind, device.device_id) for device in devices])
        if request.is_of_all_time:
            stretch = recompute.widened(connection, stretch, request.site_id, self._tables_of_sites)
        if stretch is None:
            return _noted(connection, request, (0, 0), is_finished=True)
        first, newest = stretch
        kept_ts = retention.derivable_from_ts(connection)
        if kept_ts is not None and request.from_ts < kept_ts and first < newest:
            day = dt.datetime.fromtimestamp(kept_ts / 1000, LOCAL).date()
            request = request._replace(error=rederive.not_kept(day))
            first = max(first, kept_ts)
        sweep = None
        if request.is_of_all_time:  # from the first day on of which all readings are kept
            whole_ts = LONG_AGO_TS if kept_ts is None else day_of(kept_ts) + DAY_MS
            sweep = Sweep(request.site_id, whole_ts)
        begin = _floor(max(request.from_ts, first))
        end = min(request.to_ts, newest + 1)
        at = begin if request.next_ts is None else request.next_ts
        if at >= end:
            rows = transaction.rebuild_within(connection, Rederivation(devices, at, until_it_agrees=True))
            done = request._replace(next_ts=at, rows_written=request.rows_written + rows)
            return _noted(connection, done, (begin, end), is_finished=True)
        groups = _groups(devices)
        group = min(request.next_group, len(groups) - 1)
        stop = _floor(at) + QUARTER_DAY_MS + LAP_MS
        is_last = group + 1 == len(groups)
        before = list(chain.from_iterable(groups[:group])) if is_last else None
        rows = transaction.rebuild_within(
            connection, Rederivation(groups[group], at, stop, before, sweep=sweep if is_last else None)
        )
        done = request._replace(
            next_ts=stop if is_last else at,
            next_group=0 if is_last else group + 1,
            rows_written=request.rows_written + rows,
        )
        return _noted(connection, done, (begin, end), is_finished=False)


def _noted(
    connection: Connection, request: Request, stretch: tuple[int, int], *, is_finished: bool
) -> RecomputeProgress:
    recompute.note(connection, request, is_finished=is_finished)
    begin, end = stretch
    done = end if is_finished or request.next_ts is None else min(request.next_ts, end)
    return RecomputeProgress(request.id, request.site_id, begin, done, end, request.rows_written, is_finished)


def _floor(ts: int) -> int:
    return ts - ts % QUARTER_DAY_MS


def _groups(devices: Sequence[Device]) -> list[list[Device]]:
    """Devices of a site in groups that send about as many readings in a quarter of a day as a step folds.

    Where there are several, an empty one is the last: in a step of its own comes what follows from all of them.
    """
    groups: list[list[Device]] = [[]]
    readings = 0.0
    for device in devices:
        expected = QUARTER_DAY_MS / 1000 / device.period_s
        if groups[-1] and readings + expected > STEP_READINGS:
            groups.append([])
            readings = 0.0
        groups[-1].append(device)
        readings += expected
    return groups if len(groups) == 1 else [*groups, []]

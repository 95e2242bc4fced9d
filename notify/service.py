"""The notifier's two steps: make messages of the outbox, and send messages until they are taken.

Making is one transaction: an outbox row is in messages and marked, or neither. Sending is outside of any: a message
is leased, sent, and then noted as sent. So none is lost; one is doubled where a notifier dies after the channel has
taken it and before that is noted, and then once the lease has run out.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
import traceback
from typing import TYPE_CHECKING

import psycopg
import structlog

from notify.routing import channels_of, is_worth_telling, quiet_wait_s
from notify.texts import message
from schemas.time import LOCAL
from storage.alarm_tables import notifications
from storage.errors import is_too_much, is_transient

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg import Connection
    from psycopg_pool import ConnectionPool

    from schemas.notifications import Channel, Routing
    from storage.alarm_tables.notifications import HeldMessage, Notice

log = structlog.get_logger(__name__)

LEASE_S = 60.0
"""Longer than any attempt to send; after this a dead notifier's message is sent by another: the window of doubles."""
BACKOFF_S = (5.0, 600.0)
"""First and longest wait before a channel that did not take a message is tried again; without end."""
IDLE_S = 1.0


class Notifier:
    """Plans and sends, until notices to stop."""

    def __init__(self, pool: ConnectionPool, routing: Routing, send: Callable[[Channel, str, str], str | None]) -> None:
        """Take how to send: (channel, title, body) → what went wrong, or None."""
        self._pool = pool
        self._routing = routing
        self._send = send
        self._channels = {channel.name: channel for channel in routing.channels}
        self.sent = 0
        self.failed = 0
        self.stopping = threading.Event()

    def figures(self) -> dict[str, float]:
        """Counts since the start."""
        return {"sent_total": self.sent, "failed_total": self.failed}

    def run(self) -> None:
        """Work until stopped; a database that is away is waited for."""
        while not self.stopping.is_set():
            try:
                busy = self.plan() + self.send_next()
            except psycopg.Error as error:
                if not (is_transient(error) or is_too_much(error)):
                    raise
                log.warning("database does not serve us now", error=repr(error))
                busy = 0
            if not busy:
                self.stopping.wait(IDLE_S)

    def plan(self) -> int:
        """Make messages of what waits in the outbox; returns how much that was."""
        with self._pool.connection() as connection, connection.transaction():
            notices = notifications.waiting(connection, group_wait_s=self._routing.group_wait_s)
            by_channel: dict[str, dict[str, list[Notice]]] = {}
            for item in notices:
                if is_worth_telling(item):
                    for channel in channels_of(self._routing, item):
                        by_channel.setdefault(channel, {}).setdefault(item.group_id, []).append(item)
            for name in sorted(by_channel):
                self._plan_channel(connection, self._channels[name], by_channel[name])
            notifications.mark_planned(connection, [item.outbox_id for item in notices])
        return len(notices)

    def _plan_channel(self, connection: Connection, channel: Channel, groups: dict[str, list[Notice]]) -> None:
        quiet_s = quiet_wait_s(channel.quiet, dt.datetime.now(tz=LOCAL))
        recent, digest, room_s = notifications.hold_channel(connection, channel.name)
        surplus: list[Notice] = []
        for group_key, items in groups.items():
            urgent = any(item.severity == "critical" for item in items)
            if not urgent and (recent >= channel.per_10_min or digest is not None):
                surplus += items
                continue
            recent += not urgent
            notifications.add(
                connection, channel=channel.name, group_key=group_key, urgent=urgent, digest=False,
                wait_s=0.0 if urgent else quiet_s, outbox_ids=_ids(items),
            )  # fmt: skip
        if surplus and digest is not None:
            notifications.append(connection, digest, _ids(surplus))
        elif surplus:
            notifications.add(
                connection, channel=channel.name, group_key="", urgent=False, digest=True,
                wait_s=max(quiet_s, room_s, 1.0), outbox_ids=_ids(surplus),
            )  # fmt: skip

    def send_next(self) -> int:
        """Send the next message that is due; returns how many that was."""
        with self._pool.connection() as connection:
            found = notifications.lease(connection, lease_s=LEASE_S)
        if found is None:
            return 0
        with self._pool.connection() as connection:
            notices = notifications.contents(connection, found.id)
        error = self._try(found, notices)
        with self._pool.connection() as connection:
            if error is None:
                notifications.mark_sent(connection, found.id)
                self.sent += 1
            else:
                wait_s = min(BACKOFF_S[0] * 2 ** min(found.attempts - 1, 20), BACKOFF_S[1])
                wait_s *= random.uniform(0.5, 1.0)  # noqa: S311 - jitter
                notifications.put_off(connection, found.id, wait_s=wait_s, error=error)
                self.failed += 1
                log.warning("not taken", channel=found.channel, attempts=found.attempts, error=error, again_s=wait_s)
        return 1

    def _try(self, found: HeldMessage, notices: Sequence[Notice]) -> str | None:
        """Send a message; returns what went wrong. One that cannot be made or sent never ends the notifier."""
        channel = self._channels.get(found.channel)
        if channel is None:
            return f"no channel {found.channel} in the notifier's file"
        try:
            return self._send(channel, *message(notices, channel.language, digest=found.digest))
        except Exception as error:  # noqa: BLE001 - the message says it, and the others go on
            frame, line = list(traceback.walk_tb(error.__traceback__))[-1]
            # Not the error's own text: a channel's address holds a secret.
            return f"failed: {type(error).__name__} ({frame.f_globals['__name__']}, line {line})"


def _ids(notices: Sequence[Notice]) -> list[int]:
    return [item.outbox_id for item in notices]

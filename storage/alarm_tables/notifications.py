"""The outbox and the messages made of it. Nothing is sent from within a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from storage.encoding.texts import storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection


class Notice(NamedTuple):
    """One thing to be told, with the alarm as it stands now; moments in ms."""

    outbox_id: int
    what: str
    alarm_id: str
    state: str
    site_id: str
    site_name: str
    site_name_zh: str
    region: str
    device_id: str
    metric: str
    kind: str
    severity: str
    safety: bool
    group_id: str
    event_ts: int
    cleared_ts: int | None
    value: float | None
    baseline: float | None
    unit: str
    cost: float | None
    cost_unit: str
    disproved: bool
    flaps: int = 0
    """How often the same alarm came, or went, before, without a pause of 12 hours in between."""
    is_next_day: bool = False
    """Whether it comes, or goes, for the first time since 08:00 local time, having done so before."""


_NOTICE = (
    "SELECT o.id, o.what, a.alarm_id, a.state, a.site_id, coalesce(s.name, a.device_id),"
    " coalesce(s.name_zh, a.device_id), a.region, a.device_id, a.metric, a.kind, a.severity, a.safety, a.group_id,"
    " a.event_at, a.cleared_at, a.value, a.baseline, a.unit, a.cost, a.cost_unit, a.disproved,"
    " f.flaps, coalesce(date_trunc('day', o.created_at, 'UTC') > f.last_at, false)"
    " FROM notification_outbox o JOIN alarm a USING (alarm_id) LEFT JOIN site s ON s.site_id = a.site_id"
    " CROSS JOIN LATERAL (SELECT count(*) AS flaps, max(q.created_at) AS last_at FROM"
    " (SELECT p.created_at, bool_or(p.pause > interval '12 hours') OVER (ORDER BY p.id DESC) AS is_before FROM"
    " (SELECT e.id, e.created_at, lead(e.created_at, 1, o.created_at) OVER (ORDER BY e.id) - e.created_at AS pause"
    " FROM notification_outbox e JOIN alarm_transition et ON et.id = e.transition_id"
    " JOIN alarm_transition ot ON ot.id = o.transition_id AND ot.event = et.event"
    " AND ot.event IN ('raise', 'clear', 'clear_latched')"
    " WHERE e.alarm_id = o.alarm_id AND e.id < o.id) AS p) AS q WHERE NOT q.is_before) AS f"
)
"""A run of comings is counted from its first one, however long it goes on: any window of hours has a period with which
the 30th coming is told again and again."""


def waiting(connection: Connection, *, group_wait_s: float, limit: int = 500) -> list[Notice]:
    """Take what is to be planned, oldest first; held by this transaction, passed over by other notifiers'."""
    rows = connection.execute(
        _NOTICE + " WHERE o.planned_at IS NULL AND (a.severity = 'critical'"
        " OR o.created_at <= clock_timestamp() - %s * interval '1 s')"
        " ORDER BY o.id LIMIT %s FOR UPDATE OF o SKIP LOCKED",
        (group_wait_s, limit),
        binary=True,
    )
    return [Notice(*row) for row in rows]


def mark_planned(connection: Connection, outbox_ids: Sequence[int]) -> None:
    """Note that messages were made, or that there is none to make."""
    connection.execute(
        "UPDATE notification_outbox SET planned_at = clock_timestamp() WHERE id = ANY(%s)", (list(outbox_ids),)
    )


def hold_channel(connection: Connection, channel: str) -> tuple[int, int | None, float]:
    """Hold a channel against other notifiers; returns its messages of 10 minutes, an unsent digest, seconds to room."""
    connection.execute("SELECT take_turn('channel ' || %s)", (channel,))
    row = connection.execute(
        "SELECT count(*) FILTER (WHERE created_at > clock_timestamp() - interval '10 min' AND NOT urgent),"
        " max(id) FILTER (WHERE digest AND sent_at IS NULL AND attempts = 0),"
        " coalesce(600 - extract(epoch FROM clock_timestamp() - min(created_at)"
        " FILTER (WHERE created_at > clock_timestamp() - interval '10 min')), 0)::float8"
        " FROM notification WHERE channel = %s AND (created_at > clock_timestamp() - interval '10 min'"
        " OR sent_at IS NULL)",
        (channel,),
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    return int(row[0]), row[1], float(row[2])


def add(
    connection: Connection, *, channel: str, group_key: str, urgent: bool, digest: bool, wait_s: float,
    outbox_ids: Sequence[int],
) -> None:  # fmt: skip
    """Make a message that is due after a wait."""
    row = connection.execute(
        "INSERT INTO notification (channel, group_key, urgent, digest, due_at)"
        " VALUES (%s, %s, %s, %s, clock_timestamp() + %s * interval '1 s') RETURNING id",
        (channel, group_key, urgent, digest, wait_s),
    ).fetchone()
    assert row is not None  # noqa: S101 - just inserted
    append(connection, row[0], outbox_ids)


def append(connection: Connection, notification_id: int, outbox_ids: Sequence[int]) -> None:
    """Put more into a message."""
    connection.execute(
        "INSERT INTO notification_item SELECT %s, unnest(%s::bigint[]) ON CONFLICT DO NOTHING",
        (notification_id, list(outbox_ids)),
    )


class HeldMessage(NamedTuple):
    """A message this notifier holds for the length of its lease."""

    id: int
    channel: str
    digest: bool
    attempts: int


def lease(connection: Connection, *, lease_s: float) -> HeldMessage | None:
    """Take the next message that is due; whoever took it before and let its lease run out is taken to be dead."""
    row = connection.execute(
        "UPDATE notification SET attempts = attempts + 1, leased_until = clock_timestamp() + %s * interval '1 s'"
        " WHERE id = (SELECT id FROM notification WHERE sent_at IS NULL AND due_at <= clock_timestamp()"
        " AND (leased_until IS NULL OR leased_until < clock_timestamp())"
        " ORDER BY urgent DESC, due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)"
        " RETURNING id, channel, digest, attempts",
        (lease_s,),
    ).fetchone()
    return None if row is None else HeldMessage(*row)


def contents(connection: Connection, notification_id: int) -> list[Notice]:
    """What a message tells."""
    rows = connection.execute(
        _NOTICE + " JOIN notification_item i ON i.outbox_id = o.id WHERE i.notification_id = %s ORDER BY o.id",
        (notification_id,),
        binary=True,
    )
    return [Notice(*row) for row in rows]


def mark_sent(connection: Connection, notification_id: int) -> None:
    """Note that a channel has taken a message."""
    connection.execute(
        "UPDATE notification SET sent_at = clock_timestamp(), leased_until = NULL, last_error = NULL WHERE id = %s",
        (notification_id,),
    )


def put_off(connection: Connection, notification_id: int, *, wait_s: float, error: str) -> None:
    """Note that a channel has not, and when it is tried again."""
    connection.execute(
        "UPDATE notification SET due_at = clock_timestamp() + %s * interval '1 s', leased_until = NULL,"
        " last_error = %s WHERE id = %s",
        (wait_s, storable(error)[:500], notification_id),
    )

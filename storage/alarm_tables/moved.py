"""What is kept of a device that has moved to another site goes along: its alarms, and what is known of its clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.encoding.arrays import Column, PgType
from storage.statements import trusted, unnest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

_MOVE = (
    "WITH moved AS (SELECT a.alarm_id, d.site_id, s.city FROM {alarms}"
    " JOIN device d ON d.device_id = a.device_id{now_at} JOIN site s ON s.site_id = d.site_id"
    # Alarms of sites and of regions stand under names that a device may have as well.
    " WHERE a.site_id <> d.site_id AND a.site_id <> '' AND a.site_id <> a.device_id"
    # Of one condition only one may be open: where one has been raised anew since, the one before stays.
    " AND (a.state = 'normal' OR NOT EXISTS (SELECT FROM alarm o WHERE (o.device_id, o.metric, o.kind)"
    " = (a.device_id, a.metric, a.kind) AND o.state <> 'normal' AND o.alarm_id <> a.alarm_id"
    " AND (o.site_id = d.site_id OR (o.raised_at, o.alarm_id) > (a.raised_at, a.alarm_id))))"
    " ORDER BY a.alarm_id FOR UPDATE OF a)"
    " UPDATE alarm a SET site_id = m.site_id, region = m.city FROM moved m WHERE a.alarm_id = m.alarm_id"
)
_ALARMS = trusted(_MOVE.format(alarms="alarm a", now_at=""))
_ALARMS_OF = trusted(
    _MOVE.format(
        alarms=f"{unnest((PgType.TEXT,) * 4)} AS q (site_id, device_id, metric, kind)"
        " JOIN alarm a ON (a.device_id, a.metric, a.kind) = (q.device_id, q.metric, q.kind) AND a.site_id <> q.site_id",
        # A worker that does not know of the move yet brings nothing: what it asks for is of the former site.
        now_at=" AND d.site_id = q.site_id",
    )
)
_CLOCKS = (
    "WITH moved AS (SELECT c.device_id, c.fault, d.site_id FROM device_clock c JOIN device d USING (device_id)"
    " WHERE c.site_id <> d.site_id ORDER BY c.device_id, c.fault FOR UPDATE OF c)"
    " UPDATE device_clock c SET site_id = m.site_id FROM moved m WHERE (c.device_id, c.fault) = (m.device_id, m.fault)"
)


def follow(connection: Connection) -> None:
    """Have all that stands at a former site follow its device: derived again it is the same alarm, at the new site."""
    connection.execute(_ALARMS)
    connection.execute(_CLOCKS)


def follow_conditions(connection: Connection, asked: Sequence[tuple[str, str, str, str]]) -> None:
    """Have the alarms of some conditions (site, device, metric, kind) follow their devices to these sites.

    A worker's transaction under way while a device moves may have written one at the former site after the import.
    """
    connection.execute(_ALARMS_OF, [Column(PgType.TEXT, values) for values in zip(*asked, strict=True)], binary=True)

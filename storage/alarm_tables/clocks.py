"""What speaks against the clocks of devices, kept from one look to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.encoding.arrays import Column, PgType
from storage.statements import MOMENT, each, trusted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

Known = tuple[str, str, str, int, int, int, int | None, int | None]
"""Device, fault, site, arrival of the first and the newest reading that says so, their number, first and last offset
in ms."""

_SAVE = trusted(
    "INSERT INTO device_clock VALUES (%s, %s, %s, "  # noqa: S608 - own text
    f"{MOMENT}, {MOMENT}, %s, %s, %s) ON CONFLICT (device_id, fault) DO UPDATE SET site_id = excluded.site_id,"
    " since_at = excluded.since_at, last_at = excluded.last_at, readings = excluded.readings,"
    " first_ms = excluded.first_ms, last_ms = excluded.last_ms"
)


def of_sites(connection: Connection, site_ids: Sequence[str]) -> list[Known]:
    """What is known of the clocks of some sites' devices."""
    return connection.execute(
        "SELECT device_id, fault, site_id, since_at, last_at, readings, first_ms, last_ms FROM device_clock"
        " WHERE site_id = ANY(%b) ORDER BY device_id, fault",
        (Column(PgType.TEXT, site_ids),),
        binary=True,
    ).fetchall()


def save(connection: Connection, clocks: Sequence[Known]) -> None:
    """Write what is known of some clocks."""
    each(connection, _SAVE, clocks)


def forget(connection: Connection, keys: Sequence[tuple[str, str]]) -> None:
    """Take out clocks that are right again."""
    each(connection, "DELETE FROM device_clock WHERE device_id = %s AND fault = %s", keys)

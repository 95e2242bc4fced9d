"""Reference data in the database: every version that was loaded stays, the newest is the current one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from storage import recompute
from storage.statements import each

if TYPE_CHECKING:
    from psycopg import Connection

    from schemas.reference import Reference

TABLES = {
    "factors": "reference_energy_factor",
    "limits": "reference_energy_limit",
    "corrections": "reference_correction",
    "quotas": "reference_water_quota",
    "targets": "reference_target",
    "settings": "reference_setting",
}
"""The table of each part."""


class ReferenceConflictError(Exception):
    """The database holds other figures under the same version."""


def load_reference(connection: Connection, reference: Reference) -> bool:
    """Store a version of the reference data and make it the current one; False where it was so already.

    Where another version was current, every plant is marked for recompute.
    Raises ReferenceConflictError where the version is there with other figures.
    """
    with connection.transaction():
        connection.execute("LOCK TABLE reference_version IN SHARE ROW EXCLUSIVE MODE")
        others = connection.execute("SELECT EXISTS (SELECT FROM reference_version)").fetchone()
        found = connection.execute(
            "SELECT digest, version = (SELECT version FROM reference_current) FROM reference_version"
            " WHERE version = %s",
            (reference.version,),
        ).fetchone()
        if found is not None:
            digest, is_current = found
            if digest != reference.digest:
                msg = f"version {reference.version} of the reference data is in the database with other figures"
                raise ReferenceConflictError(msg)
            if is_current:
                return False
            connection.execute(
                "UPDATE reference_version SET loaded_at = clock_timestamp() WHERE version = %s", (reference.version,)
            )
        else:
            _add(connection, reference)
        if others == (True,):
            plants = connection.execute("SELECT site_id FROM site WHERE sector <> 'base_station'").fetchall()
            recompute.ask(connection, (site_id for (site_id,) in plants), reason=f"reference {reference.version}")
    return True


def is_current(connection: Connection, version: str) -> bool:
    """Whether a version is the current one, or none was ever loaded."""
    row = connection.execute("SELECT version FROM reference_current").fetchone()
    return row is None or row[0] == version


def _add(connection: Connection, reference: Reference) -> None:
    connection.execute(
        "INSERT INTO reference_version (version, digest) VALUES (%s, %s)", (reference.version, reference.digest)
    )
    for part, table in TABLES.items():
        _insert(connection, table, reference.version, reference.model_dump(mode="json")[part])


def _insert(connection: Connection, table: str, version: str, rows: dict[str, dict[str, object]]) -> None:
    columns = ["version", "key", *next(iter(rows.values()))]
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(sql.Placeholder() * len(columns)),
    )
    each(connection, statement, [(version, key, *row.values()) for key, row in rows.items()])

"""Numbered SQL migrations: applied once, in order, by whoever comes first.

An edited file is refused, and so is a new one whose number is not the highest: fresh databases and old ones would
apply it at different places.

A file `0007_name.sql` runs on every engine; where engines differ there are `0007_name.timescaledb.sql` and
`0007_name.postgresql.sql`.
"""

from __future__ import annotations

import hashlib
import re
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from psycopg import sql

from storage.pool import connect
from storage.statements import trusted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg import Connection

LOCK = 0x66656E6865  # "fenhe"
"""Advisory lock key: of several processes that migrate at once, one works and the others then find it done."""

_NAME = re.compile(r"^(?P<number>\d{4})_(?P<name>\w+)(\.(?P<engine>timescaledb|postgresql))?\.sql$")


class MigrationError(Exception):
    """The files and the database do not fit together; the message says what to do."""


class Migration(NamedTuple):
    """One step of the schema, for one engine."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file's text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations_for(engine: str) -> list[Migration]:
    """All steps for an engine, in order."""
    found: dict[int, Migration] = {}
    for file in resources.files("storage").joinpath("migrations").iterdir():
        match = _NAME.match(file.name)
        if not match or match["engine"] not in {None, engine}:
            continue
        number = int(match["number"])
        if number in found:
            msg = f"two migrations numbered {number:04d} for {engine}"
            raise MigrationError(msg)
        found[number] = Migration(number, match["name"], file.read_text(encoding="utf-8"))
    return [found[number] for number in sorted(found)]


def detect_engine(connection: Connection) -> str:
    """Tell which engine this database is to be: TimescaleDB where it is loaded, else plain PostgreSQL."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')"
        " AND current_setting('timescaledb.disable_load', true) IS NOT NULL"  # set by its preloaded library
    ).fetchone()
    return "timescaledb" if row and row[0] else "postgresql"


def migrate(owner_url: str, passwords: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """Bring the database up to date, give roles their passwords and return the steps applied; none: it was up to date.

    Idempotent, and safe to run from several processes at once. Each step is one transaction. Raises
    MigrationError where an applied file was edited, a new one is numbered below one that is applied, or the database
    is newer than this fenhe.
    """
    applied: list[str] = []
    with connect(owner_url, name="migrate", autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migration ("
            " number int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, engine text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )
        done = {
            row[0]: row[1:]
            for row in connection.execute("SELECT number, checksum, engine FROM schema_migration ORDER BY number")
        }
        engines = {engine for _, engine in done.values()}
        engine = engines.pop() if engines else detect_engine(connection)
        steps = migrations_for(engine)
        _check(steps, done)
        for step in steps:
            if step.number in done:
                continue
            with connection.transaction():
                connection.execute(trusted(step.text))
                connection.execute(
                    "INSERT INTO schema_migration (number, name, checksum, engine) VALUES (%s, %s, %s, %s)",
                    (step.number, step.name, step.checksum, engine),
                )
            applied.append(f"{step.number:04d}_{step.name}")
        for role, password in passwords.items():
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))
    return applied


def _check(steps: Sequence[Migration], done: dict[int, tuple[str, str]]) -> None:
    known = {step.number: step for step in steps}
    for number, (checksum, _) in done.items():
        if number not in known:
            msg = f"the database has migration {number:04d}, which this fenhe does not know: upgrade fenhe"
            raise MigrationError(msg)
        if known[number].checksum != checksum:
            msg = (
                f"migration {number:04d}_{known[number].name} was edited after it was applied:"
                " restore the file and put the change into a new migration"
            )
            raise MigrationError(msg)
    newest = max(done, default=-1)
    for step in steps:
        if step.number < newest and step.number not in done:
            msg = (
                f"migration {step.number:04d}_{step.name} is below {newest:04d}, the newest that this database has:"
                " databases would come to differ by the day they were made. Give it the highest number + 1"
            )
            raise MigrationError(msg)

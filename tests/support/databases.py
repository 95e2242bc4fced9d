"""Databases of a test's own, with all tables and no rows: copies of one that is migrated once on each server."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from fenhe.local.postgres import OWNER, SUPERUSER
from storage.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fenhe.local import Postgres

PATTERN = "migrated"
"""The database that is copied."""


@contextmanager
def own_database(postgres: Postgres) -> Iterator[str]:
    """Create a database and give its name; it is dropped at the end."""
    name = new_database(postgres)
    yield name
    postgres.drop_database(name)


def new_database(postgres: Postgres) -> str:
    """Create a database; returns its name."""
    name = f"test_{secrets.token_hex(4)}"
    if postgres.has_timescaledb:  # its workers hold on to the one that would be copied
        migrate(postgres.create_database(name))
        return name
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (PATTERN,)).fetchone():
            migrate(postgres.create_database(PATTERN))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(*map(sql.Identifier, (name, PATTERN, OWNER)))
        )
    return name

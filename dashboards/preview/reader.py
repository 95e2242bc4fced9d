"""Read-only access to the database: a few connections, never one query of a page at the cost of another page."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol

import psycopg
from psycopg import errors

from storage.statements import trusted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dashboards.preview.macros import Query

STATEMENT_TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 3
LONGEST_S = STATEMENT_TIMEOUT_S + 5
"""A query that has not even failed by then hangs in the network: its connection is given up."""


class AwayError(Exception):
    """The database cannot be reached; the page keeps what it has and tries again."""


class QueryError(Exception):
    """The database refused this query; the message is for the operator."""


class SlowError(QueryError):
    """The query ran longer than a page may wait."""


class NotMigratedError(QueryError):
    """The tables are not there yet."""


class Rows(NamedTuple):
    """A query's answer."""

    columns: list[str]
    rows: list[tuple[object, ...]]


class Source(Protocol):
    """Where a page's figures come from: the reader, or what of it an account may see."""

    async def fetch(self, query: Query) -> Rows:
        """Run a query. Raises AwayError, NotMigratedError, SlowError or QueryError."""


class Reader:
    """A small pool of read-only connections, opened when needed.

    psycopg_pool waits and backs off when the server is away; a page wants to know at once and to be back at once.
    """

    def __init__(self, database_url: str, *, connections: int = 8) -> None:
        self._url = database_url
        self._free: list[psycopg.AsyncConnection] = []
        self._places = asyncio.Semaphore(connections)

    async def fetch(self, query: Query) -> Rows:
        """Run a query. Raises AwayError, NotMigratedError, SlowError or QueryError."""
        try:
            async with asyncio.timeout(LONGEST_S), self._connection() as connection:
                cursor = await connection.execute(trusted(query.sql), query.parameters)
                rows = await cursor.fetchall()
                return Rows([column.name for column in cursor.description or ()], rows)
        except errors.QueryCanceled as error:
            raise SlowError(str(error)) from error
        except errors.UndefinedTable as error:
            raise NotMigratedError(str(error)) from error
        except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError, OSError) as error:
            raise AwayError(str(error).strip()) from error
        except psycopg.Error as error:
            raise QueryError(str(error).strip()) from error

    async def close(self) -> None:
        """Close all connections."""
        while self._free:
            await self._free.pop().close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection]:
        async with self._places:
            connection = self._free.pop() if self._free else await self._connect()
            try:
                yield connection
            except BaseException:
                # A server that went away broke all of them; one that is back gets new ones.
                if connection.broken or connection.closed:
                    await self.close()
                await connection.close()
                raise
            self._free.append(connection)

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(
            self._url,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="fenhe preview",
            options=f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_TIMEOUT_S}s",
        )

"""The books, read as the reader role and printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from schemas.settings import ReaderSettings
from storage.books.balance import balance
from storage.pool import connect, limit_statements

if TYPE_CHECKING:
    from storage.books.balance import BooksBalance

SHOWN = 20
"""Discrepancies printed; all of them are in the JSON."""


def read_balance(url: str | None = None, *, each_within_s: float | None = None) -> BooksBalance:
    """Count the books at a database; by default the one of FENHE_DB_READER_URL.

    Raises psycopg.errors.QueryCanceled where one of its queries takes longer than `each_within_s`.
    """
    with connect(url or str(ReaderSettings().db_reader_url), name="balance") as connection:
        limit_statements(connection, each_within_s)
        return balance(connection)


def print_balance(found: BooksBalance, *, as_json: bool) -> None:
    """Print the books."""
    console = Console()
    if as_json:
        document = {
            **found._asdict(),
            "discrepancies": [item._asdict() for item in found.discrepancies],
            "closed": found.closed,
        }
        console.print_json(json.dumps(document, ensure_ascii=False))
        return
    table = Table("received", "stored", "duplicate", "quarantined", "fields set aside", "losses", "closed")
    figures = (found.received, found.stored, found.duplicate, found.quarantined, found.set_aside, found.losses)
    table.add_row(*(f"{figure:,}" for figure in figures), "yes" if found.closed else "NO")
    console.print(table)
    for item in found.discrepancies[:SHOWN]:
        console.print(f"{item.hour or '–'}  {item.device_id or '–'}  {item.what}: {item.ledger} against {item.counted}")
    if len(found.discrepancies) > SHOWN:
        console.print(f"… and {len(found.discrepancies) - SHOWN} more; --json prints all")

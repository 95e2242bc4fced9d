"""The demo's live figures: what the books have counted, and the table of it in the terminal."""

from __future__ import annotations

from typing import NamedTuple

from rich.table import Table

from fenhe.progress import in_words
from storage.pool import connect


class Counts(NamedTuple):
    """Readings so far, of all runs on a directory."""

    received: int
    stored: int
    duplicate: int
    quarantined: int


def counted(url: str) -> Counts:
    """Totals of the books; cheap, where `balance` counts the tables themselves."""
    with connect(url, name="summary") as connection:
        row = connection.execute(
            "SELECT coalesce(sum(received), 0)::bigint, coalesce(sum(stored), 0)::bigint,"
            " coalesce(sum(duplicate), 0)::bigint, coalesce(sum(quarantined), 0)::bigint FROM ledger_total"
        ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    return Counts._make(row)


def summary(address: str, ran_s: float, counts: Counts, waiting: int) -> Table:
    """Lay out how a live demo stands."""
    table = Table("live for", "stored in all", "on their way", "duplicate", "quarantined", title=address)
    table.add_row(in_words(ran_s), *(f"{figure:,}" for figure in (counts.stored, waiting, *counts[2:])))
    return table

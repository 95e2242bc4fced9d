"""What follows from a transaction's rows within the same transaction, beyond rows: alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg import Connection

    from schemas.metrics import Row
    from streams.admission import Directory


class Written(NamedTuple):
    """What a transaction has written before its stages run."""

    connection: Connection
    directory: Directory
    standing: Mapping[str, Mapping[type[Row], Sequence[Row]]]
    """Rows it wrote, by site and type."""
    gone: Mapping[str, Mapping[type[Row], Sequence[Row]]]
    """Rows it took away."""


class Stage(Protocol):
    """Acts on what a transaction wrote. What it does is undone with the transaction, so it may do nothing else."""

    def run(self, written: Written, /) -> None:
        """Act; raise to give the transaction up."""

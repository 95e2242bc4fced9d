"""Rows for a terminal: a table where it fits the width, otherwise a record each; nothing that must be copied is cut."""

from __future__ import annotations

import datetime as dt
import shutil

import typer
from rich.cells import cell_len

from schemas.time import LOCAL

GAP = 2
"""Blanks between columns."""


def local_moment(ms: float) -> str:
    """Local time of a moment, with its offset: 2026-03-01 08:00:00+08:00."""
    return dt.datetime.fromtimestamp(ms / 1_000, tz=LOCAL).isoformat(sep=" ", timespec="seconds")


class Listing:
    """Columns by name, and rows of text."""

    def __init__(self, *columns: str) -> None:
        self._columns = columns
        self._rows: list[tuple[str, ...]] = []

    def add_row(self, *cells: str) -> None:
        """Add a row, a cell for each column."""
        self._rows.append(cells)

    def lines(self, width: int) -> list[str]:
        """What is printed in a terminal of `width` characters."""
        table = [self._columns, *self._rows]
        widths = [max(cell_len(row[place]) for row in table) for place in range(len(self._columns))]
        if sum(widths) + GAP * (len(widths) - 1) <= width and not any(
            "\n" in cell for row in self._rows for cell in row
        ):
            return [
                (" " * GAP)
                .join(cell + " " * (size - cell_len(cell)) for cell, size in zip(row, widths, strict=True))
                .rstrip()
                for row in table
            ]
        name_width = max(cell_len(name) for name in self._columns)
        found: list[str] = []
        for row in self._rows:
            found.append(f"{self._columns[0]} {row[0]}")
            found += [
                f"  {name}{' ' * (name_width - cell_len(name))}  {cell}"
                for name, cell in zip(self._columns[1:], row[1:], strict=True)
                if cell
            ]
        return found

    def print(self) -> None:
        """Print it; a line that is longer than the terminal runs on in the next, uncut."""
        for line in self.lines(shutil.get_terminal_size((80, 24)).columns):
            typer.echo(line)

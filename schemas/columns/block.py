"""Readings of one kind as a transaction has them: columns, and objects only where something looks at one by itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from schemas.columns.layout import fields_of, laid_out, lists_of, matrix, numbers_of, readings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from schemas.columns.layout import Figures, Others
    from schemas.readings import Kind, Reading


class Block:
    """Some readings of one kind, and every column of them."""

    def __init__(self, kind: Kind, readings: Sequence[Reading]) -> None:
        """Lay them out; of each attribute that no reading has, nothing is kept."""
        figures, others = laid_out(kind, readings)
        self._hold(kind, [reading.ts for reading in readings], figures, others, list(readings))

    @classmethod
    def of_columns(cls, kind: Kind, ts: list[int], figures: Figures, others: Others) -> Block:
        """Take readings that are laid out already; they are made when they are asked for."""
        found: Block = object.__new__(cls)
        found._hold(kind, ts, figures, others, [None] * len(ts))
        return found

    def _hold(
        self, kind: Kind, ts: list[int], figures: Figures, others: Others, readings: list[Reading | None]
    ) -> None:
        self.kind = kind
        self.ts = ts
        """Device time, ms."""
        self.figures = figures
        self.others = others
        self._readings = readings
        """None where one was not made yet."""

    def __len__(self) -> int:
        return len(self.ts)

    def reading(self, at: int) -> Reading:
        """One of the readings."""
        found = self._readings[at]
        return self.readings([at])[0] if found is None else found

    def readings(self, rows: Sequence[int]) -> list[Reading]:
        """Some of the readings; from now on they go with their columns."""
        missing = [row for row in rows if self._readings[row] is None]
        if missing:
            some = self.of(missing)
            made = readings_of(self.kind, some.ts, some.figures, some.others)
            for row, reading in zip(missing, made, strict=True):
                self._readings[row] = reading
        return [self._readings[row] for row in rows]  # type: ignore[misc] # all are made

    def refresh(self, at: int) -> None:
        """Take over one reading that was changed."""
        fields, reading = fields_of(self.kind), self.reading(at)
        for name, value in zip(fields.names, fields.take(reading), strict=True):
            if name in self.others:
                self.others[name][at] = value
            elif name in self.figures:
                width = fields.widths.get(name)
                self.figures[name][at] = matrix([value], width)[0] if width else math.nan if value is None else value

    def of(self, rows: Sequence[int] | npt.NDArray[np.intp]) -> Block:
        """Some of the readings, in another order."""
        found: Block = object.__new__(Block)
        found._hold(
            self.kind,
            [self.ts[row] for row in rows],
            {name: values[rows] for name, values in self.figures.items()},
            {name: [values[row] for row in rows] for name, values in self.others.items()},
            [self._readings[row] for row in rows],
        )
        return found

    @classmethod
    def joined(cls, blocks: Sequence[Block]) -> Block:
        """Blocks of one kind, at least one, as one."""
        if len(blocks) == 1:
            return blocks[0]
        kind = blocks[0].kind
        widths = fields_of(kind).widths
        figures: Figures = {}
        for name in dict.fromkeys(name for block in blocks for name in block.figures):
            parts = [
                block.figures[name] if name in block.figures else _nothing(len(block), widths.get(name))
                for block in blocks
            ]
            figures[name] = np.concatenate(parts)
        others: Others = {}
        for name in dict.fromkeys(name for block in blocks for name in block.others):
            others[name] = [value for block in blocks for value in block.others.get(name) or [None] * len(block)]
        found: Block = object.__new__(cls)
        readings = [reading for block in blocks for reading in block._readings]  # noqa: SLF001 - of its own class
        found._hold(kind, [ts for block in blocks for ts in block.ts], figures, others, readings)
        return found

    def put(self, name: str, values: npt.NDArray[np.float64]) -> None:
        """Put other numbers in the place of a field's, in the readings, too."""
        self.figures[name] = values
        made = [at for at, reading in enumerate(self._readings) if reading is not None]
        if not made:
            return
        own = values if len(made) == len(values) else values[made]
        listed = lists_of(own) if own.ndim > 1 else numbers_of(own)
        for at, value in zip(made, listed, strict=True):
            setattr(self._readings[at], name, value)


def _nothing(count: int, width: int | None) -> npt.NDArray[np.float64]:
    return np.full(count if width is None else (count, width), np.nan)

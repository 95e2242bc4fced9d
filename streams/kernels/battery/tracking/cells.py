"""Cell voltages of a set, summed over an hour, and what the sums say: spread, and the worst cell's robust z.

Averaging first and comparing then leaves the noise of single samples out: a cell stands out only if it stays out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

MAD_TO_SIGMA = 1.4826
SIGMA_FLOOR_V = 0.001
"""Resolution of a cell voltage on the wire: in a pack that agrees to a millivolt no cell is called far off."""
CELLS_FOR_Z = 4
"""A median of fewer cells says nothing about one of them. (unsourced)"""


class CellFigures(NamedTuple):
    """Cells of one set in one condition."""

    spread_mv: float | None
    worst_cell: int | None
    """1-based."""
    worst_z: float | None


NOTHING = CellFigures(None, None, None)


def median(ordered: Sequence[float]) -> float:
    """Median of numbers in order."""
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def cell_figures(sums: Sequence[float], counts: Sequence[int]) -> CellFigures:
    """Spread in mV and the worst cell, of sums and counts of each cell's voltage; absent cells count 0."""
    means = [(total / count, at) for at, (total, count) in enumerate(zip(sums, counts, strict=True)) if count]
    if len(means) < 2:  # noqa: PLR2004 - a spread is between two
        return NOTHING
    volts = sorted(mean for mean, _ in means)
    middle = median(volts)
    worst, at = max(means, key=lambda item: abs(item[0] - middle))
    z = None
    if len(volts) >= CELLS_FOR_Z:
        deviation = median(sorted(abs(each - middle) for each in volts))
        z = (worst - middle) / max(MAD_TO_SIGMA * deviation, SIGMA_FLOOR_V)
    return CellFigures((volts[-1] - volts[0]) * 1000, at + 1, z)

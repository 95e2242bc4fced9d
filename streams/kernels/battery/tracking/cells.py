"""Cell voltages of a set, summed over an hour, and what the sums say: spread, and the worst cell's robust z.

Averaging first and comparing then leaves the noise of single samples out: a cell stands out only if it stays out.
"""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.kernels.battery.tracking.set_state import OpenEpisode

MAD_TO_SIGMA = 1.4826
SIGMA_FLOOR_V = 0.001
"""Resolution of a cell voltage on the wire: in a pack that agrees to a millivolt no cell is called far off."""
CELLS_FOR_Z = 4
"""A median of fewer cells says nothing about one of them. (unsourced)"""


UNSEEN_SIGMA_V = 0.020
"""Of a missing cell's voltage, taken as the pack's less the others', once the channels' offset is known from float.
(unsourced)"""
UNSEEN_FIRST_SIGMA_V = 0.100
"""The same before. (unsourced)"""
UNSEEN_WEIGHT = 0.05
"""Of one reading on float against those before. (unsourced)"""

ODD_CELL_V = 0.5
"""A cell so far from the median may be a channel that broke. (unsourced)"""
EXPLAINED = 0.4
"""It did where the pack's voltage misses it by no more than this share of that. (unsourced)"""
MOST_BROKEN = 3
"""Channels of one set that are told as broken at once; of more, nothing tells pack and channels apart. (unsourced)"""


class Cells(NamedTuple):
    """The cells of one reading."""

    volts: Sequence[float | None] = ()
    present: Sequence[float] = ()
    unseen_v: float | None = None
    """What the one cell that no channel shows has, by the pack's voltage less the others'."""
    unseen_sigma_v: float = 0.0

    @property
    def lowest_v(self) -> float:
        """Voltage of the lowest cell, shown or not."""
        low = min(self.present)
        return low if self.unseen_v is None or self.unseen_v >= low else self.unseen_v

    @property
    def doubt_v(self) -> float:
        """Doubt about that: nothing, unless it may be the one that no channel shows."""
        if self.unseen_v is None or self.unseen_v > min(self.present) + 2 * self.unseen_sigma_v:
            return 0.0
        return self.unseen_sigma_v

    @property
    def weakest(self) -> int | None:
        """Number of the lowest cell, from 1; None where it is none that is shown."""
        if not self.present:
            return None
        low = min(self.present)
        return self.volts.index(low) + 1 if self.unseen_v is None or self.unseen_v >= low else None

    @property
    def median_v(self) -> float | None:
        """Of the median cell, shown or not: a second weak one does not move it. None of one cell."""
        volts = sorted(self.present if self.unseen_v is None else [*self.present, self.unseen_v])
        return median(volts) if len(volts) > 1 else None


NO_CELLS = Cells()


def broken_channels(pack_v: float, cells: Sequence[float], missing: int = 0) -> tuple[int, ...]:
    """Which cells' channels the pack's voltage contradicts, from 0: without them pack and cells agree, and with not.

    `missing` are cells that show nothing at all, and are taken to be like the others. Cells that are shorted take their
    voltage from the pack, too, and are none of these.
    """
    if max(cells) - min(cells) < ODD_CELL_V or len(cells) < CELLS_FOR_Z:
        return ()  # nearly always
    middle = median(sorted(cells))
    odd = [at for at, volts in enumerate(cells) if abs(volts - middle) >= ODD_CELL_V]
    misses = pack_v - sum(cells) - missing * middle
    found: tuple[float, tuple[int, ...]] = (abs(misses), ())
    for some in chain.from_iterable(combinations(odd, count) for count in range(1, min(len(odd), MOST_BROKEN) + 1)):
        left_v = abs(misses - sum(middle - cells[at] for at in some))
        if left_v < found[0] and left_v <= EXPLAINED * min(abs(cells[at] - middle) for at in some):
            found = (left_v, some)
    return found[1]


def unseen(state_offset_v: float | None, pack_v: float, present: Sequence[float]) -> tuple[float, float]:
    """Voltage of the one cell that is missing, and its doubt."""
    left_v = pack_v - sum(present)
    if state_offset_v is None:
        return left_v, UNSEEN_FIRST_SIGMA_V
    return left_v - state_offset_v, UNSEEN_SIGMA_V


def unseen_offset(known_v: float | None, pack_v: float, present: Sequence[float]) -> float:
    """Learn on float, where all cells are alike to some mV, how far the pack's channel is off the sum of the cells'."""
    seen_v = pack_v - sum(present) * (len(present) + 1) / len(present)
    return seen_v if known_v is None else known_v + UNSEEN_WEIGHT * (seen_v - known_v)


def note_cells(episode: OpenEpisode, cells: Cells, ts: int) -> None:
    """Note which cell is the weakest near the end of a discharge; what comes after the cut-off is not of it."""
    if episode.cutoff_ts is None or episode.cutoff_ts >= ts - episode.loaded_ms:
        episode.weakest, episode.median_v, episode.unseen_v = cells.weakest, cells.median_v, cells.doubt_v


class CellFigures(NamedTuple):
    """Cells of one set in one condition."""

    spread_mv: float | None
    worst_cell: int | None
    """1-based."""
    worst_z: float | None


NOTHING = CellFigures(None, None, None)


def shown_of(values: Sequence[float | None]) -> Sequence[float]:
    """Values of the channels that show one: all of them, as a rule."""
    if None in values:
        return [value for value in values if value is not None]
    return cast("Sequence[float]", values)


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

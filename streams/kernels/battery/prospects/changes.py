"""What an estimate means that contradicts all before it: other cells, a cell that failed, or another current sensor.

Capacity times resistance stays as it was where only the current counts differently: a gain g makes charge g times as
much and ΔV/ΔI as much less. One cell that fell behind the others at the end of a discharge has failed. Where the same
cell stands out by as much as before and more was drawn, the set is the same and the earlier estimate was too low: a bad
joint ends a test early. Whatever else has changed by more than its doubt is another set, or has other cells.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.battery_prospects import SohChange
from streams.kernels.battery.fusion import innovation_of, is_refuted

if TYPE_CHECKING:
    from schemas.battery_reference import Fusion
    from schemas.metrics.battery_health import BatteryCapacity
    from streams.kernels.battery.fusion import Belief, Sensor


class Change(NamedTuple):
    """A set that is not what it was."""

    kind: SohChange
    points: float | None
    """By how much the SoH has changed; None where another set is registered."""
    believed_pct: float | None

    def scaled(self, factor: float) -> Change:
        """The same of a sensor whose counts are to be taken times a factor."""
        points, believed = self.points, self.believed_pct
        return self._replace(
            points=None if points is None else factor * points,
            believed_pct=None if believed is None else factor * believed,
        )


def change_of(
    belief: Belief, before: BatteryCapacity, row: BatteryCapacity, sensor: Sensor, fusion: Fusion
) -> Change | None:
    """Name what a discharge says that contradicts the belief; None where it does not, by far enough."""
    if is_refuted(belief, row, sensor.nominal_ah, fusion):
        points = 100 * (row.at_least_ah / sensor.nominal_ah - belief.soh)
        return Change(SohChange.SET_REPLACED, points, 100 * belief.soh)
    found = innovation_of(belief, row, sensor, fusion)
    if found is None or abs(found.change) < max(fusion.named_from, fusion.named_sigmas * found.sigma):
        return None
    return Change(_kind(before, row, found.change, fusion), 100 * found.change, 100 * belief.soh)


def _kind(before: BatteryCapacity, row: BatteryCapacity, change: float, fusion: Fusion) -> SohChange:
    if change < 0 and _has_fallen_behind(before, row, fusion):
        return SohChange.CELL_FAILED
    if _is_same_by_resistance(before, row, fusion):
        return SohChange.RECALIBRATED
    if change > 0 and _stands_out_alike(before, row, fusion):
        return SohChange.CORRECTED
    return SohChange.SET_REPLACED


def _has_fallen_behind(before: BatteryCapacity, row: BatteryCapacity, fusion: Fusion) -> bool:
    """Whether the weakest cell lies further behind the others than it did, or another one does.

    Gaps are compared where both discharges ended alike: at the cut-off they are wider than at a rest. Where they did
    not, the others have to hold what the set was last said to.
    """
    if row.weakest_gap_v is None or row.weakest_gap_v < fusion.weak_gap_v:
        return False
    if before.weakest_gap_v is None or _are_other_cells(before, row):
        return True
    if before.method is row.method:
        return row.weakest_gap_v - before.weakest_gap_v >= fusion.weak_gap_grown_v
    return (row.others_ah or 0.0) >= (1.0 - fusion.named_from) * (before.capacity_ah or 0.0)


def _is_same_by_resistance(before: BatteryCapacity, row: BatteryCapacity, fusion: Fusion) -> bool:
    """Whether capacity times resistance is what it was: the current counts differently.

    It has to lie nearer to that than to a resistance that has not changed.
    """
    if None in (before.resistance_mohm, row.resistance_mohm, before.capacity_ah, row.capacity_ah):
        return False
    product = abs(math.log(_product(row) / _product(before)))
    counted = abs(math.log((row.capacity_ah or 1.0) / (before.capacity_ah or 1.0)))
    return product <= min(fusion.recalibrated_within, counted / 2) and not _are_other_cells(before, row)


def _are_other_cells(before: BatteryCapacity, row: BatteryCapacity) -> bool:
    """Whether another cell is the weakest now, where both are known."""
    return None not in (before.weakest_cell, row.weakest_cell) and before.weakest_cell != row.weakest_cell


def _stands_out_alike(before: BatteryCapacity, row: BatteryCapacity, fusion: Fusion) -> bool:
    """Whether one and the same cell fell behind at the end of two discharges, by as much in both."""
    if before.weakest_gap_v is None or row.weakest_gap_v is None or before.weakest_cell != row.weakest_cell:
        return False
    gaps = before.weakest_gap_v, row.weakest_gap_v
    return min(gaps) >= fusion.weak_gap_v and max(gaps) - min(gaps) < fusion.weak_gap_grown_v


def _product(row: BatteryCapacity) -> float:
    """Capacity times resistance, Ah·mΩ: what a current sensor's gain leaves as it is."""
    return (row.capacity_ah or 0.0) * (row.resistance_mohm or 0.0)

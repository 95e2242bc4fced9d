"""What an estimate means that contradicts all before it: other cells, a cell that failed, or another current sensor.

Capacity times resistance stays as it was where only the current counts differently: a gain g makes charge g times as
much and ΔV/ΔI as much less. One cell that fell behind the others at the end of a discharge has failed. Where the same
cell stands out by as much as before and more was drawn, the set is the same and the earlier estimate was too low: a bad
joint ends a test early. Whatever else has changed by more than its doubt is another set, or has other cells.
"""

from __future__ import annotations

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
    if change < 0 and row.weakest_gap_v is not None and row.weakest_gap_v >= fusion.weak_gap_v:
        other = before.weakest_cell != row.weakest_cell or before.weakest_gap_v is None
        if other or row.weakest_gap_v - (before.weakest_gap_v or 0.0) >= fusion.weak_gap_grown_v:
            return SohChange.CELL_FAILED
    if None not in (before.resistance_mohm, row.resistance_mohm, before.capacity_ah, row.capacity_ah):
        product = _product(row) / _product(before)
        if abs(product - 1.0) <= fusion.recalibrated_within and before.weakest_cell == row.weakest_cell:
            return SohChange.RECALIBRATED
    if change > 0 and _stands_out_alike(before, row, fusion):
        return SohChange.CORRECTED
    return SohChange.SET_REPLACED


def _stands_out_alike(before: BatteryCapacity, row: BatteryCapacity, fusion: Fusion) -> bool:
    """Whether one and the same cell fell behind at the end of two discharges, by as much in both."""
    if before.weakest_gap_v is None or row.weakest_gap_v is None or before.weakest_cell != row.weakest_cell:
        return False
    gaps = before.weakest_gap_v, row.weakest_gap_v
    return min(gaps) >= fusion.weak_gap_v and max(gaps) - min(gaps) < fusion.weak_gap_grown_v


def _product(row: BatteryCapacity) -> float:
    """Capacity times resistance, Ah·mΩ: what a current sensor's gain leaves as it is."""
    return (row.capacity_ah or 0.0) * (row.resistance_mohm or 0.0)

"""State of health of each set, fused over what all its discharges said: a view over a handful of capacity rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.metrics.battery_health import BatteryCapacity, BatterySoh
from schemas.metrics.common import Quality
from schemas.time import FOREVER_MS
from streams.kernels.battery.fusion import Z_90, Belief, fused
from streams.kernels.contract import Replaced, Want

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from schemas.battery_reference import BatteryHealthReference
    from schemas.metrics import Row
    from schemas.registry import Device, Site
    from streams.kernels.contract import Changed, Found


class StateOfHealth:
    """View over capacities: the fused SoH after each discharge, from the first changed one on."""

    name = "state_of_health"
    inputs: frozenset[type[Row]] = frozenset({BatteryCapacity})

    def __init__(self, reference: BatteryHealthReference) -> None:
        self._reference = reference

    def wants(self, _site: Site, _devices: Sequence[Device], changed: Changed) -> list[Want]:
        """All capacities of the sets that changed: a few a year."""
        ids = sorted({row[0] for row in changed[BatteryCapacity]})
        return [Want(BatteryCapacity, ids, 0, FOREVER_MS)]

    def rows(self, _site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Fuse each changed set's estimates again."""
        since: dict[str, int] = {}
        for row in changed[BatteryCapacity]:
            since[row[0]] = min(row.ts, since.get(row[0], row.ts))
        capacities: dict[str, list[BatteryCapacity]] = {}
        for row in found[BatteryCapacity]:
            if isinstance(row, BatteryCapacity):
                capacities.setdefault(row.device_id, []).append(row)
        rows: list[Row] = []
        for device in devices:
            if device.device_id in since:
                own = self.history(device, capacities.get(device.device_id, ()))
                rows += [row for row in own if row.ts >= since[device.device_id]]
        return Replaced(rows, [Want(BatterySoh, [device_id], ts, FOREVER_MS) for device_id, ts in since.items()])

    def history(self, device: Device, capacities: Sequence[BatteryCapacity]) -> Iterator[BatterySoh]:
        """SoH after each of a set's discharges, in order of time."""
        assert device.battery is not None  # noqa: S101 - only battery sets have capacities
        nominal = device.battery.nominal_ah
        belief: Belief | None = None
        newest: BatteryCapacity | None = None
        at_least = 0.0
        for row in capacities:
            belief = fused(belief, row, nominal, self._reference.fusion)
            at_least = max(at_least, row.at_least_ah)
            newest = newest if row.capacity_ah is None else row
            yield self._row(row, nominal, at_least, belief, newest)

    def _row(
        self,
        row: BatteryCapacity,
        nominal: float,
        at_least: float,
        belief: Belief | None,
        newest: BatteryCapacity | None,
    ) -> BatterySoh:
        known = belief is not None and newest is not None
        soh = belief.soh if belief is not None else None
        sigma = belief.sigma(self._reference.fusion) if belief is not None else None
        return BatterySoh(
            device_id=row.device_id,
            ts=row.ts,
            site_id=row.site_id,
            soh_pct=_percent(soh),
            soh_low_pct=_percent(soh, sigma, -Z_90),
            soh_high_pct=_percent(soh, sigma, Z_90),
            sigma_pct=_percent(sigma),
            capacity_ah=None if soh is None else soh * nominal,
            at_least_pct=100 * at_least / nominal,
            method=newest.method if newest is not None else None,
            evidence_ms=newest.ts if newest is not None else None,
            estimates=0 if belief is None else belief.estimates,
            reason=None if known else row.reason,
            cutoff_cell_v=row.cutoff_cell_v,
            quality=newest.quality if newest is not None else Quality.UNKNOWN,
            reference_version=self._reference.version,
        )


def _percent(share: float | None, sigma: float | None = 0.0, z: float = 0.0) -> float | None:
    """Share plus z standard deviations, in per cent."""
    return None if share is None or sigma is None else 100 * (share + z * sigma)

"""State of health of each set, fused over what all its discharges said: a view over a handful of capacity rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.battery_health import BatteryCapacity, Witness
from schemas.metrics.battery_prospects import BatterySoh, SohChange
from schemas.metrics.battery_sites import BatteryShareHour
from schemas.metrics.common import Quality
from schemas.readings import Kind
from schemas.time import DAY_MS, FOREVER_MS
from streams.kernels.battery.fusion import Z_90, Belief, fused
from streams.kernels.battery.limits import Limits
from streams.kernels.battery.prospects.changes import Change, change_of
from streams.kernels.battery.prospects.load_witness import corrected, load_witness
from streams.kernels.battery.prospects.site_view import by_device
from streams.kernels.battery.tracking.witnesses import KNOW_A_GAIN, KNOW_ITS_CLASS, text_of, witnesses_of
from streams.kernels.contract import Replaced, Want

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from schemas.battery_reference import BatteryHealthReference
    from schemas.metrics import Row
    from schemas.registry import Device, Site
    from streams.kernels.battery.tracking.witnesses import Ratio
    from streams.kernels.contract import Changed, Found

LONGEST_MS = 2 * DAY_MS
"""No discharge that is told of is longer. (unsourced)"""


class _Known(NamedTuple):
    """What is known of a set after some of its discharges."""

    first_ms: int | None = None
    """The first discharge of the set that stands there now."""
    belief: Belief | None = None
    newest: BatteryCapacity | None = None
    """The newest one with an estimate."""
    at_least_ah: float = 0.0
    witnesses: frozenset[Witness] = frozenset()
    """What bears the newest estimate out, or bore an earlier one out of the same set and current sensor."""
    load: Ratio | None = None
    """What the site's load has last said of that sensor."""
    gain: float = 0.0
    """That the newest estimate was corrected for."""
    distrusts: bool = False
    """Whether it is the power system that counts wrongly."""


class StateOfHealth:
    """View over capacities: the fused SoH after each discharge, from the first changed one on."""

    name = "state_of_health"
    inputs: frozenset[type[Row]] = frozenset({BatteryCapacity, BatteryShareHour})

    def __init__(self, reference: BatteryHealthReference) -> None:
        self._reference = reference

    def wants(self, _site: Site, _devices: Sequence[Device], changed: Changed) -> list[Want]:
        """All capacities of the sets that changed, and their hours without mains: a few a year."""
        ids = sorted(_since(changed))
        return [Want(BatteryCapacity, ids, 0, FOREVER_MS), Want(BatteryShareHour, ids, 0, FOREVER_MS)]

    def rows(self, _site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Fuse each changed set's estimates again."""
        since = _since(changed)
        capacities = by_device(found.get(BatteryCapacity, ()), BatteryCapacity)
        hours = by_device(found.get(BatteryShareHour, ()), BatteryShareHour)
        power = next((device for device in devices if device.kind is Kind.SITE_POWER), None)
        rows: list[Row] = []
        for device in devices:
            device_id = device.device_id
            if device_id in since:
                own = self.history(device, capacities.get(device_id, ()), hours.get(device_id, ()), power)
                rows += [row for row in own if row.ts >= since[device_id]]
        return Replaced(rows, [Want(BatterySoh, [device_id], ts, FOREVER_MS) for device_id, ts in since.items()])

    def history(
        self,
        device: Device,
        capacities: Sequence[BatteryCapacity],
        hours: Sequence[BatteryShareHour] = (),
        power: Device | None = None,
    ) -> Iterator[BatterySoh]:
        """SoH after each of a set's discharges, in order of time."""
        assert device.battery is not None  # noqa: S101 - only battery sets have capacities
        battery, fusion = device.battery, self._reference.fusion
        nominal, limits = battery.nominal_ah, Limits(device, self._reference)
        since_ms = battery.valid_from
        known = _Known()
        for counted in capacities:
            ts, change = counted.ts, None
            if since_ms is not None and ts >= since_ms and known.first_ms is not None and known.first_ms < since_ms:
                known, change = _Known(), Change(SohChange.REGISTERED, None, None)
            load = load_witness(counted, hours, power, limits) or known.load
            row, gain, is_told, distrusts = corrected(counted, load, limits, distrusts=known.distrusts)
            if is_told and row.capacity_ah is None and Witness.LOAD not in known.witnesses:
                known = known._replace(belief=None, newest=None)  # the same sensor's, and nothing has borne it out
            if change is None and known.belief is not None and known.newest is not None:
                change = change_of(known.belief, known.newest, row, nominal, fusion)
            if change is not None and change.points is not None:
                known = known._replace(at_least_ah=0.0, witnesses=frozenset())
            own = frozenset() if row.capacity_ah is None else witnesses_of(row.witnesses)
            known = _Known(
                row.ts if known.first_ms is None else known.first_ms,
                fused(known.belief, row, nominal, fusion),
                known.newest if row.capacity_ah is None else row,
                max(known.at_least_ah, row.at_least_ah),
                known.witnesses | own,
                load,
                gain if is_told else known.gain,
                distrusts,
            )
            yield self._row(row, device, known, change)

    def _row(self, row: BatteryCapacity, device: Device, known: _Known, change: Change | None) -> BatterySoh:
        assert device.battery is not None  # noqa: S101 - only battery sets have capacities
        nominal, load = device.battery.nominal_ah, known.load
        belief, newest = known.belief, known.newest
        is_known = belief is not None and newest is not None
        soh = belief.soh if belief is not None else None
        sigma = belief.sigma if belief is not None else None
        return BatterySoh(
            device_id=row.device_id,
            ts=row.ts,
            site_id=row.site_id,
            soh_pct=_percent(soh),
            soh_low_pct=_percent(soh, sigma, -Z_90),
            soh_high_pct=_percent(soh, sigma, Z_90),
            sigma_pct=_percent(sigma),
            systematic_pct=None if belief is None else 100 * belief.systematic,
            capacity_ah=None if soh is None else soh * nominal,
            usable_pct=_beside(soh, newest, None if newest is None else newest.usable_ah),
            change=None if change is None else change.kind,
            change_pct=None if change is None else change.points,
            believed_pct=None if change is None else change.believed_pct,
            weakest_cell=None if newest is None else newest.weakest_cell,
            others_pct=_beside(soh, newest, None if newest is None else newest.others_ah),
            at_least_pct=100 * known.at_least_ah / nominal,
            method=newest.method if newest is not None else None,
            evidence_ms=newest.ts if newest is not None else None,
            estimates=0 if belief is None else belief.estimates,
            reason=None if is_known else row.reason,
            cutoff_cell_v=row.cutoff_cell_v,
            witnesses=text_of(known.witnesses) if is_known else "",
            quality=_quality(newest, known.witnesses, device) if is_known else Quality.UNKNOWN,
            reference_version=self._reference.version,
            load_ratio=None if load is None else load.value,
            load_sigma=None if load is None else load.sigma,
            gain_pct=None if load is None or not is_known else 100 * known.gain,
        )


def _since(changed: Changed) -> dict[str, int]:
    """Discharges from which on the SoH of each set has to be told again."""
    since: dict[str, int] = {}
    for row in (*changed.get(BatteryCapacity, ()), *changed.get(BatteryShareHour, ())):
        ts = row.ts if isinstance(row, BatteryCapacity) else row.ts - LONGEST_MS
        since[row[0]] = min(ts, since.get(row[0], ts))
    return since


def _quality(newest: BatteryCapacity | None, witnesses: frozenset[Witness], device: Device) -> Quality:
    """Of the newest estimate; partial where it rests on the count of one current sensor that nobody vouches for.

    Its gain is vouched for by a registered `accuracy` and a witness that would tell a gross lie, or by one that would
    tell a gain of a few per cent.
    """
    if newest is None:
        return Quality.UNKNOWN
    is_vouched = bool(witnesses & (KNOW_ITS_CLASS if device.accuracy is None else KNOW_A_GAIN))
    return Quality.PARTIAL if newest.quality is Quality.GOOD and not is_vouched else newest.quality


def _beside(soh: float | None, newest: BatteryCapacity | None, ah: float | None) -> float | None:
    """A second figure of the newest estimate, in % of nominal, as the fused one has moved the first."""
    if soh is None or newest is None or ah is None or newest.capacity_ah is None:
        return None
    return 100 * soh * ah / newest.capacity_ah


def _percent(share: float | None, sigma: float | None = 0.0, z: float = 0.0) -> float | None:
    """Share plus z standard deviations, in per cent."""
    return None if share is None or sigma is None else 100 * (share + z * sigma)

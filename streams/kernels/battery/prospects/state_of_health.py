"""State of health of each set, fused over what all its discharges said: a view over a handful of capacity rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.battery_health import BatteryCapacity, BatteryIdentity, CapacityReason, Doubt, Identity, Witness
from schemas.metrics.battery_prospects import BatterySoh, SohChange
from schemas.metrics.battery_sites import BatteryShareHour
from schemas.metrics.common import Quality
from schemas.readings import Kind
from schemas.time import DAY_MS, FOREVER_TS
from streams.kernels.battery.fusion import Z_90, Belief, evidence_of, fused
from streams.kernels.battery.limits import Limits
from streams.kernels.battery.prospects.changes import Change, change_of
from streams.kernels.battery.prospects.curve_gain import gain_by_curve, may_count_half
from streams.kernels.battery.prospects.load_witness import by_load, corrected, load_witness, scaled
from streams.kernels.battery.prospects.shown import ShownHealth, held_against, last_shown, without_gain
from streams.kernels.battery.prospects.site_view import by_device
from streams.kernels.battery.tracking.witnesses import (
    KNOW_A_GAIN,
    KNOW_ITS_CLASS,
    Ratio,
    by_curve,
    contradicted,
    text_of,
    with_doubt,
    witnesses_of,
)
from streams.kernels.contract import Replaced, Want

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from schemas.battery_reference import BatteryHealthReference
    from schemas.metrics import Row
    from schemas.registry import Device, Site
    from streams.kernels.contract import Changed, Found

LONGEST_MS = 2 * DAY_MS
"""No discharge that is told of is longer. (unsourced)"""


class _Known(NamedTuple):
    """What is known of a set after some of its discharges."""

    first_ts: int | None = None
    """The first discharge of the set that stands there now."""
    belief: Belief | None = None
    newest: BatteryCapacity | None = None
    """The newest one with an estimate."""
    at_least_ah: float = 0.0
    """Highest lower bound of one discharge, as its sensor counted it: a gain that is told later holds of it as well."""
    witnesses: frozenset[Witness] = frozenset()
    """What bears the newest estimate out, or bore an earlier one out of the same set and current sensor."""
    load: Ratio | None = None
    """What the site's load has last said of that sensor."""
    gain: float | None = None
    """By the site's load, that what is believed was corrected for; None where no load was heard."""
    distrusts: bool = False
    """Whether it is the power system that counts wrongly."""
    is_doubted: bool = False
    """Whether the cells may be others than those that were measured."""
    is_recounted: bool = False
    """Whether the current sensor counts otherwise than it did: before, after, or always wrongly."""
    curve: Ratio | None = None
    """What the foot of the curve has said of that sensor where it tells most."""


class _Source(NamedTuple):
    """What told something of a set: a discharge, or its cells alone."""

    ts: int
    reason: CapacityReason | None
    """Why it gave no capacity."""
    cutoff_cell_v: float


class StateOfHealth:
    """View over capacities: the fused SoH after each discharge, from the first changed one on."""

    name = "state_of_health"
    inputs: frozenset[type[Row]] = frozenset({BatteryCapacity, BatteryIdentity, BatteryShareHour})

    def __init__(self, reference: BatteryHealthReference) -> None:
        self._reference = reference

    def wants(self, _site: Site, _devices: Sequence[Device], changed: Changed) -> list[Want]:
        """All capacities of the sets that changed, what told their cells apart, and their hours without mains."""
        ids = sorted(_since(changed))
        return [Want(row_type, ids, 0, FOREVER_TS) for row_type in (BatteryCapacity, BatteryIdentity, BatteryShareHour)]

    def rows(self, _site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Fuse each changed set's estimates again."""
        since = _since(changed)
        capacities = by_device(found.get(BatteryCapacity, ()), BatteryCapacity)
        hours = by_device(found.get(BatteryShareHour, ()), BatteryShareHour)
        identities = by_device(found.get(BatteryIdentity, ()), BatteryIdentity)
        power = next((device for device in devices if device.kind is Kind.SITE_POWER), None)
        rows: list[Row] = []
        for device in devices:
            device_id = device.device_id
            if device_id in since:
                counted, of_cells = capacities.get(device_id, ()), identities.get(device_id, ())
                own = self.history(device, counted, hours.get(device_id, ()), power, of_cells)
                rows += [row for row in own if row.ts >= since[device_id]]
        return Replaced(rows, [Want(BatterySoh, [device_id], ts, FOREVER_TS) for device_id, ts in since.items()])

    def history(
        self,
        device: Device,
        capacities: Sequence[BatteryCapacity],
        hours: Sequence[BatteryShareHour] = (),
        power: Device | None = None,
        identities: Sequence[BatteryIdentity] = (),
    ) -> Iterator[BatterySoh]:
        """SoH after each of a set's discharges, and wherever its cells were told to be others, in order of time."""
        assert device.battery is not None  # noqa: S101 - only battery sets have capacities
        battery, fusion = device.battery, self._reference.fusion
        limits = Limits(device, self._reference)
        since_ts = battery.valid_from
        known, before = _Known(), None
        for ts, of_cells, counted in _in_order(capacities, identities):
            change = None
            if since_ts is not None and ts >= since_ts and known.first_ts is not None and known.first_ts < since_ts:
                known, change = _Known(), Change(SohChange.REGISTERED, None, None)
            elif of_cells:
                known, change = _other_cells(known, of_cells)
            if counted is None:
                if change is not None or known.belief is not None:
                    source = _Source(ts, CapacityReason.EXCHANGED, limits.cutoff_cell_v)
                    shown = self._shown(known, change, before, limits)
                    before = last_shown(before, shown)
                    yield self._row(source, limits, known, shown)
                continue
            fresh = load_witness(counted, hours, power, limits)
            load = fresh or known.load
            row, gain, has_load, distrusts = corrected(counted, load, limits, distrusts=known.distrusts)
            row = _unless_half(row, known._replace(load=load, distrusts=distrusts), limits)
            if has_load and row.capacity_ah is None and Witness.LOAD not in known.witnesses:
                known = known._replace(belief=None, newest=None)  # the same sensor's, and nothing has borne it out
            if _is_refuted_by_curve(counted, limits) and not _is_borne_out_before(known, fresh, limits):
                known = known._replace(belief=None, newest=None, at_least_ah=0.0)
            known = _counted_alike(known, row, gain if has_load else None)
            if change is None and known.belief is not None and known.newest is not None:
                change = change_of(known.belief, known.newest, row, limits.sensor, fusion)
            if change is not None and change.points is not None:
                known = known._replace(at_least_ah=0.0, witnesses=frozenset(), curve=None)
            known, row = _recounted(known, row, change, is_vouched=fresh is not None)
            own = frozenset() if row.capacity_ah is None else witnesses_of(row.witnesses)
            known = _Known(
                row.ts if known.first_ts is None else known.first_ts,
                fused(known.belief, row, limits.sensor, fusion),
                known.newest if row.capacity_ah is None else row,
                max(known.at_least_ah, counted.at_least_ah if row.at_least_ah else 0.0),
                known.witnesses | own,
                load,
                known.gain,
                distrusts,
                known.is_doubted and row.capacity_ah is None,
                known.is_recounted,
                _surer(known.curve, row),
            )
            shown = self._shown(known, change, before, limits)
            before = last_shown(before, shown)
            yield self._row(_Source(ts, row.reason, row.cutoff_cell_v), limits, known, shown)

    def _shown(self, known: _Known, change: Change | None, before: Belief | None, limits: Limits) -> ShownHealth:
        """What is shown of what is known; `before` is what was shown last."""
        at_least_ah = known.at_least_ah / (1.0 + max(0.0, known.gain or 0.0))
        shown = ShownHealth(known.belief, at_least_ah, change, known.gain)
        if _is_unvouched(known, limits.device):
            shown = without_gain(shown, gain_by_curve(known.curve, limits), limits)
        return held_against(before, shown, self._reference.fusion)

    def _row(self, source: _Source, limits: Limits, known: _Known, shown: ShownHealth) -> BatterySoh:
        device, nominal, load, newest = limits.device, limits.nominal_ah, known.load, known.newest
        belief, change, gain = shown.belief, shown.change, shown.gain
        is_known = belief is not None and newest is not None
        doubts = _doubts(newest, known, device) if is_known else ""
        soh = belief.soh if belief is not None else None
        sigma = belief.sigma if belief is not None else None
        return BatterySoh(
            device_id=device.device_id,
            ts=source.ts,
            site_id=device.site_id,
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
            at_least_pct=100 * shown.at_least_ah / nominal,
            method=newest.method if newest is not None else None,
            evidence_ts=newest.ts if newest is not None else None,
            estimates=0 if belief is None else belief.estimates,
            reason=None if is_known else source.reason,
            cutoff_cell_v=source.cutoff_cell_v,
            witnesses=text_of(known.witnesses) if is_known else "",
            quality=_quality(newest, doubts) if is_known else Quality.UNKNOWN,
            reference_version=self._reference.version,
            load_ratio=None if load is None else load.value,
            load_sigma=None if load is None else load.sigma,
            gain_pct=None if gain is None or not is_known else 100 * gain,
            doubts=doubts,
        )


def _since(changed: Changed) -> dict[str, int]:
    """Discharges from which on the SoH of each set has to be told again."""
    since: dict[str, int] = {}
    row_types = BatteryCapacity, BatteryIdentity, BatteryShareHour
    for row in (row for row_type in row_types for row in changed.get(row_type, ())):
        ts = row.ts - LONGEST_MS if isinstance(row, BatteryShareHour) else row.ts
        since[row[0]] = min(ts, since.get(row[0], ts))
    return since


def _is_refuted_by_curve(row: BatteryCapacity, limits: Limits) -> bool:
    """Whether the foot of the curve contradicts what a discharge counted: its sensor is wrong, or `nominal_ah`."""
    if row.reason is not CapacityReason.CONTRADICTED or row.curve_ratio is None or row.curve_sigma is None:
        return False
    return by_curve(Ratio(row.curve_ratio, row.curve_sigma), limits).is_contradicted


def _is_borne_out_before(known: _Known, load: Ratio | None, limits: Limits) -> bool:
    """Whether what is known of a set stands though the curve contradicts its newest count.

    It does where the curve bore it out itself, or where the site's load did and now says that the sensor has changed;
    a load that still agrees leaves the registered capacity as what is wrong.
    """
    if Witness.CURVE in known.witnesses:
        return True
    return Witness.LOAD in known.witnesses and load is not None and not by_load(load, limits).is_borne_out


def _recounted(
    known: _Known, row: BatteryCapacity, change: Change | None, *, is_vouched: bool
) -> tuple[_Known, BatteryCapacity]:
    """Refuse what a sensor says that counts otherwise than before, until somebody vouches for its gain.

    Of two counts of the same cells one is wrong at least, and neither says which.
    """
    is_recalibrated = change is not None and change.kind is SohChange.RECALIBRATED
    if not (is_recalibrated or known.is_recounted):
        return known, row
    own = witnesses_of(row.witnesses) & (KNOW_ITS_CLASS if is_vouched else KNOW_ITS_CLASS - {Witness.LOAD})
    if row.capacity_ah is not None and own:
        return known._replace(is_recounted=False), row
    silenced = known._replace(
        belief=None, newest=None, at_least_ah=0.0, witnesses=frozenset(), is_recounted=True, curve=None
    )
    return silenced, row if row.capacity_ah is None else contradicted(row)


def _counted_alike(known: _Known, row: BatteryCapacity, gain: float | None) -> _Known:
    """What is known, as the newest count is corrected: for the gain that the site's load tells, or not at all.

    Else a load that is first heard, or no longer, would look like other cells.
    """
    if row.capacity_ah is None:
        return known
    if (gain is None) == (known.gain is None):
        return known._replace(gain=gain)
    factor = (1.0 + (known.gain or 0.0)) / (1.0 + (gain or 0.0))
    belief, newest = known.belief, known.newest
    return known._replace(
        gain=gain,
        belief=None if belief is None else belief._replace(soh=factor * belief.soh),
        newest=None if newest is None else scaled(newest, factor),
    )


def _unless_half(row: BatteryCapacity, known: _Known, limits: Limits) -> BatteryCapacity:
    """Refuse what half of the current would look like, where nobody says that all of it was counted."""
    return contradicted(row) if _is_unvouched(known, limits.device) and may_count_half(row, limits) else row


def _surer(known: Ratio | None, row: BatteryCapacity) -> Ratio | None:
    """The comparison with the foot of the curve that tells more: the newest of a set's is no better for its age."""
    if row.capacity_ah is None or row.curve_ratio is None or row.curve_sigma is None:
        return known
    return known if known is not None and known.sigma <= row.curve_sigma else Ratio(row.curve_ratio, row.curve_sigma)


def _is_unvouched(known: _Known, device: Device) -> bool:
    """Whether nobody says what a set's current sensor may be off by: no class, no load that is heard, no bench."""
    is_heard = known.load is not None and not known.distrusts
    return device.accuracy is None and not is_heard and not known.witnesses & KNOW_ITS_CLASS


def _doubts(newest: BatteryCapacity | None, known: _Known, device: Device) -> str:
    """Why a figure is not good: what its newest estimate says itself, its sensor, and its cells.

    A sensor's gain is vouched for by a registered `accuracy` and a witness that would tell a gross lie, or by one that
    would tell a gain of a few per cent.
    """
    if newest is None:
        return ""
    is_vouched = bool(known.witnesses & (KNOW_ITS_CLASS if device.accuracy is None else KNOW_A_GAIN))
    more = [*([] if is_vouched else [Doubt.GAIN]), *([Doubt.CELLS] if known.is_doubted else [])]
    return with_doubt(newest.doubts, *more)


def _quality(newest: BatteryCapacity | None, doubts: str) -> Quality:
    """Of the newest estimate; partial where anything is doubted."""
    if newest is None:
        return Quality.UNKNOWN
    return Quality.PARTIAL if newest.quality is Quality.GOOD and doubts else newest.quality


def _in_order(
    capacities: Sequence[BatteryCapacity], identities: Sequence[BatteryIdentity]
) -> Iterator[tuple[int, list[BatteryIdentity], BatteryCapacity | None]]:
    """Moments at which something was told of a set: of its cells, by a discharge, or both."""
    of_cells: dict[int, list[BatteryIdentity]] = {}
    for row in identities:
        of_cells.setdefault(row.ts, []).append(row)
    counted = {row.ts: evidence_of(row) for row in capacities}
    for ts in sorted(of_cells.keys() | counted.keys()):
        yield ts, of_cells.get(ts, []), counted.get(ts)


def _other_cells(known: _Known, of_cells: Sequence[BatteryIdentity]) -> tuple[_Known, Change | None]:
    """What is left of what was known of a set when its cells are told to be others, doubted, or the same after all."""
    identities = {row.identity for row in of_cells}
    if Identity.OTHER not in identities:
        return known._replace(is_doubted=Identity.DOUBTED in identities), None
    if known.belief is None:
        return _Known(), None
    return _Known(), Change(SohChange.SET_REPLACED, None, 100 * known.belief.soh)


def _beside(soh: float | None, newest: BatteryCapacity | None, ah: float | None) -> float | None:
    """A second figure of the newest estimate, in % of nominal, as the fused one has moved the first."""
    if soh is None or newest is None or ah is None or newest.capacity_ah is None:
        return None
    return 100 * soh * ah / newest.capacity_ah


def _percent(share: float | None, sigma: float | None = 0.0, z: float = 0.0) -> float | None:
    """Share plus z standard deviations, in per cent."""
    return None if share is None or sigma is None else 100 * (share + z * sigma)

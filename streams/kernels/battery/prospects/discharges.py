"""Discharges with their cause, and the backup time forecast at load-on: a view, because mains flags come late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.metrics.battery_health import BatteryEpisode, EpisodeKind
from schemas.metrics.battery_prospects import BatteryDischarge, BatterySoh, DischargeCause
from schemas.metrics.battery_sites import SiteLoadHour, SiteOutage
from schemas.registered.cycling import BatteryUse
from schemas.time import DAY_MS, FOREVER_TS, HOUR_MS
from streams.kernels.battery.backup import LOADS_MS, LoadProfile, Store, backup_of
from streams.kernels.battery.limits import Limits
from streams.kernels.battery.prospects.site_view import by_device, power_ids, replaced_ts, sets_of, shares, soh_at
from streams.kernels.contract import Replaced, Want

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.battery_reference import BatteryHealthReference
    from schemas.metrics import Row
    from schemas.registry import Device, Site
    from streams.kernels.battery.backup import Backup
    from streams.kernels.contract import Changed, Found

LONGEST_MS = 2 * DAY_MS
"""Outages and discharges longer than this are not looked for. (unsourced)"""
KNOWN_MAINS = 0.9
"""Share of a discharge over which the power system must have said that mains was on. (unsourced)"""


class Discharges:
    """View over discharges, outages, loads and SoH of one site."""

    name = "discharges"
    inputs: frozenset[type[Row]] = frozenset({BatteryEpisode, SiteOutage, SiteLoadHour, BatterySoh})

    def __init__(self, reference: BatteryHealthReference) -> None:
        self._reference = reference

    def wants(self, _site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """Discharges whose cause or forecast may have changed, and all that they follow from."""
        reach = self._reach(changed)
        sets = list(sets_of(devices))
        if reach is None or not sets:
            return []
        low, high = reach
        power = power_ids(devices)
        return [
            Want(BatteryEpisode, sets, low, high),
            Want(BatterySoh, sets, 0, high),
            Want(SiteOutage, power, low - LONGEST_MS, high if high == FOREVER_TS else high + LONGEST_MS),
            Want(SiteLoadHour, power, low - LOADS_MS, high if high == FOREVER_TS else high + LONGEST_MS),
        ]

    def rows(self, _site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Compute them again."""
        reach, sets = self._reach(changed), sets_of(devices)
        if reach is None or not sets:
            return Replaced([])
        soh = by_device(found[BatterySoh], BatterySoh)
        outages = [row for row in found[SiteOutage] if isinstance(row, SiteOutage)]
        loads = [row for row in found[SiteLoadHour] if isinstance(row, SiteLoadHour)]
        rows: list[Row] = [
            self._row(row, sets, soh, outages, loads)
            for row in found[BatteryEpisode]
            if isinstance(row, BatteryEpisode) and row.kind is EpisodeKind.DISCHARGE
        ]
        return Replaced(rows, [Want(BatteryDischarge, list(sets), *reach)])

    def _reach(self, changed: Changed) -> tuple[int, int] | None:
        """Beginnings of the discharges that the changes touch: from, and before."""
        clock_ms = self._reference.backup.clock_ms
        spans: list[tuple[int, int]] = []
        for row in (row for rows in changed.values() for row in rows):
            if isinstance(row, BatteryEpisode) and row.kind is EpisodeKind.DISCHARGE:
                spans.append((row.ts, row.ts + 1))
            elif isinstance(row, SiteOutage):
                spans.append((row.ts - clock_ms, (row.ended_ts or FOREVER_TS - clock_ms) + clock_ms))
            elif isinstance(row, SiteLoadHour):
                spans.append((row.ts - LONGEST_MS, row.ts + LOADS_MS + HOUR_MS))
            elif isinstance(row, BatterySoh):
                spans.append((row.ts, FOREVER_TS))
        return (min(low for low, _ in spans), max(high for _, high in spans)) if spans else None

    def _row(
        self,
        episode: BatteryEpisode,
        sets: Mapping[str, Device],
        soh: Mapping[str, Sequence[BatterySoh]],
        outages: Sequence[SiteOutage],
        loads: Sequence[SiteLoadHour],
    ) -> BatteryDischarge:
        outage = self._outage_of(episode, outages)
        forecast = self._forecast(episode, sets, soh, loads)
        cutoff = episode.cutoff_ts
        return BatteryDischarge(
            device_id=episode.device_id,
            ts=episode.ts,
            site_id=episode.site_id,
            cause=DischargeCause.OUTAGE
            if outage is not None
            else self._cause_with_mains(episode, sets[episode.device_id], loads),
            outage_ts=None if outage is None else outage.ts,
            ended_ts=episode.ended_ts,
            duration_h=episode.duration_h,
            charge_ah=episode.charge_ah,
            cutoff_ts=cutoff,
            cutoff_h=None if cutoff is None else (cutoff - episode.ts) / HOUR_MS,
            forecast_p50_h=None if forecast is None else forecast.p50_h,
            forecast_p10_h=None if forecast is None else forecast.p10_h,
            forecast_load_w=None if forecast is None else forecast.load_w,
            coverage=episode.coverage,
            quality=episode.quality,
        )

    def _outage_of(self, episode: BatteryEpisode, outages: Sequence[SiteOutage]) -> SiteOutage | None:
        """The outage in which a discharge began; clocks of two devices may differ a little."""
        clock_ms = self._reference.backup.clock_ms
        for outage in outages:
            ended = FOREVER_TS if outage.ended_ts is None else outage.ended_ts
            if not outage.contradicted and outage.ts - clock_ms <= episode.ts <= ended + clock_ms:
                return outage
        return None

    def _cause_with_mains(
        self, episode: BatteryEpisode, device: Device, loads: Sequence[SiteLoadHour]
    ) -> DischargeCause:
        """No outage: cycling, or a core-capacity test, if mains is known to have been on, and it was long enough."""
        assert device.battery is not None  # noqa: S101 - a set has one
        until = episode.ts + round(episode.duration_h * HOUR_MS)
        if until - episode.ts < self._reference.backup.test_from_ms:
            return DischargeCause.UNKNOWN
        known = 0.0
        for hour in loads:
            overlap = min(until, hour.ts + HOUR_MS) - max(episode.ts, hour.ts)
            if overlap > 0:
                known += overlap * hour.coverage
        enough = known >= KNOWN_MAINS * (until - episode.ts)
        if not enough:
            return DischargeCause.UNKNOWN
        return DischargeCause.CAPACITY_TEST if device.battery.use is BatteryUse.BACKUP else DischargeCause.CYCLING

    def _forecast(
        self,
        episode: BatteryEpisode,
        sets: Mapping[str, Device],
        soh: Mapping[str, Sequence[BatterySoh]],
        loads: Sequence[SiteLoadHour],
    ) -> Backup | None:
        """Hours to cut-off from what was known when the load came on; None without a capacity of the set's own."""
        fusion = self._reference.fusion
        health = {
            device_id: soh_at(soh.get(device_id, ()), episode.ts, fusion, replaced_ts(device))[1]
            for device_id, device in sets.items()
        }
        own = health.get(episode.device_id)
        if own is None or episode.soc_start_pct is None or episode.soc_start_sigma_pct is None:
            return None
        store = Store(
            own.soh,
            own.sigma,
            episode.soc_start_pct / 100,
            episode.soc_start_sigma_pct / 100,
            episode.temperature_start_c,
            shares(sets, health, fusion)[episode.device_id],
        )
        profile = LoadProfile({hour.ts: hour.load_w for hour in loads if hour.load_w is not None}, episode.ts)
        return backup_of(store, profile, Limits(sets[episode.device_id], self._reference), self._reference)

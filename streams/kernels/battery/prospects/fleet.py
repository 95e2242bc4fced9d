"""Everything about the health of each set now, in one row per set: what the fleet is ranked, watched and retired by."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.battery_health import BatteryFlag, BatteryHour, BatteryResistance, CapacityReason
from schemas.metrics.battery_prospects import Advice, BatteryDischarge, BatteryHealth, BatterySoh
from schemas.metrics.battery_sites import DoubtKind, SiteDoubt, SiteLoadHour
from schemas.metrics.common import Quality
from schemas.time import DAY_MS, FOREVER_TS, HOUR_MS, YEAR_MS
from streams.kernels.battery.fusion import Z_90
from streams.kernels.battery.prospects.doubts import LONGEST_MS
from streams.kernels.battery.prospects.prospect import Prospects
from streams.kernels.battery.prospects.site_view import by_device, sets_of
from streams.kernels.contract import Replaced, Want

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.battery_reference import BatteryHealthReference
    from schemas.metrics import Row
    from schemas.registry import Device, Site
    from streams.kernels.battery.prospects.prospect import Prospect
    from streams.kernels.contract import Changed, Found


class _Seen(NamedTuple):
    """What is known of one set at its newest hour."""

    device: Device
    hour: BatteryHour
    at: Prospect
    last_discharge: BatteryDischarge | None
    is_doubted: bool
    """Bus and mains contradict it: how full it is, and how long it lasts, is not known."""


class FleetHealth:
    """View over hours, SoH, loads, steps and discharges of one site: one row per set, for its newest hour."""

    name = "fleet_health"
    inputs: frozenset[type[Row]] = frozenset(
        {BatteryHour, BatterySoh, SiteLoadHour, BatteryResistance, BatteryDischarge, SiteDoubt}
    )

    def __init__(self, reference: BatteryHealthReference) -> None:
        self._reference = reference

    def wants(self, _site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """From the first change on, whatever the newest hour's row follows from; what is newer cannot enter it."""
        sets = list(sets_of(devices))
        if not sets:
            return []
        first = min(row.ts for rows in changed.values() for row in rows)
        days = round(self._reference.backup.observable_days)
        return [
            Want(BatteryHour, sets, first - HOUR_MS, FOREVER_TS),
            Want(BatteryDischarge, sets, first - (days + 1) * DAY_MS, FOREVER_TS),
            Want(SiteDoubt, sets, first - LONGEST_MS, FOREVER_TS),
            *Prospects.wants(devices, sets, first),
        ]

    def rows(self, site: Site, devices: Sequence[Device], _changed: Changed, found: Found) -> Replaced:
        """Give each set's row for its newest hour."""
        sets = sets_of(devices)
        if not sets:
            return Replaced([])
        return Replaced([self._row(site, seen) for seen in self._look(sets, found)])

    def _look(self, sets: Mapping[str, Device], found: Found) -> Iterable[_Seen]:
        """Gather what is known of each set up to the end of its newest hour."""
        hours = by_device(found[BatteryHour], BatteryHour)
        discharges = by_device(found[BatteryDischarge], BatteryDischarge)
        doubts = by_device(found[SiteDoubt], SiteDoubt)
        prospects = Prospects(sets, found, self._reference)
        for device_id, own in hours.items():
            hour = own[-1]
            counted = [
                row
                for row in discharges.get(device_id, ())
                if row.ts < hour.ts + HOUR_MS and row.duration_h >= self._reference.backup.counted_from_h
            ]
            doubted = any(_is_open(row, hour.ts + HOUR_MS) for row in doubts.get(device_id, ()))
            yield _Seen(sets[device_id], hour, prospects.of(hour), counted[-1] if counted else None, doubted)

    def _row(self, site: Site, seen: _Seen) -> BatteryHealth:
        battery, hour, soh, row = seen.device.battery, seen.hour, seen.at.soh, seen.at.soh_row
        assert battery is not None  # noqa: S101 - a set has one
        reference, end = self._reference, seen.hour.ts + HOUR_MS
        newest = seen.at.resistances[-1] if seen.at.resistances else None
        backup = None if seen.is_doubted else seen.at.backup
        misses = None if backup is None else backup.p10_h < battery.contract_h
        flags = [
            *(hour.flags.split(",") if hour.flags else ()),
            *([BatteryFlag.CONTRADICTED] if seen.is_doubted else ()),
        ]
        advice, reasons = self._advice(seen, misses=misses)
        last = seen.last_discharge
        age_days = None if last is None else (end - last.ts) / DAY_MS
        return BatteryHealth(
            device_id=seen.device.device_id,
            ts=hour.ts,
            site_id=site.site_id,
            city=site.city,
            maker=battery.maker,
            batch=battery.batch,
            nominal_ah=battery.nominal_ah,
            in_service_years=_years_since(battery.commissioned_on, end),
            soh_pct=None if soh is None else 100 * soh.soh,
            soh_low_pct=None if soh is None else 100 * (soh.soh - Z_90 * soh.sigma),
            soh_high_pct=None if soh is None else 100 * (soh.soh + Z_90 * soh.sigma),
            soh_sigma_pct=None if soh is None else 100 * soh.sigma,
            soh_at_least_pct=None if row is None else row.at_least_pct,
            soh_method=None if row is None else row.method,
            soh_evidence_ts=None if row is None else row.evidence_ts,
            soh_age_days=None if row is None or row.evidence_ts is None else (end - row.evidence_ts) / DAY_MS,
            soh_estimates=0 if row is None else row.estimates,
            soh_reason=CapacityReason.NO_DISCHARGE if row is None else row.reason,
            soh_bms_pct=hour.soh_bms_pct,
            soc_pct=None if seen.is_doubted else hour.soc_pct,
            soc_sigma_pct=None if seen.is_doubted else hour.soc_sigma_pct,
            soc_bms_difference_pct=None if seen.is_doubted else hour.soc_bms_difference_pct,
            resistance_25c_mohm=None if newest is None else newest.resistance_25c_mohm,
            resistance_trend=seen.at.resistance_trend,
            resistance_mohm_ah=None if newest is None else newest.cell_mohm_ah_25c,
            float_spread_mv=hour.float_spread_mv,
            float_worst_cell=hour.float_worst_cell,
            float_worst_z=hour.float_worst_z,
            temperature_mean_c=hour.temperature_mean_c,
            load_w=seen.at.load_w,
            backup_p50_h=None if backup is None else backup.p50_h,
            backup_p10_h=None if backup is None else backup.p10_h,
            contract_h=battery.contract_h,
            misses_contract=misses,
            last_discharge_ts=None if last is None else last.ts,
            observable=age_days is not None and age_days <= reference.backup.observable_days,
            test_priority_kwh=self._test_priority(seen, battery.contract_h),
            advice=advice,
            advice_reasons=",".join(reasons),
            flags=",".join(sorted(flags)),
            quality=Quality.UNKNOWN if soh is None or row is None else row.quality,
            reference_version=reference.version,
        )

    def _test_priority(self, seen: _Seen, contract_h: float) -> float:
        """Energy owed by contract times the relative doubt about the capacity that is to give it, kWh."""
        fusion = self._reference.fusion
        soh = seen.at.soh
        doubt = fusion.population_sigma / fusion.population_soh if soh is None else soh.sigma / soh.soh
        return (seen.at.load_w or 0.0) * seen.at.share * contract_h / 1000 * doubt

    def _advice(self, seen: _Seen, *, misses: bool | None) -> tuple[Advice, list[str]]:
        """Watch or retire, and why; thresholds are reference data."""
        rules, hour, soh = self._reference.advice, seen.hour, seen.at.soh
        retire: list[str] = []
        watch: list[str] = []
        if soh is not None and 100 * soh.soh < rules.retire_below_soh_pct:
            retire.append("soh")
        elif soh is not None and 100 * soh.soh < rules.watch_below_soh_pct:
            watch.append("soh")
        if misses:
            retire.append("backup")
        if hour.float_spread_mv is not None and hour.float_spread_mv > rules.spread_float_mv:
            retire.append("cell_spread")
        if hour.float_worst_z is not None and hour.float_worst_z < rules.worst_cell_z:
            watch.append("weak_cell")
        if retire:
            return Advice.RETIRE, [*retire, *watch]
        if watch:
            return Advice.WATCH, watch
        return (Advice.UNKNOWN, ["never_measured"]) if soh is None else (Advice.KEEP, [])


def _is_open(doubt: SiteDoubt, ts: int) -> bool:
    """Whether a set was in doubt at a moment."""
    end = FOREVER_TS if doubt.ended_ts is None else doubt.ended_ts
    return doubt.kind is DoubtKind.SET and doubt.ts < ts <= end


def _years_since(day: str, ts: int) -> float | None:
    """Years from a date YYYY-MM-DD to a moment; None where the date is not one."""
    try:
        begun = dt.datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=dt.UTC)
    except ValueError:
        return None
    return (ts / 1000 - begun.timestamp()) / (YEAR_MS / 1000)

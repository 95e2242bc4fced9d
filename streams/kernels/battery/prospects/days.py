"""How each set stood, local day by local day: what it is watched by, and what its trend is drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.metrics.battery_health import BatteryHour, BatteryResistance
from schemas.metrics.battery_prospects import BatteryDay, BatterySoh
from schemas.metrics.battery_sites import SiteLoadHour
from schemas.metrics.common import Quality
from schemas.time import DAY_MS, FOREVER_TS, HOUR_MS, day_of
from streams.kernels.battery.backup import LOADS_MS
from streams.kernels.battery.prospects.prospect import Prospects
from streams.kernels.battery.prospects.site_view import by_device, sets_of
from streams.kernels.contract import Replaced, Want

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.battery_reference import BatteryHealthReference
    from schemas.metrics import Row
    from schemas.registry import Device, Site
    from streams.kernels.battery.prospects.prospect import Prospect
    from streams.kernels.contract import Changed, Found

"""China Standard Time."""


class SetDays:
    """View over a site's hours, SoH, loads and steps: a row for each set and day, as of the last hour known of it."""

    name = "set_days"
    inputs: frozenset[type[Row]] = frozenset({BatteryHour, BatterySoh, SiteLoadHour, BatteryResistance})

    def __init__(self, reference: BatteryHealthReference) -> None:
        self._reference = reference

    def wants(self, _site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """Whatever the days touched follow from."""
        sets = list(sets_of(devices))
        if not sets:
            return []
        reach = _reach(changed)
        return [Want(BatteryHour, sets, *reach), *Prospects.wants(devices, sets, *reach)]

    def rows(self, _site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Give the rows of all days touched."""
        sets = sets_of(devices)
        if not sets:
            return Replaced([])
        prospects = Prospects(sets, found, self._reference)
        last = {
            (hour.device_id, _day(hour.ts)): hour
            for own in by_device(found[BatteryHour], BatteryHour).values()
            for hour in own
        }
        rows: list[Row] = [self._row(sets[hour.device_id], hour, prospects.of(hour)) for hour in last.values()]
        return Replaced(rows, [Want(BatteryDay, list(sets), *_reach(changed))])

    def _row(self, device: Device, hour: BatteryHour, seen: Prospect) -> BatteryDay:
        assert device.battery is not None  # noqa: S101 - a set has one
        known, usual = seen.known_mohm, seen.usual_mohm
        return BatteryDay(
            device_id=device.device_id,
            ts=_day(hour.ts),
            site_id=hour.site_id,
            as_of_ts=hour.ts + HOUR_MS,
            soh_pct=None if seen.soh is None else 100 * seen.soh.soh,
            backup_p50_h=None if seen.backup is None else seen.backup.p50_h,
            backup_p10_h=None if seen.backup is None else seen.backup.p10_h,
            contract_h=device.battery.contract_h,
            resistance_25c_mohm=known[-1] if known else None,
            resistance_usual_mohm=usual,
            resistance_rise_pct=None if usual is None else 100 * (min(known[-2:]) / usual - 1),
            resistance_steps=len(known),
            quality=Quality.UNKNOWN if seen.soh is None or seen.soh_row is None else seen.soh_row.quality,
            reference_version=self._reference.version,
        )


def _day(ts: int) -> int:
    """Start of the local day that holds an instant."""
    return day_of(ts)


def _reach(changed: Changed) -> tuple[int, int]:
    """From the first day that a change touches to behind the last one.

    An hour touches its own day; a load also the days that are forecast with it; health and steps all that follow.
    """
    times = {row_type: [row.ts for row in rows] for row_type, rows in changed.items()}
    first = _day(min(ts for of_type in times.values() for ts in of_type))
    if times.get(BatterySoh) or times.get(BatteryResistance):
        return first, FOREVER_TS
    behind = [_day(ts) + DAY_MS for ts in times.get(BatteryHour, ())]
    behind += [_day(ts + LOADS_MS) + DAY_MS for ts in times.get(SiteLoadHour, ())]
    return first, max(behind)

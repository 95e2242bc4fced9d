"""What the sets of a base station and its power system counted of one load: whole hours without mains.

While mains is dead the currents of all sets add up to the load that the power system measures, so each is a witness of
the other's gain. Only whole hours are held against each other, in which nothing was charged and all was measured: what
a generator or solar panels bring, and when a load came on between two samples, stays out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.metrics.battery import BatteryQuarter
from schemas.metrics.battery_sites import BatteryShareHour, SiteLoadHour
from schemas.time import HOUR_MS
from streams.kernels.battery.prospects.site_view import by_device, power_ids, sets_of
from streams.kernels.contract import Replaced, Want

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row
    from schemas.registry import Device, Site
    from streams.kernels.contract import Changed, Found

QUARTERS = 4
WHOLE_MIN = 60.0
MEASURED = 0.98
"""Share of an hour over which load and currents must have been measured. (unsourced)"""
LOADED_KWH = 0.025
"""A set that gave or took no more in a quarter of an hour is idle: 100 W, 0.02 C of 100 Ah. (unsourced)"""


class ShareHours:
    """View over one site's hours of load and its sets' quarters of an hour."""

    name = "share_hours"
    inputs: frozenset[type[Row]] = frozenset({SiteLoadHour, BatteryQuarter})

    def wants(self, _site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """Hours without mains, or with a set at work, that changed: a few a year."""
        sets, power = list(sets_of(devices)), power_ids(devices)
        if not sets or len(power) != 1:
            return []
        wants: list[Want] = []
        for hour in _hours(changed):
            wants += [Want(SiteLoadHour, power, hour, hour + 1), Want(BatteryQuarter, sets, hour, hour + HOUR_MS)]
        return wants

    def rows(self, _site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Compute them again."""
        sets = sets_of(devices)
        if not sets or len(power_ids(devices)) != 1:
            return Replaced([])
        hours = _hours(changed)
        loads = {row.ts: row for row in found.get(SiteLoadHour, ()) if isinstance(row, SiteLoadHour)}
        quarters = by_device(found.get(BatteryQuarter, ()), BatteryQuarter)
        rows: list[Row] = []
        for hour in hours:
            given = {device_id: _given_kwh(quarters.get(device_id, ()), hour) for device_id in sets}
            rows += _shares(loads.get(hour), given)
        return Replaced(rows, [Want(BatteryShareHour, list(sets), hour, hour + 1) for hour in hours])


def _hours(changed: Changed) -> list[int]:
    """Hours that the changes touch and in which a set may have carried the site."""
    hours: set[int] = set()
    for row in (row for rows in changed.values() for row in rows):
        if isinstance(row, SiteLoadHour) and row.failed_min > 0:
            hours.add(row.ts)
        elif isinstance(row, BatteryQuarter) and max(row.energy_out_kwh or 0.0, row.energy_in_kwh or 0.0) > LOADED_KWH:
            hours.add(row.ts - row.ts % HOUR_MS)
    return sorted(hours)


def _given_kwh(quarters: Sequence[BatteryQuarter], hour: int) -> float | None:
    """What a set gave in an hour; None where that was not measured throughout, or it was charged too."""
    own = [row for row in quarters if hour <= row.ts < hour + HOUR_MS]
    if len(own) != QUARTERS or any(row.coverage < MEASURED for row in own):
        return None
    if any(row.energy_out_kwh is None or (row.energy_in_kwh or 0.0) > LOADED_KWH for row in own):
        return None
    return sum(row.energy_out_kwh or 0.0 for row in own)


def _shares(load: SiteLoadHour | None, given: dict[str, float | None]) -> list[BatteryShareHour]:
    """Rows of the sets that carried the site through an hour; none where any of it is not known."""
    if load is None or load.load_w is None or load.failed_min < WHOLE_MIN or load.coverage < MEASURED:
        return []
    known = {device_id: kwh for device_id, kwh in given.items() if kwh is not None}
    if len(known) != len(given):
        return []
    total = sum(known.values())
    return [
        BatteryShareHour(device_id, load.ts, load.site_id, kwh, total - kwh, load.load_w / 1000)
        for device_id, kwh in known.items()
        if kwh > QUARTERS * LOADED_KWH
    ]

"""What is known of each set of a site at a moment, from rows alone: its health, its share of the load, its backup."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.battery_health import BatteryResistance
from schemas.metrics.battery_prospects import BatterySoh
from schemas.metrics.battery_sites import SiteLoadHour
from schemas.time import DAY_MS, FOREVER_TS, HOUR_MS
from streams.kernels.battery.backup import LOADS_MS, LoadProfile, backup_of
from streams.kernels.battery.limits import Limits
from streams.kernels.battery.prospects.site_view import by_device, full_store, power_ids, replaced_ts, shares, soh_at
from streams.kernels.contract import Want

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.battery_reference import BatteryHealthReference
    from schemas.metrics.battery_health import BatteryHour
    from schemas.registry import Device
    from streams.kernels.battery.backup import Backup
    from streams.kernels.battery.prospects.site_view import SohNow
    from streams.kernels.contract import Found

RESISTANCE_REACH_MS = 400 * DAY_MS
"""How far back a set's own resistance is looked for, for its trend. (unsourced)"""
STEPS_FOR_TREND = 3
"""Earlier load-on steps without which there is no trend. (unsourced)"""


class Prospect(NamedTuple):
    """One set, at the end of one of its hours."""

    soh_row: BatterySoh | None
    """The last word on its SoH; `soh` is what that is worth by now."""
    soh: SohNow | None
    backup: Backup | None
    """From full, at the site's present load and the hour's temperature."""
    load_w: float | None
    share: float
    resistances: Sequence[BatteryResistance]
    """Of its load-on steps."""

    @property
    def known_mohm(self) -> list[float]:
        """Resistances at 25 °C, oldest first."""
        return [row.resistance_25c_mohm for row in self.resistances if row.resistance_25c_mohm is not None]

    @property
    def usual_mohm(self) -> float | None:
        """Median of the resistances before the two newest."""
        earlier = self.known_mohm[:-2]
        return statistics.median(earlier) if len(earlier) >= STEPS_FOR_TREND else None

    @property
    def resistance_trend(self) -> float | None:
        """Newest resistance over the median of the set's own earlier ones."""
        known = self.known_mohm
        return known[-1] / statistics.median(known[:-1]) if len(known) > STEPS_FOR_TREND else None


class Prospects:
    """Looks at the sets of one site; made of the rows that `wants` asks for."""

    def __init__(self, sets: Mapping[str, Device], found: Found, reference: BatteryHealthReference) -> None:
        self._sets = sets
        self._reference = reference
        self._soh = by_device(found[BatterySoh], BatterySoh)
        self._steps = by_device(found[BatteryResistance], BatteryResistance)
        self._loads = {
            row.ts: row.load_w
            for row in found[SiteLoadHour]
            if isinstance(row, SiteLoadHour) and row.load_w is not None
        }
        self._profiles: dict[int, LoadProfile] = {}
        """By the moment that they look ahead from: the sets of a site share them."""

    @staticmethod
    def wants(devices: Sequence[Device], sets: Sequence[str], from_ts: int, to_ts: int = FOREVER_TS) -> list[Want]:
        """Rows that hours between two moments are looked at by."""
        return [
            Want(BatterySoh, sets, 0, to_ts),
            Want(SiteLoadHour, power_ids(devices), from_ts - LOADS_MS - HOUR_MS, to_ts),
            Want(BatteryResistance, sets, from_ts - RESISTANCE_REACH_MS, to_ts),
        ]

    def of(self, hour: BatteryHour) -> Prospect:
        """Look at the set of an hour, at that hour's end."""
        end, device_id = hour.ts + HOUR_MS, hour.device_id
        fusion = self._reference.fusion
        health = {
            each: soh_at(self._soh.get(each, ()), end, fusion, replaced_ts(device))
            for each, device in self._sets.items()
        }
        soh_row, known = health[device_id]
        share = shares(self._sets, {each: now for each, (_, now) in health.items()}, fusion)[device_id]
        profile = self._profiles.get(end)
        if profile is None:
            profile = self._profiles[end] = LoadProfile(self._loads, end)
        backup = None
        if known is not None:
            limits = Limits(self._sets[device_id], self._reference)
            full_sigma = limits.chemistry.sigma_full_percent / 100
            store = full_store(known, share, hour.temperature_mean_c, full_sigma)
            backup = backup_of(store, profile, limits, self._reference)
        return Prospect(
            soh_row=soh_row,
            soh=known,
            backup=backup,
            load_w=profile.at(0) if profile.known else None,
            share=share,
            resistances=[row for row in self._steps.get(device_id, ()) if row.ts < end and row.step == "load_on"],
        )

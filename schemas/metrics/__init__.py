"""Rows the stream processors derive. Plain named tuples: built by the thousand, checked by the database's types.

The first field is the entity's id (a device or a site), `ts` a time of it. Every row over a window carries coverage
(0–1, share of its window backed by good readings) and quality. Null is an answer: a figure that cannot be known is
None, never 0. A new row gets its table in `storage.tables`.
"""

from __future__ import annotations

from typing import Any, Protocol

from schemas.metrics.battery import BatteryLatest, BatteryQuarter, SitePowerLatest
from schemas.metrics.battery_health import (
    BatteryCapacity,
    BatteryEpisode,
    BatteryHour,
    BatteryIdentity,
    BatteryResistance,
    BatteryState,
)
from schemas.metrics.battery_prospects import BatteryDay, BatteryDischarge, BatteryHealth, BatterySoh
from schemas.metrics.battery_sites import BatteryShareHour, SiteDoubt, SiteLoadHour, SiteOutage
from schemas.metrics.common import (
    GOOD_COVERAGE,
    Json,
    Moment,
    Quality,
    Real,
    built,
    quality_of,
)
from schemas.metrics.gangue import FuelAssay, GangueSum, GangueWindow
from schemas.metrics.meter import MeterEvent, MeterEventKind, MeterLatest, MeterLoad, MeterMinute, MeterQuarter
from schemas.metrics.plant import BalanceDay, NightFlow, PlantDay, PlantHour, PlantRolling, PlantWindow, WaterDay
from schemas.metrics.signal import DetectorStatus, Signal


class Row(Protocol):
    """Any derived row."""

    @property
    def ts(self) -> int:
        """Device time it stands for, ms."""

    @property
    def site_id(self) -> str:
        """Site it belongs to; all of a site's rows are written on one partition."""

    def __getitem__(self, at: int, /) -> Any: ...  # noqa: ANN401 - a field

    def _asdict(self) -> dict[str, Any]: ...


__all__ = [
    "GOOD_COVERAGE",
    "BalanceDay",
    "BatteryCapacity",
    "BatteryDay",
    "BatteryDischarge",
    "BatteryEpisode",
    "BatteryHealth",
    "BatteryHour",
    "BatteryIdentity",
    "BatteryLatest",
    "BatteryQuarter",
    "BatteryResistance",
    "BatteryShareHour",
    "BatterySoh",
    "BatteryState",
    "DetectorStatus",
    "FuelAssay",
    "GangueSum",
    "GangueWindow",
    "Json",
    "MeterEvent",
    "MeterEventKind",
    "MeterLatest",
    "MeterLoad",
    "MeterMinute",
    "MeterQuarter",
    "Moment",
    "NightFlow",
    "PlantDay",
    "PlantHour",
    "PlantRolling",
    "PlantWindow",
    "Quality",
    "Real",
    "Row",
    "Signal",
    "SiteDoubt",
    "SiteLoadHour",
    "SiteOutage",
    "SitePowerLatest",
    "WaterDay",
    "built",
    "quality_of",
]

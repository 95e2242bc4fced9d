"""Quarters of an hour that are over and may yet be doubted: they counted a current that has stood ever since.

That a current shows none is told long after it began to stand: it takes four times as long as it ever stood before, or
a voltage that has gone where no such current takes it. What was counted meanwhile was told as measured, and is told
again as an estimate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.metrics import BatteryQuarter, Quality
from schemas.metrics.battery_health import BatteryFlag
from schemas.time import QUARTER_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT = 32
"""Newest quarters that are told again: eight hours. (unsourced)"""


def kept(rows: Sequence[BatteryQuarter], more: Sequence[BatteryQuarter], from_ts: int) -> tuple[BatteryQuarter, ...]:
    """Keep the quarters that reach beyond the reading since which the current stands, and some more behind them."""
    return (*_since(rows, from_ts), *more)[-KEPT:]


def doubted(rows: Sequence[BatteryQuarter], from_ts: int) -> list[BatteryQuarter]:
    """Quarters that reach beyond a reading, told again: what they counted is no measurement."""
    return [
        row._replace(
            quality=Quality.ESTIMATED if row.quality is Quality.GOOD else row.quality,
            flags=",".join(filter(None, (row.flags, BatteryFlag.STUCK_CURRENT.value))),
        )
        for row in _since(rows, from_ts)
    ]


def _since(rows: Sequence[BatteryQuarter], from_ts: int) -> list[BatteryQuarter]:
    return [row for row in rows if row.ts + QUARTER_MS > from_ts]

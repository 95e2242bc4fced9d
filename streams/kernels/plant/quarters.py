"""Quarters of an hour per register: the sums of its minutes, from which all hours and days are made."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from schemas.metrics import MeterMinute, MeterQuarter, Quality, quality_of
from schemas.time import MINUTE_MS, QUARTER_MS
from streams.kernels.contract import Replaced, Want

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from schemas.metrics import Row
    from schemas.registry import Device, Site
    from streams.kernels.contract import Changed, Found

MINUTES = QUARTER_MS // MINUTE_MS
_PARTIAL = Quality.PARTIAL
"""Looked up once: asking the enum for it at each minute costs as much as the rest of `known_share`."""


def known_share(minute: MeterMinute) -> float:
    """Share of a minute whose increment is in the row, measured or interpolated."""
    if minute.increment is None:
        return 0.0
    return minute.coverage if minute.quality is _PARTIAL else 1.0


class Quarters:
    """View over meter minutes: every register's quarters that hold a changed minute."""

    name = "quarters"
    inputs: frozenset[type[Row]] = frozenset({MeterMinute})

    def wants(self, _site: Site, _devices: Sequence[Device], changed: Changed) -> list[Want]:
        """All minutes of the quarters of meters that changed, in one stretch a meter."""
        reach: dict[str, tuple[int, int]] = {}
        for row in changed[MeterMinute]:
            assert isinstance(row, MeterMinute)  # noqa: S101 - by type
            quarter = row.ts - row.ts % QUARTER_MS
            low, high = reach.get(row.device_id, (quarter, quarter))
            reach[row.device_id] = (min(low, quarter), max(high, quarter))
        return [Want(MeterMinute, [meter], low, high + QUARTER_MS) for meter, (low, high) in reach.items()]

    def rows(self, site: Site, _devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Sum the quarters that hold a changed minute."""
        touched = {
            (row.device_id, row.quantity, row.ts - row.ts % QUARTER_MS)
            for row in changed[MeterMinute]
            if isinstance(row, MeterMinute)
        }
        minutes: dict[tuple[str, str, int], list[MeterMinute]] = {}
        for row in found[MeterMinute]:
            assert isinstance(row, MeterMinute)  # noqa: S101 - by type
            key = (row.device_id, row.quantity, row.ts - row.ts % QUARTER_MS)
            if key in touched:
                minutes.setdefault(key, []).append(row)
        standing = {(row.device_id, row.quantity, row.ts) for own in minutes.values() for row in own}
        lost = {
            (row.device_id, row.quantity, row.ts - row.ts % QUARTER_MS)
            for row in changed[MeterMinute]
            if isinstance(row, MeterMinute) and (row.device_id, row.quantity, row.ts) not in standing
        }
        anew = [
            Want(MeterQuarter, [device_id], ts, ts + QUARTER_MS, quantity) for device_id, quantity, ts in sorted(lost)
        ]
        return Replaced([_quarter(site.site_id, *key, own) for key, own in minutes.items()], anew=anew)


def _quarter(site_id: str, device_id: str, quantity: str, ts: int, minutes: Sequence[MeterMinute]) -> MeterQuarter:
    counted = [minute.increment for minute in minutes if minute.increment is not None]
    whole = [
        minute.increment for minute in minutes if minute.increment is not None and minute.quality is not Quality.PARTIAL
    ]
    known = math.fsum(known_share(minute) for minute in minutes) / MINUTES
    coverage = math.fsum(minute.coverage for minute in minutes) / MINUTES
    estimated = any(minute.quality is Quality.ESTIMATED for minute in minutes)
    return MeterQuarter(
        device_id,
        quantity,
        ts,
        site_id,
        math.fsum(counted) if counted else None,
        min(whole, default=None),
        max(whole, default=None),
        known,
        any(minute.ts == ts + QUARTER_MS - MINUTE_MS for minute in minutes),
        coverage,
        over(coverage, estimated=estimated),
    )


def whole(rows: Iterable[Row], of: Container[str]) -> list[MeterQuarter]:
    """Whole quarters of some meters: what everything longer is made of, so that nothing is computed every minute."""
    return [row for row in rows if isinstance(row, MeterQuarter) and row.is_whole and row.device_id in of]


def lost(changed: Iterable[Row], found: Iterable[Row], of: Container[str]) -> list[MeterQuarter]:
    """Changed quarters of some meters that were whole and are not there any more, or not whole."""
    standing = {row[:3] for row in whole(found, of)}
    return [row for row in whole(changed, of) if row[:3] not in standing]


def over(coverage: float, *, estimated: bool) -> Quality:
    """Quality of a figure over a window; `estimated` where any of it is."""
    return Quality.ESTIMATED if estimated else quality_of(coverage, estimated=False)

"""Virtual meters: sums and differences of meters, minute by minute, as coverage and quality of their parts allow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from schemas.metrics import MeterMinute, Quality, Row
from schemas.time import MINUTE_MS
from streams.kernels.contract import Replaced, SiteRows, Want

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.registry import Device, Site
    from streams.kernels.contract import Changed, Found

_WORST = {Quality.GOOD: 0, Quality.ESTIMATED: 1, Quality.PARTIAL: 2, Quality.UNKNOWN: 3}
"""A whole minute that is estimated stands above one of which a part is missing."""

Register = tuple[str, str]
"""Device id and register."""


class VirtualMeters(SiteRows):
    """View over meter minutes: a virtual meter's minute is known when every part's is, and as good as the worst."""

    name = "virtual_meters"
    inputs: frozenset[type[Row]] = frozenset({MeterMinute})
    gives: type[Row] = MeterMinute

    def owners(self, site: Site) -> Sequence[str]:
        """Its virtual meters."""
        return [meter.meter_id for meter in site.virtual_meters]

    def wants(self, site: Site, _devices: Sequence[Device], changed: Changed) -> Sequence[Want]:
        """Choose the minutes that changed, of all meters that add up with one that did."""
        touched, moments = _touched(site, changed)
        meters = {device_id for terms in touched.values() for device_id, _ in terms}
        if not meters:
            return ()
        return (Want(MeterMinute, sorted(meters), min(moments), max(moments) + MINUTE_MS),)

    def rows(self, site: Site, _devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Add the parts of every virtual meter that holds one that changed."""
        touched, moments = _touched(site, changed)
        if not touched:
            return Replaced([])
        minutes: dict[Register, dict[int, MeterMinute]] = {}
        for row in found[MeterMinute]:
            assert isinstance(row, MeterMinute)  # noqa: S101 - asked for
            if row.ts in moments:
                minutes.setdefault((row.device_id, row.quantity), {})[row.ts] = row
        quantities = {meter.meter_id: meter.quantity for meter in site.virtual_meters}
        given: list[Row] = []
        cleared: list[Want] = []
        lost = [row for row in changed[MeterMinute] if row.ts not in minutes.get((row[0], row[1]), ())]
        for meter_id, terms in touched.items():
            times = {ts for register in terms for ts in minutes.get(register, ())}
            given += [added(site, (meter_id, quantities[meter_id]), ts, terms, minutes) for ts in sorted(times)]
            gone = {row.ts for row in lost if (row[0], row[1]) in terms} - times
            cleared += [Want(MeterMinute, [meter_id], ts, ts + MINUTE_MS) for ts in sorted(gone)]
        return Replaced(given, cleared)


def _touched(site: Site, changed: Changed) -> tuple[dict[str, dict[Register, float]], set[int]]:
    """Virtual meters with a part that changed, and the minutes that did."""
    if not site.virtual_meters:
        return {}, set()
    registers: dict[Register, set[int]] = {}
    for row in changed.get(MeterMinute, ()):
        assert isinstance(row, MeterMinute)  # noqa: S101 - by type
        registers.setdefault((row.device_id, row.quantity), set()).add(row.ts)
    touched = {meter_id: terms for meter_id, terms in site.virtual_terms.items() if terms.keys() & registers.keys()}
    parts = {register for terms in touched.values() for register in terms}
    return touched, {ts for register in parts & registers.keys() for ts in registers[register]}


def added(
    site: Site,
    meter: Register,
    ts: int,
    terms: Mapping[Register, float],
    minutes: Mapping[Register, Mapping[int, MeterMinute]],
) -> MeterMinute:
    """One minute of a virtual meter out of its parts'; unknown as soon as one part is.

    The increment is in the unit of the virtual meter's quantity; coverage is the least of the parts'.
    """
    parts: list[MeterMinute] = []
    total: list[float] = []
    for register, factor in terms.items():
        part = minutes.get(register, {}).get(ts)
        if part is None or part.increment is None:
            return MeterMinute(*meter, ts, site.site_id, None, 0.0, Quality.UNKNOWN)
        parts.append(part)
        total.append(factor * part.increment)
    worst = max(parts, key=lambda part: _WORST[part.quality])
    return MeterMinute(*meter, ts, site.site_id, math.fsum(total), min(part.coverage for part in parts), worst.quality)

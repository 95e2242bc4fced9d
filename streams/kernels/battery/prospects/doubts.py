"""Devices of one base station that contradict each other: a view, because mains, bus and sets come in any order.

Whoever stands alone is not believed: a failure of mains of which neither the bus nor a set knows, or that goes on while
a set is charged; mains that is said to be on while the bus has come down and a set carries the load; a bus that stands
still while a set carries it, a set on float while the bus it is wired to has come down, a set whose pack voltage is not
that of its cells. Nothing is made of what nobody else can witness, nor of a set that rests while another one is
silent: that one may carry the load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.battery_health import BatteryEpisode, BatteryFlag, EpisodeKind
from schemas.metrics.battery_sites import DoubtKind, SiteDoubt, SiteOutage
from schemas.registered.bus import bus_of
from schemas.registered.cycling import BatteryUse
from schemas.time import DAY_MS, FOREVER_TS, HOUR_MS
from streams.kernels.battery.bus import limits_of
from streams.kernels.battery.outages import LEVEL_MS, WITNESS_MS
from streams.kernels.battery.prospects.site_view import by_device, power_ids, sets_of
from streams.kernels.contract import Replaced, Want

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.metrics import Row
    from schemas.registry import Device, Site
    from streams.kernels.battery.bus import BusLimits
    from streams.kernels.contract import Changed, Found

LONGEST_MS = 2 * DAY_MS
"""No doubt begins longer after its outage, and what ends one is looked for so long after its beginning. (unsourced)"""
HEARD_MS = 2 * LONGEST_MS
"""What happens longer after the beginning of an outage is not asked: whatever changes, it is known what it touches."""
FLOAT_REACH_MS = 400 * DAY_MS
"""A float that began longer ago is not known of. (unsourced)"""
RECHARGED_MS = 10 * HOUR_MS
"""A set that has slept through an outage is full again, whatever it shows, so long after it. (unsourced)"""
HOLDS = {EpisodeKind.FLOAT, EpisodeKind.CHARGE}
"""What no set does whose bus has come down; one at rest may be open."""
OF_RECORDS = {BatteryFlag.BLANK: DoubtKind.BLANK, BatteryFlag.CONTRADICTED: DoubtKind.SET}
"""What a set's own records may be: nothing but zeros, or a pack voltage that is not that of its cells."""


class _Said(NamedTuple):
    """What a set said it did over the second part of an outage."""

    carries: bool
    floats: BatteryEpisode | None
    """The float or charge that it was in when the bus had had its ten minutes."""
    rests: BatteryEpisode | None
    """The rest that it was in then: it may be open, but then another one carries."""
    heard: bool
    """It was not silent then."""


class SiteDoubts:
    """View over outages and episodes of one site."""

    name = "site_doubts"
    inputs: frozenset[type[Row]] = frozenset({SiteOutage, BatteryEpisode})

    def wants(self, _site: Site, devices: Sequence[Device], changed: Changed) -> list[Want]:
        """Outages around what changed, and what the sets did then."""
        sets, power = list(sets_of(devices)), power_ids(devices)
        if not sets:
            return []
        low, high = _reach(changed)
        return [
            Want(SiteOutage, power, low - LONGEST_MS, _after(high, LONGEST_MS)),
            Want(BatteryEpisode, sets, low - LONGEST_MS - FLOAT_REACH_MS, _after(high, HEARD_MS)),
        ]

    def rows(self, _site: Site, devices: Sequence[Device], changed: Changed, found: Found) -> Replaced:
        """Judge each outage again, and each stretch of blank records."""
        sets, power = sets_of(devices), power_ids(devices)
        if not sets:
            return Replaced([])
        low, high = _reach(changed)
        episodes = by_device(found[BatteryEpisode], BatteryEpisode)
        outages = [row for row in found[SiteOutage] if isinstance(row, SiteOutage)]
        rows: list[Row] = [
            doubt
            for outage in outages
            for doubt in _of_outage(outage, outages, episodes, sets)
            if low <= doubt.ts < high
        ]
        rows += [
            _of_records(row, kind)
            for own in episodes.values()
            for row in own
            if low <= row.ts < high and row.kind is EpisodeKind.OFFLINE
            for flag, kind in OF_RECORDS.items()
            if flag in row.flags.split(",")
        ]
        return Replaced(rows, [Want(SiteDoubt, [*sets, *power], low, high)])


def _reach(changed: Changed) -> tuple[int, int]:
    """Beginnings of the doubts that the changes touch: from, and before.

    An episode that changes touches outages that began up to `HEARD_MS` before it, and up to where it ends, an outage
    itself, and one before it; a doubt begins within `LONGEST_MS` of its outage.
    """
    rows = [row for of_type in changed.values() for row in of_type if isinstance(row, BatteryEpisode | SiteOutage)]
    until = max(max(row.ts, _end(row)) if isinstance(row, BatteryEpisode) else row.ts for row in rows)
    return min(row.ts for row in rows) - HEARD_MS, _after(until, LONGEST_MS + 1)


def _after(ts: int, lasted_ms: int) -> int:
    return min(FOREVER_TS, ts + lasted_ms)


def _of_outage(
    outage: SiteOutage,
    outages: Sequence[SiteOutage],
    all_episodes: Mapping[str, Sequence[BatteryEpisode]],
    sets: Mapping[str, Device],
) -> Iterable[SiteDoubt]:
    """Who stands alone over one failure of mains, once it has lasted for long enough to tell."""
    due = outage.ts + WITNESS_MS
    heard_until = outage.ts + HEARD_MS
    limits = limits_of(bus_of(sets.values()))
    within = {device_id: [row for row in own if row.ts < heard_until] for device_id, own in all_episodes.items()}
    episodes = {device_id: own for device_id, own in within.items() if own}
    until = outage.seen_ts if outage.ended_ts is None else outage.ended_ts
    if until < due:
        return
    said = {device_id: _said(own, outage.ts, due, until) for device_id, own in episodes.items()}
    carried = any(each.carries for each in said.values())
    known = outage.bus_before_v is not None and outage.bus_low_v is not None
    fallen = (outage.bus_before_v or 0.0) - (outage.bus_low_v or 0.0) if known else None
    is_down = fallen is not None and fallen >= limits.fell_v
    floating = {device_id: each.floats for device_id, each in said.items() if each.floats is not None}
    above = {device_id: row for device_id, row in floating.items() if _is_above(row, outage.bus_low_v, limits)}
    heard = all(device_id in said and said[device_id].heard for device_id in sets)  # a silent one may carry it
    if outage.contradicted and is_down:  # mains is said to be on
        carry = [row for device_id, own in episodes.items() for row in _carry(own, sets[device_id], outage)]
        if carry:  # a bus that lies level on its sets or at a setting tells no end: they do, or mains that fails
            fails = (row.ts for row in outages if outage.ts < row.ts <= outage.ts + LONGEST_MS and not row.contradicted)
            ended_ts = min([max(_end(row) for row in carry), *fails])
            yield _doubt(outage, DoubtKind.SUPPLY)._replace(ended_ts=None if ended_ts == FOREVER_TS else ended_ts)
        return
    if not outage.contradicted and all(device_id in episodes for device_id in sets):
        yield from _fed(outage, until, episodes)
    if is_down and heard and not carried:  # on its sets, and none says that it gives
        above |= {device_id: each.rests for device_id, each in said.items() if each.rests is not None}
    if outage.contradicted:
        yield _doubt(outage, DoubtKind.BUS if carried else DoubtKind.MAINS)
    elif above and (fallen is None or is_down):  # a bus first heard within an outage has no voltage before it
        for device_id, row in above.items():
            yield _doubt(outage, DoubtKind.SET)._replace(
                device_id=device_id, ended_ts=_awake(outage, row), since_ts=row.ts, pack_v=row.pack_end_v
            )
    elif _is_held(outage, fallen, limits) and said and len(floating) == len(said):
        yield _doubt(outage, DoubtKind.MAINS)


def _is_held(outage: SiteOutage, fallen_v: float | None, limits: BusLimits) -> bool:
    """Whether a bus is where a rectifier holds it: where it was, or where a boost ends."""
    return fallen_v is None or fallen_v <= limits.held_v or (outage.bus_low_v or 0.0) >= limits.setting_v


def _awake(outage: SiteOutage, row: BatteryEpisode) -> int | None:
    """When a set that contradicts an outage is believed again: not yet (None), where its records may still stand.

    One that floats on after mains is back was asleep, else it would be charged.
    """
    if row.kind is EpisodeKind.REST or outage.ended_ts is None:
        ends = [each for each in (outage.ended_ts, row.ended_ts) if each is not None]
        return min(ends, default=None)
    full_ts = outage.ended_ts + RECHARGED_MS
    if row.ended_ts is None:
        return full_ts if row.seen_ts >= full_ts else None
    return min(row.ended_ts, full_ts)


def _carry(own: Sequence[BatteryEpisode], device: Device, fall: SiteOutage) -> Iterable[BatteryEpisode]:
    """Discharges of a set into which a bus fell; none where it fell to what a rectifier holds, as where a boost ends.

    Nor of a set that is there to be discharged while mains is on.
    """
    battery, due = device.battery, fall.ts + WITNESS_MS
    if battery is None or battery.use is not BatteryUse.BACKUP:
        return
    if fall.bus_low_v is None or fall.bus_low_v >= limits_of(bus_of([device])).setting_v:
        return
    for row in own:
        if row.kind is EpisodeKind.DISCHARGE and fall.ts - 2 * LEVEL_MS <= row.ts <= due < _end(row):
            yield row


def _fed(outage: SiteOutage, until: int, episodes: Mapping[str, Sequence[BatteryEpisode]]) -> Iterable[SiteDoubt]:
    """A failure of mains that goes on while the sets, which carried it, are charged for ten minutes by somebody."""
    rows = sorted(row for own in episodes.values() for row in own if row.ts < until and _end(row) > outage.ts)
    given = [row for row in rows if row.kind is EpisodeKind.DISCHARGE]
    for row in rows:
        if row.kind is not EpisodeKind.CHARGE or not outage.ts < row.ts <= outage.ts + LONGEST_MS:
            continue
        has_given = any(each.ts < row.ts for each in given)
        stop = min((each.ts for each in given if each.ts >= row.ts), default=FOREVER_TS)
        silent = any(each.kind is EpisodeKind.OFFLINE and each.ts <= row.ts + WITNESS_MS < _end(each) for each in rows)
        gives = any(each.ts < row.ts < _end(each) for each in given)
        seen_ts = min(stop, max(until, *[each.seen_ts for each in rows]) if outage.ended_ts is None else until)
        if not has_given or gives or silent or seen_ts - row.ts < WITNESS_MS:
            continue
        ended_ts = min(stop, _end(outage))
        yield _doubt(outage, DoubtKind.MAINS)._replace(
            ts=row.ts, told_ts=row.ts + WITNESS_MS, ended_ts=None if ended_ts == FOREVER_TS else ended_ts
        )


def _end(row: BatteryEpisode | SiteOutage) -> int:
    return FOREVER_TS if row.ended_ts is None else row.ended_ts


def _is_above(row: BatteryEpisode, bus_v: float | None, limits: BusLimits) -> bool:
    """Whether what a set shows lies so far above its bus that the two are not of one moment."""
    return bus_v is not None and row.pack_end_v is not None and row.pack_end_v - bus_v >= limits.fell_v


def _said(own: Sequence[BatteryEpisode], from_ts: int, due: int, until: int) -> _Said:
    """What a set's episodes, in order, say of a failure of mains."""
    overlapping = [
        row for row in own if row.ts <= until and (FOREVER_TS if row.ended_ts is None else row.ended_ts) > from_ts
    ]
    carries = any(row.kind is EpisodeKind.DISCHARGE for row in overlapping)
    floats = rests = None
    kinds = set()
    for row in overlapping:
        if not row.ts <= due < (FOREVER_TS if row.ended_ts is None else row.ended_ts):
            continue
        kinds.add(row.kind)
        if row.kind in HOLDS:
            floats = row
        elif row.kind is EpisodeKind.REST:
            rests = row
    heard = bool(kinds) and EpisodeKind.OFFLINE not in kinds
    return _Said(carries, None if carries else floats, None if carries else rests, heard)


def _doubt(outage: SiteOutage, kind: DoubtKind) -> SiteDoubt:
    """A doubt about the power system, for as long as its outage lasts."""
    return SiteDoubt(
        outage.device_id,
        outage.ts,
        outage.site_id,
        kind,
        outage.ended_ts,
        outage.ts + WITNESS_MS,
        None,
        None,
        outage.bus_before_v,
        outage.bus_low_v,
    )


def _of_records(row: BatteryEpisode, kind: DoubtKind) -> SiteDoubt:
    """A set whose records hold nothing but zeros, or contradict themselves."""
    return SiteDoubt(row.device_id, row.ts, row.site_id, kind, row.ended_ts, row.ts, row.ts, None, None, None)

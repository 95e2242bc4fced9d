"""When silence is an alarm, and of what: a device, a site, or a region. Pure: the clock is an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.registry import Device
    from streams.kernels.alarms.rules import NoDataRules

MAX_STEP_MS = 30_000
"""Between two records of a partition at most so much counts as time passed. Collectors beat every 10 s, so where
nothing at all came for longer it was the pipeline that stood still, not the devices that fell silent."""


CURRENT_MS = 300_000
"""Newest readings older than this when they come in are the past, unless their lag stays: a backlog or history is
being fed. (unsourced)"""
GAINED_MS = 30_000
"""A lag that has shrunk by more than this shrinks; less is jitter. (unsourced)"""
SLOW_CLOCK_MS = 86_400_000
"""A lag that stays is a slow clock's (a wrong time zone at worst) up to this; beyond it is old data that somebody
has fed. (unsourced)"""


class PartitionProgress(NamedTuple):
    """How far a partition has come."""

    event_ts: int
    """Event time: as if now, for its devices."""
    record_ts: int
    """When the newest record was written."""
    level_ts: int
    """The record since which its lag has not shrunk."""
    lag_ms: int
    """The most it has lagged behind its records since."""

    @property
    def is_current(self) -> bool:
        """Whether its devices have come to the present; until then some are ahead of others, and none is silent."""
        lag_ms = self.record_ts - self.event_ts
        stays = self.record_ts - self.level_ts >= CURRENT_MS
        return lag_ms <= CURRENT_MS or (stays and lag_ms <= SLOW_CLOCK_MS)


def advance(before: PartitionProgress | None, record_ts: int, newest_ts: int | None) -> PartitionProgress:
    """Move on with a record: to its newest reading, else by the time since the last record.

    A reading from the future does not count for more than the time it was received at.
    """
    heard_ts = min(newest_ts, record_ts) if newest_ts is not None else None
    if before is None:
        event_ts = record_ts if heard_ts is None else heard_ts
        return PartitionProgress(event_ts, record_ts, record_ts, record_ts - event_ts)
    passed_ms = min(max(record_ts - before.record_ts, 0), MAX_STEP_MS)
    moved_ts = min(before.event_ts + passed_ms, max(record_ts, before.event_ts))
    event_ts, record_ts = max(moved_ts, heard_ts or 0), max(record_ts, before.record_ts)
    lag_ms = record_ts - event_ts
    if before.lag_ms - lag_ms > GAINED_MS:
        return PartitionProgress(event_ts, record_ts, record_ts, lag_ms)
    return PartitionProgress(event_ts, record_ts, before.level_ts, max(lag_ms, before.lag_ms))


class SiteSilence(NamedTuple):
    """What is not heard of a site."""

    seen: int
    """Devices that were ever heard."""
    silent: tuple[str, ...]
    """Devices with a gap, the longest first."""
    due: frozenset[str]
    """Of these, the ones whose on-delay has passed."""
    offline: bool
    """Nothing at all is heard of it."""
    rolled_up: bool
    """So many of its devices are silent that it is one alarm of the site."""
    site_due: bool
    """The site's own on-delay has passed."""


def gap_ms(device: Device, rules: NoDataRules) -> float:
    """How long a device may keep quiet."""
    return rules.gap_periods * device.period_s * 1000


def silence_of(devices: Sequence[Device], quiet_ms: Mapping[str, int], rules: NoDataRules) -> SiteSilence | None:
    """Judge a site by how long nothing was heard of each of its devices; None where none was ever heard."""
    seen = [(quiet_ms[device.device_id], device) for device in devices if device.device_id in quiet_ms]
    if not seen:
        return None
    gap, delayed = rules.gap_periods, rules.gap_periods + rules.on_delay_periods
    silent = sorted((-quiet, device.device_id) for quiet, device in seen if quiet > gap_ms(device, rules))
    due = frozenset(device.device_id for quiet, device in seen if quiet > delayed * device.period_s * 1000)
    quiet = min(quiet for quiet, _ in seen)
    shortest_ms = min(device.period_s for _, device in seen) * 1000
    offline = quiet > gap * shortest_ms and 2 * len(silent) >= len(seen)
    many = max(rules.roll_up_devices, rules.roll_up_share * len(seen))
    return SiteSilence(
        seen=len(seen),
        silent=tuple(device_id for _, device_id in silent),
        due=due,
        offline=offline,
        rolled_up=offline or len(silent) >= many,
        site_due=(offline and quiet > delayed * shortest_ms) or len(due) >= many,
    )


def is_region(silent_sites: int, sites: int, rules: NoDataRules) -> bool:
    """Whether so many sites of a region are silent that it is one alarm of the region."""
    return silent_sites >= max(rules.region_sites, rules.region_share * sites)

"""First out: which alarms belong together, as one message and one thing to deal with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from storage import alarms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from psycopg import Connection

    from streams.intake.admission import Directory
    from streams.kernels.alarms.reconcile import AlarmChange
    from streams.kernels.alarms.rules import AlarmRules


class First(NamedTuple):
    """An alarm that others may have followed."""

    scope: str
    """What it may share with others: its site, or its region and kind."""
    raised_ms: int
    group_id: str


def group(connection: Connection, directory: Directory, rules: AlarmRules, changes: Iterable[AlarmChange]) -> None:
    """Give new alarms the group of the first one at their site, or of their kind in their region, shortly before."""
    new = [change for change in changes if change.is_new and change.alarm.condition.site_id]
    if not new:
        return

    def scope(site_id: str, kind: str) -> str:
        return f"{directory.sites[site_id].city} {kind}" if kind in rules.region_groups else site_id

    sites = {change.alarm.condition.site_id for change in new}
    kinds = rules.region_groups & {change.alarm.condition.kind for change in new}
    regions = {directory.sites[site_id].city for site_id in sites} if kinds else set()
    standing = [
        First(scope(row.site_id, row.kind), row.raised_ms, row.group_id)
        for row in alarms.open_at(connection, sorted(sites), sorted(regions), sorted(kinds))
        if row.site_id in directory.sites
    ]
    first_out(new, standing, scope, rules.group_window_s * 1000)


def first_out(
    new: Sequence[AlarmChange], standing: Iterable[First], scope: Callable[[str, str], str], window_ms: float
) -> None:
    """Give new alarms the group of the first one of their scope that began within a window before them."""
    firsts = list(standing)
    for change in sorted(new, key=lambda change: (change.alarm.raised_ms, change.alarm.alarm_id)):
        alarm = change.alarm
        own = scope(alarm.condition.site_id, alarm.condition.kind)
        near = [first for first in firsts if first.scope == own and 0 <= alarm.raised_ms - first.raised_ms <= window_ms]
        if near:
            oldest = min(near, key=lambda first: (first.raised_ms, first.group_id))
            change.alarm = alarm._replace(group_id=oldest.group_id)
        else:
            firsts.append(First(own, alarm.raised_ms, alarm.alarm_id))

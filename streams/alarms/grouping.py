"""First out: which alarms belong together, as one message and one thing to deal with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from storage.alarm_tables import alarms

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
    raised_ts: int
    group_id: str
    cause: str = ""
    """What it watches, of kinds that watch one and the same; empty for others."""


def group(connection: Connection, directory: Directory, rules: AlarmRules, changes: Iterable[AlarmChange]) -> None:
    """Give new alarms the group of one that is open about the same thing, or of the first one shortly before.

    Shortly before: at their site, or of their kind in their region.
    """
    new = [change for change in changes if change.is_new and change.alarm.condition.site_id]
    if not new:
        return

    def place(site_id: str, device_id: str, metric: str, kind: str) -> tuple[str, str]:
        scope = f"{directory.sites[site_id].city} {kind}" if kind in rules.region_groups else site_id
        return scope, f"{site_id} {device_id} {metric}" if kind in rules.one_cause else ""

    sites = {change.alarm.condition.site_id for change in new}
    kinds = rules.region_groups & {change.alarm.condition.kind for change in new}
    regions = {directory.sites[site_id].city for site_id in sites} if kinds else set()
    standing = []
    for row in alarms.open_at(connection, sorted(sites), sorted(regions), sorted(kinds)):
        if row.site_id in directory.sites:
            scope, cause = place(row.site_id, row.device_id, row.metric, row.kind)
            standing.append(First(scope, row.raised_ts, row.group_id, cause))
    first_out(new, standing, place, rules.group_window_s * 1000)


def first_out(
    new: Sequence[AlarmChange],
    standing: Iterable[First],
    place: Callable[[str, str, str, str], tuple[str, str]],
    window_ms: float,
) -> None:
    """Give new alarms the group of one about the same thing, or of the first of their scope within a window before."""
    firsts = list(standing)
    causes = {first.cause: first.group_id for first in sorted(firsts, reverse=True, key=_age) if first.cause}
    for change in sorted(new, key=lambda change: (change.alarm.raised_ts, change.alarm.alarm_id)):
        alarm = change.alarm
        scope, cause = place(*alarm.condition)
        near = [
            first for first in firsts if first.scope == scope and 0 <= alarm.raised_ts - first.raised_ts <= window_ms
        ]
        if cause in causes:
            change.alarm = alarm._replace(group_id=causes[cause])
        elif near:
            change.alarm = alarm._replace(group_id=min(near, key=_age).group_id)
        else:
            firsts.append(First(scope, alarm.raised_ts, alarm.alarm_id))
        if cause:
            causes.setdefault(cause, change.alarm.group_id)


def _age(first: First) -> tuple[int, str]:
    return first.raised_ts, first.group_id

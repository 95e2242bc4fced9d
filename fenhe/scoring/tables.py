"""What the database says, as the plain rows that scores are made of. Read by the reader role; one place for all SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from fenhe.scoring.detection import RaisedAlarm, World
from fenhe.scoring.health import Forecast, ScoredEstimate
from fenhe.scoring.metering import Counted
from schemas.time import HOUR_MS, MINUTE_MS
from simulators.truth import read_states, read_totals
from storage.statements import trusted
from streams.kernels.battery.fusion import Z_90

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from psycopg import Connection

_MS = "(extract(epoch FROM {0}) * 1000)::bigint"


class TruthSpan(NamedTuple):
    """What a truth file covers."""

    from_ts: int
    to_ts: int


def metering_rows(connection: Connection, truth: Path, world: World) -> Iterator[Counted]:
    """Every window of the truth's totals, with what the minutes of the database add up to.

    A window is known where the database knows the increment of each of its minutes. A register's first minute and its
    newest are not: nobody can know what passed before the first reading, and the newest minute still grows. Meters that
    the database never heard of are left out.
    """
    gain = {state.entity: state.value for state in read_states(truth, "gain")}
    minutes: dict[tuple[str, str], dict[int, float | None]] = {}
    device = ""
    for total in read_totals(truth):
        if total.device_id not in world.sites:
            continue
        if total.device_id != device:
            device, minutes = total.device_id, _minutes(connection, total.device_id)
        register = minutes.get((total.device_id, total.quantity), {})
        first = -(-total.from_ts // MINUTE_MS) * MINUTE_MS
        inside = [register.get(at) for at in range(first, total.to_ts - MINUTE_MS + 1, MINUTE_MS)]
        known = [value for value in inside if value is not None]
        shown = sum(known) if inside and len(known) == len(inside) else None
        true = total.increment * gain.get(total.device_id, 1.0)
        yield Counted(total.device_id, total.quantity, total.from_ts, total.to_ts, true, shown)


def _minutes(connection: Connection, device_id: str) -> dict[tuple[str, str], dict[int, float | None]]:
    found: dict[tuple[str, str], dict[int, float | None]] = {}
    query = trusted(f"SELECT quantity, {_MS.format('ts')}, increment FROM meter_minute WHERE device_id = %s")  # noqa: S608 - own text
    for quantity, ts, increment in connection.execute(query, (device_id,)):
        found.setdefault((device_id, quantity), {})[ts] = increment
    for minutes in found.values():
        minutes[min(minutes)] = minutes[max(minutes)] = None
    return found


class _Truth:
    """True values of one quantity by set, newest before a moment."""

    def __init__(self, path: Path, quantity: str) -> None:
        self._values: dict[str, list[tuple[int, float]]] = {}
        for state in read_states(path, quantity):
            self._values.setdefault(state.entity, []).append((state.ts, state.value))

    def sets(self) -> list[str]:
        return list(self._values)

    def at(self, entity: str, at_ts: int) -> float | None:
        """Newest value up to `at_ts`, or the first there is."""
        values = self._values.get(entity)
        if not values:
            return None
        before = [value for ts, value in values if ts <= at_ts]
        return before[-1] if before else values[0][1]


def health_rows(connection: Connection, truth: Path) -> tuple[list[ScoredEstimate], list[ScoredEstimate]]:
    """Newest estimate of every registered set of the truth, and what its BMS said (the control). SoH as a share."""
    true = _Truth(truth, "soh")
    query = trusted(
        f"SELECT device_id, {_MS.format('ts')}, coalesce(soh_method, ''), soh_pct, soh_low_pct,"  # noqa: S608 - own text
        " soh_high_pct, soh_bms_pct FROM battery_health_latest"
    )
    rows = {row[0]: row for row in connection.execute(query)}
    registered = {row[0] for row in connection.execute("SELECT device_id FROM device")}
    estimates: list[ScoredEstimate] = []
    control: list[ScoredEstimate] = []
    for set_id in filter(registered.__contains__, true.sets()):
        row = rows.get(set_id, (set_id, 1 << 62, "", None, None, None, None))
        _, ts, method, soh, low, high, bms = row
        value = true.at(set_id, ts)
        if value is not None:
            estimates.append(ScoredEstimate(set_id, method, _share(soh), _share(low), _share(high), value))
            control.append(ScoredEstimate(set_id, "bms", _share(bms), None, None, value))
    return estimates, control


def capacity_rows(connection: Connection, truth: Path) -> list[ScoredEstimate]:
    """Every single discharge that gives a capacity, as a share of nominal, against the set's truth then."""
    true = _Truth(truth, "soh")
    query = trusted(
        f"SELECT device_id, {_MS.format('ts')}, method, soh_pct / 100, {Z_90} * sigma_ah / capacity_ah"  # noqa: S608 - own text
        " FROM battery_capacity WHERE capacity_ah IS NOT NULL"
    )
    found = []
    for set_id, ts, method, soh, doubt in connection.execute(query):
        value = true.at(set_id, ts)
        if value is not None:
            found.append(ScoredEstimate(set_id, method, soh, soh * (1 - doubt), soh * (1 + doubt), value))
    return found


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


def backup_rows(connection: Connection, truth: Path) -> tuple[list[Forecast], list[Forecast]]:
    """Forecasts as the database has them now, against the truth; and those of discharges that reached the cut-off.

    Both sides of the first are of a full set: `backup_p50_h` is, whatever is left in it, at the end of the newest hour.
    """
    true = _Truth(truth, "backup_h")
    now = []
    query = trusted(
        f"SELECT device_id, {_MS.format('ts')}, backup_p50_h, backup_p10_h FROM battery_health_latest"  # noqa: S608 - own text
        " WHERE backup_p50_h IS NOT NULL"
    )
    for device_id, ts, p50, p10 in connection.execute(query):
        value = true.at(device_id, ts + HOUR_MS)
        if value is not None:
            now.append(Forecast(device_id, p50, p10, value))
    past = [
        Forecast(*row)
        for row in connection.execute(
            "SELECT device_id, forecast_p50_h, forecast_p10_h, cutoff_h FROM battery_discharge"
            " WHERE cause = 'outage' AND forecast_p50_h IS NOT NULL AND cutoff_h IS NOT NULL"
        )
    ]
    return now, past


def alarm_rows(connection: Connection) -> list[RaisedAlarm]:
    """All alarms by event time, disproved ones left out: late readings have taken them back."""
    query = trusted(
        f"SELECT site_id, device_id, kind, {_MS.format('event_at')}, {_MS.format('raised_at')}"  # noqa: S608 - own text
        " FROM alarm WHERE NOT disproved"
    )
    return [RaisedAlarm(*row) for row in connection.execute(query)]


def world_of(connection: Connection, span: TruthSpan) -> World:
    """Every registered device and virtual meter, over the time that the truth covers."""
    rows = connection.execute(
        "SELECT device_id, site_id FROM device UNION ALL SELECT meter_id, site_id FROM virtual_meter"
    )
    return World({row[0]: row[1] for row in rows}, span.from_ts, span.to_ts, virtual_parts(connection))


def virtual_parts(connection: Connection) -> dict[str, frozenset[str]]:
    """Ids of the meters that each virtual meter is made of."""
    query = """
SELECT meter_id, array_agg(part ->> 'meter_id')
FROM virtual_meter, jsonb_array_elements(parts) AS part
GROUP BY meter_id
"""
    return {row[0]: frozenset(row[1]) for row in connection.execute(query)}


def span_of(truth: Path, start_ts: int) -> TruthSpan:
    """From the run's start to the newest true state or total."""
    import sqlite3  # noqa: PLC0415 - the one question that the truth's readers do not answer
    from contextlib import closing  # noqa: PLC0415

    with closing(sqlite3.connect(f"file:{truth}?mode=ro", uri=True)) as connection:
        row: tuple[Any, Any] = connection.execute(
            "SELECT (SELECT max(ts) FROM state), (SELECT max(to_ms) FROM total)"
        ).fetchone()
    return TruthSpan(start_ts, max([start_ts + 1, *(value for value in row if value is not None)]))

"""Energy baselines as they are kept: a version a fit, and the newest of a line counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from psycopg import Connection

_SAVE = """
    INSERT INTO enpi_baseline (site_id, line_id, version, from_at, to_at, intercept_kgce, slope_kgce, points, r_squared,
                               cv_rmse, fitted_by)
    SELECT %(site_id)s, %(line_id)s,
           1 + coalesce((SELECT max(version) FROM enpi_baseline
                         WHERE site_id = %(site_id)s AND line_id = %(line_id)s), 0),
           'epoch'::timestamptz + %(from_ms)s * interval '1 ms', 'epoch'::timestamptz + %(to_ms)s * interval '1 ms',
           %(intercept_kgce)s, %(slope_kgce)s, %(points)s, %(r_squared)s, %(cv_rmse)s, %(fitted_by)s
    RETURNING version
"""
_LIST = """
    SELECT site_id, line_id, from_at, to_at, intercept_kgce, slope_kgce, points, r_squared, cv_rmse, fitted_by, version
    FROM enpi_baseline ORDER BY site_id, line_id, version
"""


class SavedBaseline(NamedTuple):
    """One fit; figures as `streams.plant.baseline.Baseline` has them."""

    site_id: str
    line_id: str
    from_ms: int
    """First local day."""
    to_ms: int
    """Behind the last one."""
    intercept_kgce: float
    slope_kgce: float
    points: int
    r_squared: float
    cv_rmse: float
    fitted_by: str


def save(connection: Connection, baseline: SavedBaseline) -> int:
    """Keep a fit as the line's newest version, and return which that is."""
    row = connection.execute(_SAVE, baseline._asdict()).fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return int(row[0])


def baselines(connection: Connection) -> list[tuple[SavedBaseline, int]]:
    """All fits with their versions, in order of line and version."""
    return [(SavedBaseline._make(row[:-1]), row[-1]) for row in connection.execute(_LIST, binary=True)]

"""Energy baselines as they are kept: a version a fit, and the newest of a line counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from storage.encoding.arrays import Column, PgType
from storage.statements import insert_select, trusted, unnest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from psycopg import Connection

_SAVE = """
    INSERT INTO enpi_baseline (site_id, line_id, version, from_at, to_at, intercept_kgce, slope_kgce, points, r_squared,
                               cv_rmse, fitted_by)
    SELECT %(site_id)s, %(line_id)s,
           1 + coalesce((SELECT max(version) FROM enpi_baseline
                         WHERE site_id = %(site_id)s AND line_id = %(line_id)s), 0),
           'epoch'::timestamptz + %(from_ts)s * interval '1 ms', 'epoch'::timestamptz + %(to_ts)s * interval '1 ms',
           %(intercept_kgce)s, %(slope_kgce)s, %(points)s, %(r_squared)s, %(cv_rmse)s, %(fitted_by)s
    RETURNING version
"""
_LIST = """
    SELECT b.site_id, b.line_id, b.from_at, b.to_at, b.intercept_kgce, b.slope_kgce, b.points, b.r_squared, b.cv_rmse,
           coalesce(array_agg(c.variable ORDER BY c.variable) FILTER (WHERE c.variable IS NOT NULL), '{}'),
           coalesce(array_agg(c.kgce ORDER BY c.variable) FILTER (WHERE c.variable IS NOT NULL), '{}'),
           coalesce(array_agg(c.t ORDER BY c.variable) FILTER (WHERE c.variable IS NOT NULL), '{}'),
           b.fitted_by, b.version
    FROM enpi_baseline b LEFT JOIN enpi_coefficient c USING (site_id, line_id, version)
    GROUP BY b.site_id, b.line_id, b.version ORDER BY b.site_id, b.line_id, b.version
"""
_COEFFICIENT_TYPES = (PgType.TEXT, PgType.TEXT, PgType.INT4, PgType.TEXT, PgType.FLOAT8, PgType.FLOAT8)
_SAVE_COEFFICIENTS = trusted(
    insert_select("enpi_coefficient", ("site_id", "line_id", "version", "variable", "kgce", "t"), _COEFFICIENT_TYPES)
)
_RECORD = trusted(
    "INSERT INTO enpi_variable_day (site_id, name, ts, value, entered_by)"  # noqa: S608 - own names
    f" SELECT %s, %s, v.ts, v.value, %s FROM {unnest((PgType.TIMESTAMPTZ, PgType.FLOAT8))} AS v (ts, value)"
    " ON CONFLICT (site_id, name, ts) DO UPDATE SET"
    " value = excluded.value, entered_by = excluded.entered_by, entered_at = clock_timestamp()"
)
_VALUES = trusted(
    "SELECT d.ts, enpi_variable(%s, %s, d.ts)"  # noqa: S608 - own names
    f" FROM {unnest((PgType.TIMESTAMPTZ,))} AS d (ts)"
)


class SavedBaseline(NamedTuple):
    """One fit; figures as `streams.kernels.plant.baseline.Baseline` has them."""

    site_id: str
    line_id: str
    from_ts: int
    """First local day."""
    to_ts: int
    """Behind the last one."""
    intercept_kgce: float
    slope_kgce: float
    points: int
    r_squared: float
    cv_rmse: float
    coefficients: Sequence[tuple[str, float, float]]
    """Variable, kgce a day and unit of it, t."""
    fitted_by: str


def save(connection: Connection, baseline: SavedBaseline) -> int:
    """Keep a fit as the line's newest version, and return which that is."""
    row = connection.execute(_SAVE, baseline._asdict()).fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    version = int(row[0])
    if baseline.coefficients:
        rows = [(baseline.site_id, baseline.line_id, version, *each) for each in baseline.coefficients]
        columns = zip(_COEFFICIENT_TYPES, zip(*rows, strict=True), strict=True)
        connection.execute(_SAVE_COEFFICIENTS, [Column(kind, values) for kind, values in columns])
    return version


def baselines(connection: Connection) -> list[tuple[SavedBaseline, int]]:
    """All fits with their versions, in order of line and version."""
    found = []
    for row in connection.execute(_LIST, binary=True):
        coefficients = tuple(zip(*row[9:12], strict=True))
        found.append((SavedBaseline._make((*row[:9], coefficients, row[12])), row[13]))
    return found


def record(connection: Connection, site_id: str, name: str, values: Mapping[int, float], user: str) -> None:
    """Keep a variable's values by local day (its begin, ms); what was entered of a day before is replaced.

    Raises psycopg.errors.ForeignKeyViolation where there is no such site, CheckViolation for another name than letters,
    digits and underscores.
    """
    columns = [Column(PgType.TIMESTAMPTZ, list(values)), Column(PgType.FLOAT8, list(values.values()))]
    connection.execute(_RECORD, (site_id, name, user, *columns))


def variable(connection: Connection, site_id: str, name: str, days: Iterable[int]) -> dict[int, float]:
    """Return the values of a variable on the local days (their begin, ms) on which it is known."""
    rows = connection.execute(_VALUES, (site_id, name, Column(PgType.TIMESTAMPTZ, list(days))), binary=True)
    return {ts: value for ts, value in rows if value is not None}

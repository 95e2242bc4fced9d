"""EnPI and CUSUM in the database: against the newest baseline, unknown where unknown, repaired by late data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from typer.testing import CliRunner

from fenhe.enpi_commands import app
from schemas.metrics import Quality
from storage import derived, enpi
from storage.enpi import SavedBaseline
from storage.pool import connect
from tests.support.pipeline import prepare
from tests.unit.streams.plant.test_baseline import day

if TYPE_CHECKING:
    from psycopg import Connection
    from typer.testing import Result

    from schemas.metrics import PlantDay

DAY_MS = 86_400_000
FIRST_MS = 1_780_243_200_000
"""2026-06-01 00:00 in Shanxi."""
SITE = "plant-1"
COLUMNS = "ts, baseline_version, actual_kgce, expected_kgce, enpi, enpi_7d, cusum_kgce, coverage, quality"


class EnpiDay(NamedTuple):
    """A row of the view."""

    ts: int
    version: int
    actual: float | None
    expected: float | None
    enpi: float | None
    enpi_7d: float | None
    cusum: float | None
    coverage: float
    quality: str


def a_day(number: int, production: float, energy: float, *, hours: int = 24) -> PlantDay:
    """Day `number` of the plant."""
    return day(production, energy, hours=hours, ts=FIRST_MS + number * DAY_MS)._replace(
        site_id=SITE,
        quality=Quality.GOOD,
        reference_version="test",
        ratio_energy_kwh=0.0,
        water_hours=0,
        ratio_water_m3=0.0,
        ratio_water_production=0.0,
        water_production_squared=0.0,
        water_times_production=0.0,
    )


def seen(connection: Connection) -> list[EnpiDay]:
    """What the view says, in order of time."""
    rows = connection.execute(f"SELECT {COLUMNS} FROM enpi_day WHERE site_id = %s ORDER BY ts", (SITE,), binary=True)  # noqa: S608
    return [EnpiDay(*row) for row in rows]


def baseline(slope: float, days: int) -> SavedBaseline:
    """1 000 kgce a day and so much a tonne, fitted to the first days."""
    return SavedBaseline(SITE, "plant", FIRST_MS, FIRST_MS + days * DAY_MS, 1000.0, slope, 20, 0.9, 0.02, "Li")


def test_each_day_is_held_against_the_newest_baseline(empty_database: str) -> None:
    """E/Ê of the day and of seven, savings from behind the fit on; a part of a day is held to that part."""
    prepare(empty_database)
    made = [100.0 + 3 * number for number in range(12)]
    rows = [a_day(number, tonnes, 1000 + 10 * tonnes) for number, tonnes in enumerate(made)]
    rows[9] = a_day(9, 60.0, 1000.0, hours=12)
    rows[10] = a_day(10, 30.0, 9999.0, hours=11)
    with connect(empty_database, name="test") as connection:
        assert seen(connection) == []
        derived.write(connection, rows)
        assert enpi.save(connection, baseline(12.0, 8)) == 1
        assert enpi.save(connection, baseline(10.0, 8)) == 2
        found = seen(connection)
        assert [item.version for item in found] == [2] * 12
        assert [item.enpi for item in found[:9]] == pytest.approx([1.0] * 9)
        assert [item.enpi_7d is None for item in found[:4]] == [True, True, True, False]
        assert [item.cusum for item in found[:8]] == [None] * 8
        assert found[8].cusum == pytest.approx(0.0, abs=1e-9)
        half = found[9]
        assert (half.actual, half.expected, half.quality, half.coverage) == (1000.0, 1100.0, "partial", 0.5)
        assert half.cusum == pytest.approx(100.0)
        unknown = found[10]
        assert (unknown.actual, unknown.expected, unknown.enpi, unknown.quality) == (None, None, None, "unknown")
        assert unknown.cusum == pytest.approx(100.0)
        seven = found[5:12]
        energy = [item.actual for item in seven if item.actual is not None]
        expected = [item.expected for item in seven if item.expected is not None]
        assert found[11].enpi_7d == pytest.approx(sum(energy) / sum(expected))


def test_late_data_repairs_enpi_and_savings(empty_database: str) -> None:
    """A day that is derived again changes itself and all savings after it, at once."""
    prepare(empty_database)
    with connect(empty_database, name="test") as connection:
        derived.write(connection, [a_day(number, 100.0, 2000.0) for number in range(5)])
        enpi.save(connection, baseline(10.0, 2))
        before = seen(connection)
        derived.write(connection, [a_day(3, 100.0, 1900.0)])
        after = seen(connection)
        enpi.save(connection, baseline(10.0, 2)._replace(intercept_kgce=-1000.0))
        assert {item.enpi for item in seen(connection)} == {None}  # nothing is expected: there is no ratio to it
    assert before[:3] == after[:3]
    assert [item.cusum for item in after[3:]] == pytest.approx([100.0, 100.0])
    assert after[3].enpi == pytest.approx(0.95)


def test_the_command_fits_and_refuses(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`fenhe enpi fit` keeps a version and prints it; too few days, and a site that is not there, say why."""
    prepare(empty_database)
    monkeypatch.setenv("FENHE_DB_WRITER_URL", empty_database)
    with connect(empty_database, name="test") as connection:
        made = [100.0 + 7 * (number % 5) + number for number in range(20)]
        derived.write(connection, [a_day(number, tonnes, 1000 + 10 * tonnes) for number, tonnes in enumerate(made)])

    def fit(site: str, to: str) -> Result:
        return CliRunner().invoke(app, ["fit", "--site", site, "--from", "2026-06-01", "--to", to, "--user", "Li"])

    fitted = fit(SITE, "2026-06-20")
    assert (fitted.exit_code, "baseline 1: 1,000.0 kgce a day + 10.000 kgce" in fitted.output) == (0, True)
    few = fit(SITE, "2026-06-05")
    assert (few.exit_code, "5 whole days" in few.output) == (1, True)
    nowhere = fit("nowhere", "2026-06-20")
    assert (nowhere.exit_code, "0 whole days" in nowhere.output) == (1, True)
    with connect(empty_database, name="test") as connection:
        ((kept, version),) = enpi.baselines(connection)
    assert (kept.points, kept.to_ms - kept.from_ms, version) == (20, 20 * DAY_MS, 1)

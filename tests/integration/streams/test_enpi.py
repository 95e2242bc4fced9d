"""EnPI and CUSUM in the database: against the newest baseline, unknown where unknown, repaired by late data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from typer.testing import CliRunner

from fenhe.commands.enpi import app
from schemas.metrics import FuelAssay, Quality
from schemas.readings import Kind
from schemas.registry import Registry
from schemas.time import MINUTE_MS
from storage import derived, enpi
from storage import recompute as requests
from storage.enpi import SavedBaseline
from storage.pool import connect
from streams.engine.recompute import Recompute
from tests.support.pipeline import REGISTRY, Sent, open_engine, prepare, record
from tests.unit.streams.kernels.plant.test_baseline import day

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg import Connection
    from typer.testing import Result

    from schemas.metrics import PlantDay

DAY_MS = 86_400_000
FIRST_TS = 1_780_243_200_000
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
    return day(production, energy, hours=hours, ts=FIRST_TS + number * DAY_MS)._replace(
        site_id=SITE,
        quality=Quality.GOOD,
        reference_version="test",
        ratio_energy_kwh=0.0,
        ratio_fuel_kgce=0.0,
        water_hours=0,
        ratio_water_m3=0.0,
        ratio_water_production=0.0,
        water_production_squared=0.0,
        water_times_production=0.0,
    )


def seen(connection: Connection, site: str = SITE) -> list[EnpiDay]:
    """What the view says, in order of time."""
    rows = connection.execute(f"SELECT {COLUMNS} FROM enpi_day WHERE site_id = %s ORDER BY ts", (site,), binary=True)  # noqa: S608
    return [EnpiDay(*row) for row in rows]


def registers(at: int) -> dict[str, float]:
    """A unit's registers after so many quarters of an hour of 180 MW."""
    return {"generated_mwh": 45.0 * at, "auxiliary_mwh": 4.0 * at, "gangue_t": 36.0 * at + at % 2, "coal_t": 1.0 * at}


def result(ts: int, fuel: str, lhv_mj_kg: float) -> dict[str, object]:
    """A laboratory's result of the eight hours before."""
    hours = {"sample_from": ts - 8 * 3_600_000, "sample_to": ts}
    return {"ts": ts, **hours, "fuel": fuel, "lhv_mj_kg": lhv_mj_kg, "ash_pct": 50.0, "sulphur_pct": 1.2}


def wipe(url: str) -> None:
    """Forget everything."""
    with connect(url, name="test") as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def baseline(slope: float, days: int) -> SavedBaseline:
    """1 000 kgce a day and so much a tonne, fitted to the first days."""
    return SavedBaseline(SITE, "plant", FIRST_TS, FIRST_TS + days * DAY_MS, 1000.0, slope, 20, 0.9, 0.02, (), "Li")


def test_each_day_is_held_against_the_newest_baseline(own_url: str) -> None:
    """E/Ê of the day and of seven, savings from behind the fit on; a part of a day is held to that part."""
    prepare(own_url)
    made = [100.0 + 3 * number for number in range(12)]
    rows = [a_day(number, tonnes, 1000 + 10 * tonnes) for number, tonnes in enumerate(made)]
    rows[9] = a_day(9, 60.0, 1000.0, hours=12)
    rows[10] = a_day(10, 30.0, 9999.0, hours=11)
    with connect(own_url, name="test") as connection:
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


def test_late_data_repairs_enpi_and_savings(own_url: str) -> None:
    """A day that is derived again changes itself and all savings after it, at once."""
    prepare(own_url)
    with connect(own_url, name="test") as connection:
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


def test_other_variables_are_part_of_what_is_expected(own_url: str) -> None:
    """Ê = β₀ + β₁·P + Σ βⱼ·xⱼ; a day whose variable is unknown is unknown until it is entered or analysed."""
    prepare(own_url)
    fitted = baseline(10.0, 2)._replace(coefficients=(("ambient_c", -5.0, -9.0), ("gangue.lhv_mj_kg", 20.0, 4.0)))
    noon = FIRST_TS + DAY_MS + DAY_MS // 2
    assays = [
        FuelAssay("l-1", "gangue", FIRST_TS, SITE, noon, noon, 12.0, None, None, None),
        FuelAssay("l-1", "gangue", noon, SITE, noon + DAY_MS, noon + DAY_MS, 14.0, None, None, None),
        FuelAssay("l-1", "gangue", noon, SITE, noon + DAY_MS, noon + DAY_MS + 1, 16.0, None, None, None),
        FuelAssay("l-1", "coal", FIRST_TS, SITE, noon + DAY_MS, noon, 22.0, None, None, None),
    ]
    with connect(own_url, name="test") as connection:
        derived.write(connection, [a_day(number, 100.0, 2000.0, hours=12 * (1 + number % 2)) for number in range(4)])
        enpi.save(connection, fitted)
        enpi.record(connection, SITE, "ambient_c", {FIRST_TS + number * DAY_MS: -10.0 for number in range(3)}, "Li")
        assert {item.quality for item in seen(connection)} == {"unknown"}
        derived.write(connection, assays[:2])
        known = enpi.variable(connection, SITE, "gangue.lhv_mj_kg", [FIRST_TS + n * DAY_MS for n in range(4)])
        assert known == {FIRST_TS: 12.0, FIRST_TS + DAY_MS: 13.0, FIRST_TS + 2 * DAY_MS: 14.0}
        before = seen(connection)
        derived.write(connection, assays[2:])
        enpi.record(connection, SITE, "ambient_c", {FIRST_TS: -20.0}, "Li")
        after = seen(connection)
        assert enpi.baselines(connection) == [(fitted, 1)]
    share = 0.5  # of the day is known
    assert [item.expected for item in before] == pytest.approx(
        [share * (1000 + 50 + 240) + 1000, 1000 + 50 + 260 + 1000, share * (1000 + 50 + 280) + 1000, None]
    )
    assert [item.expected for item in after] == pytest.approx(
        [share * (1000 + 100 + 240) + 1000, 1000 + 50 + 280 + 1000, share * (1000 + 50 + 320) + 1000, None]
    )
    assert after[2].cusum == pytest.approx(after[2].expected - 2000.0)  # type: ignore[operator]
    assert [after[3].enpi, after[3].quality, after[3].cusum] == [None, "unknown", after[2].cusum]


def test_late_laboratory_and_production_values_end_in_the_enpi_of_a_run_in_order(own_url: str) -> None:
    """A baseline on production and the gangue's heat value: what comes late, and a recompute, give E/Ê and savings."""
    quarter = 15 * MINUTE_MS
    begin = FIRST_TS - 2 * quarter
    devices = [device for device in REGISTRY.devices if device.site_id == "plant-2"]
    registry = Registry(
        sites=REGISTRY.sites, devices=[device.model_copy(update={"period_s": 900}) for device in devices]
    )
    unit = [
        Sent("plant-2", Kind.GANGUE_UNIT, "u-1", {"ts": begin + at * quarter, **registers(at)})
        for at in range(4 * 48 + 4)
    ]
    laboratory = [
        Sent("plant-2", Kind.LAB, "l-1", result(begin + at * 8 * 3_600_000 + (fuel == "coal"), fuel, 12.0 + at % 3))
        for at in range(8)
        for fuel in ("gangue", "coal")
    ]
    lines = SavedBaseline(
        "plant-2", "plant", FIRST_TS, FIRST_TS + DAY_MS, 5e3, 300.0, 20, 0.9, 0.02,
        (("gangue.lhv_mj_kg", 40.0, 3.0),), "Li",
    )  # fmt: skip
    found: list[list[EnpiDay]] = []
    in_order = sorted([*unit, *laboratory], key=lambda item: item.reading["ts"])
    late = [*unit[60:90], *laboratory]
    on_time = [item for item in unit if item not in late]
    for runs in ([in_order], [on_time, late]):
        prepare(own_url, registry)
        with connect(own_url, name="test") as connection:
            enpi.save(connection, lines)
        engine = open_engine(own_url)
        partition = engine.open(0)
        for offset, run in enumerate(runs):
            engine.apply(partition, [record(offset, run)])
            with connect(own_url, name="test") as connection:
                found.append(seen(connection, "plant-2"))
        if len(runs) > 1:
            with connect(own_url, name="test") as connection:
                connection.execute("UPDATE gangue_sum SET fuel_heat_gj = 1")
                connection.execute("UPDATE plant_hour SET energy_kgce = 1, production = 1")
                connection.execute("UPDATE plant_day SET ratio_energy_kgce = 1, ratio_production = 1")
                requests.ask(connection, ["plant-2"], reason="test")
                assert seen(connection, "plant-2") != found[0]
            steps = Recompute(engine)
            while not (step := steps.step()) or not step.is_finished:
                assert step is not None
            with connect(own_url, name="test") as connection:
                found.append(seen(connection, "plant-2"))
        engine.close()
        wipe(own_url)
    ordered, before, repaired, rebuilt = found
    assert [item.quality for item in ordered] == ["good", "good", "unknown"]
    assert ordered[1].enpi is not None
    assert ordered[1].cusum is not None
    assert before != ordered
    assert repaired == ordered
    assert rebuilt == ordered


def test_the_command_fits_and_refuses(own_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`fenhe enpi fit` keeps a version and prints it; too few days, and a site that is not there, say why."""
    prepare(own_url)
    monkeypatch.setenv("FENHE_DB_WRITER_URL", own_url)
    with connect(own_url, name="test") as connection:
        made = [100.0 + 7 * (number % 5) + number for number in range(20)]
        derived.write(connection, [a_day(number, tonnes, 1000 + 10 * tonnes) for number, tonnes in enumerate(made)])

    def fit(site: str, to: str) -> Result:
        return CliRunner().invoke(app, ["fit", "--site", site, "--from", "2026-06-01", "--to", to, "--user", "Li"])

    fitted = fit(SITE, "2026-06-20")
    assert (fitted.exit_code, "baseline 1: 1,000.0 kgce a day + 10.000 kgce" in fitted.output) == (0, True)
    recorded = tmp_path / "ambient.csv"
    recorded.write_text("".join(f"2026-06-{number + 1:02},{7 * number % 11}\n" for number in range(20)))
    whose = ["--site", SITE, "--variable", "ambient_c", "--user", "Li"]
    entered = CliRunner().invoke(app, ["record", str(recorded), *whose])
    assert (entered.exit_code, "ambient_c: 20 days" in entered.output) == (0, True)
    line = ["fit", *whose, "--from", "2026-06-01", "--to", "2026-06-20"]
    idle = CliRunner().invoke(app, line)
    assert (idle.exit_code, "ambient_c" in idle.output) == (1, True)
    recorded.write_text("2026-06-01,warm\n")
    wrong = CliRunner().invoke(app, ["record", str(recorded), *whose])
    assert (wrong.exit_code, "line 1 is not a day and a number" in wrong.output) == (1, True)
    few = fit(SITE, "2026-06-05")
    assert (few.exit_code, "5 whole days" in few.output) == (1, True)
    nowhere = fit("nowhere", "2026-06-20")
    assert (nowhere.exit_code, "0 whole days" in nowhere.output) == (1, True)
    with connect(own_url, name="test") as connection:
        ((kept, version),) = enpi.baselines(connection)
    assert (kept.points, kept.to_ts - kept.from_ts, version) == (20, 20 * DAY_MS, 1)

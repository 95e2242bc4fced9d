"""Energy baselines: what a fit finds, and what it refuses."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.metrics import PlantDay, Quality
from streams.kernels.plant.baseline import Baseline, NoBaselineError, fit
from streams.kernels.plant.reference import reference

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST: dict[str, Any] = {
    "least_points": reference().setting("enpi_points"),
    "least_r_squared": reference().setting("enpi_r_squared"),
}


def day(production: float, energy_kgce: float, *, hours: int = 24, ts: int = 0) -> PlantDay:
    """A day's row with nothing in it but what a baseline is made of."""
    blank: dict[str, Any] = dict.fromkeys(PlantDay._fields)
    blank |= {"site_id": "s", "line_id": "plant", "ts": ts, "energy_hours": hours, "coverage": hours / 24}
    return PlantDay(**blank | {"ratio_energy_kgce": energy_kgce, "ratio_production": production})


def test_the_floors_of_a_baseline_are_iso_50006_s() -> None:
    """R² of 0.75 and twelve points."""
    assert LEAST == {"least_points": 12, "least_r_squared": 0.75}


@given(st.floats(10, 1e6), st.floats(0.1, 500), st.lists(st.floats(10, 1e4), min_size=12, max_size=60, unique=True))
def test_a_line_is_found_as_it_is(intercept: float, slope: float, made: list[float]) -> None:
    """Days on a straight line give that line, R² 1 and no scatter."""
    if max(made) - min(made) < 1 or slope * (max(made) - min(made)) < 1e-3 * intercept:
        return
    found = fit([day(each, intercept + slope * each) for each in made], **LEAST)
    assert found.slope_kgce == pytest.approx(slope, rel=1e-6)
    assert found.intercept_kgce == pytest.approx(intercept, rel=1e-4, abs=1e-3 * slope * max(made))
    assert found.r_squared == pytest.approx(1, abs=1e-6)
    assert found.cv_rmse == pytest.approx(0, abs=1e-4)


def test_figures_of_a_noisy_fit_are_the_textbook_s() -> None:
    """Slope, intercept, R² and CV(RMSE) against sums written out."""
    rng = random.Random(5)
    points = [(made, 4000 + 30 * made + rng.gauss(0, 400)) for made in (rng.uniform(80, 220) for _ in range(40))]
    found = fit([day(*point) for point in points], **LEAST)
    n, x, y = len(points), [point[0] for point in points], [point[1] for point in points]
    sxy = sum(a * b for a, b in points) - sum(x) * sum(y) / n
    sxx = sum(a * a for a in x) - sum(x) ** 2 / n
    slope = sxy / sxx
    intercept = (sum(y) - slope * sum(x)) / n
    error = sum((b - intercept - slope * a) ** 2 for a, b in points)
    total = sum((b - sum(y) / n) ** 2 for b in y)
    expected = Baseline(intercept, slope, n, 1 - error / total, math.sqrt(error / (n - 2)) / (sum(y) / n))
    assert found[:5] == pytest.approx(expected[:5], rel=1e-6)
    assert found.coefficients == ()


def weather(seed: int, days: int = 40) -> tuple[list[PlantDay], dict[str, dict[int, float]]]:
    """Days whose energy is 4 000 + 30·P − 50·T, with a little noise, and the temperature T of each."""
    rng = random.Random(seed)
    made = [rng.uniform(80, 220) for _ in range(days)]
    degrees = [rng.uniform(-12, 28) for _ in range(days)]
    rows = [
        day(made[at], 4000 + 30 * made[at] - 50 * degrees[at] + rng.gauss(0, 20), ts=at * 86_400_000)
        for at in range(days)
    ]
    return rows, {"ambient_c": {row.ts: each for row, each in zip(rows, degrees, strict=True)}}


def test_a_second_variable_explains_what_production_cannot() -> None:
    """Ê = β₀ + β₁·P + β₂·T equals least squares by another way; on production alone the scatter is larger."""
    days, variables = weather(7)
    found = fit(days, variables, **LEAST)
    matrix = np.array([[1.0, row.ratio_production, variables["ambient_c"][row.ts]] for row in days])
    used = np.array([row.ratio_energy_kgce for row in days])
    expected = np.linalg.lstsq(matrix, used, rcond=None)[0]
    (ambient,) = found.coefficients
    assert (found.intercept_kgce, found.slope_kgce, ambient.kgce) == pytest.approx(tuple(expected), rel=1e-9)
    residual = used - matrix @ expected
    variance = residual @ residual / (len(days) - 3)
    errors = np.sqrt(variance * np.diag(np.linalg.inv(matrix.T @ matrix)))
    assert ambient.t == pytest.approx(expected[2] / errors[2], rel=1e-6)
    assert found.cv_rmse == pytest.approx(math.sqrt(variance) / used.mean(), rel=1e-9)
    assert found.cv_rmse < fit(days, **LEAST).cv_rmse / 10


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda row, degrees: row.ratio_production / 7 + 1e-3 * degrees, "production and x say the same"),
        (lambda row, _: 3 * row.ratio_production - 5, "production and x say the same"),
        (lambda row, _: float(7 * (row.ts // 86_400_000) % 11), "x explains nothing"),
        (lambda _row, _degrees: 12.5, "x is the same on every day"),
        (lambda row, degrees: degrees if row.ts < 17 * 86_400_000 else None, "17 whole days.* a baseline needs 18"),
    ],
)
def test_a_variable_that_says_nothing_of_its_own_is_refused(
    change: Callable[[PlantDay, float], float | None], why: str
) -> None:
    """Collinear, irrelevant or constant variables, and days of which too few know it, are named."""
    days, variables = weather(8)
    values = {row.ts: change(row, variables["ambient_c"][row.ts]) for row in days}
    known = {ts: value for ts, value in values.items() if value is not None}
    with pytest.raises(NoBaselineError, match=why):
        fit(days, {"x": known}, **LEAST)


@pytest.mark.parametrize(
    ("days", "why"),
    [
        ([day(100 + at, 5000 + 30 * at) for at in range(11)], "11 whole days"),
        ([day(100 + at, 5000 + 30 * at, hours=23) for at in range(40)], "0 whole days"),
        ([day(100 + at, 5000 + 30 * at)._replace(quality=Quality.ESTIMATED) for at in range(40)], "0 whole days"),
        ([day(100.0, 5000 + 30 * at) for at in range(20)], "nothing to fit"),
        ([day(100.0 + at, 30.0 * (at - 9.5)) for at in range(20)], "net of what it gives off"),
        ([day(100.0 + at, 5000.0) for at in range(20)], "nothing to fit"),
        ([day(100 + at, 5000 - 30 * at) for at in range(20)], "falls with production"),
        ([day(100 + at, 5000 + at + 400 * (at % 2)) for at in range(20)], "R² is"),
    ],
)
def test_what_is_no_baseline_is_refused_with_its_reason(days: list[PlantDay], why: str) -> None:
    """Too few whole days, nothing that varies, a line that falls, or one that explains too little."""
    with pytest.raises(NoBaselineError, match=why):
        fit(days, **LEAST)

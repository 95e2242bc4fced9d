"""Energy baselines: what a fit finds, and what it refuses."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.metrics import PlantDay, Quality
from streams.plant.baseline import Baseline, NoBaselineError, fit
from streams.plant.reference import reference

LEAST: dict[str, Any] = {
    "least_points": reference().setting("enpi_points"),
    "least_r_squared": reference().setting("enpi_r_squared"),
}


def day(production: float, energy_kgce: float, *, hours: int = 24, ts: int = 0) -> PlantDay:
    """A day's row with nothing in it but what a baseline is made of."""
    blank: dict[str, Any] = dict.fromkeys(PlantDay._fields)
    blank |= {"site_id": "s", "line_id": "plant", "ts": ts, "energy_hours": hours, "coverage": hours / 24}
    return PlantDay(**blank | {"ratio_energy_kgce": energy_kgce, "ratio_production": production})


def test_the_specification_s_floors_are_iso_50006_s() -> None:
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
    assert found == pytest.approx(expected, rel=1e-6)


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

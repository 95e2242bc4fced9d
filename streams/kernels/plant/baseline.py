"""An energy baseline: a day's energy by production and what else it depends on (ISO 50006), or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from schemas.metrics import Quality

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from schemas.metrics import PlantDay

    Floats = npt.NDArray[np.float64]

WHOLE_DAY_H = 24
MOST_INFLATION = 10.0
"""Variance inflation from which on two variables say the same. (unsourced: common practice)"""
LEAST_T = 2.0
"""A variable whose coefficient is smaller than this many of its standard errors explains nothing. (unsourced)"""
FLAT = 1e-12
"""Share of a column's square sum that must be spread about its mean; less is rounding."""


class Coefficient(NamedTuple):
    """What a variable beside production adds."""

    variable: str
    kgce: float
    """A day, per unit of the variable."""
    t: float
    """In standard errors."""


class Baseline(NamedTuple):
    """A fit of energy on production and other variables."""

    intercept_kgce: float
    """A day, whatever is made."""
    slope_kgce: float
    """Per product unit."""
    points: int
    r_squared: float
    cv_rmse: float
    """Root mean square error, a degree of freedom less for each coefficient, as a share of the mean."""
    coefficients: tuple[Coefficient, ...] = ()


class NoBaselineError(Exception):
    """These days make no baseline; the message says why."""


def fit(
    days: Sequence[PlantDay],
    variables: Mapping[str, Mapping[int, float]] | None = None,
    *,
    least_points: float,
    least_r_squared: float,
) -> Baseline:
    """Fit whole days: every hour's energy and production are known, every variable is, and nothing is estimated.

    `variables`: by name the value of each day, by the day's `ts`. A fit on production alone needs `least_points` days,
    and half as many more for each variable.

    Raises NoBaselineError where days are too few, production or a variable hardly varies, two of them say the same,
    one explains nothing, the line gives off as much energy as it takes, energy falls with production, or the whole
    explains too little.
    """
    variables = variables or {}
    whole = [
        day
        for day in days
        if day.energy_hours == WHOLE_DAY_H
        and day.ratio_production > 0
        and day.quality != Quality.ESTIMATED
        and all(day.ts in values for values in variables.values())
    ]
    needed = least_points * (1 + len(variables) / 2)
    if len(whole) < needed:
        of = f" and {', '.join(variables)}" if variables else ""
        msg = f"{len(whole)} whole days with production{of} of {len(days)}; a baseline needs {needed:g}"
        raise NoBaselineError(msg)
    used = np.array([day.ratio_energy_kgce for day in whole])
    columns = np.array(
        [[day.ratio_production for day in whole], *([values[day.ts] for day in whole] for values in variables.values())]
    ).T
    names = ("production", *variables)
    return _judged(_solved(names, columns, used), least_r_squared)


def _solved(names: Sequence[str], columns: Floats, used: Floats) -> Baseline:
    """Least squares; shapes (variables,), (days, variables), (days,)."""
    means, mean = columns.mean(axis=0), float(used.mean())
    centred, scatter = columns - means, float(((used - used.mean()) ** 2).sum())
    spread = (centred**2).sum(axis=0)
    flat = [name for name, own, all_ in zip(names, spread, (columns**2).sum(axis=0), strict=True) if own <= FLAT * all_]
    if flat or scatter == 0.0:
        msg = f"{' and '.join(flat) or 'energy'} is the same on every day: nothing to fit"
        raise NoBaselineError(msg)
    if mean <= 0:
        msg = f"the line takes {mean:.4g} kgce a day net of what it gives off: no baseline is a share of that"
        raise NoBaselineError(msg)
    scale = np.sqrt(spread)
    inflation = _inflation(centred / scale)
    if (worst := float(np.max(np.diag(inflation)))) > MOST_INFLATION:
        alike = [name for name, own in zip(names, np.diag(inflation), strict=True) if own > MOST_INFLATION]
        limit = f"variance inflation {worst:.3g}, at most {MOST_INFLATION:g}"
        msg = f"{' and '.join(alike)} say the same ({limit}): leave one out"
        raise NoBaselineError(msg)
    slopes = inflation @ (centred / scale).T @ (used - mean) / scale
    error = float(((used - mean - centred @ slopes) ** 2).sum())
    variance = error / (len(used) - len(names) - 1)
    with np.errstate(divide="ignore"):
        t = slopes / np.sqrt(variance * np.diag(inflation) / spread)
    return Baseline(
        float(mean - means @ slopes),
        float(slopes[0]),
        len(used),
        1 - error / scatter,
        variance**0.5 / mean,
        tuple(map(Coefficient, names[1:], slopes[1:].tolist(), t[1:].tolist())),
    )


def _inflation(unit: Floats) -> npt.NDArray[Any]:
    """Inverse of the variables' correlations, whose diagonal is their variance inflation; infinite where singular."""
    correlation = unit.T @ unit
    if float(np.linalg.cond(correlation)) > 1 / FLAT:
        return np.full_like(correlation, np.inf)
    return np.asarray(np.linalg.inv(correlation))


def _judged(found: Baseline, least_r_squared: float) -> Baseline:
    if found.slope_kgce <= 0:
        msg = f"energy falls with production ({found.slope_kgce:.4g} kgce per product unit): not a baseline"
        raise NoBaselineError(msg)
    for each in found.coefficients:
        if abs(each.t) < LEAST_T:
            msg = f"{each.variable} explains nothing (t = {each.t:.2f}, at least {LEAST_T:g}): leave it out"
            raise NoBaselineError(msg)
    if found.r_squared < least_r_squared:
        msg = (
            f"R² is {found.r_squared:.3f}, a baseline needs {least_r_squared:g}"
            f" (CV(RMSE) {found.cv_rmse:.1%}, {found.points} days)"
        )
        raise NoBaselineError(msg)
    return found

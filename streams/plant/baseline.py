"""An energy baseline: a day's energy as a straight line of its production (ISO 50006), or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.metrics import Quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import PlantDay

WHOLE_DAY_H = 24


class Baseline(NamedTuple):
    """A fit of energy on production."""

    intercept_kgce: float
    """A day, whatever is made."""
    slope_kgce: float
    """Per product unit."""
    points: int
    r_squared: float
    cv_rmse: float
    """Root mean square error, with n − 2 degrees of freedom, as a share of the mean."""


class NoBaselineError(Exception):
    """These days make no baseline; the message says why."""


def fit(days: Sequence[PlantDay], *, least_points: float, least_r_squared: float) -> Baseline:
    """Fit whole days, those of which every hour's energy and production are known and nothing is estimated.

    Raises NoBaselineError where they are too few, production hardly varies, the line gives off as much energy as it
    takes, energy falls with production, or the line explains too little.
    """
    whole = [
        day
        for day in days
        if day.energy_hours == WHOLE_DAY_H and day.ratio_production > 0 and day.quality != Quality.ESTIMATED
    ]
    if len(whole) < least_points:
        msg = f"{len(whole)} whole days with production of {len(days)}; a baseline needs {least_points:g}"
        raise NoBaselineError(msg)
    made = np.array([day.ratio_production for day in whole])
    used = np.array([day.ratio_energy_kgce for day in whole])
    spread = float(((made - made.mean()) ** 2).sum())
    scatter = float(((used - used.mean()) ** 2).sum())
    if spread <= 1e-12 * float((made**2).sum()) or scatter == 0.0:
        msg = "production or energy is the same on every day: nothing to fit"
        raise NoBaselineError(msg)
    mean = float(used.mean())
    if mean <= 0:
        msg = f"the line takes {mean:.4g} kgce a day net of what it gives off: no baseline is a share of that"
        raise NoBaselineError(msg)
    slope = float(((made - made.mean()) * (used - mean)).sum()) / spread
    intercept = float(mean - slope * made.mean())
    error = float(((used - intercept - slope * made) ** 2).sum())
    found = Baseline(
        intercept,
        slope,
        len(whole),
        1 - error / scatter,
        (error / (len(whole) - 2)) ** 0.5 / mean,
    )
    if slope <= 0:
        msg = f"energy falls with production ({slope:.4g} kgce per product unit): not a baseline"
        raise NoBaselineError(msg)
    if found.r_squared < least_r_squared:
        msg = (
            f"R² is {found.r_squared:.3f}, a baseline needs {least_r_squared:g}"
            f" (CV(RMSE) {found.cv_rmse:.1%}, {found.points} days)"
        )
        raise NoBaselineError(msg)
    return found

"""The kernels a worker runs. A new metric is a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streams.battery.pack import PackMonitor
from streams.battery.site_power import SitePowerView
from streams.metering.register import RegisterMetering
from streams.plant.reference import energy_factors
from streams.plant.rolling import RollingPlant

if TYPE_CHECKING:
    from streams.kernel import Fold, PlantView


class Kernels(NamedTuple):
    """What is computed from readings: folds over devices, and views over what the folds gave."""

    folds: tuple[Fold, ...]
    views: tuple[PlantView, ...]


def installed() -> Kernels:
    """All kernels of this fenhe."""
    return Kernels((RegisterMetering(), PackMonitor(), SitePowerView()), (RollingPlant(energy_factors()),))

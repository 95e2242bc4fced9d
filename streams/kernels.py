"""The kernels a worker runs. A new metric is a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streams.alarms.backfill import Backfill
from streams.alarms.clock import AlarmClock
from streams.alarms.signals import SignalAlarms
from streams.anomaly.efficiency import PlantEfficiency
from streams.anomaly.energy_balance import EnergyBalance
from streams.anomaly.frozen_meters import FrozenMeters
from streams.anomaly.meters import MeterDetectors
from streams.anomaly.phases import PhaseLoss
from streams.anomaly.plant_limits import PlantLimits, WaterBalance
from streams.anomaly.reference import detection
from streams.anomaly.set_safety import SetSafety
from streams.anomaly.set_trends import SetTrends
from streams.anomaly.site_safety import SiteSafety
from streams.anomaly.stuck_currents import StuckCurrents
from streams.anomaly.unit_drift import UnitDrift
from streams.battery.days import SetDays
from streams.battery.discharges import Discharges
from streams.battery.fleet import FleetHealth
from streams.battery.health import SetHealth
from streams.battery.outages import SiteOutages
from streams.battery.pack import PackMonitor
from streams.battery.reference import health_reference
from streams.battery.site_power import SitePowerView
from streams.battery.state_of_health import StateOfHealth
from streams.kernel import Fold
from streams.metering.register import RegisterMetering
from streams.metering.virtual import VirtualMeters
from streams.plant.assays import FuelAssays
from streams.plant.balances import BalanceDays
from streams.plant.days import PlantDays, PlantRollings
from streams.plant.gangue import GangueDays, GangueHours, GangueMonths
from streams.plant.hours import PlantHours
from streams.plant.loads import MeterLoads
from streams.plant.night import NightFlows
from streams.plant.quarters import Quarters
from streams.plant.reference import reference
from streams.plant.rolling import RollingPlant
from streams.plant.water import WaterDays

if TYPE_CHECKING:
    from schemas.metrics import Row
    from streams.kernel import View
    from streams.stage import Stage


class Kernels(NamedTuple):
    """What is computed: from readings first, then from rows, in this order."""

    readings: tuple[Fold, ...]
    rows: tuple[Fold | View, ...]
    stages: tuple[Stage, ...] = ()
    """What follows from the rows, in the same transaction."""

    @property
    def folds(self) -> tuple[Fold, ...]:
        """All that remember something."""
        return (*self.readings, *(kernel for kernel in self.rows if isinstance(kernel, Fold)))

    @property
    def viewed(self) -> frozenset[type[Row]]:
        """Types of rows that any view is computed from."""
        views = (kernel for kernel in self.rows if not isinstance(kernel, Fold))
        return frozenset(row_type for view in views for row_type in view.inputs)


def installed() -> Kernels:
    """All kernels of this fenhe."""
    return Kernels(
        readings=(
            RegisterMetering(),
            FuelAssays(),
            PackMonitor(),
            SetHealth(health_reference()),
            SitePowerView(),
            SiteOutages(),
            SiteSafety(),
            SetSafety(detection().battery, detection().version),
            PhaseLoss(detection().phase_loss, detection().version),
        ),
        rows=(
            VirtualMeters(),
            RollingPlant(reference().energy_factors),
            Quarters(),
            GangueHours(reference()),
            GangueDays(reference()),
            GangueMonths(reference()),
            PlantHours(reference()),
            PlantDays(reference()),
            PlantRollings(reference()),
            WaterDays(reference()),
            BalanceDays(reference(), detection().balance.meter_error),
            NightFlows(reference()),
            MeterLoads(frozenset(detection().series)),
            StateOfHealth(health_reference()),
            Discharges(health_reference()),
            FleetHealth(health_reference()),
            SetDays(health_reference()),
            MeterDetectors(detection()),
            FrozenMeters(detection().version),
            PlantEfficiency(detection().efficiency, detection().version),
            PlantLimits(detection().limit, detection().quota, detection().version),
            WaterBalance(detection().balance, detection().version),
            EnergyBalance(detection().balance, detection().version),
            StuckCurrents(detection().version),
            SetTrends(detection().battery, detection().version),
            UnitDrift(detection().heat_rate, detection().capacity_factor, detection().version),
        ),
        stages=(SignalAlarms(), AlarmClock(), Backfill()),
    )

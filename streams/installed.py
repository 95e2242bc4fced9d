"""The kernels a worker runs. A new metric is a line here."""

from __future__ import annotations

from streams.alarms.backfill import Backfill
from streams.alarms.clock import AlarmClock
from streams.alarms.signals import SignalAlarms
from streams.engine.kernels import Kernels
from streams.kernels.battery.outages import SiteOutages
from streams.kernels.battery.prospects.days import SetDays
from streams.kernels.battery.prospects.discharges import Discharges
from streams.kernels.battery.prospects.doubts import SiteDoubts
from streams.kernels.battery.prospects.fleet import FleetHealth
from streams.kernels.battery.prospects.share_hours import ShareHours
from streams.kernels.battery.prospects.state_of_health import StateOfHealth
from streams.kernels.battery.quiet_pack import QuietPackMonitor
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.site_power import SitePowerView
from streams.kernels.battery.tracking.quiet_health import QuietSetHealth
from streams.kernels.detection.batteries.quiet_safety import QuietSetSafety
from streams.kernels.detection.batteries.set_changes import SetChanges
from streams.kernels.detection.batteries.set_trends import SetTrends
from streams.kernels.detection.batteries.site_doubts import DoubtAlarms
from streams.kernels.detection.batteries.site_safety import SiteSafety
from streams.kernels.detection.batteries.stuck_currents import StuckCurrents
from streams.kernels.detection.changed_meters import ChangedMeters
from streams.kernels.detection.efficiency import PlantEfficiency
from streams.kernels.detection.energy_balance import EnergyBalance
from streams.kernels.detection.frozen_meters import FrozenMeters
from streams.kernels.detection.phases import PhaseLoss
from streams.kernels.detection.plant_limits import PlantLimits, WaterBalance
from streams.kernels.detection.reference import detection
from streams.kernels.detection.series.meters import MeterDetectors
from streams.kernels.detection.unit_drift import UnitDrift
from streams.kernels.metering.register import RegisterMetering
from streams.kernels.metering.virtual import VirtualMeters
from streams.kernels.plant.assays import FuelAssays
from streams.kernels.plant.balances import BalanceDays
from streams.kernels.plant.days import PlantDays, PlantRollings
from streams.kernels.plant.gangue import GangueDays, GangueHours, GangueMonths
from streams.kernels.plant.hours import PlantHours
from streams.kernels.plant.loads import MeterLoads
from streams.kernels.plant.night import NightFlows
from streams.kernels.plant.quarters import Quarters
from streams.kernels.plant.reference import reference
from streams.kernels.plant.rolling import RollingPlant
from streams.kernels.plant.water import WaterDays


def installed() -> Kernels:
    """All kernels of this fenhe."""
    return Kernels(
        readings=(
            RegisterMetering(),
            FuelAssays(),
            QuietPackMonitor(health_reference()),
            QuietSetHealth(health_reference()),
            SitePowerView(),
            SiteOutages(),
            SiteSafety(),
            QuietSetSafety(detection().battery, detection().version),
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
            ShareHours(),
            StateOfHealth(health_reference()),
            SiteDoubts(),
            Discharges(health_reference()),
            FleetHealth(health_reference()),
            SetDays(health_reference()),
            MeterDetectors(detection()),
            FrozenMeters(detection().version),
            ChangedMeters(detection().version),
            PlantEfficiency(detection().efficiency, detection().version),
            PlantLimits(detection().limit, detection().quota, detection().version),
            WaterBalance(detection().balance, detection().version),
            EnergyBalance(detection().balance, detection().version),
            StuckCurrents(detection().version),
            DoubtAlarms(detection().version),
            SetChanges(detection().version),
            SetTrends(detection().battery, detection().version),
            UnitDrift(detection().heat_rate, detection().capacity_factor, detection().version),
        ),
        stages=(SignalAlarms(), AlarmClock(), Backfill()),
    )

"""Battery health of a simulated fleet held against its truth: errors, intervals, coverage, forecasts."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.metrics.battery_health import BatteryCapacity, BatteryEpisode, BatteryIdentity, CapacityMethod, Identity
from schemas.metrics.battery_prospects import BatteryDischarge, BatterySoh
from schemas.metrics.battery_sites import SiteLoadHour, SiteOutage
from streams.kernels.battery.fusion import Z_90
from streams.kernels.battery.prospects.discharges import Discharges
from streams.kernels.battery.prospects.site_view import soh_at
from streams.kernels.battery.prospects.state_of_health import StateOfHealth
from streams.kernels.battery.reference import health_reference
from streams.kernels.battery.tracking.health import SetHealth

if TYPE_CHECKING:
    from schemas.arrival import Arrival
    from schemas.battery_reference import BatteryHealthReference
    from schemas.metrics import Row
    from streams.kernels.battery.tracking.set_state import SetState
    from tests.support.worlds.fleet_year import FleetYear

FLAT_PCT = (30.0, 95.0)


@dataclass
class Forecast:
    """A backup time forecast at the beginning of an outage, and what it truly was."""

    device_id: str
    forecast_h: float
    p10_h: float
    true_h: float
    temperature_c: float | None

    @property
    def error(self) -> float:
        """Relative."""
        return self.forecast_h / self.true_h - 1


@dataclass
class Score:
    """What the kernels came to, and how good it is. SoH in points."""

    sets: int
    readings: int = 0
    kernel_us: float = 0.0
    """CPU per reading in the fold."""
    state_bytes: int = 0
    errors: list[float] = field(default_factory=list)
    """SoH at the end of each set that has one, less the truth then."""
    hits: list[bool] = field(default_factory=list)
    """Whether its 90 % interval holds the truth."""
    single_errors: list[float] = field(default_factory=list)
    """Of single discharges that are evidence of their set, less the truth at the end of the run."""
    two_point_errors: list[float] = field(default_factory=list)
    """The same of those between two rests at the foot, which say what usual sets have."""
    reasons: dict[str, int] = field(default_factory=dict)
    possible: int = 0
    """Sets whose BMS opened at least once, or that a core-capacity test drew down to its end."""
    published_flat: int = 0
    """Estimates from discharges that truly ended in the flat region: must be none."""
    exchanged: int = 0
    """Sets whose cells were told to be others: must be none."""
    doubted: int = 0
    """Sets whose cells were told to be others perhaps."""
    forecasts: list[Forecast] = field(default_factory=list)

    @property
    def mae(self) -> float:
        """Mean absolute error of the SoH."""
        return statistics.fmean(abs(error) for error in self.errors)

    @property
    def hit_rate(self) -> float:
        """Share of intervals that hold the truth."""
        return statistics.fmean(self.hits)

    def within(self, bound: float, *, above_c: float = -100.0) -> float:
        """Share of forecasts within a relative error, of those that began above a temperature."""
        chosen = [abs(item.error) <= bound for item in self.forecasts if (item.temperature_c or 0.0) >= above_c]
        return statistics.fmean(chosen)


def score(fleet: FleetYear, reference: BatteryHealthReference | None = None) -> Score:
    """Run a fleet through the kernels and hold what comes out against its truth."""
    reference = reference or health_reference()
    kernel, view = SetHealth(reference), StateOfHealth(reference)
    states: list[SetState | None] = [None] * len(fleet.devices)
    rows: list[list[Row]] = [[] for _ in fleet.devices]
    result = Score(len(fleet.devices))
    waiting: list[list[Arrival]] = [[] for _ in fleet.devices]

    def fold(number: int) -> None:
        began = time.process_time()
        states[number], given = kernel.fold(states[number], fleet.devices[number], waiting[number])
        result.kernel_us += time.process_time() - began
        result.readings += len(waiting[number])
        waiting[number] = []
        rows[number] += [row for row in given if isinstance(row, BatteryCapacity | BatteryEpisode | BatteryIdentity)]

    def take(number: int, arrival: Arrival) -> None:
        waiting[number].append(arrival)
        if len(waiting[number]) == 100:
            fold(number)

    fleet.run(take)
    for number in range(len(fleet.devices)):
        fold(number)
    result.kernel_us *= 1e6 / max(1, result.readings)
    result.state_bytes = max(len(kernel.dump(state)) for state in states)
    truth = (100 * fleet.batteries.filled_soh).tolist()
    cut = {item.device_id for item in fleet.cuts} | fleet.tested
    result.possible = len(cut)
    soh: dict[str, list[BatterySoh]] = {}
    for number, device in enumerate(fleet.devices):
        capacities = list({row.ts: row for row in rows[number] if isinstance(row, BatteryCapacity)}.values())
        capacities.sort(key=lambda row: row.ts)
        identities = [row for row in rows[number] if isinstance(row, BatteryIdentity)]
        result.exchanged += any(row.identity is Identity.OTHER for row in identities)
        result.doubted += any(row.identity is Identity.DOUBTED for row in identities)
        soh[device.device_id] = history = list(view.history(device, capacities, identities=identities))
        _score_set(result, history, capacities, truth[number], fleet.end_ts)
    _score_forecasts(result, fleet, reference, rows, soh)
    return result


def _score_set(
    result: Score, history: list[BatterySoh], capacities: list[BatteryCapacity], truth_pct: float, end_ts: int
) -> None:
    fusion = health_reference().fusion
    note_singles(result, capacities, truth_pct)
    known = soh_at(history, end_ts, fusion)[1]
    if known is not None:
        error = 100 * known.soh - truth_pct
        result.errors.append(error)
        result.hits.append(abs(error) <= 100 * Z_90 * known.sigma)


def note_singles(result: Score, capacities: list[BatteryCapacity], truth_pct: float) -> None:
    """Count a set's single discharges; what is not fused is no error of what is shown, and stands apart."""
    for row in capacities:
        if row.method is CapacityMethod.TWO_POINT and row.soh_pct is not None:
            result.two_point_errors.append(row.soh_pct - truth_pct)
        elif row.soh_pct is not None:
            result.single_errors.append(row.soh_pct - truth_pct)
            result.published_flat += row.method is CapacityMethod.OCV and not (
                row.soc_end_pct is not None and not FLAT_PCT[0] <= row.soc_end_pct <= FLAT_PCT[1]
            )
        elif row.reason is not None:
            result.reasons[row.reason] = result.reasons.get(row.reason, 0) + 1


def _score_forecasts(
    result: Score,
    fleet: FleetYear,
    reference: BatteryHealthReference,
    rows: list[list[Row]],
    soh: dict[str, list[BatterySoh]],
) -> None:
    """Forecast each discharge at its beginning, through the view, and hold it against the moment the BMS opened."""
    view = Discharges(reference)
    cuts = {(cut.device_id, cut.outage_ts): cut.hours for cut in fleet.cuts}
    numbers = {device.device_id: number for number, device in enumerate(fleet.devices)}
    for site_number in range(fleet.sites):
        site, devices = fleet.site(site_number)
        sets = [device.device_id for device in devices if device.device_id in numbers]
        for started in fleet.outage_starts[site_number]:
            episodes: list[Row] = [
                row
                for device_id in sets
                for row in rows[numbers[device_id]]
                if isinstance(row, BatteryEpisode) and row.kind == "discharge" and row.ts == started
            ]
            last = {(row[0], row.ts): row for row in episodes}
            found: dict[type[Row], list[Row]] = {
                BatteryEpisode: list(last.values()),
                BatterySoh: [row for device_id in sets for row in soh[device_id] if row.ts < started],
                SiteOutage: [],
                SiteLoadHour: list(fleet.load_hours(site_number, started)),
            }
            for row in view.rows(site, devices, {BatteryEpisode: list(last.values())}, found).rows:
                assert isinstance(row, BatteryDischarge)
                true_h = cuts.get((row.device_id, started))
                if row.forecast_p50_h is not None and row.forecast_p10_h is not None and true_h:
                    episode = last[row.device_id, row.ts]
                    assert isinstance(episode, BatteryEpisode)
                    result.forecasts.append(
                        Forecast(
                            row.device_id,
                            row.forecast_p50_h,
                            row.forecast_p10_h,
                            true_h,
                            episode.temperature_start_c,
                        )
                    )

"""Rows of one set as its tracker sees it: episodes, steps, hours and the present."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from schemas.metrics.battery_health import (
    BatteryEpisode,
    BatteryFlag,
    BatteryHour,
    BatteryResistance,
    BatteryState,
    EpisodeKind,
)
from schemas.metrics.common import quality_of
from schemas.time import HOUR_MS, MINUTE_MS, WEEK_MS
from streams.kernels.battery.backup import PASSES, Z_P10
from streams.kernels.battery.limits import REFERENCE_C
from streams.kernels.battery.tracking.cells import NOTHING, cell_figures
from streams.kernels.battery.tracking.flags import bms_soh_is_sentinel, dark_flag, flags_of, named, text_of

if TYPE_CHECKING:
    from schemas.registry import Device
    from streams.kernels.battery.limits import Limits
    from streams.kernels.battery.tracking.set_state import HourSums, OpenEpisode, SetState

MONTH_MS = WEEK_MS / 7 * 30


class Tracked(Protocol):
    """A set that is followed: who it is, what it is judged by, and what is known of it."""

    @property
    def device(self) -> Device:
        """As registered."""

    @property
    def limits(self) -> Limits:
        """By its chemistry and its own figures."""

    @property
    def state(self) -> SetState | None:
        """None before its first reading."""


def mean_temperature(episode: OpenEpisode) -> float | None:
    """Mean over the episode's time, °C."""
    return episode.temperature_sum / episode.temperature_ms if episode.temperature_ms else None


def coverage_of(episode: OpenEpisode, end_ts: int) -> float:
    """Share of the episode that was measured."""
    lasted = end_ts - episode.start_ts
    return 1.0 if lasted <= 0 else min(1.0, episode.covered_ms / lasted)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def episode(tracker: Tracked, one: OpenEpisode, end_ts: int | None, seen_ts: int) -> BatteryEpisode:
    """Write an episode as it stands; `end_ts` is None as long as it goes on."""
    state, limits = tracker.state, tracker.limits
    assert state is not None  # noqa: S101 - an episode belongs to one
    is_discharge = one.kind is EpisodeKind.DISCHARGE
    sign = -1.0 if is_discharge else 1.0
    until = seen_ts if end_ts is None else end_ts
    coverage = coverage_of(one, until)
    soc_end = one.soc_end if is_discharge and one.soc_end is not None else state.soc
    return BatteryEpisode(
        device_id=tracker.device.device_id,
        ts=one.start_ts,
        seen_ts=seen_ts,
        site_id=tracker.device.site_id,
        kind=one.kind,
        ended_ts=end_ts,
        duration_h=(until - one.start_ts) / HOUR_MS,
        charge_ah=sign * one.charge_ah,
        energy_kwh=sign * one.energy_kwh,
        pack_start_v=one.pack_start_v,
        pack_end_v=one.pack_end_v,
        temperature_start_c=one.temperature_start_c,
        temperature_min_c=one.temperature_min_c,
        temperature_max_c=one.temperature_max_c,
        temperature_mean_c=mean_temperature(one),
        soc_start_pct=_percent(one.soc),
        soc_start_sigma_pct=None if one.soc is None else 100 * one.soc_sigma,
        soc_end_pct=_percent(soc_end),
        rest_cell_v=one.rest_cell_v,
        cutoff_ts=one.cutoff_ts,
        current_min_a=one.amps_min if is_discharge else None,
        current_max_a=one.amps_max if is_discharge else None,
        self_discharge_pct_month=_self_discharge(one, until, limits, state.soh),
        largest_gap_s=one.gap_ms / 1000,
        coverage=coverage,
        quality=quality_of(coverage, estimated=False),
        flags=text_of(flags_of(state, limits) | named(one.flags)),
    )


def _self_discharge(one: OpenEpisode, until: int, limits: Limits, soh: float | None) -> float | None:
    """Loss of charge in % a month, only of an open rest longer than seven days between two readable voltages."""
    lasted = until - one.start_ts
    if (
        one.kind is not EpisodeKind.REST
        or lasted <= WEEK_MS
        or one.rest_cell_v is None
        or one.first_rest_cell_v is None
    ):
        return None
    first, last = limits.read_rest(one.first_rest_cell_v, soh), limits.read_rest(one.rest_cell_v, soh)
    if first is None or last is None:
        return None
    return 100 * (first.soc - last.soc) / (lasted / MONTH_MS)


def offline(
    tracker: Tracked, from_ts: int, end_ts: int | None, ts: int, volts: tuple[float | None, float | None]
) -> BatteryEpisode:
    """Write a time over which nothing was known of a set, seen at `ts`; no end yet while its records tell nothing."""
    device, state = tracker.device, tracker.state
    assert state is not None  # noqa: S101 - there was a reading
    why = {dark_flag(state)} if state.dark_ts > from_ts else frozenset()
    return BatteryEpisode(
        device_id=device.device_id,
        ts=from_ts,
        seen_ts=ts,
        site_id=device.site_id,
        kind=EpisodeKind.OFFLINE,
        ended_ts=end_ts,
        duration_h=(ts - from_ts) / HOUR_MS,
        charge_ah=None,
        energy_kwh=None,
        pack_start_v=volts[0],
        pack_end_v=volts[1],
        temperature_start_c=None,
        temperature_min_c=None,
        temperature_max_c=None,
        temperature_mean_c=None,
        soc_start_pct=None,
        soc_start_sigma_pct=None,
        soc_end_pct=None,
        rest_cell_v=None,
        cutoff_ts=None,
        current_min_a=None,
        current_max_a=None,
        self_discharge_pct_month=None,
        largest_gap_s=(ts - from_ts) / 1000,
        coverage=0.0,
        quality=quality_of(0.0, estimated=False),
        flags=text_of(frozenset({BatteryFlag.GAP, *why})),
    )


def unknown_now(tracker: Tracked, ts: int) -> BatteryState:
    """Write that nothing is known of what a set does: it is heard, but its records hold nothing that is believed."""
    state, device = tracker.state, tracker.device
    assert state is not None  # noqa: S101 - there was a reading
    minute = ts - ts % MINUTE_MS
    nothing = (None,) * 7
    flags = text_of(frozenset({dark_flag(state), BatteryFlag.GAP}))
    since = state.ts if state.dark_since is None else state.dark_since
    return BatteryState(device.device_id, minute, device.site_id, EpisodeKind.OFFLINE, since, *nothing, flags)


class LoadStep(NamedTuple):
    """What a load step between two readings showed."""

    ts: int
    ohm: float
    """ΔV/ΔI of the pack."""
    step_a: float
    step_ms: int
    name: str


def resistance(tracker: Tracked, step: LoadStep) -> BatteryResistance:
    """Write a load step: ΔV/ΔI of the pack, and what it would be at 25 °C."""
    state, limits, device = tracker.state, tracker.limits, tracker.device
    assert state is not None  # noqa: S101 - a step is between two readings
    celsius = state.episode.temperature_last_c
    normal = None if celsius is None else 1000 * step.ohm / limits.resistance_factor(celsius)
    return BatteryResistance(
        device_id=device.device_id,
        ts=step.ts,
        seen_ts=step.ts,
        site_id=device.site_id,
        resistance_mohm=1000 * step.ohm,
        resistance_25c_mohm=normal,
        cell_mohm_ah_25c=None if normal is None else normal / limits.cell_count * limits.nominal_ah,
        step_a=step.step_a,
        step_s=step.step_ms / 1000,
        step=step.name,
        temperature_c=celsius,
    )


def hour(tracker: Tracked, sums: HourSums) -> BatteryHour:
    """Write an hour that is over."""
    state, limits, device = tracker.state, tracker.limits, tracker.device
    assert state is not None  # noqa: S101 - an hour has readings
    figures = [
        cell_figures(cells, counts) if cells else NOTHING
        for cells, counts in zip(sums.cell_sums, sums.cell_counts, strict=True)
    ]
    coverage = min(1.0, sums.covered_ms / HOUR_MS)
    known = state.soc is not None and state.bms_soc is not None
    return BatteryHour(
        device.device_id,
        sums.start_ts,
        device.site_id,
        _percent(state.soc),
        None if state.soc is None else 100 * state.soc_sigma,
        state.bms_soc,
        state.bms_soc - 100 * state.soc if known else None,  # type: ignore[operator] # both are known
        None if bms_soh_is_sentinel(state, limits) else state.bms_soh,
        sums.float_ms / MINUTE_MS,
        sums.rest_ms / MINUTE_MS,
        sums.load_ms / MINUTE_MS,
        sums.float_a / sums.float_ms if sums.float_ms else None,
        state.offset_a,
        *figures[0],
        *figures[1],
        *figures[2],
        sums.temperature_sum / sums.temperature_ms if sums.temperature_ms else None,
        sums.temperature_spread_c,
        coverage,
        quality_of(coverage, estimated=False),
        text_of(flags_of(state, limits) | named(sums.flags)),
    )


def now(tracker: Tracked, ts: int) -> BatteryState:
    """Write what a set does at its newest reading, under the start of its minute."""
    state, limits, device = tracker.state, tracker.limits, tracker.device
    assert state is not None  # noqa: S101 - there is a newest reading
    doing = state.doing
    p50, p10 = remaining(Carried.of(state), limits) if doing is EpisodeKind.DISCHARGE else (None, None)
    drawn = state.episode.charge_ah if state.episode.kind is EpisodeKind.DISCHARGE else None
    return BatteryState(
        device.device_id,
        ts - ts % MINUTE_MS,
        device.site_id,
        doing,
        state.doing_since,
        _percent(state.soc),
        None if state.soc is None else 100 * state.soc_sigma,
        state.bms_soc,
        drawn,
        state.power_w,
        p50,
        p10,
        text_of(flags_of(state, limits)),
    )


class Carried(NamedTuple):
    """What the time that is left of a discharge depends on."""

    soh: float | None
    """Of the set's own discharges."""
    soh_sigma: float
    soc: float | None
    soc_sigma: float
    power_w: float
    amps: float
    """Negative."""
    celsius: float | None

    @classmethod
    def of(cls, state: SetState) -> Carried:
        """As a set's state has it."""
        return cls(
            state.soh,
            (state.belief_variance + state.belief_systematic**2) ** 0.5,
            state.soc,
            state.soc_sigma,
            state.power_w,
            state.amps,
            state.episode.temperature_last_c,
        )


def remaining(carried: Carried, limits: Limits) -> tuple[float | None, float | None]:
    """Hours to cut-off at the present power, p50 and p10; None without a capacity of the set's own."""
    soh, soh_sigma, soc, soc_sigma, power_w, amps, celsius = carried
    if soh is None or soc is None or power_w <= 0 or amps >= 0:
        return None, None
    begin_c = REFERENCE_C if celsius is None else celsius
    hours = soh * limits.nominal_ah * limits.loaded_v(-amps, celsius) / power_w
    share = 0.0
    end_c = begin_c
    for _ in range(PASSES):
        share = max(0.0, soc - limits.soc_kept(limits.cutoff_cell_v, -amps, end_c, soh))
        end_c = limits.warmed_c(begin_c, -amps, share * hours)
    doubt = ((soh_sigma / soh * share) ** 2 + soc_sigma**2) ** 0.5
    return share * hours, max(0.0, share - Z_P10 * doubt) * hours

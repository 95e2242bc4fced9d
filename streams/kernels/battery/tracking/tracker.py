"""One set followed reading by reading: what it does, how full it is, what its discharges and load steps say.

What a set does is told from its own current and voltage, because mains flags come late and from another device.
Charge is counted with the trapezoid; over a gap the SoC is held and the doubt grows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from schemas.time import HOUR_MS, MINUTE_MS
from streams.kernels.battery.blank import is_blank
from streams.kernels.battery.direction import learned, sign_of
from streams.kernels.battery.pack import split_trapezoid
from streams.kernels.battery.tracking import set_rows
from streams.kernels.battery.tracking.cells import (
    NO_CELLS,
    Cells,
    broken_channels,
    note_cells,
    shown_of,
    unseen,
    unseen_offset,
)
from streams.kernels.battery.tracking.conclusion import capacity_if_ended, concluded, recharged
from streams.kernels.battery.tracking.contradiction import contradicts_cells, watch_current
from streams.kernels.battery.tracking.flow import (
    DISCHARGE,
    FLOAT,
    GAP,
    REST,
    Flow,
    bridge,
    doing_now,
    is_steady,
)
from streams.kernels.battery.tracking.hours import add_cells, add_temperatures, add_time, learn_offset
from streams.kernels.battery.tracking.identity import judge_on_float, judge_under_load, note_cycles, note_under_load
from streams.kernels.battery.tracking.loading import LoadedSample, note_edge, note_load, note_off, note_opened
from streams.kernels.battery.tracking.set_state import HourSums, OpenEpisode, SetState
from streams.kernels.battery.tracking.soc import count_charge, note_bms, note_start, settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row
    from schemas.metrics.battery_health import EpisodeKind
    from schemas.readings import BatteryReading
    from schemas.registry import Device
    from streams.kernels.battery.limits import Limits
    from streams.kernels.battery.tracking.recharge import Recharge

POWER_SPAN_MS = 300_000.0


class Tracker:
    """Follows one set over a run of readings; changes the state it is given, which nobody else may hold."""

    def __init__(self, limits: Limits, device: Device, refresh_ms: int, state: SetState | None) -> None:
        self.limits = limits
        self.device = device
        self.state = state
        self.rows: list[Row] = []
        self._refresh_ms = refresh_ms
        """The open episode, and a discharge that waits for its recharge, are given out again at multiples of this, so
        that none is lost when readings come late."""

    def take(self, reading: BatteryReading) -> None:
        """Take the next reading; one without voltage or current is a gap in the making."""
        limits, count = self.limits, self.limits.cell_count
        raw, volts = reading.current_a, reading.pack_voltage_v
        cells, present = self._channels(reading)
        if volts is None and len(present) == count:
            volts = sum(present)
        state, ts = self.state, reading.ts
        parts = volts is not None and len(present) == count and contradicts_cells(volts, present, raw, limits)
        if volts is None or raw is None or (raw == 0.0 and is_blank(reading)) or (parts and state is not None):
            if state is not None:
                self._note_dark(state, ts, parts=parts)
            return
        cell_v, seen = self._lowest(cells or (), present, volts)
        before_ts = ts if state is None else state.ts
        if state is None:
            state = self._begin(ts, raw, volts, cell_v, unseen_v=seen.doubt_v)
        else:
            self._advance(state, ts, raw, volts, cell_v, unseen_v=seen.doubt_v)
        if state.doing is DISCHARGE:
            self._note_loaded_cells(state, seen, present, ts)
        if seen.unseen_v is not None and state.doing is FLOAT:
            state.unseen_offset_v = unseen_offset(state.unseen_offset_v, volts, present)
        if cells:
            add_cells(state, cells, present)
        if reading.temperature_c:
            add_temperatures(state, reading.temperature_c, max(1, min(ts - before_ts, limits.bridged_gap_ms)))
        note_bms(state, reading)
        self._give(note_cycles(self.device, state, reading.cycles, limits))

    def _channels(self, reading: BatteryReading) -> tuple[Sequence[float | None] | None, Sequence[float]]:
        """Cells of a reading, those that its pack's voltage contradicts taken out, and those that have a voltage."""
        count, pack_v = self.limits.cell_count, reading.pack_voltage_v
        cells: Sequence[float | None] | None = reading.cell_voltage_v
        if not cells:
            return cells, ()
        if len(cells) != count:
            cells = [*cells, *[None] * count][:count]  # a stored list ends with its last cell that has a voltage
        present = shown_of(cells)
        odd = () if pack_v is None or not present else broken_channels(pack_v, present, count - len(present))
        if not odd:
            return cells, present
        shown = [at for at, each in enumerate(cells) if each is not None]
        broken = {shown[at] for at in odd}
        cells = [None if at in broken else each for at, each in enumerate(cells)]
        return cells, shown_of(cells)

    def _note_loaded_cells(self, state: SetState, seen: Cells, present: Sequence[float], ts: int) -> None:
        """Which cell is the weakest near the end, and whether they are the cells that stood there before."""
        episode, limits = state.episode, self.limits
        if seen is not NO_CELLS:
            note_cells(episode, seen, ts)
        if episode.cell_samples < 0 or len(present) != limits.cell_count or state.amps >= 0:
            return
        if note_under_load(episode, present, -state.amps, limits):
            self._give(judge_under_load(self.device, state, limits, ts))

    def _lowest(self, cells: Sequence[float | None], present: Sequence[float], volts: float) -> tuple[float, Cells]:
        """Voltage of the lowest cell, and the cells themselves where one is missing or they near their end."""
        count = self.limits.cell_count
        if len(present) == count:
            cell_v = min(present)
            return cell_v, Cells(cells, present) if cell_v <= self.limits.near_end_v else NO_CELLS
        if len(present) == count - 1 > 0:
            offset_v = None if self.state is None else self.state.unseen_offset_v
            seen = Cells(cells, present, *unseen(offset_v, volts, present))
            return seen.lowest_v, seen
        return (min(present) if present else volts / count), NO_CELLS

    def _begin(self, ts: int, raw: float, volts: float, cell_v: float, *, unseen_v: float) -> SetState:
        doing = doing_now(
            Flow(ts, 0, is_gap=False, doing=REST, amps_before=raw, amps=raw, volts=volts, cell_v=cell_v),
            self.limits,
            pausing=False,
        )
        episode = OpenEpisode(doing, ts, volts, None, 0.0)
        hour = HourSums(ts - ts % HOUR_MS)
        state = self.state = SetState(ts, raw, raw, volts, cell_v, doing, ts, episode, hour)
        state.still_high_v = state.still_low_v = state.earlier_v = volts / self.limits.cell_count
        if doing is DISCHARGE:
            note_load(episode, LoadedSample(ts, -raw, volts, cell_v, unseen_v), self.limits, None)
        episode.pack_end_v = volts
        settle(state, self.limits)
        self.rows.append(set_rows.episode(self, episode, None, ts))
        self.rows.append(set_rows.now(self, ts))
        return state

    def _advance(self, state: SetState, ts: int, raw: float, volts: float, cell_v: float, *, unseen_v: float) -> None:
        limits, waiting = self.limits, state.recharge
        elapsed = ts - state.ts
        is_gap = elapsed > limits.gap_ms
        if state.dark_since is not None:
            self._note_light(state, ts)
        if is_gap:
            state.idle_v = 0.0
        else:
            self._step(state, ts, raw, volts)
        sign, offset = sign_of(state.votes), state.offset_a or 0.0
        before, amps = sign * state.raw_a - offset, sign * raw - offset
        flow = Flow(ts, elapsed, is_gap, state.doing, before, amps, volts, cell_v, unseen_v)
        pausing = state.episode.kind is DISCHARGE and elapsed <= limits.bridged_gap_ms
        doing = doing_now(flow, limits, pausing=pausing)
        if doing is not state.doing:
            flow = flow._replace(doing=doing)
        if is_gap and is_steady(state, flow, limits):
            flow = flow._replace(is_steady=True)
        charged_ah = (before + amps) / 2 * elapsed / HOUR_MS
        watch_current(state, flow, raw, charged_ah, limits)
        self._pass_hours(state, flow)
        if elapsed > limits.bridged_gap_ms or (is_gap and doing is not state.doing and not flow.is_steady):
            self._offline(state, flow)
        else:
            self._flow(state, flow)
        if ts // self._refresh_ms != state.ts // self._refresh_ms:
            self._give_open(state, waiting, ts)
        passed_minute = ts // MINUTE_MS != max(state.ts, state.dark_ts) // MINUTE_MS
        if doing is not state.doing:
            state.doing, state.doing_since = doing, ts
            state.power_w = -amps * volts  # what it gave on float says nothing of what it gives now
        state.power_w -= (amps * volts + state.power_w) * (1.0 - math.exp(-elapsed / POWER_SPAN_MS))
        state.ts, state.raw_a, state.amps, state.volts, state.cell_v = ts, raw, amps, volts, cell_v
        state.episode.pack_end_v = volts
        settle(state, self.limits)
        if state.recharge is not None and doing is FLOAT and ts - state.doing_since >= limits.full_after_ms:
            self._give(recharged(state, state.recharge, limits))
        if passed_minute:
            self.rows.append(set_rows.now(self, ts))

    def _give_open(self, state: SetState, waiting: Recharge | None, ts: int) -> None:
        """Give out what is open at the first reading after a moment at which states are saved."""
        self.rows.append(set_rows.episode(self, state.episode, None, ts))
        if waiting is not None:
            self.rows.append(waiting.row._replace(seen_ts=ts))

    def _note_dark(self, state: SetState, ts: int, *, parts: bool) -> None:
        """A record without voltage or current, or one that contradicts itself (`parts`).

        Once a gap is over, the set is as good as silent, and that is told.
        """
        if ts - state.ts <= self.limits.gap_ms:
            return
        heard_ts, state.dark_ts, state.dark_parts = max(state.ts, state.dark_ts), ts, parts
        if state.dark_since is None:
            state.dark_since = state.ts
            self.rows.append(set_rows.offline(self, state.ts, None, ts, (state.episode.pack_end_v, None)))
        if ts // MINUTE_MS != heard_ts // MINUTE_MS:
            self.rows.append(set_rows.unknown_now(self, ts))

    def _note_light(self, state: SetState, ts: int) -> None:
        """Something usable came again: that stretch is over, whether or not the episode outlived it."""
        assert state.dark_since is not None  # noqa: S101 - asked by the caller
        self.rows.append(set_rows.offline(self, state.dark_since, ts, ts, (state.episode.pack_end_v, None)))
        state.dark_since = None

    def _flow(self, state: SetState, flow: Flow) -> None:
        """Count what flowed since the last reading, and follow what the set does now."""
        episode = state.episode
        charged, drawn = split_trapezoid(flow.amps_before, flow.amps, flow.elapsed / HOUR_MS)
        soc_before, sigma_before = state.soc, state.soc_sigma
        if flow.is_gap and not flow.is_steady:
            state.held = state.is_apart_load = state.is_apart_float = True
            state.soc_sigma += (charged + drawn) / self.limits.nominal_ah
        elif state.soc is not None:
            count_charge(state, self.limits, charged - drawn, charged + drawn, flow.elapsed)
            if flow.is_steady:
                state.soc_sigma += flow.steady_doubt(self.limits) * drawn / self.limits.nominal_ah
        if episode.kind is DISCHARGE:
            self._go_on(state, flow, drawn)
        elif flow.doing is DISCHARGE:
            self._add(episode, charged, flow, state.volts)
            self._close(state, flow.ts, flow.ts)
            episode = self._open(state, DISCHARGE, flow.ts, state.volts)
            episode.soc, episode.soc_sigma = soc_before, sigma_before
            note_start(episode, state, self.limits)
            if flow.is_gap:
                bridge(episode, drawn, flow, self.limits)
            else:
                episode.charge_ah, episode.energy_kwh = drawn, drawn * flow.volts / 1000
            note_edge(episode, -flow.amps, flow.elapsed)
            episode.load_on_ohm, state.load_on_ohm = state.load_on_ohm, None
            note_load(episode, flow.loaded, self.limits, None)
            self.rows.append(set_rows.episode(self, episode, None, flow.ts))
        else:
            self._add(episode, charged - drawn, flow, state.volts)
            self._turn(state, flow)
        if state.recharge is not None:
            known = not flow.is_gap or flow.is_steady
            below = flow.volts < self.limits.float_cell_v * self.limits.cell_count
            state.recharge = state.recharge.with_charge(charged - drawn, below_float=below) if known else None

    def _go_on(self, state: SetState, flow: Flow, drawn: float) -> None:
        """Follow a discharge: under load, in a pause that may become a rest, or over."""
        limits, episode, ts = self.limits, state.episode, flow.ts
        loaded, was_loaded = flow.doing is DISCHARGE, state.doing is DISCHARGE
        drawn_before = episode.charge_ah + episode.bridged_ah
        if was_loaded and not loaded:
            self._load_off(state, flow, drawn_before)
        if was_loaded or loaded:
            self._add(episode, drawn, flow, state.volts)
        if loaded:
            if not was_loaded:
                note_edge(episode, flow.amps, flow.elapsed)
                episode.covered_ms += state.ts - state.doing_since  # the pause belongs to it after all
            note_load(episode, flow.loaded, limits, drawn_before if was_loaded else None)
        elif flow.doing is not REST:
            self._end_discharge(state, ts if was_loaded else state.doing_since, ts)
            if not was_loaded:
                self._open(state, REST, state.doing_since, state.volts)
            self._turn(state, flow)
        elif was_loaded:
            self._give_early(state, ts)
        elif ts - state.doing_since >= limits.rest_after_ms:
            episode.rest_cell_v = flow.cell_v
            self._end_discharge(state, state.doing_since, ts)
            self._open(state, REST, state.doing_since, state.volts)
            self.rows.append(set_rows.episode(self, state.episode, None, ts))

    def _load_off(self, state: SetState, flow: Flow, drawn_ah: float) -> None:
        """The load went off since the last reading, up to which `drawn_ah` was drawn."""
        state.episode.soc_end = state.soc
        if flow.doing is REST:
            note_opened(state.episode, flow.ts, self.limits, drawn_ah)
        note_off(state.episode, flow.amps_before, flow.elapsed, drawn_ah)

    def _give_early(self, state: SetState, ts: int) -> None:
        """A discharge that reached its cut-off says so at once; ten minutes of rest may still say it better."""
        if state.episode.cutoff_ts is not None:
            self._give(capacity_if_ended(self.device, state, self.limits, ts, ts))

    def _add(self, episode: OpenEpisode, ah: float, flow: Flow, volts_before: float) -> None:
        """Add charge to an episode; what would have flowed over a gap is kept apart."""
        if flow.is_gap:
            bridge(episode, ah, flow, self.limits)
            episode.steady_ms += flow.elapsed if flow.is_steady else 0
            return
        episode.charge_ah += ah
        episode.energy_kwh += ah * (flow.volts + volts_before) / 2000
        episode.covered_ms += flow.elapsed

    def _turn(self, state: SetState, flow: Flow) -> None:
        """End what was and begin what is, at this reading; a discharge has been ended already."""
        if state.episode.kind is flow.doing:
            return
        if state.episode.kind is not DISCHARGE:
            self._close(state, flow.ts, flow.ts)
        self._open(state, flow.doing, flow.ts, flow.volts)
        self.rows.append(set_rows.episode(self, state.episode, None, flow.ts))

    def _open(self, state: SetState, kind: EpisodeKind, ts: int, volts: float) -> OpenEpisode:
        episode = state.episode = OpenEpisode(kind, ts, volts, state.soc, state.soc_sigma)
        episode.pack_end_v = volts
        return episode

    def _close(self, state: SetState, end_ts: int, seen_ts: int) -> None:
        """Give out an episode that is over."""
        self.rows.append(set_rows.episode(self, state.episode, end_ts, seen_ts))

    def _end_discharge(self, state: SetState, end_ts: int, seen_ts: int) -> None:
        """Give out a discharge that is over, and what it says about the capacity."""
        if state.episode.cell_samples > 0:
            self._give(judge_under_load(self.device, state, self.limits, seen_ts))
        self._close(state, end_ts, seen_ts)
        self._give(concluded(self.device, state, self.limits, end_ts, seen_ts))

    def _give(self, row: Row | None) -> None:
        """Give out a row, if there is something to say."""
        if row is not None:
            self.rows.append(row)

    def _offline(self, state: SetState, flow: Flow) -> None:
        """Nothing is known of the time since the last reading: end what was there, hold the SoC, and begin anew."""
        last, episode = state.ts, state.episode
        ts, doing, volts = flow.ts, flow.doing, flow.volts
        if episode.kind is DISCHARGE:
            paused = state.doing is not DISCHARGE
            episode.flags |= GAP
            episode.soc_end = state.soc
            self._end_discharge(state, state.doing_since if paused else last, ts)
        else:
            self._close(state, last, ts)
        state.recharge = None
        state.is_apart_load = state.is_apart_float = True
        self.rows.append(set_rows.offline(self, last, ts, ts, (episode.pack_end_v, volts)))
        if state.soc is not None:
            state.held = True
            state.soc_sigma = min(
                1.0, state.soc_sigma + self.limits.reference.soc.hold_sigma_per_h * flow.elapsed / HOUR_MS
            )
        state.doing, state.doing_since = doing, ts
        opened = self._open(state, doing, ts, volts)
        state.hour.flags |= GAP
        if doing is DISCHARGE:
            opened.flags |= GAP
            opened.soc = None  # when it was switched on is not known, nor what was drawn since
        self.rows.append(set_rows.episode(self, opened, None, ts))

    def _step(self, state: SetState, ts: int, raw: float, volts: float) -> None:
        """A load step: the sign of the current from the voltage's answer, and the internal resistance."""
        limits = self.limits
        step_a, answer = raw - state.raw_a, volts - state.volts
        if -limits.step_a < step_a < limits.step_a and not state.doubted_v and not state.idle_v:
            return  # nearly always
        was_idle, now_idle = (abs(amps) < 2 * limits.idle_a for amps in (state.raw_a, raw))
        before, coarse_v = (state.raw_a, state.volts), state.standing.coarse_v * limits.cell_count
        known = learned(state.direction, limits, before, (raw, volts), elapsed=ts - state.ts, coarse_v=coarse_v)
        state.votes, state.doubted_v, state.idle_v, state.awaited = known
        if abs(step_a) < limits.step_a:
            return
        signed = known.sign * step_a
        if signed * answer > 0:
            step = "load_off" if now_idle else "load_on" if was_idle and signed < 0 else "load_change"
            seen = set_rows.LoadStep(ts, answer / signed, abs(step_a), ts - state.ts, step)
            row = set_rows.resistance(self, seen)
            self.rows.append(row)
            if step == "load_on" and row.resistance_25c_mohm is not None:
                state.load_on_ohm = row.resistance_25c_mohm / 1000

    def _pass_hours(self, state: SetState, flow: Flow) -> None:
        """Add the time since the last reading to its hours; give out the hour that is over."""
        end, full_after_ms = state.hour.start_ts + HOUR_MS, self.limits.full_after_ms
        if flow.ts < end:
            if not flow.is_gap:
                add_time(state, flow.elapsed, full_after_ms)
            return
        if not flow.is_gap:
            add_time(state, end - state.ts, full_after_ms)
        learn_offset(state, self.limits)
        self._give(judge_on_float(self.device, state, state.hour, self.limits))
        self.rows.append(set_rows.hour(self, state.hour))
        state.hour = HourSums(flow.ts - flow.ts % HOUR_MS)
        if not flow.is_gap:
            add_time(state, flow.ts - state.hour.start_ts, full_after_ms)

"""Instantaneous values beside registers: evidence of what passes, and a stand-in where a meter has no register.

Where a meter sends a flow and never a register (a clamp-on flow meter, a SCADA point), the flow is integrated by the
trapezoid between readings. Over a gap nothing is known, not even in sum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.time import HOUR_MS
from streams.kernels.metering.minutes import Backing, Filling, Minutes, begin

if TYPE_CHECKING:
    from schemas.kinds import Rate
    from schemas.readings import Reading
    from schemas.registry import Device

RESTING = frozenset({"down", "stopped", "standby", "idle", "maintenance", "停机", "停产", "检修", "待机"})
"""States by which a production system says that its line makes nothing."""


def rests(reading: Reading) -> bool:
    """Whether a reading says itself that its register stands by right."""
    return (getattr(reading, "state", None) or "").casefold() in RESTING  # production's only


def rate_per_ms(device: Device, reading: Reading, source: Rate) -> float | None:
    """How fast a register should count by the meter's instantaneous value, in its unit per ms; never negative."""
    field, sign = source
    value: float | None = getattr(reading, field)
    if value is None:
        return None
    if not device.is_as_it_shows:
        value *= device.terms_at(field, reading.ts).factor
    return max(0.0, sign * value) / HOUR_MS


class FlowState(NamedTuple):
    """A flow that stands in for a register: its newest value, in the register's unit per ms, and the open minute."""

    ts: int
    rate: float
    filling: Filling


def integrate(state: FlowState | None, ts: int, rate: float, minutes: Minutes) -> FlowState:
    """Take the next value of a flow."""
    if state is None:
        return FlowState(ts, rate, begin(ts))
    span = ts - state.ts
    backing = Backing.READINGS if span <= minutes.gap_ms else Backing.NOTHING
    passed = (state.rate + rate) / 2 * span
    return FlowState(ts, rate, minutes.spread(state.filling, state.ts, ts, passed, backing))

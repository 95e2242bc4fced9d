"""What is odd about a set: flags as bits of a state, as names, and as a column holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.metrics.battery_health import BatteryFlag
from streams.kernels.battery.direction import sign_of

if TYPE_CHECKING:
    from streams.kernels.battery.limits import Limits
    from streams.kernels.battery.tracking.set_state import SetState

BITS = tuple(BatteryFlag)
SENTINELS_SOH_PCT = (0.0, 99.0)
"""What a BMS says that measures no SoH (docs/battery-health.md, "Numbers and their sources")."""


def bit(flag: BatteryFlag) -> int:
    """Return the bit that stands for a flag in a state."""
    return 1 << BITS.index(flag)


def named(bits: int) -> frozenset[BatteryFlag]:
    """Flags of some bits."""
    return frozenset(flag for at, flag in enumerate(BITS) if bits >> at & 1) if bits else frozenset()


def text_of(flags: frozenset[BatteryFlag]) -> str:
    """Flags as a column holds them."""
    return ",".join(sorted(flags)) if flags else ""


def flags_of(state: SetState, limits: Limits) -> frozenset[BatteryFlag]:
    """What is odd about a set now."""
    rules = limits.reference.soc
    found: list[BatteryFlag] = []
    if sign_of(state.votes) < 0:
        found.append(BatteryFlag.REVERSED_CURRENT)
    if state.offset_a is not None and abs(state.offset_a) >= limits.offset_alarm_a:
        found.append(BatteryFlag.OFFSET_CURRENT)
    if state.dark_since is not None:
        found.append(dark_flag(state))
    if state.is_stuck:
        found.append(BatteryFlag.STUCK_CURRENT)
    if state.held:
        found.append(BatteryFlag.HELD)
    if state.soc is not None and state.bms_soc is not None:
        if state.bms_soc_ref is not None and abs(state.soc - state.bms_soc_ref) >= rules.frozen_after:
            found.append(BatteryFlag.FROZEN_BMS_SOC)
        if abs(state.bms_soc / 100 - state.soc) >= rules.odd_difference + state.soc_sigma:
            found.append(BatteryFlag.ODD_BMS_SOC)
    if bms_soh_is_sentinel(state, limits):
        found.append(BatteryFlag.SENTINEL_BMS_SOH)
    return frozenset(found)


def dark_flag(state: SetState) -> BatteryFlag:
    """Why nothing is made of a set's newest records."""
    return BatteryFlag.CONTRADICTED if state.dark_parts else BatteryFlag.BLANK


def bms_soh_is_sentinel(state: SetState, limits: Limits) -> bool:
    """Whether the BMS's SoH is 0 or 99 and has never moved, for long enough to say so."""
    return (
        state.bms_soh in SENTINELS_SOH_PCT
        and not state.bms_soh_moved
        and state.ts - state.bms_soh_since >= limits.reference.times.frozen_ms
    )

"""Rows derived from single meters."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from schemas.metrics.common import Moment, Quality, Real


class MeterMinute(NamedTuple):
    """What one register counted within one minute."""

    device_id: str
    quantity: str
    """The register's field name; its unit is in it."""
    ts: Moment
    """Start of the minute, ms."""
    site_id: str
    increment: float | None
    """In the register's unit; None where not even the register tells."""
    coverage: Real
    quality: Quality


class MeterLatest(NamedTuple):
    """Newest reading of a meter, for live pages."""

    device_id: str
    ts: Moment
    site_id: str
    kind: str
    received_ts: Moment
    total: float | None
    """The kind's main register as it shows it, in its own unit."""
    rate: float | None
    """Instantaneous kW, MW, m³/h or t/h, as the device says it times its registered factor."""
    total_unit: str | None
    """Of the register that was sent: a steam meter's may be m³ or t."""
    rate_unit: str | None


class MeterQuarter(NamedTuple):
    """What one register counted within a quarter of an hour that begins at `ts`: the sum of its minutes."""

    device_id: str
    quantity: str
    ts: Moment
    site_id: str
    increment: float | None
    """In the register's unit; None where nothing is known of any minute."""
    minute_min: float | None
    minute_max: float | None
    """Least and most of a whole minute."""
    known: float
    """Share of the quarter whose increment is in the row, interpolated or not."""
    is_whole: bool
    """Its last minute is there. Hours, days and balances are made of whole quarters only."""
    coverage: Real
    quality: Quality


class MeterLoad(NamedTuple):
    """An hour of a register, quarter by quarter, beside what its plant made in it: what detectors judge."""

    device_id: str
    quantity: str
    ts: Moment
    """Start of the hour, ms."""
    site_id: str
    rate_1: float | None
    """Mean rate of the first quarter, in the register's unit per hour; None where too little of it was measured."""
    rate_2: float | None
    rate_3: float | None
    rate_4: float | None
    is_measured: bool
    """Whether the registry has a meter of the product that this register works for."""
    production: float | None
    """Product units that its line made in the hour; None where that is not known."""
    is_idle: bool
    """It made no more than its line makes when it stands still."""


class MeterEventKind(StrEnum):
    """Everything that can befall a register; each has its own rule and its own effect (docs/metering.md)."""

    GAP = "gap"
    """Readings are missing; what passed is known in sum, not in time."""
    OFFLINE = "offline"
    """Silent for so long that its minutes stay unknown; the sum stands in one row."""
    SPIKE = "spike"
    """Readings far above the line before and after them."""
    NOISE_DIP = "noise_dip"
    """Readings below the line before and after them."""
    RESET = "reset"
    """Falls to about zero and counts on from there."""
    ROLLOVER = "rollover"
    """Passes its highest value and counts on from zero."""
    REPLACEMENT = "replacement"
    """Another value, up or down, and counts on from there: another meter."""
    SCALE = "scale"
    """Shows a power of ten times what it should, for several readings."""
    FREEZE = "freeze"
    """Stands still while something passes."""
    CATCH_UP = "catch_up"
    """Shows at once what passed while it stood."""
    EXCURSION = "excursion"
    """Showed 0, an old value or another device's for a while, and came back to where it would have been."""
    SURGE = "surge"
    """Counts more between two readings than ever before, and does not go on so: kept where it was counted."""
    OVER_RATED = "over_rated"
    """Counts faster than its rating allows, and goes on so: the rating or the register is wrong."""
    CONTRADICTION = "contradiction"
    """Register and instantaneous value say different things; one of them is wrong."""


class MeterEvent(NamedTuple):
    """Something befell a register, with what a person needs to check the verdict."""

    device_id: str
    quantity: str
    ts: Moment
    """Beginning: the last reading before it, or for spikes and dips the first odd reading, ms."""
    kind: MeterEventKind
    site_id: str
    seen_ts: Moment
    """The reading that settled it, ms."""
    until_ts: Moment | None
    """End, ms; None while it lasts."""
    readings: int
    """How many readings are concerned."""
    value_before: float
    """Register before, in its unit."""
    value_seen: float | None
    """The odd reading, or the first one after a break."""
    value_after: float | None
    """Register after it is over."""
    plausible: float | None
    """The most that could have passed, in the register's unit, by the rating or the register's own history."""
    increment: float | None
    """What is attributed to the time from `ts` to `until_ts`; None where nothing is."""
    rule: str
    """Why it was taken for what it is."""

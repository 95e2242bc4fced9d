"""Rows of a base station's power: its outages, the doubts about its sets, its load by the hour.

Null means that it cannot be known.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from schemas.metrics.common import Moment, Quality, Real


class SiteOutage(NamedTuple):
    """A failure of a site's mains that begins at `ts`, as its power system says; no end yet while it lasts."""

    device_id: str
    """The power system."""
    ts: Moment
    seen_ts: Moment
    site_id: str
    ended_ts: Moment | None
    duration_h: Real
    largest_gap_s: Real
    """Longest time without a reading within."""
    energy_kwh: float | None
    """Drawn by the site while it was measured."""
    bus_before_v: Real | None
    """DC bus when mains was last on."""
    bus_low_v: Real | None
    """Lowest since."""
    contradicted: bool
    """Told by phases alone, and the bus did not come down within ten minutes: it was their meter that failed. Or told
    by the bus alone, which came down by a volt and more, while mains is said to be on: until it is back, or level."""


class DoubtKind(StrEnum):
    """Which of a site's devices the others contradict."""

    MAINS = "mains"
    """Mains is said to have failed, and neither bus nor sets know of it, or sets are charged meanwhile."""
    SUPPLY = "supply"
    """Mains is said to be on, and the bus has come down on its sets: the rectifier is off, or what is said is old."""
    BUS = "bus"
    """The bus stands still while a set carries the load."""
    SET = "set"
    """A set says float and full while its bus has come down: what it shows is old."""
    BLANK = "blank"
    """A set's records hold nothing but zeros: it is heard, and nothing is known of it."""


class SiteDoubt(NamedTuple):
    """A stretch over which a device of a base station is not believed; begins at `ts`, no end yet while it lasts."""

    device_id: str
    """Not believed: a set, or the power system."""
    ts: Moment
    site_id: str
    kind: DoubtKind
    ended_ts: Moment | None
    told_ts: Moment
    """From when on there was enough to say so."""
    since_ts: Moment | None
    """Since when the set has shown what it shows."""
    pack_v: Real | None
    """What the set shows."""
    bus_before_v: Real | None
    """DC bus when mains was last on, and its lowest since."""
    bus_low_v: Real | None


class SiteLoadHour(NamedTuple):
    """The load of a site over the hour that begins at `ts`."""

    device_id: str
    """The power system."""
    ts: Moment
    site_id: str
    load_w: float | None
    """Mean DC power over the time that the bus was alive."""
    load_max_w: Real | None
    failed_min: Real
    """Minutes of the hour without mains."""
    coverage: Real
    quality: Quality


class BatteryShareHour(NamedTuple):
    """What a set gave in a whole hour without mains, and what its site's power system counted of the same load."""

    device_id: str
    """The set."""
    ts: Moment
    site_id: str
    own_kwh: float
    others_kwh: float
    """By the site's other sets."""
    site_kwh: float
    """As the power system measured the load."""

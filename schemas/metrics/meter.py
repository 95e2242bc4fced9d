"""Rows derived from single meters."""

from __future__ import annotations

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
    received_ms: Moment
    total: float | None
    """The kind's main register, in its own unit."""
    rate: float | None
    """Instantaneous kW, MW, m³/h or t/h, as the device says."""


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

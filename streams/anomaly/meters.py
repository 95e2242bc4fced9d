"""Every meter's registers through their detectors: minutes become quarters of an hour, quarters become signals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from schemas.detection import with_overrides
from schemas.metrics import HOUR_MS, MINUTE_MS, QUARTER_MS, MeterMinute, Quality
from schemas.readings import Kind
from schemas.registry import Role
from streams.anomaly.judgement import Signaller, Subject
from streams.anomaly.series import KINDS, SeriesDetectors, SeriesState, series_from_json, series_to_json
from streams.kernel import QUARTER_DAY_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.detection import Detection, Overrides
    from schemas.metrics import Row
    from schemas.registry import Device

KNOWN_SHARE = 0.8
"""Of a quarter of an hour that must be backed by readings; otherwise it is unknown to detectors. (unsourced)"""
EVIDENCE = frozenset({Quality.GOOD, Quality.PARTIAL})
"""A minute interpolated over a gap is right in sum and says nothing of its time."""

OPERATED_ROLES = frozenset({Role.EXPORTED, Role.STORED, Role.DRAWN, Role.REUSED})
OPERATED = {name: {"enabled": False} for name in ("seasonal", "drift", "step", "night_flow", "flatline")}
"""Water into and out of tanks, off the site and in circulation flows when somebody or a level switch says so: its
habits are no evidence. A device's own parameters in the registry turn a detector on again."""
PRODUCED = {name: {"enabled": False} for name in ("seasonal", "drift", "step")}
"""How much a plant makes, and when, is its own choice; what it uses beyond that is for `efficiency` to judge."""


class OpenQuarter(NamedTuple):
    """A quarter of an hour that is being filled, and the newest minute, which may still grow."""

    start_ms: int
    counted: float
    known: float
    """Minutes of it that are backed by readings."""
    minute_ms: int
    minute_counted: float
    minute_known: float


class RegisterState(NamedTuple):
    """One register: its open quarter and what its detectors remember."""

    quarter: OpenQuarter
    series: SeriesState | None


MeterState = dict[str, RegisterState]


class MeterDetectors(Signaller):
    """Fold of meter minutes: signals of every register that the reference data has rules for."""

    name = "meter_detectors"
    version = 1
    source = MeterMinute
    kinds = frozenset(KINDS)
    snapshot_ms = QUARTER_DAY_MS

    def __init__(self, detection: Detection) -> None:
        self._detection = detection
        self._known: dict[str, tuple[Device, dict[str, SeriesDetectors]]] = {}

    def fold(
        self, state: MeterState | None, device: Device, minutes: Sequence[MeterMinute]
    ) -> tuple[MeterState, list[Row]]:
        """Take minutes; a quarter is judged when a minute behind it has come."""
        after = dict(state or {})
        rows: list[Row] = []
        detectors = self._detectors(device)
        for minute in minutes:
            own = detectors.get(minute.quantity)
            if own is not None:
                after[minute.quantity] = _advance(after.get(minute.quantity), own, device, minute, rows)
        return after, rows

    def _detectors(self, device: Device) -> dict[str, SeriesDetectors]:
        known = self._known.get(device.device_id)
        if known is None or known[0] is not device:
            rules = {
                quantity: with_overrides(series, {**_chosen(device), **device.detection})
                for quantity, series in self._detection.series.items()
            }
            made = {
                quantity: SeriesDetectors(
                    series, period_s=device.period_s, rated=device.rated, version=self._detection.version
                )
                for quantity, series in rules.items()
            }
            known = self._known[device.device_id] = (device, made)
        return known[1]

    def dump(self, state: MeterState) -> str:
        """Write a state as JSON."""
        return orjson.dumps(
            {
                quantity: [list(register.quarter), register.series and series_to_json(register.series)]
                for quantity, register in state.items()
            }
        ).decode()

    def load(self, text: str) -> MeterState:
        """Read a state back."""
        fields: dict[str, Any] = orjson.loads(text)
        return {
            quantity: RegisterState(OpenQuarter(*quarter), None if series is None else series_from_json(series))
            for quantity, (quarter, series) in fields.items()
        }


def _chosen(device: Device) -> Overrides:
    """Parameters of a device whose course somebody chooses."""
    if device.kind is Kind.PRODUCTION:
        return PRODUCED
    return OPERATED if device.kind is Kind.WATER and device.role in OPERATED_ROLES else {}


def _advance(
    before: RegisterState | None, detectors: SeriesDetectors, device: Device, minute: MeterMinute, rows: list[Row]
) -> RegisterState:
    """Take a minute: it replaces the newest one if that is the same, and otherwise makes it final."""
    is_evidence = minute.quality in EVIDENCE and minute.increment is not None
    counted, known = (minute.increment or 0.0, minute.coverage) if is_evidence else (0.0, 0.0)
    start = minute.ts - minute.ts % QUARTER_MS
    if before is None:
        return RegisterState(OpenQuarter(start, 0.0, 0.0, minute.ts, counted, known), None)
    quarter, series = before
    if minute.ts == quarter.minute_ms:
        return RegisterState(quarter._replace(minute_counted=counted, minute_known=known), series)
    counted_so_far = quarter.counted + quarter.minute_counted
    known_so_far = quarter.known + quarter.minute_known
    if start == quarter.start_ms:
        return RegisterState(OpenQuarter(start, counted_so_far, known_so_far, minute.ts, counted, known), series)
    rate = None
    if known_so_far * MINUTE_MS >= KNOWN_SHARE * QUARTER_MS:
        rate = counted_so_far / known_so_far * (HOUR_MS / MINUTE_MS)
    subject = Subject(device.device_id, device.site_id, minute.quantity, detectors.rules.unit, detectors.version)
    series, given = detectors.advance(series, subject, quarter.start_ms + QUARTER_MS, rate, minute.ts)
    rows += given
    return RegisterState(OpenQuarter(start, 0.0, 0.0, minute.ts, counted, known), series)

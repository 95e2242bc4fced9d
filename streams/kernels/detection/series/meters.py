"""Every meter's registers through their detectors, as they would count at their plant's usual production."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.detection import with_overrides
from schemas.kinds import rate_unit_name
from schemas.metrics import MeterLoad
from schemas.metrics.signal import DetectorStatus
from schemas.readings import Kind
from schemas.registry import Role
from schemas.time import QUARTER_DAY_MS, QUARTER_MS
from streams.kernels.codec import Codec, Saved
from streams.kernels.detection.judgement import Signaller, Subject
from streams.kernels.detection.series.production import (
    AS_COUNTED,
    LINE,
    Conditions,
    LoadLine,
    Production,
)
from streams.kernels.detection.series.series import (
    KINDS,
    SHAPES,
    SeriesDetectors,
    SeriesState,
    is_in_alarm,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.detection import Detection, Overrides
    from schemas.metrics import Row
    from schemas.registry import Device

OPERATED_ROLES = frozenset({Role.EXPORTED, Role.STORED, Role.DRAWN, Role.REUSED})
OPERATED = {name: {"enabled": False} for name in ("seasonal", "drift", "step", "night_flow", "flatline")}
"""Water into and out of tanks, off the site and in circulation flows when somebody or a level switch says so: its
habits are no evidence. A device's own parameters in the registry turn a detector on again."""
NOT_MEASURED = Conditions(evidence=(("production", "not measured"),))
PRODUCED = {name: {"enabled": False} for name in ("seasonal", "drift", "step")}
"""How much a plant makes, and when, is its own choice; what it uses beyond that is for `efficiency` to judge."""


class WatchedRegister(NamedTuple):
    """One register: how it follows production, and what its detectors remember."""

    line: LoadLine = LoadLine()
    series: SeriesState | None = None


WatchedMeter = dict[str, WatchedRegister]


class Judges(NamedTuple):
    """What judges one register of one device."""

    detectors: SeriesDetectors
    production: Production | None


class MeterDetectors(Signaller, Saved[WatchedMeter]):
    """Fold of meter hours: signals of every register that the reference data has rules for."""

    name = "meter_detectors"
    version = 2
    source = MeterLoad
    kinds = frozenset(KINDS)
    snapshot_ms = QUARTER_DAY_MS
    codec = Codec(WatchedMeter, shapes={LoadLine: LINE, **SHAPES})

    def __init__(self, detection: Detection) -> None:
        self._detection = detection
        self._known: dict[str, tuple[Device, dict[str, Judges]]] = {}

    def fold(
        self, state: WatchedMeter | None, device: Device, hours: Sequence[MeterLoad]
    ) -> tuple[WatchedMeter, list[Row]]:
        """Take hours, each of which is final when it comes."""
        after = dict(state or {})
        rows: list[Row] = []
        watches = self._watches(device)
        for hour in hours:
            own = watches.get(hour.quantity)
            if own is not None:
                after[hour.quantity] = _advance(after.get(hour.quantity, WatchedRegister()), own, device, hour, rows)
        return after, rows

    def _watches(self, device: Device) -> dict[str, Judges]:
        known = self._known.get(device.device_id)
        if known is None or known[0] is not device:
            made = {}
            for quantity, shipped in self._detection.series.items():
                rules = with_overrides(shipped, {**_chosen(device), **device.detection})
                detectors = SeriesDetectors(
                    rules, period_s=device.period_s, rated=device.rated, version=self._detection.version
                )
                follows = rules.production is not None and rules.production.enabled
                made[quantity] = Judges(
                    detectors, Production(rules.production) if follows and rules.production else None
                )
            known = self._known[device.device_id] = (device, made)
        return known[1]

    def is_behind(self, state: WatchedMeter, row: Row) -> bool:
        """Whether a status was told of by the end of the newest quarter."""
        assert isinstance(row, DetectorStatus)  # noqa: S101 - only these are retold
        register = state.get(row.metric)
        return register is not None and register.series is not None and row.ts <= register.series.end_ts


def _chosen(device: Device) -> Overrides:
    """Parameters of a device whose course somebody chooses."""
    if device.kind is Kind.PRODUCTION:
        return PRODUCED
    return OPERATED if device.kind is Kind.WATER and device.role in OPERATED_ROLES else {}


def _advance(
    before: WatchedRegister, watch: Judges, device: Device, hour: MeterLoad, rows: list[Row]
) -> WatchedRegister:
    """Judge an hour as it would be at usual production, then learn how it follows production."""
    detectors, production = watch
    line, series = before
    conditions = AS_COUNTED
    if not hour.is_measured:
        conditions = NOT_MEASURED if device.kind is not Kind.PRODUCTION else AS_COUNTED
    elif production is not None:
        conditions = production.conditions(line, hour.production, is_idle=hour.is_idle)
    subject = Subject(device.device_id, device.site_id, hour.quantity, rate_unit_name(hour.quantity), detectors.version)
    rates = hour.rate_1, hour.rate_2, hour.rate_3, hour.rate_4
    for at, rate in enumerate(rates, 1):
        series, given = detectors.advance(series, subject, hour.ts + at * QUARTER_MS, rate, hour.ts, beside=conditions)
        rows += given
    known = [rate for rate in rates if rate is not None]
    is_learned = len(known) == len(rates) and not (series is not None and is_in_alarm(series))
    if production is not None and hour.production is not None and is_learned:
        line = production.learn(line, hour.production, sum(known) / len(known))
    return WatchedRegister(line, series)

"""What a detector says of a series: the row between detectors and alarms, and how far each detector has learned.

A detector judges every sample of its series and gives out a `Signal` when its verdict changes, while the verdict is
young, and once a day as long as it is active. It knows nothing of operators: delays, deadband over severities,
acknowledgement, shelving and suppression are the alarm engine's.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from schemas.metrics.common import Json, Moment


class SignalKind(StrEnum):
    """What was seen; with device and metric it names one condition, which is active or not."""

    SEASONAL = "seasonal"
    """Far from the usual of this hour of the week."""
    DRIFT = "drift"
    """A small deviation that has lasted (CUSUM)."""
    STEP = "step"
    """The daily level has moved against a week ago."""
    BASE_LOAD = "base_load"
    """What is used when nobody works has risen."""
    FLATLINE = "flatline"
    """The value no longer moves while the site is active."""
    FROZEN = "frozen"
    """A register that stands while its meter says that something passes: the meter is at fault."""
    METER_CHANGED = "meter_changed"
    """A meter was exchanged or set to zero: somebody knows its final reading."""
    STUCK_SENSOR = "stuck_sensor"
    """A battery set's sensor that shows one value while its like move: it guards nothing."""
    SENSOR_FAULT = "sensor_fault"
    """A battery set's sensor that shows what it cannot measure, or jumps as no battery can."""
    CONTRADICTION = "contradiction"
    """A device of a base station that the others contradict: its figures are not believed."""
    SET_CHANGED = "set_changed"
    """A battery set's capacity contradicts all that was known of it: other cells, a failed one, another sensor."""
    BLANK = "blank"
    """A battery set that is heard, but whose records hold nothing: as good as silent."""
    SPIKE = "spike"
    """A value no meter of this rating can have measured."""
    NIGHT_FLOW = "night_flow"
    """Minimum night flow has risen: a leak."""
    BALANCE = "balance"
    """What went in is not what came out."""
    LIMIT = "limit"
    """Beyond a limit of a standard or of the contract."""
    QUOTA = "quota"
    """Beyond a quota (定额)."""
    CAPACITY_FACTOR = "capacity_factor"
    HEAT_RATE = "heat_rate"
    EFFICIENCY = "efficiency"
    """More energy than production explains (EnPI CUSUM)."""
    PHASE_LOSS = "phase_loss"
    """One phase of an energy meter is missing (缺相)."""
    OVER_TEMPERATURE = "over_temperature"
    SELF_HEATING = "self_heating"
    """A battery that warms fast with next to no current."""
    CELL_SAG = "cell_sag"
    """One cell far below its pack in float, and falling."""
    FLOAT_CURRENT = "float_current"
    """Float current rises."""
    SMOKE = "smoke"
    WATER = "water"
    CELL_SPREAD = "cell_spread"
    WEAK_CELL = "weak_cell"
    RESISTANCE = "resistance"
    BACKUP = "backup"
    """Backup time below the contract's hours."""


class Severity(StrEnum):
    """How bad, in the words of ISA-18.2 priorities."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"
    """People or plant in danger: the safety path."""


SAFETY_KINDS = frozenset(
    {
        SignalKind.OVER_TEMPERATURE,
        SignalKind.SELF_HEATING,
        SignalKind.CELL_SAG,
        SignalKind.FLOAT_CURRENT,
        SignalKind.SMOKE,
        SignalKind.WATER,
    }
)
"""Battery safety: no on-delay, published without waiting for the database.

Source: docs/battery-health.md, "Numbers and their sources".
"""

CONFIRMED_KINDS = frozenset(
    {
        SignalKind.DRIFT,
        SignalKind.STEP,
        SignalKind.BASE_LOAD,
        SignalKind.NIGHT_FLOW,
        SignalKind.FLATLINE,
        SignalKind.FROZEN,
        SignalKind.METER_CHANGED,
        SignalKind.STUCK_SENSOR,
        SignalKind.EFFICIENCY,
        SignalKind.BALANCE,
        SignalKind.RESISTANCE,
        SignalKind.CONTRADICTION,
        SignalKind.BLANK,
        SignalKind.SET_CHANGED,
    }
)
"""Their detectors have weighed many samples before they speak: no on-delay in samples is due on top."""

YOUNG_SAMPLES = 4
"""A verdict is given out at each of its first samples up to this one, so that delays can be counted in samples."""


class Signal(NamedTuple):
    """A detector's verdict on one condition of one series, as of the sample at `ts`."""

    device_id: str
    """Device, or the site's id where the series is the site's."""
    metric: str
    """Name of the series, with its unit."""
    kind: SignalKind
    ts: Moment
    """Device time of the sample judged (a window's end), ms."""
    seen_ts: Moment
    """The `ts` of the reading or row on whose arrival this was given out, ms: by it the signal is taken back, or given
    again, when that item is folded again."""
    site_id: str
    active: bool
    """Whether the condition holds."""
    samples: int
    """For how many samples in a row this verdict has held: what an on-delay or off-delay in samples counts."""
    severity: Severity
    since_ts: Moment
    """Onset as estimated (active), or when the condition ended (not active), ms."""
    value: float | None
    baseline: float | None
    """What was expected."""
    low: float | None
    high: float | None
    """Limits between which the value would have been no evidence; None where there is none on that side."""
    z: float | None
    """Distance from the baseline in robust standard deviations, where the detector has one."""
    unit: str
    window_s: float
    """Length of what one sample stands for; 0 for an instant."""
    cost: float | None
    """What it has cost since its onset, as estimated; None where nothing tells."""
    cost_unit: str
    """kWh, m3, kgce or h; empty where there is no cost."""
    detector: str
    """Name and version of detector and parameters: `night_flow/1 detection-2026.1`."""
    evidence: Json
    """What it was judged by, a JSON object: statistic, threshold, days of history, …"""


class Phase(StrEnum):
    """How far a detector is with a series."""

    LEARNING = "learning"
    """Not enough history: it says nothing, and says so."""
    ARMED = "armed"
    ALARM = "alarm"
    """Its condition is active; what it has learned is frozen."""


class DetectorStatus(NamedTuple):
    """How far one detector is with one series, as of its newest sample."""

    device_id: str
    metric: str
    kind: SignalKind
    ts: Moment
    site_id: str
    phase: Phase
    since_ts: Moment
    """Since when it is in this phase, ms."""
    samples: int
    """Samples it has learned from."""
    samples_needed: int
    """Samples it needs before it is armed."""
    baseline: float | None
    detector: str

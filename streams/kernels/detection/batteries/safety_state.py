"""What the safety of a battery set needs to remember between its readings, and how that is saved."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from schemas.metrics.signal import SignalKind
from streams.kernels.detection.batteries import channels
from streams.kernels.detection.batteries.channels import Channels
from streams.kernels.detection.batteries.stuck_sensors import Watch, watch_from_json, watch_to_json
from streams.kernels.detection.judgement import NEW, Standing, standing_from_json, standing_to_json
from streams.kernels.detection.packed import Floats, packed, packed_bytes, unpacked, unpacked_bytes

if TYPE_CHECKING:
    from streams.kernels.detection.batteries.temperature_line import Line

METRICS = {
    SignalKind.OVER_TEMPERATURE: ("temperature_max_c", "°C"),
    SignalKind.SELF_HEATING: ("temperature_rise_c", "°C"),
    SignalKind.CELL_SAG: ("cell_voltage_mv", "mV"),
    SignalKind.FLOAT_CURRENT: ("float_current_a", "A"),
    SignalKind.CELL_SPREAD: ("float_spread_mv", "mV"),
    SignalKind.WEAK_CELL: ("cell_voltage_mv", "mV"),
    SignalKind.STUCK_SENSOR: ("sensors", ""),
    SignalKind.SENSOR_FAULT: ("sensors", ""),
}
KINDS = tuple(METRICS)


@dataclass(slots=True)
class SetState:
    """What the next reading of a set needs of those before it; a fold advances a copy."""

    ts: int
    float_since: int = 0
    """Since when it floats; 0 while it does not."""
    temperatures: tuple[tuple[int, float], ...] = ()
    """(ts, T_max) of the last five minutes."""
    places: Floats = ()
    """Usual distance of each cell from the pack's median in float, mV."""
    noise: float = 0.0
    """Variance of a cell around its place, mV²."""
    floats: int = 0
    """Readings in float that were learned from."""
    low_cell: int = 0
    """Cell (1-based) that the last reading showed far too low."""
    sagging: int = 0
    """Cell that is in alarm."""
    rise: float = 0.0
    rise_variance: float = 0.0
    rests: int = 0
    """T_max − T_ambient at rest: mean, variance, readings."""
    scatter: float = 0.0
    """Usual variance of T_max around the straight line of five minutes, °C²."""
    warm: int = 0
    """Readings in a row far above it."""
    day: int = 0
    day_sums: Floats = ()
    """Of the open day, per cell: sum of distances in float, mV."""
    day_current_a: float = 0.0
    day_readings: int = 0
    days: tuple[tuple[int, ...], ...] = ()
    """Daily mean place of each cell in float, mV, of the last week."""
    currents: Floats = ()
    """Daily mean float current, A."""
    standings: tuple[Standing, ...] = (NEW,) * len(KINDS)
    sensors: Watch = field(default_factory=Watch)
    channels: Channels = field(default_factory=Channels)
    hot: float | None = None
    """Usual T_max at rest, °C."""
    cool: float | None = None
    """Usual temperature of the coolest channel at rest, °C."""
    seen_cells: int = 0
    """Cells that ever showed a voltage, as bits."""
    dead_cell: int = 0
    """Cell that the last reading showed dead, or that is in alarm for it."""
    line: Line | None = field(default=None, compare=False)
    """Through `temperatures`, once it is drawn; it follows from them and is not saved."""


_FIELDS = tuple(field.name for field in dataclasses.fields(SetState))
_NAMES = tuple(name for name in _FIELDS if name != "line")
_all_of = attrgetter(*_FIELDS)
_fields_of = attrgetter(*_NAMES)


def to_json(state: SetState) -> list[Any]:
    """Write a state as values of JSON, in the order of its fields."""
    fields: dict[str, Any] = dict(zip(_NAMES, _fields_of(state), strict=True))
    fields["temperatures"] = [list(sample) for sample in state.temperatures]
    for name in ("places", "day_sums", "currents"):
        fields[name] = packed(fields[name])
    fields["days"] = [packed_bytes(day) for day in state.days]
    fields["standings"] = [standing_to_json(standing) for standing in state.standings]
    fields["sensors"] = watch_to_json(state.sensors)
    fields["channels"] = channels.to_json(state.channels)
    return list(fields.values())


def from_json(values: list[Any]) -> SetState:
    """Read a state, also one from before sensors were watched: 7 000 sets are not folded again for that."""
    fields = dict(zip(_NAMES, values, strict=False))
    fields["temperatures"] = tuple((ts, celsius) for ts, celsius in fields["temperatures"])
    for name in ("places", "day_sums", "currents"):
        fields[name] = unpacked(fields[name])
    fields["days"] = tuple(unpacked_bytes(day) for day in fields["days"])
    standings = [standing_from_json(standing) for standing in fields["standings"]]
    fields["standings"] = (*standings, *[NEW] * (len(KINDS) - len(standings)))
    fields["sensors"] = watch_from_json(fields["sensors"]) if "sensors" in fields else Watch()
    if "channels" in fields:
        fields["channels"] = channels.from_json(fields["channels"])
    return SetState(**fields)


def copied(state: SetState) -> SetState:
    """A copy to advance: what its fields hold is replaced, never changed."""
    return SetState(*_all_of(state))

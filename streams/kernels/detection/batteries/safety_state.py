"""What the safety of a battery set needs to remember between its readings, and how that is saved."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from schemas.metrics.signal import SignalKind
from streams.kernels.codec import PACKED, PACKED_BYTES, Codec, Shape, Way, each
from streams.kernels.detection.batteries.channels import Channels
from streams.kernels.detection.batteries.stuck_sensors import StillChannels
from streams.kernels.detection.judgement import NEW, STANDING, Standing
from streams.kernels.detection.packed import Floats  # noqa: TC001 - the codec reads annotations

if TYPE_CHECKING:
    from streams.kernels.battery.temperature_line import TemperatureLine

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
class SafetyState:
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
    sensors: StillChannels = field(default_factory=StillChannels)
    channels: Channels = field(default_factory=Channels)
    hot: float | None = None
    """Usual T_max at rest, °C."""
    cool: float | None = None
    """Usual temperature of the coolest channel at rest, °C."""
    seen_cells: int = 0
    """Cells that ever showed a voltage, as bits."""
    dead_cell: int = 0
    """Cell that the last reading showed dead, or that is in alarm for it."""
    line: TemperatureLine | None = field(default=None, compare=False)
    """Through `temperatures`, once it is drawn; it follows from them and is not saved."""


def _standings(saved: list[Any]) -> tuple[Standing, ...]:
    """Read the standings of all kinds: a state from before one of the last was watched has fewer."""
    standings = _STANDINGS.of(saved)
    return (*standings, *[NEW] * (len(KINDS) - len(standings)))


_STANDINGS = Codec[tuple[Standing, ...]](tuple[Standing, ...], shapes={Standing: STANDING})
SHAPES = {
    Standing: STANDING,
    SafetyState: Shape(
        ways={
            "places": PACKED,
            "day_sums": PACKED,
            "currents": PACKED,
            "days": each(PACKED_BYTES),
            "standings": Way(_STANDINGS.plain, _standings),
        },
        later=len(("sensors", "channels", "hot", "cool", "seen_cells", "dead_cell")),
    ),
}
"""How a state is saved. One from before sensors were watched is read too: 7 000 sets are not folded again for that."""
_all_of = attrgetter(*(field.name for field in dataclasses.fields(SafetyState)))


def copied(state: SafetyState) -> SafetyState:
    """A copy to advance: what its fields hold is replaced, never changed."""
    return SafetyState(*_all_of(state))

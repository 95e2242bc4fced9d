"""Leaks and anomalies: what a plant truly does wrong, as a change of its flows for a while.

Source: docs/simulators.md, "Leaks and anomalies". The meters tell it as they tell everything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulators.climate import hour_of_day
from simulators.truth import Label, LabelKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ORIFICE_M3_H = 64_831.0
"""Q = 64 831·d² m³/h through a hole of d metres. Source: docs/simulators.md, "Parameters and their sources"."""
NIGHT_HOURS = (22.0, 5.0)
PLANT_KINDS = frozenset(
    {
        LabelKind.LEAK_ABRUPT,
        LabelKind.LEAK_INCIPIENT,
        LabelKind.BASE_LOAD_LEFT_ON,
        LabelKind.EFFICIENCY_DRIFT,
        LabelKind.EFFICIENCY_STEP,
        LabelKind.NIGHT_USE,
    }
)


def leak_m3_h(diameter_mm: float) -> float:
    """Flow out of a hole of `diameter_mm`."""
    return ORIFICE_M3_H * (diameter_mm / 1_000) ** 2


class Influence:
    """What disturbances do to consumers, mains and plants during one tick."""

    def __init__(self, consumers: int, mains: int, plants: int) -> None:
        self.factor = np.ones(consumers)
        self.extra = np.zeros(consumers)
        self.leak = np.zeros(mains)
        self.plant_factor = np.ones(plants)
        """On all energy of a plant, heat rate included."""

    def clear(self) -> None:
        """Nothing is wrong."""
        self.factor[:] = 1.0
        self.extra[:] = 0.0
        self.leak[:] = 0.0
        self.plant_factor[:] = 1.0


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A label, and where it acts: on a consumer, on a main, or on a whole plant."""

    label: Label
    plant: int
    consumer: int | None = None
    main: int | None = None

    def act(self, at_ts: int, on: Influence) -> None:
        """Add what it does at `at_ts`."""
        label = self.label
        if not label.start_ts <= at_ts < (label.end_ts or at_ts + 1):
            return
        match label.kind:
            case LabelKind.LEAK_ABRUPT | LabelKind.LEAK_INCIPIENT:
                self._add(on, self.flow_m3_h(at_ts))
            case LabelKind.BASE_LOAD_LEFT_ON:
                self._add(on, label.size)
            case LabelKind.NIGHT_USE:
                start, end = label.params["hours"]
                hour = hour_of_day(at_ts)
                if (start <= hour < end) if start < end else (hour >= start or hour < end):
                    self._add(on, label.size)
            case LabelKind.EFFICIENCY_STEP:
                self._multiply(on, 1 + label.size)
            case LabelKind.EFFICIENCY_DRIFT:
                self._multiply(on, 1 + label.size * self._grown(at_ts))
            case _:
                msg = f"{label.kind} is nothing that a plant does"
                raise ValueError(msg)

    def flow_m3_h(self, at_ts: int) -> float:
        """Flow of a leak at `at_ts`: the hole of an incipient one grows in diameter."""
        diameter: float = self.label.params["diameter_mm"]
        return leak_m3_h(diameter * self._grown(at_ts))

    def _grown(self, at_ts: int) -> float:
        """Share of its full size, 0 to 1."""
        grows_ms: int = self.label.params.get("grows_ms", 0)
        return min(1.0, (at_ts - self.label.start_ts) / grows_ms) if grows_ms else 1.0

    def _add(self, on: Influence, flow: float) -> None:
        if self.consumer is not None:
            on.extra[self.consumer] += flow
        elif self.main is not None:
            on.leak[self.main] += flow

    def _multiply(self, on: Influence, factor: float) -> None:
        if self.consumer is not None:
            on.factor[self.consumer] *= factor
        else:
            on.plant_factor[self.plant] *= factor

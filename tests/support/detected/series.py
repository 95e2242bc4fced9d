"""Made-up series for the detectors' tests: a day and a week that repeat, with noise, in quarters of an hour."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import DetectorStatus, Signal
from schemas.time import DAY_MS, HOUR_MS, QUARTER_MS
from streams.kernels.codec import Codec
from streams.kernels.detection.judgement import Subject
from streams.kernels.detection.reference import detection
from streams.kernels.detection.series.series import SHAPES, SeriesDetectors, SeriesState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.metrics import Row

MONDAY_TS = 1_780_243_200_000
"""Monday, 1 June 2026, midnight in China."""
QUARTERS_A_DAY = 96
CODEC = Codec[SeriesState](SeriesState, shapes=SHAPES)
SUBJECT = Subject("w-1", "plant-1", "volume_m3", "m3/h", "test")


class Run(NamedTuple):
    """What a series came to."""

    state: SeriesState | None
    rows: list[Row]

    @property
    def signals(self) -> list[Signal]:
        """Verdicts given out."""
        return [row for row in self.rows if isinstance(row, Signal)]

    @property
    def onsets(self) -> list[Signal]:
        """First samples of active verdicts."""
        return [row for row in self.signals if row.active and row.samples == 1]

    @property
    def statuses(self) -> list[DetectorStatus]:
        """How far the detectors were, in order."""
        return [row for row in self.rows if isinstance(row, DetectorStatus)]


def detectors(quantity: str = "volume_m3", rated: float | None = None) -> SeriesDetectors:
    """The shipped detectors of a kind of series."""
    return SeriesDetectors(detection().series[quantity], period_s=60, rated=rated, version="test")


def habits(days: int, seed: int = 1, noise: float = 0.02) -> list[float | None]:
    """m³/h of each quarter: quiet nights, two peaks a day, less at weekends, and slow noise."""
    rng = random.Random(seed)
    values: list[float | None] = []
    slow = 0.0
    for at in range(days * QUARTERS_A_DAY):
        hour, day = at % QUARTERS_A_DAY / 4, at // QUARTERS_A_DAY
        shape = 0.35 + max(0.0, math.sin((hour - 5) / 19 * 2 * math.pi) ** 2 if hour > 5 else 0.0)
        weekend = 0.85 if day % 7 >= 5 else 1.0
        slow = 0.9 * slow + rng.gauss(0, noise / 3)
        values.append(100 * shape * weekend * (1 + slow + rng.gauss(0, noise)))
    return values


def run(
    values: Iterable[float | None],
    made: SeriesDetectors | None = None,
    *,
    cut: int | None = None,
    quantity: str = SUBJECT.metric,
) -> Run:
    """Feed quarters from Monday's midnight on; at `cut` the state is written and read back."""
    subject = SUBJECT._replace(metric=quantity)
    made = made or detectors()
    state: SeriesState | None = None
    rows: list[Row] = []
    for at, value in enumerate(values):
        if at == cut and state is not None:
            state = CODEC.load(CODEC.dump(state))
        end = MONDAY_TS + (at + 1) * QUARTER_MS
        state, given = made.advance(state, subject, end, value, end)
        rows += given
    return Run(state, rows)


def days_after(signal: Signal, day: float) -> float:
    """Days from the start of a day of the run to a signal."""
    return (signal.ts - MONDAY_TS) / DAY_MS - day


def hours_after(signal: Signal, quarter: int) -> float:
    """Hours from the start of a quarter of the run to a signal."""
    return (signal.ts - MONDAY_TS - quarter * QUARTER_MS) / HOUR_MS

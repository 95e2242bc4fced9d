"""Detectors over derived rows: what they have in common. A few rows a day, so that a raw reading costs them nothing.

A row names series and their figures; a series remembers a little, stands at a verdict, and says how far it has learned.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.metrics.signal import DetectorStatus, SignalKind
from schemas.time import QUARTER_DAY_MS
from streams.kernels.codec import Codec, Shape
from streams.kernels.detection.judgement import (
    NEW,
    STANDING,
    Signaller,
    Standing,
    Subject,
    enter,
    stand,
    status,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.metrics import Row
    from schemas.registry import Device, Site
    from streams.kernels.detection.judgement import Judgement

Figures = tuple[float | None, ...]
Memory = tuple[Any, ...]
"""What a series remembers: values that JSON gives back exactly, so no NaN and no tuples within."""


class Series(NamedTuple):
    """What is judged."""

    metric: str
    kind: SignalKind


class SeriesReading(NamedTuple):
    """Figures of one series that a row holds, over the window that ends at `ts`."""

    series: Series
    unit: str
    ts: int
    figures: Figures
    beside: Any = None
    """What the judge needs beside figures, as JSON gives it back."""


class Watched(NamedTuple):
    """One series: its newest figures, which may still change, and what is known of those before."""

    newest: SeriesReading
    memory: Memory = ()
    standing: Standing = NEW


class SavedSeries(NamedTuple):
    """What is saved of one series."""

    metric: str
    kind: SignalKind
    unit: str
    ts: int
    figures: Figures
    memory: Memory
    standing: Standing
    beside: Any = None


class Judged(NamedTuple):
    """What came of a sample."""

    memory: Memory
    judgement: Judgement | None
    learned: tuple[int, int]
    """Samples known, samples needed."""


class RowWatch(Signaller, ABC):
    """Fold of one type of derived rows, each of which may grow: one is judged once a later one has come."""

    version = 1
    codec = Codec[list[SavedSeries]](list[SavedSeries], shapes={SavedSeries: Shape(left_off=1), Standing: STANDING})
    snapshot_ms = QUARTER_DAY_MS
    name: str
    source: type[Row]
    window_s: Mapping[SignalKind, float]

    def __init__(self, version: str) -> None:
        """`version`: of the parameters; it stands in every signal."""
        self._parameters = version
        self.kinds = frozenset(self.window_s)

    @abstractmethod
    def read(self, subject: Any, row: Any, /) -> Iterable[SeriesReading]:  # noqa: ANN401 - device or site, and its row
        """Figures of the series that a row holds; none of a row that is not looked at."""

    @abstractmethod
    def judge(self, subject: Any, watched: Watched, /) -> Judged:  # noqa: ANN401
        """Judge the newest figures of a series, which are final."""

    def window_of(self, _subject: Any, kind: SignalKind, /) -> float:  # noqa: ANN401
        """Length of what one sample stands for, s."""
        return self.window_s[kind]

    def fold(
        self, state: dict[Series, Watched] | None, subject: Device | Site, rows: Sequence[Row]
    ) -> tuple[dict[Series, Watched], list[Row]]:
        """Take rows in order of time, each into the series whose figures it holds."""
        after = dict(state or {})
        given: list[Row] = []
        for row in rows:
            for reading in self.read(subject, row):
                before = after.get(reading.series)
                if before is not None and before.newest.ts != reading.ts:
                    before = self._tell(before, subject, row, given)
                after[reading.series] = Watched(reading) if before is None else before._replace(newest=reading)
        return after, given

    def _tell(self, watched: Watched, owner: Device | Site, row: Row, given: list[Row]) -> Watched:
        """Judge what is final, and give out what is worth a row."""
        reading = watched.newest
        metric, kind = reading.series
        judged = self.judge(owner, watched)
        subject = Subject(row[0], row.site_id, metric, reading.unit, self._parameters)
        standing, signal = stand(
            watched.standing,
            judged.judgement,
            subject=subject,
            kind=kind,
            ts=reading.ts,
            seen_ts=row.ts,
            window_s=self.window_of(owner, kind),
        )
        have, need = judged.learned
        standing = enter(standing, learned=have >= need, ts=reading.ts)
        if signal is not None:
            given.append(signal)
        baseline = judged.judgement and judged.judgement.baseline
        given.append(
            status(standing, subject=subject, kind=kind, ts=reading.ts, learned=judged.learned, baseline=baseline)
        )
        return Watched(reading, judged.memory, standing)

    def is_behind(self, state: dict[Series, Watched], row: Row) -> bool:
        """Whether a status was told of before: the newest figures are not judged yet."""
        assert isinstance(row, DetectorStatus)  # noqa: S101 - only these are retold
        watched = state.get(Series(row.metric, row.kind))
        return watched is not None and row.ts < watched.newest.ts

    def dump(self, state: dict[Series, Watched]) -> str:
        """Write a state as JSON."""
        return self.codec.dump(
            [
                SavedSeries(*series, newest.unit, newest.ts, newest.figures, memory, standing, newest.beside)
                for series, (newest, memory, standing) in state.items()
            ]
        )

    def load(self, text: str) -> dict[Series, Watched]:
        """Read a state back."""
        state: dict[Series, Watched] = {}
        for metric, kind, unit, ts, figures, memory, standing, beside in self.codec.load(text):
            series = Series(metric, kind)
            state[series] = Watched(SeriesReading(series, unit, ts, figures, beside), memory, standing)
        return state

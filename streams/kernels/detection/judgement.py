"""What a detector says of one sample, and when that is worth a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from schemas.metrics.signal import YOUNG_SAMPLES, DetectorStatus, Phase, Severity, Signal, SignalKind
from schemas.time import DAY_MS, FOREVER_TS
from streams.kernels.codec import BIT, Codec, Saved, Shape, by_place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.metrics import Row
    from schemas.registry import Device


class Signaller:
    """What folds that give signals have in common: what is their own, which no other gives of the same entity.

    A kind is one fold's own, or one fold names its metrics of it and the other leaves these alone.
    """

    events: tuple[type[Row], ...] = (Signal,)
    kinds: frozenset[SignalKind]
    metrics: frozenset[str] = frozenset()
    """Its own, where another gives the same kind; empty: all but `left_alone`."""
    left_alone: frozenset[str] = frozenset()
    """Metrics of its kinds that are another's."""
    retold: tuple[type[Row], ...] = (DetectorStatus,)

    def gave(self, row: Row) -> bool:
        """Whether a signal, or how far a detector is, is the fold's own."""
        if not isinstance(row, Signal | DetectorStatus) or row.kind not in self.kinds:
            return False
        return row.metric in self.metrics if self.metrics else row.metric not in self.left_alone

    def retold_from(self, _before: object, _after: object) -> int:
        """Nothing older than what is folded again: only the newest status stands."""
        return FOREVER_TS


class Judgement(NamedTuple):
    """A detector's verdict on one sample."""

    active: bool
    since_ts: int
    """Onset as estimated; only an active verdict's is looked at."""
    value: float | None
    evidence: Mapping[str, float | int | str | None]
    severity: Severity = Severity.MEDIUM
    baseline: float | None = None
    low: float | None = None
    high: float | None = None
    z: float | None = None
    cost: float | None = None
    cost_unit: str = ""
    renewed: bool = False
    """A second onset while the first still stands: the verdict is young again."""


class Subject(NamedTuple):
    """Whose series it is, and what is written beside each verdict on it."""

    entity_id: str
    site_id: str
    metric: str
    unit: str
    version: str
    """Of detectors and parameters."""


class Standing(NamedTuple):
    """A detector's last verdict and what has been given out of it."""

    active: bool = False
    samples: int = 0
    since_ts: int = 0
    given_ts: int = 0
    severity: Severity = Severity.LOW
    phase: Phase = Phase.LEARNING
    phase_since_ts: int = 0


NEW = Standing()


STANDING = Shape(
    ways={"active": BIT, "severity": by_place(Severity), "phase": by_place(Phase)},
    blank=NEW,
)
"""How a standing is saved: of a detector that was never asked, as nothing."""


def moved(standing: Standing, by_ms: int) -> Standing:
    """Move the moments of a standing, as one who counts time from elsewhere sees them."""
    return standing._replace(
        since_ts=standing.since_ts + by_ms,
        given_ts=standing.given_ts + by_ms,
        phase_since_ts=standing.phase_since_ts + by_ms,
    )


class Stateless(Signaller, Saved[tuple[()]]):
    """A fold that keeps nothing from one reading to the next."""

    codec = Codec(tuple[()])


class OneStanding(Signaller, Saved[Standing]):
    """A fold whose state is one standing."""

    codec = Codec(Standing, shapes={Standing: STANDING})


class RowJudge(OneStanding):
    """A fold that judges each derived row of a device by itself."""

    metric: str
    unit: str
    window_ms: int = 0
    """How much time a row sums up: its verdict falls at the end of it."""

    def __init__(self, version: str) -> None:
        self._version = version

    def judged(self, row: Any) -> Judgement | None:  # noqa: ANN401 - of the fold's own source
        """What one row says; None where it says nothing."""
        raise NotImplementedError

    def fold(self, state: Standing | None, device: Device, rows: Sequence[Any]) -> tuple[Standing, list[Row]]:
        """Take rows, in the order of time."""
        given: list[Row] = []
        standing = NEW if state is None else state
        (kind,) = self.kinds
        for row in rows:
            standing, signal = stand(
                standing,
                self.judged(row),
                subject=Subject(device.device_id, device.site_id, self.metric, self.unit, self._version),
                kind=kind,
                ts=row.ts + self.window_ms,
                seen_ts=row.ts,
                window_s=self.window_ms / 1000,
            )
            if signal is not None:
                given.append(signal)
        return standing, given


def stand(
    before: Standing,
    judgement: Judgement | None,
    *,
    subject: Subject,
    kind: SignalKind,
    ts: int,
    seen_ts: int,
    window_s: float,
) -> tuple[Standing, Signal | None]:
    """Take a verdict into account and tell whether it is given out.

    Given out are: each of the first `YOUNG_SAMPLES` samples of a condition, a change of severity, one row a day for
    as long as it lasts, and the first `YOUNG_SAMPLES` samples after it. No verdict (None) changes nothing: a gap
    neither begins nor ends a condition, and counts for no delay.
    """
    if judgement is None:
        return before, None
    if not judgement.active and not before.active and before.samples == 0:
        return before, None
    changed = judgement.active != before.active or (judgement.active and judgement.renewed)
    samples = 1 if changed else before.samples + 1
    begun_ts = judgement.since_ts if judgement.active else ts
    since_ts = begun_ts if changed else before.since_ts
    given = samples <= YOUNG_SAMPLES or (
        judgement.active and (ts - before.given_ts >= DAY_MS or judgement.severity is not before.severity)
    )
    if not judgement.active and samples > YOUNG_SAMPLES:
        return NEW._replace(
            phase=before.phase, phase_since_ts=before.phase_since_ts
        ), None  # normal, and nothing to say
    after = before._replace(
        active=judgement.active,
        samples=samples,
        since_ts=since_ts,
        given_ts=ts if given else before.given_ts,
        severity=judgement.severity,
    )
    if not given:
        return after, None
    return after, Signal(
        device_id=subject.entity_id,
        metric=subject.metric,
        kind=kind,
        ts=ts,
        seen_ts=seen_ts,
        site_id=subject.site_id,
        active=judgement.active,
        samples=samples,
        severity=judgement.severity,
        since_ts=since_ts,
        value=judgement.value,
        baseline=judgement.baseline,
        low=judgement.low,
        high=judgement.high,
        z=judgement.z,
        unit=subject.unit,
        window_s=window_s,
        cost=judgement.cost,
        cost_unit=judgement.cost_unit,
        detector=f"{kind.value} {subject.version}",
        evidence=orjson.dumps(judgement.evidence).decode(),
    )


def enter(before: Standing, *, learned: bool, ts: int) -> Standing:
    """Keep how far a detector is, and since when."""
    phase = Phase.ALARM if before.active else Phase.ARMED if learned else Phase.LEARNING
    return before if phase is before.phase else before._replace(phase=phase, phase_since_ts=ts)


def status(
    standing: Standing,
    *,
    subject: Subject,
    kind: SignalKind,
    ts: int,
    learned: tuple[int, int],
    baseline: float | None,
) -> DetectorStatus:
    """Write down how far a detector is; `learned`: samples it has, samples it needs."""
    return DetectorStatus(
        subject.entity_id,
        subject.metric,
        kind,
        ts,
        subject.site_id,
        standing.phase,
        standing.phase_since_ts,
        *learned,
        baseline,
        f"{kind.value} {subject.version}",
    )

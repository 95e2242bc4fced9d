"""Alarms against labels: precision, recall, delay and false alarms, beside as many alarms at random.

A label is found by an alarm of a kind that fits it, at its device or site, inside its hit window. Long windows flatter
any detector: only the control beside it tells what a score is worth.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics.signal import SignalKind
from schemas.time import DAY_MS, HOUR_MS, YEAR_MS
from simulators.truth import LabelKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from simulators.truth import Label

S = SignalKind

LEAKS = frozenset({S.NIGHT_FLOW, S.BALANCE, S.STEP, S.DRIFT, S.BASE_LOAD, S.SEASONAL, S.SPIKE, S.QUOTA})
ENERGY = frozenset({S.EFFICIENCY, S.HEAT_RATE, S.LIMIT, S.STEP, S.DRIFT, S.SEASONAL})
USE = frozenset({S.BASE_LOAD, S.STEP, S.DRIFT, S.SEASONAL, S.NIGHT_FLOW, S.EFFICIENCY})
CELLS = frozenset({S.WEAK_CELL, S.CELL_SPREAD, S.CELL_SAG, S.BACKUP})

FITTING: dict[LabelKind, frozenset[SignalKind]] = {
    LabelKind.LEAK_ABRUPT: LEAKS,
    LabelKind.LEAK_INCIPIENT: LEAKS,
    LabelKind.BASE_LOAD_LEFT_ON: USE,
    LabelKind.NIGHT_USE: USE,
    LabelKind.EFFICIENCY_DRIFT: ENERGY,
    LabelKind.EFFICIENCY_STEP: ENERGY,
    LabelKind.FREEZE: frozenset({S.FROZEN, S.FLATLINE, S.BALANCE}),
    LabelKind.FREEZE_CATCH_UP: frozenset({S.FROZEN, S.FLATLINE, S.BALANCE}),
    LabelKind.PHASE_LOSS: frozenset({S.PHASE_LOSS, S.BALANCE}),
    LabelKind.SCALE: frozenset({S.SPIKE, S.SEASONAL, S.STEP, S.DRIFT, S.BALANCE}),
    LabelKind.SLOW_BIAS: frozenset({S.DRIFT, S.STEP, S.BALANCE}),
    LabelKind.WEAK_CELL: CELLS,
    LabelKind.HIGH_RESISTANCE_JOINT: frozenset({S.RESISTANCE, S.CELL_SPREAD, S.WEAK_CELL}),
    LabelKind.SELF_DISCHARGING_CELL: CELLS,
    LabelKind.STUCK_SENSOR: frozenset({S.STUCK_SENSOR}),
    LabelKind.RUNAWAY_PRECURSOR: frozenset(
        {S.SELF_HEATING, S.CELL_SAG, S.OVER_TEMPERATURE, S.FLOAT_CURRENT, S.CELL_SPREAD, S.WEAK_CELL}
    ),
}
"""Labels that should be found, and the alarms that find them. Labels of other kinds are nobody's to find."""

HIT_MS: dict[LabelKind, int] = {
    LabelKind.LEAK_ABRUPT: 7 * DAY_MS,
    LabelKind.LEAK_INCIPIENT: 30 * DAY_MS,
    LabelKind.EFFICIENCY_DRIFT: 30 * DAY_MS,
    LabelKind.SLOW_BIAS: 30 * DAY_MS,
    LabelKind.WEAK_CELL: 30 * DAY_MS,
    LabelKind.HIGH_RESISTANCE_JOINT: 30 * DAY_MS,
    LabelKind.SELF_DISCHARGING_CELL: 30 * DAY_MS,
}
"""How long after its beginning a label may be found, at most; other kinds 7 days, and none after its end and a day.

Abrupt leaks 7 days and incipient ones 30 as in the note on BattLeDIM beside the recorded data; the others (unsourced).
"""
RUNS = 20
"""Random controls that are averaged."""


class RaisedAlarm(NamedTuple):
    """One alarm, by event time."""

    site_id: str
    device_id: str
    """The site's id for an alarm of the whole site."""
    kind: str
    event_ts: int
    """Onset as estimated."""
    raised_ts: int
    """When it was raised."""


class DetectionRates(NamedTuple):
    """How good a set of alarms is; None where there is nothing to divide by."""

    alarms: int
    precision: float | None
    """Share of alarms that found a label."""
    recall: float | None
    """Share of labels that were found."""
    false_per_device_year: float | None
    median_delay_h: float | None
    """From a label's beginning to its first alarm."""


class DetectionScore(NamedTuple):
    """Alarms that matter here, beside the random control; recall and delay by kind of label."""

    labels: int
    detector: DetectionRates
    control: DetectionRates
    by_kind: dict[str, DetectionRates]
    """Of each kind of label: alarms that found one, recall, delay."""
    mistaken: list[RaisedAlarm]
    """The alarms that found none, by the time at which they were raised: what to look into."""


class World(NamedTuple):
    """Where and when alarms could have been raised."""

    sites: Mapping[str, str]
    """Site by device, and by virtual meter."""
    from_ts: int
    to_ts: int
    virtual: Mapping[str, frozenset[str]] = {}
    """Devices that each virtual meter is made of."""

    @property
    def device_years(self) -> float:
        """Device-years observed."""
        return len(self.sites) * (self.to_ts - self.from_ts) / YEAR_MS


def score_detection(
    alarms: Sequence[RaisedAlarm], labels: Iterable[Label], world: World, *, seed: int = 1
) -> DetectionScore:
    """Hold alarms against labels. Alarms of kinds that fit no label at all (offline, an outage, smoke) are left out."""
    wanted = [label for label in labels if label.kind in FITTING]
    kinds = {str(kind) for fitting in FITTING.values() for kind in fitting}
    judged = [alarm for alarm in alarms if alarm.kind in kinds]
    found, mistaken, detector = _rates(judged, wanted, world)
    by_kind = {}
    for kind in sorted({label.kind for label in wanted}):
        of_kind = [label for label in wanted if label.kind is kind]
        delays = [found[place] for place, label in enumerate(wanted) if label.kind is kind and place in found]
        by_kind[kind.value] = DetectionRates(len(delays), None, len(delays) / len(of_kind), None, _median_h(delays))
    control = _control(judged, wanted, world, seed)
    return DetectionScore(len(wanted), detector, control, by_kind, sorted(mistaken, key=lambda alarm: alarm.raised_ts))


def _rates(
    alarms: Sequence[RaisedAlarm], labels: Sequence[Label], world: World
) -> tuple[dict[int, int], list[RaisedAlarm], DetectionRates]:
    """First delay (ms) by label found, the alarms that found none, and the rates."""
    places: dict[str, list[int]] = {}
    for place, label in enumerate(labels):
        places.setdefault(label.site_id, []).append(place)
    found: dict[int, int] = {}
    mistaken: list[RaisedAlarm] = []
    for alarm in alarms:
        here = {alarm.device_id, *world.virtual.get(alarm.device_id, ())}
        hit = [place for place in places.get(alarm.site_id, ()) if _finds(alarm, here, labels[place])]
        if not hit:
            mistaken.append(alarm)
        for place in hit:
            delay = max(0, alarm.raised_ts - labels[place].start_ts)
            found[place] = min(delay, found.get(place, delay))
    years = world.device_years
    hits = len(alarms) - len(mistaken)
    return (
        found,
        mistaken,
        DetectionRates(
            alarms=len(alarms),
            precision=hits / len(alarms) if alarms else None,
            recall=len(found) / len(labels) if labels else None,
            false_per_device_year=len(mistaken) / years if years else None,
            median_delay_h=_median_h(list(found.values())),
        ),
    )


def _finds(alarm: RaisedAlarm, here: Collection[str], label: Label) -> bool:
    """Whether an alarm fits a label in kind, place and time; `here`: its device, with a virtual meter all its parts."""
    if alarm.kind not in FITTING[label.kind]:
        return False
    # A leak on a main shows in the plant's balance, a drift of the plant at its meters: one of the two may be the site.
    if label.device_id and label.device_id not in here and alarm.device_id != label.site_id:
        return False
    last = label.start_ts + HIT_MS.get(label.kind, 7 * DAY_MS)
    if label.end_ts is not None:
        # A runaway is of no use to anyone once it has happened.
        grace = 0 if label.kind is LabelKind.RUNAWAY_PRECURSOR else DAY_MS
        last = min(last, label.end_ts + grace)
    return label.start_ts <= alarm.raised_ts <= last


def _control(alarms: Sequence[RaisedAlarm], labels: Sequence[Label], world: World, seed: int) -> DetectionRates:
    """As many alarms of the same kinds at random devices and moments; the mean of several draws."""
    rng = random.Random(f"{seed}/control")  # noqa: S311 - seeded: a score can be repeated
    devices = sorted(world.sites)
    if not devices or not alarms:
        return _rates([], labels, world)[2]
    drawn = []
    for _ in range(RUNS):
        scattered = []
        for alarm in alarms:
            device, at = devices[rng.randrange(len(devices))], rng.randrange(world.from_ts, world.to_ts)
            whole_site = alarm.device_id == alarm.site_id
            site = world.sites[device]
            scattered.append(RaisedAlarm(site, site if whole_site else device, alarm.kind, at, at))
        drawn.append(_rates(scattered, labels, world)[2])
    means = [_mean_of(column) for column in zip(*drawn, strict=True)]
    return DetectionRates(len(alarms), *means[1:])


def _mean_of(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _median_h(delays_ms: Sequence[int]) -> float | None:
    return sorted(delays_ms)[len(delays_ms) // 2] / HOUR_MS if delays_ms else None

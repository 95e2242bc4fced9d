"""What is wrong with battery sets and their FSUs, drawn first: cells, joints, sensors, the BMS, and a runaway to come.

Source: docs/simulators.md, "Battery sets over time". Sizes that it does not give are (unsourced).
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulators.fleet.battery import CELLS_MAX
from simulators.truth import Label, LabelKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from simulators.fleet.battery import Array, Batteries, Index
    from simulators.planned_events import Chance, PlannedEvent

BATTERY_KINDS = frozenset(
    {
        LabelKind.WEAK_CELL,
        LabelKind.HIGH_RESISTANCE_JOINT,
        LabelKind.SELF_DISCHARGING_CELL,
        LabelKind.STUCK_SENSOR,
        LabelKind.FROZEN_SOC,
        LabelKind.FSU_OFFLINE,
        LabelKind.RUNAWAY_PRECURSOR,
    }
)
PERMANENT = frozenset({LabelKind.WEAK_CELL, LabelKind.HIGH_RESISTANCE_JOINT, LabelKind.SELF_DISCHARGING_CELL})
"""Nobody mends these while a scene lasts."""

SIZES: dict[LabelKind, tuple[tuple[float, float], str]] = {
    LabelKind.WEAK_CELL: ((0.15, 0.40), "share"),
    LabelKind.HIGH_RESISTANCE_JOINT: ((1.0, 4.0), "mohm"),
    LabelKind.SELF_DISCHARGING_CELL: ((0.02, 0.10), "A"),
    LabelKind.RUNAWAY_PRECURSOR: ((40.0, 55.0), "degC"),
}
METRICS: dict[LabelKind, str] = {
    LabelKind.WEAK_CELL: "capacity_ah",
    LabelKind.HIGH_RESISTANCE_JOINT: "resistance_mohm",
    LabelKind.SELF_DISCHARGING_CELL: "cell_voltage_v",
    LabelKind.FROZEN_SOC: "soc_pct",
    LabelKind.RUNAWAY_PRECURSOR: "temperature_c",
}
STUCK_FIELDS = ("temperature_c", "cell_voltage_v", "current_a")
SHORTEST_PRECURSOR_MS = 30 * 60_000
"""A runaway announces itself at least so long before. Source: docs/simulators.md, "Parameters and their sources"."""
SAG_V = 0.30
"""How far the sick cell has sagged when it runs away."""
GROWTH = 3.0
"""Rise and sag are (e^(this · share of the time) − 1), scaled to one at the runaway. (unsourced)"""
SPREADS = 0.3
"""Share of the local rise that the other sensors of the set see."""
SENSORS = 4


class _Change(NamedTuple):
    at_ts: int
    order: int
    begins: bool


class BatteryFaults:
    """Faults of a fleet: parameters they change, and what they make the BMS and the FSU show.

    Every label names a set, an FSU's label its site; `params` hold cell (1-based), sensor and field.
    """

    def __init__(self, labels: Sequence[Label], set_of: dict[str, int], site_of: dict[str, int]) -> None:
        self.labels = list(labels)
        self.silent: NDArray[np.bool_] = np.zeros(len(site_of), dtype=bool)
        """Sites whose FSU is offline: nothing of them is sent, and nothing is kept."""
        self.smoke: NDArray[np.bool_] = np.zeros(len(site_of), dtype=bool)
        self._set_of, self._site_of = set_of, site_of
        self._active: dict[int, int] = {}
        """Faults that change what is shown, by number, and the set they are at."""
        self._held: dict[int, float] = {}
        changes = [_Change(label.start_ts, order, begins=True) for order, label in enumerate(labels)]
        changes += [
            _Change(label.end_ts, order, begins=False) for order, label in enumerate(labels) if label.end_ts is not None
        ]
        self._changes = sorted(changes, reverse=True)

    def pass_time(self, at_ts: int, batteries: Batteries) -> None:
        """Let begin and end what does up to `at_ts`."""
        while self._changes and self._changes[-1].at_ts <= at_ts:
            change = self._changes.pop()
            label = self.labels[change.order]
            if label.kind is LabelKind.FSU_OFFLINE:
                self.silent[self._site_of[label.site_id]] = change.begins
            elif label.kind is LabelKind.RUNAWAY_PRECURSOR and not change.begins:
                self.smoke[self._site_of[label.site_id]] = True
            elif not change.begins:
                self._active.pop(change.order, None)
                self._held.pop(change.order, None)
            else:
                self._begin(change.order, label, batteries)

    def _begin(self, order: int, label: Label, batteries: Batteries) -> None:
        place = self._set_of[label.device_id]
        cell = label.params.get("cell", 1) - 1
        match label.kind:
            case LabelKind.WEAK_CELL:
                kept = np.ones((len(self._set_of), CELLS_MAX))
                kept[place, cell] = 1 - label.size
                batteries.lose_capacity(kept)
            case LabelKind.HIGH_RESISTANCE_JOINT:
                batteries.joint_ohm[place, cell] = label.size / 1_000
            case LabelKind.SELF_DISCHARGING_CELL:
                batteries.leak_a[place, cell] = label.size
            case _:
                self._active[order] = place

    def bend(self, index: Index, ts: Index, volts: Array, temperature: Array) -> None:
        """Change true cell voltages (k, 16) and the temperatures at the sensors (k, 4) of the sets at `index`."""
        for label, at, _ in self._shown(index, LabelKind.RUNAWAY_PRECURSOR):
            assert label.end_ts is not None  # noqa: S101 - placed with one
            left = max(0.0, (label.end_ts - int(ts[at])) / (label.end_ts - label.start_ts))
            # From nothing: a jump at the onset would be found by what is no precursor at all.
            grown = math.expm1(GROWTH * (1 - left)) / math.expm1(GROWTH)
            volts[at, label.params["cell"] - 1] -= SAG_V * grown
            temperature[at] += SPREADS * label.size * grown
            temperature[at, label.params["sensor"] - 1] += (1 - SPREADS) * label.size * grown

    def hold(self, index: Index, shown: dict[str, Array]) -> None:
        """Keep what is stuck or frozen at its first value: arrays of `shown`, by field, are changed in place."""
        for label, at, order in self._shown(index, LabelKind.STUCK_SENSOR, LabelKind.FROZEN_SOC):
            values = shown[label.metric]
            place = (at,) if values.ndim == 1 else (at, label.params.get("cell", label.params.get("sensor", 1)) - 1)
            values[place] = self._held.setdefault(order, float(values[place]))

    def _shown(self, index: Index, *kinds: LabelKind) -> Iterator[tuple[Label, int, int]]:
        """Active faults of these kinds at sets of `index` (ascending): label, position in `index`, number."""
        for order, place in self._active.items():
            if self.labels[order].kind in kinds:
                at = int(np.searchsorted(index, place))
                if at < len(index) and index[at] == place:
                    yield self.labels[order], at, order


class Fleetwide(NamedTuple):
    """What drawing needs to know of a fleet."""

    site_of_set: dict[str, str]
    cells: dict[str, int]
    """Number of cells, by set."""


def draw_faults(
    planned_events: Sequence[PlannedEvent], chances: Sequence[Chance], *, fleet: Fleetwide, seed: int
) -> list[Label]:
    """Labels of planned battery faults and of those that chance draws; other kinds are left to others.

    Raises ValueError for a target that the fleet does not have, or a precursor shorter than half an hour.
    """
    rng = random.Random(f"{seed}/battery faults")
    labels = [_label(each, fleet, rng) for each in planned_events if each.kind in BATTERY_KINDS]
    taken = {label.device_id or label.site_id for label in labels}
    for chance in chances:
        for kind in (kind for kind in chance.kinds if kind in BATTERY_KINDS):
            names = sorted(set(fleet.site_of_set.values())) if kind is LabelKind.FSU_OFFLINE else list(fleet.cells)
            if not names:
                msg = f"{kind} can happen to nothing in this scene: it needs battery sets"
                raise ValueError(msg)
            for _ in range(chance.each):
                free = [name for name in names if name not in taken] or names
                target = free[rng.randrange(len(free))]
                taken.add(target)
                lasts = rng.randrange(chance.shortest_ms, chance.longest_ms + 1)
                if kind is LabelKind.RUNAWAY_PRECURSOR:
                    lasts = min(max(lasts, SHORTEST_PRECURSOR_MS), 6 * SHORTEST_PRECURSOR_MS)
                start = rng.randrange(chance.from_ts, max(chance.from_ts + 1, chance.to_ts - lasts))
                labels.append(_label(_Planned(kind, target, start, start + lasts, None, {}), fleet, rng))
    return labels


class _Planned(NamedTuple):
    """A planned_event as chance draws it."""

    kind: LabelKind
    target: str
    start_ts: int
    end_ts: int | None
    size: float | None
    params: dict[str, object]


def _label(planned_event: PlannedEvent | _Planned, fleet: Fleetwide, rng: random.Random) -> Label:
    kind, target, params = planned_event.kind, planned_event.target, dict(planned_event.params)
    start_ts, end_ts = planned_event.start_ts, None if planned_event.kind in PERMANENT else planned_event.end_ts
    if kind is LabelKind.FSU_OFFLINE:
        if target not in fleet.site_of_set.values():
            msg = f"{target!r} is no base station of this scene: an FSU goes offline at a site, BS0001"
            raise ValueError(msg)
        return Label(kind, target, "", "", start_ts, end_ts, 0.0, "", params)
    if target not in fleet.cells:
        msg = f"{target!r} is no battery set of this scene, which has {len(fleet.cells)}: B0001, …"
        raise ValueError(msg)
    if kind is LabelKind.RUNAWAY_PRECURSOR and (end_ts is None or end_ts - start_ts < SHORTEST_PRECURSOR_MS):
        msg = f"{kind} at {target}: a runaway announces itself at least 30 min before; say how long it lasts"
        raise ValueError(msg)
    sizes, unit = SIZES.get(kind, ((0.0, 0.0), ""))
    size = round(rng.uniform(*sizes), 3) if planned_event.size is None else planned_event.size
    metric = METRICS.get(kind) or str(params.pop("field", STUCK_FIELDS[rng.randrange(len(STUCK_FIELDS))]))
    drawn = {"cell": rng.randrange(fleet.cells[target]) + 1, "sensor": rng.randrange(SENSORS) + 1}
    params = {name: params.get(name, drawn[name]) for name in _places_of(kind, metric)}
    return Label(kind, fleet.site_of_set[target], target, metric, start_ts, end_ts, size, unit, params)


def _places_of(kind: LabelKind, metric: str) -> tuple[str, ...]:
    """Which places inside a set a fault has."""
    if kind is LabelKind.RUNAWAY_PRECURSOR:
        return ("cell", "sensor")
    if kind is LabelKind.STUCK_SENSOR and metric == "temperature_c":
        return ("sensor",)
    return () if metric in {"current_a", "soc_pct"} else ("cell",)

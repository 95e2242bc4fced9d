"""What is to happen in a scene, drawn first: planned things find their meter, and chance draws the others.

Everything here becomes a label before the first reading; disturbances change what flows, faults what is said of it.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from schemas.readings import Kind
from simulators.fleet.battery_faults import BATTERY_KINDS
from simulators.planned_events import Chance, PlannedEvent
from simulators.plants.disturbance import NIGHT_HOURS, PLANT_KINDS, Disturbance, leak_m3_h
from simulators.plants.faults import FAULT_KINDS, PHASE_LOSS, MeterFault, fault_for
from simulators.truth import Label, LabelKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.registry import Device
    from simulators.plants.meters import Meter
    from simulators.plants.works import Works

LEAK_MM = (9.0, 23.0)
"""Diameters of holes: 5–34 m³/h. Source: docs/simulators.md, "Parameters and their sources"."""
INCIPIENT_MS = (10 * 86_400_000, 60 * 86_400_000)
SIZES: dict[LabelKind, tuple[float, float]] = {
    LabelKind.BASE_LOAD_LEFT_ON: (0.15, 0.40),
    LabelKind.NIGHT_USE: (0.20, 0.50),
    LabelKind.EFFICIENCY_DRIFT: (0.04, 0.10),
    LabelKind.EFFICIENCY_STEP: (0.03, 0.08),
    LabelKind.SLOW_BIAS: (-0.10, -0.04),
    LabelKind.CLOCK_JUMP: (-1_800.0, -120.0),
}
"""Ranges that sizes are drawn from: shares (the first two of the meter's usual flow), seconds. (unsourced)"""
COPIES = 2
SCALE = 10.0
ROLLOVER_AT = 10_000_000.0
ROLLOVER_WINDOW = 3.0
"""A rollover comes within this many times the planned wait, and no sooner than a third of it."""
CUMULATIVE = frozenset({Kind.ELECTRICITY, Kind.WATER, Kind.STEAM, Kind.GAS, Kind.PRODUCTION})


class Staged(NamedTuple):
    """Everything that will happen, in place."""

    disturbances: list[Disturbance]
    faults: list[MeterFault]


def stage(
    planned_events: Sequence[PlannedEvent],
    chances: Sequence[Chance],
    *,
    works: Works | None,
    devices: Sequence[Device],
    seed: int,
    start_ts: int,
) -> Staged:
    """Put everything in its place. Raises ValueError for a target that the scene does not have."""
    rng = random.Random(f"{seed}/happenings")
    places = _Places(works, devices, start_ts)
    drawn = [*planned_events, *(each for chance in chances for each in _draw(chance, planned_events, places, rng))]
    staged = Staged([], [])
    for planned in drawn:
        if planned.kind in PLANT_KINDS:
            staged.disturbances.append(places.disturbance(planned, rng))
        elif planned.kind in FAULT_KINDS:
            staged.faults.append(places.fault(planned, rng))
        else:
            msg = f"{planned.kind} is planned elsewhere: in the fleet or the network of a scenario"
            raise ValueError(msg)
    return staged


class _Places:
    """Devices of a scene by name, and where they sit in its works."""

    def __init__(self, works: Works | None, devices: Sequence[Device], start_ts: int) -> None:
        self.devices = {device.device_id: device for device in devices}
        self._start_ts = start_ts
        layout = works.layout if works is not None else None
        self.meters: dict[str, Meter] = {m.device.device_id: m for m in layout.meters} if layout else {}
        self.consumers = {row.device_id: place for place, row in enumerate(layout.consumers)} if layout else {}
        self.mains = {row.device_id: place for place, row in enumerate(layout.mains)} if layout else {}
        self.plants = {plan.site.site_id: place for place, plan in enumerate(layout.plans)} if layout else {}

    def candidates(self, kind: LabelKind) -> list[str]:
        """Devices, or sites, that `kind` can happen to."""
        meters = self.meters
        match kind:
            case LabelKind.LEAK_ABRUPT | LabelKind.LEAK_INCIPIENT:
                return [name for name in self.mains if meters[name].device.kind is Kind.WATER]
            case LabelKind.EFFICIENCY_DRIFT | LabelKind.EFFICIENCY_STEP:
                return list(self.plants)
            case LabelKind.BASE_LOAD_LEFT_ON | LabelKind.NIGHT_USE:
                return [name for name in self.consumers if meters[name].device.kind in {Kind.ELECTRICITY, Kind.WATER}]
            case LabelKind.PHASE_LOSS:
                return [name for name, meter in meters.items() if meter.device.kind is Kind.ELECTRICITY]
            case LabelKind.ROLLOVER:
                return [name for name, meter in meters.items() if meter.usual > 0]
            case _:
                return [name for name, meter in meters.items() if meter.device.kind in CUMULATIVE]

    def disturbance(self, planned: PlannedEvent, rng: random.Random) -> Disturbance:
        """A leak or an anomaly in place."""
        target, kind = planned.target, planned.kind
        size, params, unit = planned.size, dict(planned.params), "share"
        if target in self.plants:
            if kind not in {LabelKind.EFFICIENCY_DRIFT, LabelKind.EFFICIENCY_STEP}:
                msg = f"{kind} needs a device, not the site {target}"
                raise ValueError(msg)
            site_id, device_id, metric = target, "", "energy_kgce"
            plant, consumer, main = self.plants[target], None, None
        elif target in self.consumers or target in self.mains:
            meter = self.meters[target]
            site_id, device_id = meter.device.site_id, target
            plant, consumer, main = self.plants[site_id], self.consumers.get(target), self.mains.get(target)
            metric = _rate_of(meter.device)
        else:
            raise ValueError(self._unknown(target))
        match kind:
            case LabelKind.LEAK_ABRUPT | LabelKind.LEAK_INCIPIENT:
                params.setdefault("diameter_mm", round(rng.uniform(*LEAK_MM), 1))
                if kind is LabelKind.LEAK_INCIPIENT:
                    grows = round(rng.uniform(*INCIPIENT_MS))
                    lasts = grows if planned.end_ts is None else planned.end_ts - planned.start_ts
                    params.setdefault("grows_ms", min(grows, lasts))
                size, unit = leak_m3_h(params["diameter_mm"]), "m3/h"
            case LabelKind.BASE_LOAD_LEFT_ON | LabelKind.NIGHT_USE:
                share = rng.uniform(*SIZES[kind]) if size is None else size
                size, unit = share * self.meters[target].usual, metric
                if kind is LabelKind.NIGHT_USE:
                    params.setdefault("hours", list(NIGHT_HOURS))
            case _:
                size = round(rng.uniform(*SIZES[kind]), 4) if size is None else size
                if kind is LabelKind.EFFICIENCY_DRIFT and planned.end_ts is not None:
                    params.setdefault("grows_ms", planned.end_ts - planned.start_ts)
        label = Label(kind, site_id, device_id, metric, planned.start_ts, planned.end_ts, size, unit, params)
        return Disturbance(label, plant, consumer, main)

    def fault(self, planned: PlannedEvent, rng: random.Random) -> MeterFault:
        """A meter fault in place."""
        device = self.devices.get(planned.target)
        if device is None:
            raise ValueError(self._unknown(planned.target))
        kind, params, end_ts = planned.kind, dict(planned.params), planned.end_ts
        size, unit, start_ts = 0.0, "", planned.start_ts
        match kind:
            case LabelKind.DUPLICATE:
                size, unit = float(params.setdefault("copies", COPIES)), "copies"
            case LabelKind.PHASE_LOSS:
                size, unit = PHASE_LOSS, "share"
            case LabelKind.SCALE:
                size, unit = SCALE if planned.size is None else planned.size, "factor"
            case LabelKind.SLOW_BIAS | LabelKind.CLOCK_JUMP:
                size = round(rng.uniform(*SIZES[kind]), 3) if planned.size is None else planned.size
                unit = "s" if kind is LabelKind.CLOCK_JUMP else "share"
            case LabelKind.ROLLOVER:
                if planned.target not in self.meters:
                    msg = f"{planned.target} cannot be made to roll over: it is no meter of a plant"
                    raise ValueError(msg)
                waits = start_ts - self._start_ts
                size, unit = params.setdefault("rollover_at", ROLLOVER_AT), "register"
                params["lead"] = round(self.meters[planned.target].usual * waits / 3_600_000, 1)
                start_ts, end_ts = self._start_ts + waits // 3, self._start_ts + round(ROLLOVER_WINDOW * waits)
            case LabelKind.REPLACEMENT:
                size, unit = params.setdefault("register", round(rng.uniform(0, 50), 1)), "register"
            case _:
                pass
        metric = _register_of(device, self.meters.get(planned.target))
        label = Label(kind, device.site_id, device.device_id, metric, start_ts, end_ts, size, unit, params)
        return fault_for(label, device)

    def _unknown(self, target: str) -> str:
        names = ", ".join([*self.plants, *self.devices][:12])
        return f"{target!r} is no meter or plant of this scene; there are {names}, …"


def _draw(chance: Chance, planned: Sequence[PlannedEvent], places: _Places, rng: random.Random) -> list[PlannedEvent]:
    """Draw what chance does; a target that something happens to already is left alone while there are others."""
    taken = {planned.target for planned in planned}
    drawn = []
    for kind in (kind for kind in chance.kinds if kind not in BATTERY_KINDS):
        for _ in range(chance.each):
            candidates = places.candidates(kind)
            if not candidates:
                msg = f"{kind} can happen to nothing in this scene: it needs plants"
                raise ValueError(msg)
            free = [name for name in candidates if name not in taken] or candidates
            target = free[rng.randrange(len(free))]
            taken.add(target)
            lasts = rng.randrange(chance.shortest_ms, chance.longest_ms + 1)
            start = rng.randrange(chance.from_ts, max(chance.from_ts + 1, chance.to_ts - lasts))
            momentary = kind in {LabelKind.RESET, LabelKind.REPLACEMENT}
            drawn.append(PlannedEvent(kind, target, start, None if momentary else start + lasts))
    return drawn


def _rate_of(device: Device) -> str:
    match device.kind:
        case Kind.ELECTRICITY:
            return "power_kw"
        case Kind.STEAM:
            return "flow_t_h"
        case Kind.PRODUCTION:
            return "mass_t"
        case _:
            return "flow_m3_h"


def _register_of(device: Device, meter: Meter | None) -> str:
    """Name of a device's main register; empty for one without."""
    match device.kind:
        case Kind.ELECTRICITY:
            return "energy_export_kwh" if meter is not None and meter.exports else "energy_import_kwh"
        case Kind.WATER | Kind.GAS:
            return "volume_m3"
        case Kind.STEAM | Kind.PRODUCTION:
            return "mass_t"
        case Kind.GANGUE_UNIT:
            return "generated_mwh"
        case _:
            return ""

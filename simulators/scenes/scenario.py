"""Scenarios: readable YAML files that say what a simulated world holds and what happens in it.

Times are written as 90s, 15min, 6h, 10d. In a scenario with a `start` they count from it; in one with a `history` they
count from the moment at which the scene goes live, and may be negative: that much before it.
"""

from __future__ import annotations

import datetime as dt
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, model_validator

from schemas.registry import Sector
from schemas.yaml_text import read_yaml
from simulators.fleet.battery_faults import BATTERY_KINDS, PERMANENT, SENSORS
from simulators.fleet.capacity_test import LONGEST_MS, Campaign
from simulators.fleet.outages import RegionalOutage
from simulators.planned_events import Chance, PlannedEvent
from simulators.plants.campaign import Order
from simulators.plants.disturbance import PLANT_KINDS
from simulators.plants.faults import FAULT_KINDS
from simulators.plants.works import TICK_MS
from simulators.scenes.fields import Duration, Model, Share
from simulators.scenes.past import PastPlan
from simulators.scenes.scene import Scene
from simulators.sectors import PLANS
from simulators.truth import LabelKind
from simulators.wire.network import NetworkPlan, Offline

if TYPE_CHECKING:
    from collections.abc import Iterator

SETS_WITH_A_PAST = 1_000
"""Most sets of which the past is heard everywhere: of more, minutes would pass before a demo goes live."""


class Outage(Model):
    """The mains of a city fails."""

    at: Duration
    lasts: Duration
    every: Duration | None = None
    times: Annotated[int, Field(ge=1)] | None = None
    """How often, where it returns; none: until the scenario is over."""
    city: str | None = None
    """朔州; none: the city with the most sites."""
    share: Share = 0.8
    onset: Duration = 60_000


class TestPlan(Model):
    """Crews go round: every station has its capacity test (核对性放电)."""

    at: Duration
    within: Duration
    """They begin one after another within this time."""
    longest: Duration = LONGEST_MS

    def before(self, zero_ts: int) -> Campaign:
        """As a fleet is told, the scenario's times counting from `zero_ts`."""
        return Campaign(zero_ts + self.at, zero_ts + self.at + self.within, self.longest)


class FleetPlan(Model):
    """Base stations with second-life battery sets."""

    sets: Annotated[int, Field(ge=0, le=7_000)] = 0
    tests: TestPlan | None = None
    """Of every station, in place of once at some time of the year."""
    heated_to_c: float | None = None
    """No shelter is colder; none: as cold as the weather makes it, and no capacity is known below 0 °C."""
    outages: list[Outage] = Field(default_factory=list)


class Event(Model):
    """A leak, an anomaly or a meter fault at one place."""

    kind: LabelKind
    where: str
    """A device, COKE1-W0, or for a plant's efficiency a site, COKE1."""
    at: Duration
    lasts: Duration | None = None
    every: Duration | None = None
    """Happens again after this time, until the scenario is over."""
    size: float | None = None
    """By kind: a share, seconds or a factor; none draws it."""
    diameter_mm: Annotated[float, Field(gt=0, le=200)] | None = None
    grows: Duration | None = None
    """Time over which a leak or a drift comes to its full size."""
    copies: Annotated[int, Field(ge=2, le=10)] | None = None
    register_at: Annotated[float, Field(ge=0)] | None = None
    """Reading of the new meter after a replacement, or the value at which a register rolls over."""

    cell: Annotated[int, Field(ge=1, le=16)] | None = None
    sensor: Annotated[int, Field(ge=1, le=SENSORS)] | None = None
    field: Literal["temperature_c", "cell_voltage_v", "current_a"] | None = None
    """What a stuck sensor measures."""

    @model_validator(mode="after")
    def _is_an_event(self) -> Self:
        if self.kind not in PLANT_KINDS | FAULT_KINDS | BATTERY_KINDS:
            msg = f"{self.kind} is no event: plan it in the fleet or the network"
            raise ValueError(msg)
        momentary = {LabelKind.RESET, LabelKind.REPLACEMENT, LabelKind.ROLLOVER} | PERMANENT
        if self.lasts is None and self.kind not in momentary:
            msg = f"{self.kind} at {self.where}: say how long it lasts"
            raise ValueError(msg)
        return self

    def params(self) -> dict[str, Any]:
        """What a label of this event is told."""
        names = {
            "diameter_mm": self.diameter_mm,
            "grows_ms": self.grows,
            "copies": self.copies,
            "cell": self.cell,
            "sensor": self.sensor,
            "field": self.field,
            "rollover_at" if self.kind is LabelKind.ROLLOVER else "register": self.register_at,
        }
        return {name: value for name, value in names.items() if value is not None}


class Draw(Model):
    """So many of each kind, wherever and whenever chance has it."""

    kinds: list[LabelKind]
    each: Annotated[int, Field(ge=1)] = 1
    within: tuple[Duration, Duration]
    lasts: tuple[Duration, Duration]


class Command(Model):
    """A plant is told what to produce for a while."""

    site: str
    at: Duration
    lasts: Duration
    share: Share
    """Of capacity."""


class Blackout(Model):
    """Gateways lose their connection, and send what they have when it is back."""

    at: Duration
    lasts: Duration
    every: Duration | None = None
    site: str = ""
    share: Share = 1.0
    within: Duration = 30_000
    """They come back one after another within this time."""


class Weather(Model):
    """What the network does to messages."""

    duplicates: Share = 0.0
    reordered: Share = 0.0
    delay: Duration = 20_000
    malformed_per_h: Annotated[float, Field(ge=0)] = 0.0
    foreign_per_h: Annotated[float, Field(ge=0)] = 0.0
    skewed: Share = 0.0
    skew: Duration = 60_000
    offline: list[Blackout] = Field(default_factory=list)


_Timed = TypeVar("_Timed", Outage, Event, Command, Blackout, TestPlan)


class LiveWatch(Model):
    """How a scenario with a date of its own is watched live: as if that date were such that it has come this far."""

    at: Duration
    """How much of it is over when it goes live."""
    history: Duration = 1_800_000
    """The last of that, in which every device is heard as often as it sends."""
    past: PastPlan | None = None


class Scenario(Model):
    """One scenario, as in a YAML file."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: str
    title_zh: str
    about: str
    """What it is for, and what should be seen."""
    look: str = ""
    """A sentence for somebody who watches it: what to look at, and on which page."""
    look_zh: str = ""
    start: dt.datetime | None = None
    """Moment with a time zone; none for a scenario that is watched live."""
    history: Duration | None = None
    """How much lies before the live moment."""
    watch: LiveWatch | None = None
    """How one with a start is watched live."""
    past: PastPlan | None = None
    lasts: Duration
    """Length after the start, or after going live."""
    step: Duration = 3_600_000
    """Of the true states in the truth file, whole ticks."""
    tick: Duration = TICK_MS
    """Time within which every flow is constant: a minute makes weeks of plants five times as quick to draw."""
    fleet: FleetPlan = Field(default_factory=FleetPlan)
    plants: dict[Sector, Annotated[int, Field(ge=0, le=200)]] = Field(default_factory=dict)
    events: list[Event] = Field(default_factory=list)
    draw: list[Draw] = Field(default_factory=list)
    orders: list[Command] = Field(default_factory=list)
    network: Weather | None = None

    @model_validator(mode="after")
    def _has_one_clock(self) -> Self:
        if (self.start is None) == (self.history is None):
            msg = "give a start, or a history for a scenario that is watched live"
            raise ValueError(msg)
        if self.start is not None and self.start.tzinfo is None:
            msg = f"start {self.start} has no time zone: write +08:00"
            raise ValueError(msg)
        if self.step % self.tick:
            msg = "a step is so many whole ticks"
            raise ValueError(msg)
        return self

    def watched(self) -> Scenario:
        """Itself as it is watched live, its times counted from the live moment. ValueError where it cannot be."""
        if self.history is not None:
            return self
        if self.watch is None:
            msg = f"{self.name} cannot be watched live: feed it with `fenhe simulate --scenario {self.name}`"
            raise ValueError(msg)
        over = self.watch.at
        return self.model_copy(
            update={
                "start": None,
                "history": self.watch.history,
                "past": self.watch.past,
                "lasts": self.lasts - over,
                "fleet": self.fleet.model_copy(
                    update={
                        "outages": [_sooner(each, over) for each in self.fleet.outages],
                        "tests": None if self.fleet.tests is None else _sooner(self.fleet.tests, over),
                    }
                ),
                "events": [_sooner(each, over) for each in self.events],
                "orders": [_sooner(each, over) for each in self.orders],
                "draw": [
                    each.model_copy(update={"within": (each.within[0] - over, each.within[1] - over)})
                    for each in self.draw
                ],
                "network": self.network
                and self.network.model_copy(update={"offline": [_sooner(each, over) for each in self.network.offline]}),
            }
        )

    def start_ts(self, now_ts: int) -> int:
        """Where its scene begins: at its start, or its history before `now_ts`."""
        if self.start is not None:
            return round(self.start.timestamp() * 1_000)
        return now_ts - (self.history or 0)

    def end_ts(self, start_ts: int) -> int:
        """Where a scene that began at `start_ts` is over."""
        return start_ts + (self.history or 0) + self.lasts

    def scene(
        self,
        *,
        seed: int,
        start_ts: int,
        live_ts: int | None = None,
        sets: int | None = None,
    ) -> Scene:
        """Its scene, in which all devices are heard from `start_ts` on.

        `live_ts`: when it goes live, if it is watched; `sets` replaces its number of battery sets.
        """
        sets = self.fleet.sets if sets is None else sets
        past = self.past
        zero = start_ts if self.start is not None or live_ts is None else live_ts
        if self.history is not None and live_ts is None:
            zero = start_ts + self.history
        tests = self.fleet.tests
        return Scene(
            seed=seed,
            sets=sets,
            start_ts=start_ts if past is None else start_ts - past.lasts,
            past=None if past is None else past.of_works(start_ts),
            fleet_past=None if past is None else past.of_fleet(start_ts, of_one_city=sets > SETS_WITH_A_PAST),
            campaign=None if tests is None else tests.before(zero),
            heated_to_c=self.fleet.heated_to_c,
            plants=self.plants,
            regional=self._outages(zero),
            orders=[Order(o.site, zero + o.at, zero + o.at + o.lasts, o.share) for o in self.orders],
            planned_events=[
                planned_event for event in self.events for planned_event in self._planned_events(event, zero)
            ],
            chances=[
                Chance(draw.kinds, draw.each, zero + draw.within[0], zero + draw.within[1], *draw.lasts)
                for draw in self.draw
            ],
            network=self._network(zero),
            tick_ts=self.tick,
        )

    def _recurrences(self, at: int, every: int | None, times: int | None = None) -> Iterator[int]:
        """When something that begins `at` and returns `every` so often happens, from the scenario's zero."""
        yield at
        done = 1
        while every is not None and at + every < self.lasts and done != times:
            at, done = at + every, done + 1
            yield at

    def _outages(self, zero: int) -> list[RegionalOutage]:
        return [
            RegionalOutage(zero + at, outage.lasts, outage.city, outage.share, outage.onset)
            for outage in self.fleet.outages
            for at in self._recurrences(outage.at, outage.every, outage.times)
        ]

    def _planned_events(self, event: Event, zero: int) -> Iterator[PlannedEvent]:
        for at in self._recurrences(event.at, event.every):
            end = None if event.lasts is None else zero + at + event.lasts
            yield PlannedEvent(event.kind, event.where, zero + at, end, event.size, event.params())

    def _network(self, zero: int) -> NetworkPlan | None:
        plan = self.network
        if plan is None:
            return None
        return NetworkPlan(
            duplicates=plan.duplicates,
            reordered=plan.reordered,
            delay_ms=plan.delay,
            malformed_per_h=plan.malformed_per_h,
            foreign_per_h=plan.foreign_per_h,
            skewed=plan.skewed,
            skew_s=plan.skew / 1_000,
            offline=tuple(
                Offline(zero + at, zero + at + each.lasts, each.site, each.share, each.within)
                for each in plan.offline
                for at in self._recurrences(each.at, each.every)
            ),
        )


def _sooner(each: _Timed, by_ms: int) -> _Timed:
    return each.model_copy(update={"at": each.at - by_ms})


def names() -> list[str]:
    """Names of all scenarios."""
    folder = files("simulators") / "scenarios"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def load(name: str) -> Scenario:
    """Read a scenario. Raises ValueError, naming those that exist, for an unknown one."""
    if name not in names():
        msg = f"no scenario {name!r}; there are {', '.join(names())}"
        raise ValueError(msg)
    text = (files("simulators") / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8")
    scenario = Scenario.model_validate(read_yaml(text))
    if scenario.name != name:
        msg = f"scenarios/{name}.yaml calls itself {scenario.name!r}"
        raise ValueError(msg)
    return scenario


def quiet(*, sets: int, history_h: float, plants: bool) -> Scenario:
    """A world in which nothing is planned: what `fenhe simulate` publishes without a scenario."""
    return Scenario(
        name="quiet",
        title="Nothing planned",
        title_zh="无计划事件",
        about="One plant of each sector and a fleet; whatever happens, happens by itself.",
        look="All pages: nothing is planned.",
        look_zh="任意页面：没有计划事件。",
        history=f"{history_h}h",
        lasts="1d",
        fleet=FleetPlan(sets=sets),
        plants=dict.fromkeys(PLANS, 1) if plants else {},
    )

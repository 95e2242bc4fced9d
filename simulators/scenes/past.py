"""What lies before a watched scenario's history: what an archive kept of weeks, sampled, and of chosen hours."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from simulators.fleet.fleet import FleetPast, HeardHours
from simulators.plants.works import PAST_TICK_MS, Past
from simulators.scenes.fields import Duration, Model


class HeardPlan(Model):
    """Hours of the past, counted back from the history, of which base stations are heard."""

    since: Duration
    until: Duration = 0
    city: str = ""
    """朔州; none: everywhere."""


class FleetPastPlan(Model):
    """A past of the base stations: what an archive kept of it."""

    lasts: Duration
    every: Duration = 180_000
    """Between two polls; three of the registered minutes are no gap yet."""
    city: str = ""
    """朔州: of a fleet of more than a thousand sets, only this city's past is heard of."""
    heard: list[HeardPlan]


class PastPlan(Model):
    """A long past before the history: what detectors, baselines and limits over weeks learn from."""

    lasts: Duration
    sampled: bool = False
    """One reading of each meter in a quarter of an hour; its registered period is then five minutes at least."""
    plants: Duration = 0
    """How long the meters at the plants' boundaries have been heard."""
    submeters: Duration = 0
    """How long those behind them have."""
    meters: dict[str, Duration] = Field(default_factory=dict)
    """How long each of these has been heard, whatever its place; 0s: not at all, and its own period is registered."""
    fleet: FleetPastPlan | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        fleet_ms = self.fleet.lasts if self.fleet is not None else 0
        heard = [self.lasts, self.plants, self.submeters, *self.meters.values(), fleet_ms]
        if any(each % PAST_TICK_MS for each in heard):
            msg = "a past lasts whole quarters of an hour"
            raise ValueError(msg)
        if max(heard) > self.lasts:
            msg = "the past of a meter or of base stations lasts no longer than the whole past"
            raise ValueError(msg)
        return self

    def of_works(self, start_ts: int) -> Past:
        """As a scene is told, whose history begins at `start_ts`."""
        meters = {name: start_ts - lasts for name, lasts in self.meters.items()}
        return Past(start_ts, meters, start_ts - self.plants, start_ts - self.submeters, sampled=self.sampled)

    def of_fleet(self, start_ts: int, *, of_one_city: bool = False) -> FleetPast | None:
        """As a fleet is told; None where its past is not heard of. `of_one_city`: of the large fleet's first city."""
        if self.fleet is None:
            return None
        heard = [
            HeardHours(
                start_ts - each.since, start_ts - each.until, each.city or (self.fleet.city if of_one_city else "")
            )
            for each in self.fleet.heard
        ]
        return FleetPast(start_ts - self.fleet.lasts, start_ts, self.fleet.every, heard)

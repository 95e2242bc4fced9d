"""How a kind of alarm is handled: delays, deadband, latching, re-alarm; defaults, and what operators set instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from schemas.metrics.signal import SAFETY_KINDS, YOUNG_SAMPLES, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

Samples = Annotated[int, Field(ge=1, le=YOUNG_SAMPLES)]
"""A detector gives out each of the first samples of a verdict, so that many can be counted."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Handling(_Model):
    """Defaults of a kind."""

    on_delay_samples: Samples
    """Samples in a row for which the condition must hold."""
    off_delay_samples: Samples
    """Samples in a row for which it must be over."""
    deadband_share: Annotated[float, Field(ge=0, lt=1)]
    """Share of the limit by which a value must have come back to be over without a hold."""
    latching: bool
    """Its end must be seen by an operator, acknowledged before or not."""


class PartialHandling(_Model):
    """What a kind has otherwise than the default."""

    on_delay_samples: Samples | None = None
    off_delay_samples: Samples | None = None
    deadband_share: Annotated[float, Field(ge=0, lt=1)] | None = None
    latching: bool | None = None


class NoDataRules(_Model):
    """When silence is an alarm, and of what."""

    gap_periods: Annotated[float, Field(gt=1)]
    """Silence of more than so many of the device's periods is a gap."""
    on_delay_periods: Annotated[float, Field(ge=0)]
    """Further periods before it is an alarm."""
    off_delay_periods: Annotated[float, Field(ge=0)]
    """Periods for which a device must have been heard again."""
    roll_up_devices: Annotated[int, Field(ge=2)]
    roll_up_share: Annotated[float, Field(gt=0, le=1)]
    region_sites: Annotated[int, Field(ge=2)]
    region_share: Annotated[float, Field(gt=0, le=1)]


class AlarmRules(_Model):
    """Everything that is set about handling alarms."""

    version: str
    source: str
    verified: bool
    default: Handling
    safety: Handling
    kinds: dict[str, PartialHandling]
    realarm_h: dict[Severity, Annotated[float, Field(gt=0)]]
    deadband_hold_s: Annotated[float, Field(ge=0)]
    group_window_s: Annotated[float, Field(ge=0)]
    region_groups: frozenset[str]
    """Kinds that are a fleet's concern: of a region they are one group, of whichever sites."""
    one_cause: frozenset[str]
    """Kinds that watch one and the same: those of one metric of one device are one group for as long as one is open."""
    no_data: NoDataRules

    def handling(self, kind: str) -> Handling:
        """Return the default of a kind."""
        if kind in SAFETY_KINDS:
            return self.safety
        own = self.kinds.get(kind)
        return self.default if own is None else self.default.model_copy(update=own.model_dump(exclude_none=True))


class Condition(NamedTuple):
    """What an alarm is an alarm of."""

    site_id: str
    device_id: str
    metric: str
    kind: str


class Rule(NamedTuple):
    """How one condition is handled."""

    on_delay_samples: int
    off_delay_samples: int
    deadband_share: float
    latching: bool
    safety: bool
    low: float | None = None
    """An operator's own limits: a value between them is no evidence."""
    high: float | None = None


def rule_for(
    rules: AlarmRules, settings: Mapping[tuple[str, str, str, str], Mapping[str, float]], condition: Condition
) -> Rule:
    """Combine defaults and what operators set, from the general to the particular.

    `settings` holds values by parameter under (kind, site, device, metric); "" stands for any.
    """
    handling = rules.handling(condition.kind)
    own: dict[str, float] = {}
    for key in (
        (condition.kind, "", "", ""),
        (condition.kind, "", "", condition.metric),
        (condition.kind, condition.site_id, "", ""),
        (condition.kind, condition.site_id, "", condition.metric),
        (condition.kind, condition.site_id, condition.device_id, ""),
        (condition.kind, condition.site_id, condition.device_id, condition.metric),
    ):
        own |= settings.get(key, {})
    return Rule(
        on_delay_samples=max(1, int(own.get("on_delay_samples", handling.on_delay_samples))),
        off_delay_samples=max(1, int(own.get("off_delay_samples", handling.off_delay_samples))),
        deadband_share=own.get("deadband_share", handling.deadband_share),
        latching=handling.latching,
        safety=condition.kind in SAFETY_KINDS,
        low=own.get("low"),
        high=own.get("high"),
    )

"""What of a meter is another from a moment on: its factors, its rating, its rollover, or the meter itself.

What was measured before that moment keeps what held then, also where it is computed again years later.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from schemas.kinds import described
from schemas.quantity import CalendarTime
from schemas.readings import Kind, registers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Factor = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Shown = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class MeterChange(BaseModel):
    """What changes at a moment; what is not named stays as it was."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    valid_from: CalendarTime
    """From this moment on, ms."""
    multiplier: dict[str, Factor] = Field(default_factory=dict)
    """New factor by field, in place of the one so far."""
    rated: Factor | None = None
    """New rating."""
    rollover: dict[str, Factor] = Field(default_factory=dict)
    """New rollover by register."""
    final: dict[str, Shown] = Field(default_factory=dict)
    """What the old meter showed last, by register: it was exchanged for another one."""
    first: dict[str, Shown] = Field(default_factory=dict)
    """What the new meter showed first, by register; 0 where nothing is said."""


class Terms(NamedTuple):
    """What holds of one field of a meter from a moment on."""

    since: float
    """ms; minus infinity for what holds from the beginning."""
    factor: float = 1.0
    """What the field is multiplied by."""
    rated: float | None = None
    rollover: float | None = None
    """Value at which the register starts again, as it shows it."""
    final: float | None = None
    """What the meter before this one showed last; None: it is the same meter."""
    first: float = 0.0


def terms_of(
    field: str,
    *,
    multiplier: Mapping[str, float],
    rated: float | None,
    rollover: Mapping[str, float],
    changes: Sequence[MeterChange],
) -> tuple[Terms, ...]:
    """What has held of a field, the earliest first."""
    found = [Terms(float("-inf"), multiplier.get(field, 1.0), rated, rollover.get(field))]
    for change in changes:
        before = found[-1]
        found.append(
            Terms(
                change.valid_from,
                change.multiplier.get(field, before.factor),
                change.rated if change.rated is not None else before.rated,
                change.rollover.get(field, before.rollover),
                change.final.get(field),
                change.first.get(field, 0.0),
            )
        )
    return tuple(found)


def wrong_with(kind: Kind, multiplier: Mapping[str, float], changes: Sequence[MeterChange]) -> str | None:
    """Say what is wrong with a meter's factors and changes; None: nothing."""
    if not multiplier and not changes:  # nearly always
        return None
    registers = registers_of(kind)
    fields = {*registers, *(rate.field for rate in described(kind).rate_of.values())}
    if any(later.valid_from <= change.valid_from for change, later in pairwise(changes)):
        return "changes must stand in the order of their valid_from, and no two at one moment"
    for field in (*multiplier, *(name for change in changes for name in change.multiplier)):
        if field not in fields:
            return f"multiplier names {field}; a {kind} has {', '.join(sorted(fields)) or 'nothing to multiply'}"
    for change in changes:
        for register in (*change.rollover, *change.final, *change.first):
            if register not in registers:
                return f"changes name {register}; a {kind} has {', '.join(registers) or 'no registers'}"
        for register in change.first:
            if register not in change.final:
                return f"first of {register} needs the final reading of the meter before it"
    return None

"""What a scene may plan to happen, before it is known where and when exactly."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.truth import LabelKind


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """One planned thing, at a device or a whole site."""

    kind: LabelKind
    target: str
    start_ts: int
    end_ts: int | None = None
    size: float | None = None
    """A share, seconds or a factor, by kind; None draws it."""
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chance:
    """`each` things of every one of `kinds`, at meters, moments and for times that are drawn."""

    kinds: Sequence[LabelKind]
    each: int
    from_ts: int
    to_ts: int
    shortest_ms: int
    longest_ms: int

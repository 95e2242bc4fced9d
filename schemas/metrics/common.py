"""What all derived rows have in common: quality, and how a number is kept."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


R = TypeVar("R")


class Quality(StrEnum):
    """How far a derived figure can be trusted."""

    GOOD = "good"
    PARTIAL = "partial"
    ESTIMATED = "estimated"
    UNKNOWN = "unknown"


GOOD_COVERAGE = 0.99
"""Share of a window that must be backed by good readings for `good`. (unsourced)"""


def quality_of(coverage: float, *, estimated: bool) -> Quality:
    """Quality of a sum from its coverage; `estimated` where some of it is an interpolation over a gap."""
    if coverage >= GOOD_COVERAGE:
        return Quality.GOOD
    if coverage > 0:
        return Quality.PARTIAL
    return Quality.ESTIMATED if estimated else Quality.UNKNOWN


Moment = Annotated[int, "timestamptz"]
"""Milliseconds since the epoch, UTC; kept as a time stamp, in a column `…_at` where the field is called `…_ts`."""
Real = Annotated[float, "real"]
"""A figure kept with 24 bits of mantissa, which no later computation starts from."""
Json = Annotated[str, "json"]
"""A JSON document."""


def built(row_type: type[R], values: Iterable[Sequence[Any]]) -> list[R]:
    """Rows out of their fields' values: many at once, without a call for each."""
    build: Callable[[Sequence[Any]], R] = partial(tuple.__new__, row_type)  # type: ignore[type-var]
    return list(map(build, values))

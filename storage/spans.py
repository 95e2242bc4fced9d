"""Stretches of time of entities: what is loaded, folded again or taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from storage.arrays import Column, PgType

if TYPE_CHECKING:
    from collections.abc import Sequence

FOREVER_MS = 253_370_764_800_000
"""9999-01-01: later than anything."""
LONG_AGO_MS = -2_208_988_800_000
"""1900-01-01: earlier than anything."""


class Span(NamedTuple):
    """An entity and a stretch of time, from_ms <= ts < to_ms."""

    entity_id: str
    from_ms: int
    to_ms: int


def span_columns(spans: Sequence[Span]) -> list[Column]:
    """Spans as three columns: entity, from, to."""
    return [
        Column(PgType.TEXT, [span.entity_id for span in spans]),
        Column(PgType.TIMESTAMPTZ, [span.from_ms for span in spans]),
        Column(PgType.TIMESTAMPTZ, [span.to_ms for span in spans]),
    ]

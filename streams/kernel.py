"""What a kernel is: a pure fold over one device's ordered readings, or a view over rows already derived.

A new metric is a new kernel in `streams.kernels`; the transaction engine stays as it is. Kernels do no I/O and
never ask for the time: state and ordered readings in, new state and rows out. They may not change the state they
are given, because the transaction it belongs to may be rolled back.

The promise a fold makes, and the engine relies on for late data: fed from an *anchor* (a reading at or before a
bucket's start less `lookback_ms`) with no state, it comes to exactly the rows and, at the end, exactly
the state that a single pass over everything would have come to. So it remembers nothing older than that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import MeterMinute, Row
    from schemas.readings import Kind
    from schemas.registry import Device, Site
    from storage.readings import Arrival


class Fold(Protocol):
    """A kernel over one device's readings."""

    @property
    def name(self) -> str:
        """Under which its states are saved."""

    @property
    def version(self) -> int:
        """Of the form of its state; a saved state of another version is rebuilt from raw readings."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """Kinds of reading it is fed."""

    @property
    def bucket_ms(self) -> int:
        """Length of the buckets its rows stand for."""

    @property
    def lookback_ms(self) -> int:
        """How much before a bucket's start it must have seen to compute the bucket."""

    def fold(self, state: Any, device: Device, arrivals: Sequence[Arrival]) -> tuple[Any, list[Row]]:  # noqa: ANN401
        """Take readings newer than any before, in order of device time; `state` is None at the beginning."""

    def attributes(self, state: Any, kind: Kind) -> tuple[str, ...]:  # noqa: ANN401
        """Attributes the fold follows each for itself, so that each needs an anchor; empty if a reading is whole."""

    def dump(self, state: Any) -> str:  # noqa: ANN401
        """Write a state as JSON."""

    def load(self, text: str) -> Any:  # noqa: ANN401
        """Read a state back."""


class PlantView(Protocol):
    """A view over the meter minutes of one site: no state, computed from rows alone."""

    @property
    def reach_ms(self) -> int:
        """How far before and after a changed minute it reads, and how far after it rewrites."""

    def rows(
        self, site: Site, devices: Sequence[Device], minutes: Sequence[MeterMinute], from_ms: int, to_ms: int
    ) -> list[Row]:
        """Compute the view's rows with from_ms < ts <= to_ms out of the minutes of [from_ms − reach, to_ms)."""

    def devices(self, devices: Sequence[Device]) -> list[Device]:
        """Choose the devices of a site whose minutes it reads."""

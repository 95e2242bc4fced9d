"""A reading on its way: who sent it, and when it was taken in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from schemas.readings import Reading


class Arrival(NamedTuple):
    """A reading of a registered device, with when its collector took it in."""

    device_id: str
    received_ms: int
    reading: Reading

    @property
    def ts(self) -> int:
        """Device time, ms."""
        return self.reading.ts

    @property
    def key(self) -> tuple[str, int]:
        """What makes a reading one and the same: device and device time."""
        return (self.device_id, self.reading.ts)

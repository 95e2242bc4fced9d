"""A collector that is killed between Kafka's acknowledgement and its own: `python -m tests.chaos.dying_collector`.

The environment variable DIES_AFTER says how many messages it acknowledges before it kills itself, as `kill -9` would.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import ingest.collector
from fenhe.cli import app
from ingest.broker import BrokerSession

if TYPE_CHECKING:
    from collections.abc import Sequence


class DyingSession(BrokerSession):
    """Kafka has the record, its delivery callback runs: and here the process ends."""

    left = int(os.environ["DIES_AFTER"])

    def acknowledge(self, packet_ids: Sequence[int], generation: int) -> None:
        """Acknowledge so many messages, of the last record only its first ones, then die."""
        super().acknowledge(packet_ids[: self.left], generation)
        if len(packet_ids) > self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= len(packet_ids)


if __name__ == "__main__":
    vars(ingest.collector)["BrokerSession"] = DyingSession
    app()

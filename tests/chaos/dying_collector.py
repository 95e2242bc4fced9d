"""A collector that is killed between Kafka's acknowledgement and its own: `python -m tests.chaos.dying_collector`.

The environment variable DIES_AFTER says how many messages it acknowledges before it kills itself, as `kill -9` would.
"""

from __future__ import annotations

import os
import signal

import ingest.collector
from fenhe.cli import app
from ingest.broker import BrokerSession


class DyingSession(BrokerSession):
    """Kafka has the record, its delivery callback runs: and here the process ends."""

    left = int(os.environ["DIES_AFTER"])

    def acknowledge(self, packet_id: int, generation: int) -> None:
        """Acknowledge so many messages, then die in place of the next acknowledgement."""
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1
        super().acknowledge(packet_id, generation)


if __name__ == "__main__":
    vars(ingest.collector)["BrokerSession"] = DyingSession
    app()

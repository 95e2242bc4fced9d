"""A worker with little room for records that wait: `python -m tests.chaos.narrow_worker work`."""

from __future__ import annotations

import streams.worker.shepherd
from fenhe.cli import app

ROOM_BYTES = 40_000
"""Of all its partitions together."""

if __name__ == "__main__":
    vars(streams.worker.shepherd)["WAITING_BYTES"] = ROOM_BYTES
    app()

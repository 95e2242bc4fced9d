"""A worker that loses records on their way to the engine: `python -m tests.chaos.skipping_worker work`.

Of the next take after the file named by SKIPS_ONCE has appeared all but the first and the last record are thrown away,
and the file with it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import streams.worker.app
from fenhe.cli import app
from streams.worker.shepherd import Shepherd

if TYPE_CHECKING:
    from collections.abc import Sequence

    import faust

TRIGGER = Path(os.environ["SKIPS_ONCE"])


def is_time() -> bool:
    """Whether to lose a take, once."""
    try:
        TRIGGER.unlink()
    except FileNotFoundError:
        return False
    return True


class SkippingShepherd(Shepherd):
    """Loses the middle of one take."""

    async def store(self, events: Sequence[faust.EventT[bytes]]) -> None:
        """Store it all, but for once."""
        await super().store([events[0], events[-1]] if is_time() else events)


if __name__ == "__main__":
    vars(streams.worker.app)["Shepherd"] = SkippingShepherd
    app()

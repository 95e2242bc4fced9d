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
    from collections.abc import Iterable

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

    def take(self, events: Iterable[faust.EventT[bytes]]) -> None:
        """Take it all over, but for once."""
        taken = [*events]
        super().take([taken[0], taken[-1]] if is_time() else taken)


if __name__ == "__main__":
    vars(streams.worker.app)["Shepherd"] = SkippingShepherd
    app()

"""A worker's memory while meters come back after days of silence."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from fenhe.local.services import project_root

METERS, SITES, SILENT_DAYS = 40, 1, 6
MOST_MIB = 400
"""Of the 1 024 that compose gives a worker. Without bounds these meters took 520, and each hundred a GiB more."""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_meters_that_come_back_after_days_of_silence_fit_into_a_workers_memory(own_url: str) -> None:
    """However many meters come back at once, a transaction takes on so many minutes, and no more are in memory."""
    done = subprocess.run(  # noqa: S603 - our own module
        [
            sys.executable,
            "-m",
            "tests.support.worker.returning_meters",
            own_url,
            *map(str, (METERS, SITES, SILENT_DAYS)),
        ],
        cwd=project_root(),
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)
    assert (found["stored"], found["retries"]) == (6 * METERS, 0)
    assert found["most_mib"] < MOST_MIB, found

"""A short hunt of each run of the tests; a long one is `make chaos SEED=7 MINUTES=60`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fenhe.local import Services
from tests.chaos.hunter.hunt import has_failed, hunt, report
from tests.fixtures.services import wanted_services

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.real, pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(600)]

MINUTES = 0.7
LEAST_FAULTS = 8
"""Fewer would have tried nothing."""


def test_nothing_is_lost_whatever_is_broken_at_random(scratch: Path) -> None:
    """Parts killed, wires cut, clocks set wrong: rows, alarms, notices and books are those of one quiet pass."""
    if wanted_services() is Services.EMBEDDED:
        pytest.skip("FENHE_TEST_SERVICES=embedded asks for no real services")
    outcome = hunt(1, MINUTES, scratch)
    assert not has_failed(outcome), report(outcome)
    assert len(outcome.trials) >= LEAST_FAULTS

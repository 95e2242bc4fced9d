"""What real meters send never becomes a wrong number marked `good`: the cases M* that concern sums."""

from __future__ import annotations

import pytest

from tests.support.cases import needs_cases, play

pytestmark = needs_cases


def test_power_with_the_wrong_sign_leaves_the_import_register_right(own_url: str) -> None:
    """M25: the import register rises by a kWh a minute whatever sign the power beside it has."""
    run = play("M25", own_url)
    assert run.books().quarantined == 0
    assert run.total("M25-E") == pytest.approx(119.0)

"""How many decimals a register shows, learnt from what it says."""

from __future__ import annotations

import pytest

from streams.kernels.metering.habit import first


@pytest.mark.parametrize("value", [1.7e308, 1.7976931348623157e308])
def test_the_largest_numbers_have_no_more_decimals_than_were_seen(value: float) -> None:
    """A register is bounded by nothing but its form: one whose tenths no number holds is learnt from, too."""
    assert first(0, 5.5).seeing(5.5).seeing(value).digits == 1

"""What `fenhe device test` says of a row can be read by whoever mounted the device."""

from __future__ import annotations

from fenhe.device_test import row_in_words
from schemas.metrics.meter import MeterLatest

T0 = 1_780_000_200_000


def test_moments_are_said_as_the_clock_shows_them() -> None:
    """Local time, not milliseconds since 1970."""
    row = MeterLatest(
        device_id="w-1",
        ts=T0,
        site_id="s",
        kind="water",
        received_ts=T0 + 1_500,
        total=482.5,
        rate=None,
        total_unit="m3",
        rate_unit=None,
    )
    words = row_in_words(row)
    assert words.startswith("meter_latest 04:30 ")
    assert "received_ts 29 May 04:30:01" in words

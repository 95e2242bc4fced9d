"""A limit that a page colours by, or names, is the limit in the reference data."""

from __future__ import annotations

from dashboards.kit import thresholds
from streams.kernels.battery.reference import health_reference
from streams.kernels.detection.reference import detection
from streams.kernels.plant.reference import reference


def test_pages_warn_where_the_reference_data_says() -> None:
    """Whoever changes a threshold there is told which pages to build again."""
    advice, battery = health_reference().advice, detection().battery
    assert advice.watch_below_soh_pct == thresholds.SOH_WATCH_PCT
    assert advice.retire_below_soh_pct == thresholds.SOH_RETIRE_PCT
    assert advice.spread_float_mv == battery.spread_max_mv == thresholds.SPREAD_RETIRE_MV
    assert battery.temperature_max_c == thresholds.TEMPERATURE_MAX_C
    assert battery.rate_max_c_min == thresholds.TEMPERATURE_RATE_MAX_C_MIN
    assert reference().settings["capacity_factor_baseline"].value == thresholds.CAPACITY_FACTOR_PCT

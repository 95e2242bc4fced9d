"""Figures at which pages change their colour and which their texts name.

They are the reference data's, which a page cannot read: `tests/unit/dashboards/test_thresholds.py` holds them to it.
"""

SOH_WATCH_PCT = 70
SOH_RETIRE_PCT = 60
SPREAD_RETIRE_MV = 50
TEMPERATURE_MAX_C = 55
TEMPERATURE_RATE_MAX_C_MIN = 1
CAPACITY_FACTOR_PCT = 60
"""What the province counts with."""

"""Registers the fixtures; they stand in tests/fixtures, one plugin file by concern."""

from hypothesis import HealthCheck, settings

# How long an example takes says something of the machine's load, and nothing of the code.
settings.register_profile("fenhe", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fenhe")

pytest_plugins = [
    "tests.fixtures.dashboards",
    "tests.fixtures.pipeline",
    "tests.fixtures.services",
]

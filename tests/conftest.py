"""Registers the fixtures; they stand in tests/fixtures, one plugin file by concern."""

from hypothesis import HealthCheck, Phase, settings

# How long an example takes says something of the machine's load, and nothing of the code.
settings.register_profile("shrinking", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Making a failing example smaller may take five minutes, where a test has three: the failure would come out as a crash
# without a reason. `--hypothesis-profile=shrinking` makes it smaller.
settings.register_profile(
    "fenhe", settings.get_profile("shrinking"), phases=[phase for phase in Phase if phase is not Phase.shrink]
)
settings.load_profile("fenhe")

pytest_plugins = [
    "tests.fixtures.browser",
    "tests.fixtures.dashboards",
    "tests.fixtures.engine",
    "tests.fixtures.logs",
    "tests.fixtures.pipeline",
    "tests.fixtures.services",
]

"""Registers the fixtures; they stand in tests/fixtures, one plugin file by concern."""

pytest_plugins = [
    "tests.fixtures.dashboards",
    "tests.fixtures.pipeline",
    "tests.fixtures.services",
]

"""Integration tests of `dashboards`."""

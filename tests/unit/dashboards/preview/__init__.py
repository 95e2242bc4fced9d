"""Unit tests of `dashboards/preview`."""

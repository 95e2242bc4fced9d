"""Unit tests of `simulators/scenes`."""

"""Unit tests of `simulators/replay`."""

"""Unit tests of `simulators/fleet`."""

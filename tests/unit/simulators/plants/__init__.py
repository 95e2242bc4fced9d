"""Unit tests of `simulators/plants`."""

"""Unit tests of `simulators/wire`."""

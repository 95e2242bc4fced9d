"""Unit tests of `streams/intake`."""

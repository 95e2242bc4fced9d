"""Unit tests of `streams/worker`."""

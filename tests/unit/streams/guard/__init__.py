"""Unit tests of `streams/guard`."""

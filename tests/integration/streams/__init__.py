"""Integration tests of `streams`."""

"""Integration tests of `storage`."""

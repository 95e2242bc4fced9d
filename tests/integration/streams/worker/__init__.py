"""Tests of `streams/worker` on a real database."""

"""Tests of plant figures."""

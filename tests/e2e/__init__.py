"""Tests of a reading's whole way."""

"""Tests of what benches say."""

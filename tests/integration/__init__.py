"""Tests of one part with the services it talks to."""

"""Tests of what a base station tells of its sets."""

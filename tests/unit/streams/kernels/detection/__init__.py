"""Unit tests of the detectors."""

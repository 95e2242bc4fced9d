"""Unit tests of `streams/kernels/battery`."""

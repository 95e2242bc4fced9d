"""Unit tests of `streams/kernels/metering`."""

"""Detectors: pure kernels of small state that turn series into signals. The alarms decide what becomes of those."""

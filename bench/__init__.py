"""Benchmarks, and trials on real and simulated data: `python -m bench`, `python -m bench.detection` and so on."""

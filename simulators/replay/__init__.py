"""Recorded data, published as a device's readings: a CSV file and a mapping of its columns."""

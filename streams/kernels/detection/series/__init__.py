"""Detectors over the hours and nights of one meter."""

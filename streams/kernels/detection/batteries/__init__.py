"""Detectors over battery sets and their sites."""

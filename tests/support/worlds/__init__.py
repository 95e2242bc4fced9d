"""Worlds for tests: plants, meters and battery sets whose truth is known, made up or recorded."""

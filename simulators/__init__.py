"""Simulated plants and battery sets, publishing over MQTT exactly as real devices would. Imports `schemas` only."""

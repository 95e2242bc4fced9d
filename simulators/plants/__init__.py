"""Simulated plants: production, flows, meters, and what goes wrong with them."""

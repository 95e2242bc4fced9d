"""Readings of one kind as columns: how they travel in a record, and how a worker holds them."""

"""Registers become consumption."""

"""Simulated base stations and their battery sets."""

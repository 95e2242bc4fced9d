"""Panels by city: the map of the province, and sites at risk in the next outage."""

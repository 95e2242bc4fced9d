"""Dashboards: one Python definition each, built into the JSON that Grafana and the local preview render."""

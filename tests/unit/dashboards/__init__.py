"""Dashboards without a database."""

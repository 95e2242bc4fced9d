"""Alarms without a database."""

"""Alarms: what becomes of a detector's verdicts, and of silence."""

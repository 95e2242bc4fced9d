"""Alarms in the database: their rows, the notices made of them, and the operator's hand on them."""

"""The guard: battery safety on its own way, from the log of readings to the log of alarms, without the database."""

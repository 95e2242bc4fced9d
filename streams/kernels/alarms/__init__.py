"""Alarm logic without a database: rules, the state machine, episodes, reconciling, silence."""

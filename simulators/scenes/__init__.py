"""Scenes and scenarios: whole worlds, played on a clock that is an argument."""

"""Brokers that behave as some do in the field."""

from __future__ import annotations

from fenhe.local import Mosquitto


class ClosedMosquitto(Mosquitto):
    """Lets nobody in who has no name."""

    def _configuration_text(self) -> str:
        return super()._configuration_text().replace("allow_anonymous true", "allow_anonymous false")

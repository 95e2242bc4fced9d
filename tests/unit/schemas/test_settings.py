"""Settings that cannot work are refused at the start, with a sentence."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from schemas.record import LARGEST_PAYLOAD_BYTES
from schemas.settings import CollectorSettings


def collector(most: int) -> CollectorSettings:
    """A collector's settings with a limit of payloads."""
    return CollectorSettings(kafka_bootstrap="unused:1", mqtt_url="mqtt://unused", max_payload_bytes=most)


def test_a_payload_may_be_as_large_as_a_record_holds_and_no_larger() -> None:
    """With a larger one Kafka would refuse the record, the collector would end, and begin again with it for ever."""
    assert collector(LARGEST_PAYLOAD_BYTES).max_payload_bytes == LARGEST_PAYLOAD_BYTES
    with pytest.raises(ValidationError, match="a Kafka record has room for 400000 at most"):
        collector(LARGEST_PAYLOAD_BYTES + 1)

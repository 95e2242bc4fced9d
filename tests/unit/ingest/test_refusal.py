"""What a collector says of a record that Kafka refuses: only what Kafka says is said to be so."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from ingest.collector import refusal

NOW_TS = 1_780_000_000_000


@pytest.mark.parametrize(
    ("error", "is_known"),
    [
        (KafkaError(KafkaError.INVALID_TIMESTAMP), True),
        (KafkaError(KafkaError.INVALID_RECORD, "Timestamp 1790000000000 of message is out of range"), True),
        (KafkaError(KafkaError.INVALID_RECORD), False),
        (KafkaError(KafkaError.INVALID_RECORD, "Compacted topic cannot accept message without key"), False),
    ],
)
def test_a_clock_is_called_ahead_only_where_kafka_means_the_time(error: KafkaError, *, is_known: bool) -> None:
    """A record may be invalid for other reasons: who reads the log is told of both and loses no day over a clock."""
    said = refusal(error, NOW_TS)
    assert error.str() in said
    assert "set the clock" in said
    assert ("it is ahead" in said) == is_known
    assert ("cleanup.policy" in said) != is_known


def test_any_other_error_is_told_as_it_is() -> None:
    """No guess."""
    error = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
    assert refusal(error, NOW_TS) == f"Kafka did not take a record: {error.str()}"

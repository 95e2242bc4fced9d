"""What is kept or sent as JSON keeps its names, whatever the fields are called."""

from __future__ import annotations

import json

from schemas.kafka.quarantine import Quarantined, Reason
from schemas.kafka.record import FlowEnvelope
from schemas.kafka.safety import SafetyEvent, SafetyRecord
from schemas.metrics.signal import Severity, SignalKind


def test_moments_on_kafka_end_in_ms() -> None:
    """Collectors, workers, guards and those who listen to `fenhe.alarms` may be of different versions."""
    safety = SafetyRecord(
        alarm_id="a",
        event=SafetyEvent.RAISE,
        site_id="s",
        device_id="d",
        metric="m",
        kind=SignalKind.SMOKE,
        severity=Severity.CRITICAL,
        event_ts=1,
        sample_ts=2,
        detected_ts=3,
        value=None,
        high=None,
        unit="",
        detector="x",
    )
    said = json.loads(safety.model_dump_json())
    assert [said[name] for name in ("event_ms", "sample_ms", "detected_ms", "ended_ms")] == [1, 2, 3, None]
    refused = Quarantined(reason=Reason.MALFORMED, topic="t", received_ts=4, payload=b"", size=0)
    assert json.loads(refused.model_dump_json())["received_ms"] == 4
    assert FlowEnvelope.model_fields["received_ts"].alias == "received_ms"

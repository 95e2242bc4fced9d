"""What a message is worth by itself."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.judgement import HEAD_BYTES, Judgement, judge
from schemas.quarantine import Reason

NOW = 1_780_000_000_000
TOPIC = "fenhe/v1/plant-1/water/w-1"
GOOD = {"ts": NOW, "volume_m3": 5.0}


def judged(payload: object, topic: str = TOPIC, max_bytes: int = 100_000) -> Judgement:
    """Judge a payload, given as bytes or as what JSON is made of."""
    raw = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    return judge(topic, raw, NOW, max_bytes=max_bytes)


def reasons(judgement: Judgement) -> list[Reason]:
    """Reasons of what was quarantined."""
    return [item.reason for item in judgement.quarantined]


def test_a_good_reading_keeps_its_own_bytes() -> None:
    """Nothing is lost by encoding a reading a second time."""
    raw = b' {"ts": 1780000000000, "volume_m3": 5.10} '
    assert judged(raw).readings == b"[%b]" % raw
    assert judged(raw).accepted == 1


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.MALFORMED),
        (b"{", Reason.MALFORMED),
        (b"\xff\xfe\x00", Reason.MALFORMED),
        (b'{"ts": 1780000000000, "volume_m3": 5.0} trailing', Reason.MALFORMED),
        (b"[" * 50_000, Reason.MALFORMED),
        (b'{"ts":' + b'{"a":' * 10_000, Reason.MALFORMED),
        (b'"text"', Reason.SCHEMA),
        (b"null", Reason.SCHEMA),
        (b"[]", Reason.SCHEMA),
        (b"{}", Reason.SCHEMA),
        ({**GOOD, "volume_m3": "5"}, Reason.SCHEMA),
        ({**GOOD, "flow_gpm": 1.0}, Reason.SCHEMA),
        (b'{"ts": 1780000000000, "volume_m3": NaN}', Reason.SCHEMA),
        ({**GOOD, "site_id": "plant-2"}, Reason.IDENTITY_MISMATCH),
        ({**GOOD, "device_id": "w-2"}, Reason.IDENTITY_MISMATCH),
        ({**GOOD, "kind": "gas"}, Reason.IDENTITY_MISMATCH),
        ({**GOOD, "ts": NOW + 300_001}, Reason.CLOCK_AHEAD),
        (b'{"ts": 1000000000000000000000000000000, "volume_m3": 5.0}', Reason.CLOCK_AHEAD),
    ],
)
def test_an_unusable_message_has_one_reason_and_keeps_its_bytes(payload: object, reason: Reason) -> None:
    """Nothing is dropped in silence."""
    judgement = judged(payload)
    raw = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    assert reasons(judgement) == [reason]
    assert judgement.quarantined[0].payload == raw
    assert (judgement.taken, judgement.accepted) == (1, 0)


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("fenhe/v2/plant-1/water/w-1", Reason.UNSUPPORTED_VERSION),
        ("fenhe/v1/plant-1/water", Reason.MALFORMED),
        ("fenhe/v1/plant-1/water/w-1/more", Reason.MALFORMED),
        ("fenhe/v1/plant 1/water/w-1", Reason.MALFORMED),
        ('fenhe/v1/pl"nt/water/w-1', Reason.MALFORMED),
        ("fenhe/v1/plant-1/beer/b-1", Reason.SCHEMA),
        ("fenhe", Reason.MALFORMED),
        ("", Reason.MALFORMED),
    ],
)
def test_a_foreign_topic_is_quarantined(topic: str, reason: Reason) -> None:
    """A topic we do not speak is kept as such."""
    assert reasons(judged(GOOD, topic)) == [reason]


def test_a_payload_that_is_too_large_keeps_its_head_size_and_digest() -> None:
    """Ten megabytes must not travel through Kafka, nor vanish."""
    judgement = judged(b"x" * 200_000)
    assert reasons(judgement) == [Reason.TOO_LARGE]
    item = judgement.quarantined[0]
    assert len(item.payload) == HEAD_BYTES
    assert item.size == 200_000
    assert "sha256" in item.detail


def test_one_bad_reading_in_an_array_costs_one_reading() -> None:
    """The others of its message are accepted as they are."""
    judgement = judged([GOOD, {**GOOD, "ts": "x"}, {**GOOD, "ts": NOW + 1}, 7, {**GOOD, "ts": NOW + 10**7}])
    assert (judgement.taken, judgement.accepted) == (5, 2)
    assert reasons(judgement) == [Reason.SCHEMA, Reason.SCHEMA, Reason.CLOCK_AHEAD]
    assert [reading["ts"] for reading in orjson.loads(judgement.readings)] == [NOW, NOW + 1]


@given(payload=st.binary(max_size=300), topic=st.text(max_size=60))
def test_nothing_a_device_can_send_raises_or_goes_uncounted(payload: bytes, topic: str) -> None:
    """Taken = accepted + quarantined, for any bytes under any topic."""
    judgement = judge(topic, payload, NOW, max_bytes=200)
    assert judgement.taken == judgement.accepted + len(judgement.quarantined)

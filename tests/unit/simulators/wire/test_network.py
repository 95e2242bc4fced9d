"""The network: nothing is lost, everything it does is counted and labelled, and rubbish is rubbish."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from ingest.judgement import judge
from schemas.kafka.quarantine import Reason
from schemas.registry import Sector
from simulators.scenes.scene import Scene
from simulators.truth import LabelKind
from simulators.wire.message import DeviceMessage, encode
from simulators.wire.network import NetworkPlan, Offline
from tests.unit.simulators.support import HOUR_MS, MINUTE_MS, START_TS

END_TS = START_TS + 40 * MINUTE_MS


def scene(plan: NetworkPlan | None) -> Scene:
    """Two plants and ten sets behind a network."""
    plants = {Sector.STEEL: 1, Sector.COKING: 1}
    return Scene(seed=3, sets=10, start_ts=START_TS, plants=plants, network=plan)


def sent(plan: NetworkPlan | None, until_ts: int = END_TS) -> list[DeviceMessage]:
    """What arrives at the broker."""
    return list(scene(plan).advance(until_ts))


def readings(messages: list[DeviceMessage]) -> Counter[tuple[str, int]]:
    """How often each reading arrived; rubbish aside."""
    return Counter((message.device_id, message.ts) for message in messages if message.raw is None)


CLEAN = readings(sent(None))


def test_a_bad_network_loses_nothing() -> None:
    """What a perfect network brings comes through duplicates and reordering, in the order of sending."""
    plan = NetworkPlan(duplicates=0.1, reordered=0.2, delay_ms=60_000)
    arrived = sent(plan, END_TS + 2 * MINUTE_MS)
    found = readings([message for message in arrived if message.ts < END_TS])
    assert set(found) == set(CLEAN)
    assert sum(found.values()) - len(CLEAN) == pytest.approx(0.1 * len(CLEAN), rel=0.2)
    assert [message.at_ts for message in arrived] == sorted(message.at_ts for message in arrived)
    overtaken = sum(message.at_ts > message.ts for message in arrived)
    assert overtaken > 0.2 * len(CLEAN)


def test_an_offline_gateway_sends_its_backlog_in_order_when_it_is_back() -> None:
    """Silence, then everything of the hour in a burst, and the label tells when."""
    offline = Offline(START_TS + 10 * MINUTE_MS, START_TS + 20 * MINUTE_MS, site_id="COKE1", within_ms=5_000)
    world = scene(NetworkPlan(offline=(offline,)))
    (label,) = (each for each in world.labels() if each.kind is LabelKind.GATEWAY_OFFLINE)
    assert label.site_id == "COKE1"
    back = label.end_ts
    assert back is not None
    assert offline.end_ts <= back < offline.end_ts + offline.within_ms
    arrived = list(world.advance(END_TS))
    assert readings(arrived) == CLEAN
    ours = [message for message in arrived if message.topic.split("/")[2] == "COKE1"]
    assert not [message for message in ours if offline.start_ts <= message.at_ts < back]
    burst = [message for message in ours if message.ts < back <= message.at_ts]
    assert len(burst) > 100
    assert burst[-1].at_ts - back < 5_000
    assert [message.ts for message in burst] == sorted(message.ts for message in burst)
    assert all(message.sent_ts is None for message in arrived if message.topic.split("/")[2] != "COKE1")


def test_a_storm_hits_all_gateways_and_is_over_within_its_time() -> None:
    """Everyone is silent, everyone comes back within two seconds."""
    offline = Offline(START_TS + 5 * MINUTE_MS, START_TS + 15 * MINUTE_MS, within_ms=2_000)
    world = scene(NetworkPlan(offline=(offline,)))
    storm = next(label for label in world.labels() if label.kind is LabelKind.RECONNECT_STORM)
    assert storm.size == 2 + 7
    arrived = list(world.advance(END_TS))
    assert readings(arrived) == CLEAN
    assert not [message for message in arrived if offline.start_ts <= message.at_ts < offline.end_ts]
    first = {
        message.topic.split("/")[2]: message.at_ts for message in reversed(arrived) if message.ts > offline.start_ts
    }
    assert all(offline.end_ts <= at < offline.end_ts + MINUTE_MS for at in first.values())


def test_rubbish_is_added_and_every_piece_of_it_is_refused() -> None:
    """Devices' own messages all come; what is malformed or foreign ends in quarantine, or names a stranger."""
    world = scene(NetworkPlan(malformed_per_h=200, foreign_per_h=200))
    arrived = list(world.advance(END_TS))
    assert readings(arrived) == CLEAN
    rubbish = [message for message in arrived if message.raw is not None]
    totals = {state.quantity: state.value for part in world._sources() for state in part.states(END_TS)}
    assert len(rubbish) == totals["malformed"] + totals["foreign"] > 100
    registered = {device.device_id for device in world.registry().devices}
    reasons = set[str]()
    for message in rubbish:
        judged = judge(message.topic, encode(message), END_TS, max_bytes=100_000)
        assert judged.taken == 1
        assert judged.accepted == 0 or judged.device_id not in registered
        reasons |= {item.reason for item in judged.quarantined}
    assert reasons >= {Reason.MALFORMED, Reason.SCHEMA, Reason.UNSUPPORTED_VERSION}


def test_a_skewed_gateway_is_wrong_by_what_its_label_says() -> None:
    """The same for all of a site's devices and for the whole run; sending is not touched."""
    world = scene(NetworkPlan(skewed=0.5, skew_s=100))
    skews = {label.site_id: label.size for label in world.labels() if label.kind is LabelKind.CLOCK_SKEW}
    assert 0 < len(skews) < 9
    assert all(-100 <= size <= 100 for size in skews.values())
    arrived = Counter(
        (message.device_id, message.ts - round(1_000 * skews.get(message.topic.split("/")[2], 0.0)))
        for message in world.advance(END_TS)
    )
    assert arrived == CLEAN


def test_a_perfect_network_is_no_network() -> None:
    """Without a plan nothing differs; and a network draws from a generator of its own."""
    whole: list[list[dict[str, Any]]] = [message.readings for message in sent(NetworkPlan())]
    assert whole == [message.readings for message in sent(None)]
    assert START_TS + HOUR_MS > END_TS

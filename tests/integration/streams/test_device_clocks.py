"""Alarms of wrong clocks through the engine, on a real database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from schemas.alarms import CLOCK
from schemas.kafka.quarantine import Quarantined, Reason, ahead_detail
from schemas.kafka.record import encode_micro_batch
from schemas.readings import Kind
from schemas.time import HOUR_MS, MINUTE_MS
from storage.pool import connect
from streams.intake.decode import Record
from tests.integration.streams.test_alarm_clock import World, report
from tests.support.pipeline import record

if TYPE_CHECKING:
    from collections.abc import Iterator

DEVICE = "s-0-0"


@pytest.fixture
def world(own_url: str) -> Iterator[World]:
    """One site of two devices, alone on its partition."""
    made = World(own_url, 1, 2, partitions=1)
    yield made
    made.close()


def clock_alarms(world: World) -> list[dict[str, Any]]:
    """Alarms of wrong clocks."""
    return [alarm for alarm in world.alarms() if alarm["kind"] == CLOCK]


def refuse(world: World, reason: Reason, detail: str) -> None:
    """A collector refuses a reading of the device at this moment."""
    item = Quarantined(
        reason=reason, detail=detail, topic=f"fenhe/v1/s-0/site_power/{DEVICE}", site_id="s-0",
        kind=Kind.SITE_POWER.value, device_id=DEVICE, received_ts=world.now_ts, payload=b"{}", size=2,
    )  # fmt: skip
    batch = encode_micro_batch("test", {DEVICE: 1}, [], [item])
    world._put(0, Record(world._offsets[0], world.now_ts, batch))


def test_a_clock_that_is_hours_ahead_is_told_once_with_its_offset_and_its_end(world: World) -> None:
    """Local time sent as UTC: every reading is refused, and the alarm says by how much; it ends when it is set."""
    world.minutes(3)
    for _ in range(12):
        refuse(world, Reason.CLOCK_AHEAD, ahead_detail(28_800))
        world.minutes(1, silent=[DEVICE])
    (alarm,) = clock_alarms(world)
    assert (alarm["device_id"], alarm["state"], alarm["value"], alarm["unit"]) == (
        DEVICE, "active_unacknowledged", 28_800.0, "s",
    )  # fmt: skip
    assert alarm["evidence"]["fault"] == "ahead"
    world.minutes(25)
    (alarm,) = clock_alarms(world)
    assert (alarm["state"], alarm["occurrences"]) == ("returned_unacknowledged", 1)


def test_one_reading_from_the_future_is_no_alarm(world: World) -> None:
    """It is in the quarantine, and that is all."""
    refuse(world, Reason.CLOCK_AHEAD, ahead_detail(28_800))
    world.minutes(5)
    assert clock_alarms(world) == []


@pytest.mark.parametrize("slow", [DEVICE, "s-0"])
def test_a_clock_that_is_hours_behind_is_told_and_ends_when_it_is_set(world: World, slow: str) -> None:
    """One device, or all of a partition: readings that arrive eight hours after their time, for half an hour."""
    world.minutes(36, slow_ms={slow: 8 * HOUR_MS})
    found = clock_alarms(world)
    assert {alarm["device_id"] for alarm in found} == ({DEVICE} if slow == DEVICE else {DEVICE, "s-0-1"})
    assert {alarm["state"] for alarm in found} == {"active_unacknowledged"}
    assert all(-8 * 3600 - 30 <= alarm["value"] <= -8 * 3600 for alarm in found)
    world.minutes(6)
    assert {alarm["state"] for alarm in clock_alarms(world)} == {"returned_unacknowledged"}
    with connect(world.owner_url, name="test") as connection:
        assert connection.execute("SELECT count(*) FROM device_clock").fetchone() == (0,)


def test_a_clock_that_stands_is_told(world: World) -> None:
    """Every reading bears one time and is refused as a conflict, while nothing new is stored of the device."""
    world.minutes(3)
    stands_ts = world.now_ts
    for at in range(12):
        sent = report("s-0", DEVICE, stands_ts)
        sent.reading["dc_voltage_v"] = 53.0 + at / 10
        world._put(0, record(world._offsets[0], [sent], world.now_ts))
        world.minutes(1, silent=[DEVICE])
    (alarm,) = clock_alarms(world)
    assert (alarm["evidence"]["fault"], alarm["value"]) == ("stands", None)


def test_two_devices_under_one_id_are_no_standing_clock(world: World) -> None:
    """Half of their readings are refused as conflicts, but time goes on."""
    for _ in range(12):
        sent = report("s-0", DEVICE, world.now_ts)
        sent.reading["dc_voltage_v"] = 52.0
        world.minutes(1)
        world._put(0, record(world._offsets[0], [sent], world.now_ts))
    assert clock_alarms(world) == []


def test_a_backlog_is_no_slow_clock(world: World) -> None:
    """Ten hours of readings that waited come in at twice their speed, and nothing newer of the device."""
    first_ts = world.now_ts - 10 * HOUR_MS
    for at in range(34):
        sent = [report("s-0", DEVICE, first_ts + (2 * at + half) * MINUTE_MS) for half in (0, 1)]
        world._put(0, record(world._offsets[0], sent, world.now_ts))
        world.minutes(1, silent=[DEVICE])
    assert clock_alarms(world) == []
    with connect(world.owner_url, name="test") as connection:
        assert connection.execute("SELECT count(*) FROM device_clock").fetchone() == (1,)

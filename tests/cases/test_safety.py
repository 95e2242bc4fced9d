"""Safety sees the evidence before anybody judges it: the cases B* that concern fires, shorts, smoke and sensors."""

from __future__ import annotations

import pytest

from ingest.batches import MicroBatchBuilder, Token
from ingest.judgement import judge
from schemas.kafka.safety import SafetyEvent
from schemas.metrics.signal import SAFETY_KINDS
from streams.guard.watch import SafetyWatch
from streams.installed import installed
from streams.intake.admission import Directory
from streams.intake.decode import Record, decode
from tests.cases.test_battery_sites import registry as site_registry
from tests.support.cases import ARRIVED_TS, MAX_BYTES, Case, Message, Run, load, message, needs_cases

pytestmark = needs_cases


def guarded(case: Case) -> set[str]:
    """Ids of the alarms that the guard raises."""
    watch = SafetyWatch(installed().readings)
    watch.directory = Directory(1, case.registry)
    found = []
    for number, sent in enumerate(case.messages):
        builder = MicroBatchBuilder(ARRIVED_TS)
        builder.add(judge(sent.topic, sent.payload, ARRIVED_TS, max_bytes=MAX_BYTES), Token(number, 0), ARRIVED_TS)
        found += watch.take(decode(Record(number, ARRIVED_TS, builder.encode("test")), "t[0]"), ARRIVED_TS)
    return {record.alarm_id for record in found if record.event is SafetyEvent.RAISE}


def alarms(case: Case, owner_url: str) -> tuple[Run, list[tuple[str, str, bool, int]]]:
    """What the database then has: kind, severity, whether it holds, and minutes from the first reading to its onset.

    Its safety alarms have the ids of the guard's.
    """
    run = Run(owner_url, case.registry).publish(case.messages)
    rows = run.rows(
        "SELECT alarm_id::text AS id, kind, severity, active,"
        " extract(epoch FROM event_at - '2026-05-28T20:27:00Z'::timestamptz)::int / 60 AS minute"
        " FROM alarm ORDER BY kind"
    )
    assert {row["id"] for row in rows if row["kind"] in SAFETY_KINDS} == guarded(case)
    assert run.books().quarantined == 0
    return run, [(row["kind"], row["severity"], row["active"], row["minute"]) for row in rows]


def test_a_loose_ambient_sensor_heats_nothing(own_url: str) -> None:
    """B01: it reads −40, the end of its range; nothing about the set has changed."""
    _, found = alarms(load("B01"), own_url)
    assert [kind for kind, *_ in found] == ["sensor_fault"]


@pytest.mark.parametrize("loose", [b"0.0", b"6553.5", b"-273.15", b"85.0", b"null"])
def test_a_loose_ambient_sensor_heats_nothing_whatever_it_reads(own_url: str, loose: bytes) -> None:
    """B01 with what other boards say of a sensor that is gone."""
    case = load("B01")
    sent = [
        Message(each.topic, each.payload.replace(b'"ambient_c":-40.0', b'"ambient_c":' + loose))
        for each in case.messages
    ]
    _, found = alarms(case._replace(messages=sent), own_url)
    assert {kind for kind, *_ in found} <= {"sensor_fault"}


def test_a_runaway_between_two_polls_is_told_with_the_first_of_them(own_url: str) -> None:
    """B03: 25 to 105 and on to 250 °C."""
    run, found = alarms(load("B03"), own_url)
    assert ("over_temperature", "critical", True, 3) in found
    assert {kind for kind, *_ in found} == {"over_temperature", "self_heating"}
    assert run.rows("SELECT max(temperature_3_c) AS hottest FROM reading_battery") == [{"hottest": 250.0}]


def test_smoke_at_a_dead_bus_is_smoke_and_an_outage(own_url: str) -> None:
    """B08: the bus is at 0 V, mains is gone, the FSU lives on its own battery."""
    run, found = alarms(load("B08"), own_url)
    assert ("smoke", "critical", True, 3) in found
    assert len(run.rows("SELECT FROM site_outage")) == 1
    assert run.rows("SELECT mains_failed FROM site_power_latest") == [{"mains_failed": True}]


@pytest.mark.parametrize("volts", [b"1.5", b"2.1", b"0.3", b"-0.4", b'"1.5"'])
def test_a_cell_that_shorts_is_told_however_low_it_falls(own_url: str, volts: bytes) -> None:
    """B12: one cell at 1.5 V, as it is with 2.1 V, among fifteen in float."""
    case = load("B12")
    sent = [Message(each.topic, each.payload.replace(b"3.375,1.5,", b"3.375,%b," % volts)) for each in case.messages]
    _, found = alarms(case._replace(messages=sent), own_url)
    assert ("cell_sag", "critical", True) in [each[:3] for each in found]


@pytest.mark.parametrize("rest", [{}, {"dc_voltage_v": 53.1}])
def test_smoke_is_heard_though_its_clock_stands(own_url: str, rest: dict[str, float]) -> None:
    """A second message of the same moment, alone or beside another voltage, is a conflict at most, and smoke."""
    said = {"ts": 1_780_000_020_000, "dc_voltage_v": 54.0, "smoke": False}
    sent = [
        message("x", "site_power", "x-s", said),
        message("x", "site_power", "x-s", said | {"ts": 1_780_000_080_000}),
        message("x", "site_power", "x-s", said | {"ts": 1_780_000_080_000, "smoke": True} | rest),
    ]
    case = Case(site_registry(), sent)
    run = Run(own_url, case.registry).publish(case.messages, at_once=1)
    assert run.books() == (2, 1 - len(rest), len(rest))
    [alarm] = run.rows("SELECT alarm_id::text AS id, kind FROM alarm")
    assert (alarm["kind"], {alarm["id"]}) == ("smoke", guarded(case))

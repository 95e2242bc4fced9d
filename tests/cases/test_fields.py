"""A field is judged, not the reading: what devices really send costs itself, and nothing beside it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from fenhe.local.postgres import OWNER
from schemas.metrics import Quality
from storage.books.balance import balance
from storage.pool import connect
from tests.support.cases import Message, Run, load, needs_cases, play
from tests.support.databases import own_database

if TYPE_CHECKING:
    from fenhe.local import Postgres

pytestmark = needs_cases


def apart(run: Run) -> list[tuple[str, str, str, int, str]]:
    """Fields set aside: device, field, reason, how often, and what was sent last. The books close over them."""
    with connect(run.url, name="test") as connection:
        assert balance(connection).discrepancies == []
    rows = run.rows("SELECT device_id, field, reason, count, last_value FROM field_set_aside ORDER BY 1, 2, 3")
    return [tuple(row.values()) for row in rows]


def test_a_dead_feeder_counts_nothing_and_loses_nothing(own_url: str) -> None:
    """M20: 0 Hz for forty minutes costs the frequency alone; the minutes are a good 0."""
    run = play("M20", own_url)
    assert run.books().quarantined == 0
    assert run.total("M20-E") == pytest.approx(79)
    assert set(run.qualities("M20-E")) == {Quality.GOOD}
    assert apart(run) == [("M20-E", "frequency_hz", "out_of_range", 40, "0.0")]


def test_an_impossible_power_factor_costs_itself(own_url: str) -> None:
    """M21: 1.02 beside a sound register."""
    run = play("M21", own_url)
    assert run.books().quarantined == 0
    assert run.total("M21-E") == pytest.approx(59)
    assert set(run.qualities("M21-E")) == {Quality.GOOD}
    assert apart(run) == [("M21-E", "power_factor", "out_of_range", 20, "1.02")]


def test_a_bms_that_reports_its_highest_alarm_is_heard(own_url: str) -> None:
    """B04: bit 31 of an alarm word is stored with its reading."""
    run = play("B04", own_url)
    assert run.books().quarantined == 0
    words = run.rows("SELECT DISTINCT alarm_words::text AS words FROM reading_battery")
    assert any("2147483649" in row["words"] for row in words)


def test_an_empty_list_is_nothing_known(own_url: str) -> None:
    """B09: a BMS without its sensors still measures its cells."""
    run = play("B09", own_url)
    assert run.books().quarantined == 0
    assert apart(run) == []
    [row] = run.rows("SELECT count(cell_01_v) AS cells, count(temperature_1_c) AS celsius FROM reading_battery")
    assert row["cells"] == run.books().stored
    assert row["celsius"] < row["cells"]


def test_a_reading_its_device_calls_bad_is_no_measurement(own_url: str) -> None:
    """M22: what passes meanwhile is known by the registers before and after, and estimated."""
    run = play("M22", own_url)
    assert run.books().quarantined == 0
    assert run.total("M22-E") == pytest.approx(119)
    assert run.qualities("M22-E")[Quality.ESTIMATED] in {30, 31}
    [row] = run.rows("SELECT count(*) AS n FROM reading_electricity WHERE quality = 'bad'")
    assert row["n"] == 30
    assert [(field, reason, times) for _, field, reason, times, _ in apart(run)] == [
        ("energy_import_kwh", "bad_quality", 30),
        ("power_kw", "bad_quality", 30),
    ]


def _stored(run: Run) -> list[dict[str, object]]:
    return run.rows("SELECT ts, power_kw, energy_import_kwh, seq, quality FROM reading_electricity ORDER BY ts")


@pytest.mark.parametrize("at_once", [1, 3, 40])
def test_two_messages_of_one_moment_are_one_reading(own_url: str, at_once: int) -> None:
    """M24: power and register of a minute come apart, in one record or in two; both are kept and the books close."""
    case = load("M24")
    run = Run(own_url, case.registry).publish(case.messages, at_once=at_once)
    rows = _stored(run)
    assert len(rows) == 20
    assert all(row["power_kw"] == 60 and row["energy_import_kwh"] is not None for row in rows)
    assert run.books() == (20, 20, 0)
    assert run.total("M24-E") == pytest.approx(19)
    assert set(run.qualities("M24-E")) == {Quality.GOOD}
    assert apart(run) == []


def test_parts_of_a_moment_make_the_same_reading_in_any_order(own_url: str, postgres: Postgres) -> None:
    """Shuffled, repeated, with other sequence numbers and odd fields: tables end the same, and stay when all comes."""
    rng = random.Random(24)
    case = load("M24")
    sent = [
        *case.messages,
        *(
            Message(each.topic, each.payload[:-1] + b',"seq":%d,"power_factor":%s}' % (number, b"1.5"))
            for number, each in enumerate(case.messages)
        ),
    ]
    shuffled = rng.sample(sent, len(sent))
    first = Run(own_url, case.registry).publish(sent, at_once=7)
    with own_database(postgres) as name:
        second = Run(postgres.url(OWNER, name), case.registry).publish(shuffled, at_once=5)
        ended = (_stored(second), second.minutes("M24-E"), apart(second))
        assert (_stored(first), first.minutes("M24-E"), apart(first)) == ended
        second.publish(sent)
        assert (_stored(second), second.minutes("M24-E"), apart(second)) == ended
        assert second.books() == (20, 140, 0)


def test_what_contradicts_what_stands_is_a_conflict(own_url: str) -> None:
    """The first one stored stands, and the other is kept, whole."""
    case = load("M24")
    topic = case.messages[0].topic
    run = Run(own_url, case.registry).publish(
        [
            Message(topic, b'{"ts":1780000020000,"power_kw":60.0}'),
            Message(topic, b'{"ts":1780000020000,"power_kw":61.0,"energy_import_kwh":5.0}'),
        ],
        at_once=1,
    )
    assert run.books() == (1, 0, 1)
    assert [reason for reason, _ in run.quarantined()] == ["conflict"]
    assert _stored(run)[0]["energy_import_kwh"] is None


def test_whole_numbers_may_be_written_with_a_point(own_url: str) -> None:
    """M28: 1.0 and 1.78e12 are integers by JSON Schema."""
    run = play("M28", own_url)
    assert run.books() == (3, 0, 0)


def test_times_are_taken_as_rfc_3339_has_them(own_url: str) -> None:
    """M29: a leap second, and lower-case letters."""
    run = play("M29", own_url)
    assert run.books() == (3, 0, 0)

"""What was set aside of a reading stays with that reading, however its record is cut and however often it is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from ingest.batches import MicroBatchBuilder, Token
from ingest.judgement import judge
from storage.books.balance import balance
from storage.pool import connect
from storage.statements import trusted
from streams.engine.parts import Bounds
from streams.intake.decode import Record
from tests.support.pipeline import START_TS, open_engine, prepare

if TYPE_CHECKING:
    from collections.abc import Sequence


def as_record(offset: int, messages: Sequence[tuple[str, Any]], received_ts: int = START_TS + 3_600_000) -> Record:
    """The Kafka record that a collector makes of some messages: topic and payload."""
    batch = MicroBatchBuilder(received_ts)
    for topic, payload in messages:
        batch.add(judge(topic, orjson.dumps(payload), received_ts, max_bytes=400_000), Token(1, 0), received_ts)
    return Record(offset, received_ts, batch.encode("test"))


def standing(url: str, table: str = "reading_electricity") -> list[tuple[Any, ...]]:
    """Every reading of a table: time, power, and what was set aside of it."""
    with connect(url, name="test") as connection:
        assert balance(connection).closed
        return connection.execute(
            trusted(f"SELECT extract(epoch FROM ts)::bigint * 1000, power_kw, set_aside FROM {table} ORDER BY ts")  # noqa: S608
        ).fetchall()


METER = "fenhe/v1/plant-1/electricity/e-1"


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_fields_set_aside_stay_with_their_reading_where_a_record_is_cut(own_url: str, most: int) -> None:
    """Readings of one message in any order of time, some with an odd field: cut anyhow, each keeps its own."""
    prepare(own_url)
    order = [5, 2, 7, 0, 3, 6, 1, 4]
    message = [
        {"ts": START_TS + 60_000 * at, "power_kw": 10.0 + at, "energy_import_kwh": f"odd {at}" if at % 3 else 5.0 + at}
        for at in order
    ]
    engine = open_engine(own_url)
    engine.apply(engine.open(0), [as_record(0, [(METER, message)])], Bounds(readings=most))
    assert [(row[1], row[2] and row[2]["energy_import_kwh"][1]) for row in standing(own_url)] == [
        (10.0 + at, f"odd {at}" if at % 3 else None) for at in range(8)
    ]


def test_fields_out_of_range_are_set_aside_in_a_second_try_as_in_the_first(own_url: str) -> None:
    """A record is judged anew in every try: what is out of range is kept, and what is nothing but that is refused."""
    prepare(own_url)
    engine = open_engine(own_url)
    with connect(own_url, name="test") as connection:
        connection.execute(
            "ALTER TABLE reading_production ADD CONSTRAINT told_apart CHECK (mass_t <> 13)"  # one reading is refused
        )
    messages: list[tuple[str, Any]] = [
        (METER, {"ts": START_TS, "power_kw": 10.0, "frequency_hz": 7.0}),
        (METER, {"ts": START_TS + 60_000, "frequency_hz": 7.0}),
        (METER, {"ts": START_TS + 120_000, "power_kw": 12.0, "quality": "bad"}),
        ("fenhe/v1/plant-1/production/p-1", {"ts": START_TS, "mass_t": 13.0}),
    ]
    engine.apply(engine.open(0), [as_record(0, messages)])
    with connect(own_url, name="test") as connection:
        refused = connection.execute("SELECT reason, device_id FROM quarantine ORDER BY 1").fetchall()
    assert refused == [("out_of_range", "e-1"), ("storage_rejected", "p-1")]
    assert [row[1:] for row in standing(own_url)] == [
        (10.0, {"frequency_hz": ["out_of_range", 7.0]}),
        (None, {"power_kw": ["bad_quality", 12.0]}),
    ]


def test_a_set_that_sends_nothing_but_blanks_is_stored_and_remembered(own_url: str) -> None:
    """However many blank readings a set begins with, each is stored, and a worker that takes over goes on."""
    prepare(own_url)
    engine = open_engine(own_url, save_every=4)
    blank = {"cell_voltage_v": [0.0] * 16, "pack_voltage_v": 0.0, "current_a": 0.0}
    messages = [("fenhe/v1/bs-1/battery/b-1", blank | {"ts": START_TS + 60_000 * minute}) for minute in range(10)]
    for offset, message in enumerate(messages):
        engine.apply(engine.open(0), [as_record(offset, [message])])
    with connect(own_url, name="test") as connection:
        assert connection.execute("SELECT reason, detail FROM quarantine").fetchall() == []
        assert connection.execute("SELECT count(*) FROM reading_battery").fetchone() == (10,)

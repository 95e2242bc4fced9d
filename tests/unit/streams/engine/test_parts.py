"""How a run is cut into what one transaction takes on."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from schemas.kafka.quarantine import Quarantined, Reason
from schemas.readings import Kind
from schemas.time import DAY_MS, HOUR_MS, MINUTE_MS
from storage.checkpoint import StoredUntil
from streams.engine.parts import SLOT_MS, UNREGISTERED, Bounds, next_part
from streams.intake.decode import decode
from tests.support.pipeline import START_TS, Sent, record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.engine.parts import Newest, Part
    from streams.intake.batch import Batch
    from streams.intake.decode import Record


def energy(device_id: str, ts: int, site_id: str = "plant-1") -> Sent:
    """A reading of one register."""
    return Sent(site_id, Kind.ELECTRICITY, device_id, {"ts": ts, "energy_import_kwh": 5.0})


def read(item: Record) -> Batch:
    """A record's readings."""
    return decode(item, "test")


def cut(run: Sequence[Record], newest: Newest, bounds: Bounds) -> list[Part]:
    """All parts of a run."""
    parts: list[Part] = []
    mark, stored = StoredUntil(run[0].offset), 0
    while stored < len(run):
        parts.append(next_part(run[stored:], mark, read, newest, bounds))
        assert parts[-1].stop > mark, "a part that moves nothing would be tried for ever"
        mark, stored = parts[-1].stop, stored + parts[-1].records
    return parts


def keys(parts: Sequence[Part]) -> list[tuple[str, int]]:
    """Device and time of every reading, in the order of the parts."""
    return [
        (message.device_id, reading.ts)
        for part in parts
        for batch in part.batches
        for message in batch.one_by_one().messages
        for reading in message.readings
    ]


def test_an_ordinary_run_is_one_transaction() -> None:
    """Readings that follow what is remembered of their devices are not cut."""
    run = [
        record(at, [energy(f"e-{number}", START_TS + at * MINUTE_MS) for number in range(100)]) for at in range(5, 55)
    ]
    (part,) = cut(run, lambda *_: START_TS, Bounds())
    assert (part.stop, part.records, part.readings) == (StoredUntil(55), 50, 5_000)


def test_a_record_of_readings_days_apart_is_cut_by_the_chunks_it_touches() -> None:
    """No part touches more half days than one transaction may lock chunks of."""
    times = [START_TS - number * 9 * DAY_MS for number in range(1_000)]
    run = [record(7, [energy("e-1", ts) for ts in times])]
    parts = cut(run, lambda *_: times[0] - 1, Bounds())
    assert max(len({ts // SLOT_MS for _, ts in keys([part])}) for part in parts) <= Bounds().slots
    assert sorted(keys(parts)) == sorted(("e-1", ts) for ts in times)
    assert [part.stop.offset for part in parts] == [7] * (len(parts) - 1) + [8]


def test_meters_that_come_back_after_days_are_taken_a_few_at_a_time() -> None:
    """What a silence is spread over counts as rows of the transaction, by register and minute."""
    run = [record(3, [energy(f"e-{number}", START_TS + number) for number in range(600)])]
    parts = cut(run, lambda *_: START_TS - 6 * DAY_MS, Bounds())
    a_meter = 6 * DAY_MS // MINUTE_MS
    assert max(part.readings for part in parts) * a_meter <= Bounds().rows
    assert len(parts) > 600 * a_meter // Bounds().rows
    assert len(keys(parts)) == len(set(keys(parts))) == 600


def test_late_readings_count_what_is_folded_again() -> None:
    """A late reading costs the minutes between it and what is remembered, once for each device."""
    run = [record(3, [energy("e-1", START_TS - DAY_MS + number) for number in range(50)])]
    (part,) = cut(run, lambda *_: START_TS, Bounds())
    assert 24 * 60 <= part.rows <= 26 * 60
    (part,) = cut(run, lambda *_: UNREGISTERED, Bounds())
    assert part.rows == 50, "what is not registered goes to the quarantine and is folded nowhere"


def test_any_cut_brings_every_reading_once_and_closed_books() -> None:
    """Whatever the bounds: each part counts its own readings as received, and all together the collectors' counts."""
    for seed in range(60):
        rng = random.Random(seed)
        run = []
        for offset in range(4):
            sent = [
                energy(
                    f"e-{rng.randrange(5)}", START_TS + rng.randrange(-40, 40) * HOUR_MS, f"plant-{rng.randrange(3)}"
                )
                for _ in range(rng.randrange(30))
            ]
            run.append(record(offset, sent))
        batches = [read(item) for item in run]
        refused = Quarantined(
            reason=Reason.MALFORMED, detail="", topic="t", received_ts=START_TS, payload=b"", size=0, device_id="e-1"
        )
        batches[2].quarantined.append(refused)
        batches[2].received["e-1"] = batches[2].received.get("e-1", 0) + 1
        bounds = Bounds(rng.randrange(1, 40), rng.randrange(1, 20_000), rng.randrange(1, 20))
        parts: list[Part] = []
        mark, stored = StoredUntil(0), 0
        while stored < len(run):
            part = next_part(run[stored:], mark, lambda item: batches[item.offset], lambda *_: START_TS, bounds)  # noqa: B023 - called at once
            parts.append(part)
            mark, stored = part.stop, stored + part.records
        assert sorted(keys(parts)) == sorted(
            (message.device_id, reading.ts)
            for batch in batches
            for message in batch.one_by_one().messages
            for reading in message.readings
        )
        taken = [batch.one_by_one() for part in parts for batch in part.batches]
        for batch in taken:
            own = sum(len(message.readings) for message in batch.messages) + len(batch.quarantined)
            assert sum(batch.received.values()) == own
        assert sum(len(batch.quarantined) for batch in taken) == 1
        assert mark == StoredUntil(4)


def test_no_message_of_a_record_overtakes_another_however_it_is_cut() -> None:
    """Each reading is held against the messages before its own: an old one in a later message comes after them."""
    days = (3, 1, 2, 0)
    run = [record(0, [energy("e-1", START_TS + day * DAY_MS) for day in days])]
    parts = cut(run, lambda *_: START_TS, Bounds(readings=1))
    assert [ts for _, ts in keys(parts)] == [START_TS + day * DAY_MS for day in days]

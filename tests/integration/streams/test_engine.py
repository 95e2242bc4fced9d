"""The transaction engine on a real database: once, in any order, and never past a gap."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.readings import Kind
from schemas.time import MINUTE_MS
from storage.books.balance import balance
from storage.errors import CheckpointMovedError
from storage.pool import connect
from streams.engine.engine import GapError
from tests.support.engine import SENT, books, differing, feed, wipe
from tests.support.pipeline import (
    START_TS,
    Sent,
    open_engine,
    record,
    snapshot,
)


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[Sent]]:
    """The same readings shuffled, some delayed, some twice or more, split into records of any size."""
    resent = draw(st.lists(st.sampled_from(SENT), max_size=40))
    how = draw(st.sampled_from(["shuffled", "delayed", "reversed"]))
    if how == "shuffled":
        order = draw(st.permutations([*SENT, *resent]))
    elif how == "delayed":
        late = draw(st.sets(st.integers(0, len(SENT) - 1), max_size=30))
        order = [item for at, item in enumerate(SENT) if at not in late] + [SENT[at] for at in late] + resent
    else:
        order = [*resent, *reversed(SENT)]
    cuts = sorted(draw(st.sets(st.integers(1, len(order) - 1), max_size=8)))
    return [order[start:end] for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True)]


@pytest.mark.parametrize("save_every", [1, 7, 32])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(batches=deliveries())
def test_any_order_of_delivery_ends_in_the_same_tables(
    order_url: str, ordered: dict[str, list[str]], save_every: int, batches: list[list[Sent]]
) -> None:
    """Order does not matter: every shuffle, duplicate, delay and split equals the ordered pass, to the last bit."""
    wipe(order_url)
    found_there = feed(order_url, batches, save_every=save_every)
    assert differing(found_there, ordered) == {}
    found = books(order_url)
    assert found.closed
    assert found.received == sum(len(batch) for batch in batches)


def test_an_empty_record_books_nothing(database: str) -> None:
    """A collector that hears nothing says so by one: it has no readings and no hour, and the books close."""
    wipe(database)
    feed(database, [[], SENT[:5], []])
    with connect(database, name="test") as connection:
        assert balance(connection).closed
        assert connection.execute("SELECT count(*) FROM ledger_total WHERE hour < '1971-01-01'").fetchone() == (0,)


def test_a_late_reading_leaves_standing_what_later_ones_have_ended(database: str) -> None:
    """A discharge begins behind it and ends behind the snapshot from which on nothing differs: it stays ended."""
    sent = [_of_set(START_TS + minute * MINUTE_MS, loaded=130 <= minute < 170) for minute in range(240)]
    want = feed(database, [sent])
    assert any('"kind": "discharge"' in row and '"ended_at": null' not in row for row in want["battery_episode"])
    for late in (10, 100):
        wipe(database)
        found_there = feed(database, [sent[:late] + sent[late + 1 :], sent[late : late + 1]])
        assert differing(found_there, want) == {}


@pytest.mark.parametrize("late", [3, 20, 70, 110])
def test_a_late_reading_of_a_level_on_trial_ends_in_the_same_tables(database: str, late: int) -> None:
    """A meter begins with another's counting, and leaves it: whatever comes late, before or behind, is no other end."""
    shown = [5_000.0 + 7.03 * number if number < 90 else 100.0 + 1.01 * number for number in range(150)]
    sent = [_of_meter(START_TS + number * 2 * MINUTE_MS, round(value, 2)) for number, value in enumerate(shown)]
    want = feed(database, [sent])
    assert all('"good"' not in row for row in want["meter_minute"])
    for batches in (
        [sent[:late] + sent[late + 1 :], sent[late : late + 1]],
        [sent[:late] + sent[late + 1 : 130], sent[late : late + 1], sent[130:]],
    ):
        wipe(database)
        assert differing(feed(database, batches), want) == {}


@pytest.mark.parametrize("late", [5, 65, 170])
def test_a_register_that_is_heard_of_late_takes_the_place_of_its_power(database: str, late: int) -> None:
    """Power stands in for a register until its first reading: when that comes late, all that followed from it goes."""
    powers = [_of_power(START_TS + minute * MINUTE_MS, 900.0 + minute) for minute in range(0, 200, 2)]
    first = _of_meter(START_TS + late * MINUTE_MS, 5_000.0)
    want = feed(database, [sorted([*powers, first], key=lambda item: item.reading["ts"])])
    for batches in ([powers, [first]], [powers[:90], [first], powers[90:]]):
        wipe(database)
        assert differing(feed(database, batches), want) == {}


def _of_power(ts: int, power_kw: float) -> Sent:
    return Sent("plant-1", Kind.ELECTRICITY, "e-2", {"ts": ts, "power_kw": power_kw})


def _of_meter(ts: int, energy_kwh: float) -> Sent:
    return Sent("plant-1", Kind.ELECTRICITY, "e-2", {"ts": ts, "energy_import_kwh": energy_kwh})


def _of_set(ts: int, *, loaded: bool) -> Sent:
    volts, amps = (51.2, -20.0) if loaded else (54.0, 0.0)
    reading = {"ts": ts, "pack_voltage_v": volts, "current_a": amps, "cell_voltage_v": [round(volts / 16, 3)] * 16}
    return Sent("bs-1", Kind.BATTERY, "b-1", reading)


def test_a_redelivered_record_changes_nothing(database: str) -> None:
    """Records below the stored offset are skipped."""
    engine = open_engine(database)
    partition = engine.open(0)
    engine.apply(partition, [record(0, SENT[:50]), record(1, SENT[50:100])])
    before = snapshot(database)
    assert engine.apply(partition, [record(0, SENT[:50]), record(1, SENT[50:100])]).records == 0
    assert snapshot(database) == before
    assert books(database).received == 100


def test_a_worker_that_was_replaced_cannot_store(database: str) -> None:
    """The zombie's compare-and-set fails, its transaction leaves nothing, and after opening again it goes on."""
    zombie, worker = open_engine(database), open_engine(database)
    stale, owned = zombie.open(0), worker.open(0)
    worker.apply(owned, [record(0, SENT[:50])])
    before = snapshot(database)
    with pytest.raises(CheckpointMovedError):
        zombie.apply(stale, [record(0, SENT[:60])])
    assert snapshot(database) == before
    fresh = zombie.open(0)
    assert fresh.next_offset == 1
    zombie.apply(fresh, [record(0, SENT[:50]), record(1, SENT[50:])])
    assert books(database).closed
    assert books(database).stored == len(SENT)


def test_a_gap_in_the_offsets_is_never_committed_past(database: str) -> None:
    """A record that does not follow is refused until the missing one is there."""
    engine = open_engine(database)
    partition = engine.open(0)
    with pytest.raises(GapError) as gap:
        engine.apply(partition, [record(0, SENT[:10]), record(2, SENT[20:30])])
    assert (gap.value.expected, gap.value.found) == (1, 2)
    with pytest.raises(GapError):
        engine.apply(partition, [record(5, SENT[:10])])
    assert books(database).received == 0

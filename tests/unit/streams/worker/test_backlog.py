"""Records of one partition between Kafka and the database."""

from __future__ import annotations

from streams.engine.quiet import QUIET_FROM
from streams.intake.decode import Record
from streams.worker.backlog import RUN_BYTES, Backlog


def backlog(*offsets: int, size: int = 10) -> Backlog:
    """Records of these offsets, added one after the other."""
    made = Backlog()
    for offset in offsets:
        made.add(Record(offset, 0, bytes(size)))
    return made


def offsets(found: list[Record]) -> list[int]:
    """Their offsets."""
    return [record.offset for record in found]


def test_a_run_ends_where_the_next_record_does_not_follow() -> None:
    """And after as many as are asked for."""
    assert offsets(backlog(4, 5, 6, 9).run(200)) == [4, 5, 6]
    assert offsets(backlog(4, 5, 6, 9).run(2)) == [4, 5]
    assert backlog().run(200) == []


def test_a_run_is_no_larger_than_a_transaction_should_be_and_has_one_record_at_least() -> None:
    """However large that one is."""
    assert len(backlog(*range(9), size=RUN_BYTES // 3).run(200)) == 3
    assert offsets(backlog(1, 2, size=2 * RUN_BYTES).run(200)) == [1]


def test_a_run_of_arrays_is_of_many_more_devices_than_the_quiet_way_begins_with() -> None:
    """A step costs nearly as much for 28 devices as for 112, and there is one for each reading of an array."""
    array, bytes_a_reading = 50, 250
    assert 6 * QUIET_FROM * array * bytes_a_reading < RUN_BYTES


def test_what_is_fetched_again_takes_the_place_of_all_that_was_fetched_before() -> None:
    """From where the database stands, whatever had come beyond it."""
    assert offsets(backlog(4, 5, 6, 5, 6).run(200)) == [5, 6]
    assert backlog(4, 5, 6, 5, 6).bytes == 20


def test_what_is_stored_is_let_go_of() -> None:
    """Its bytes too."""
    made = backlog(4, 5, 6)
    made.let_go(6)
    assert (offsets(made.run(200)), made.bytes, len(made)) == ([6], 10, 1)
    made.let_go(9)
    assert (made.bytes, len(made)) == (0, 0)

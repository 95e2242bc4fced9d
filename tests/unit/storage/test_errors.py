"""What is said of errors."""

from __future__ import annotations

import psycopg
import pytest

from schemas.arrival import Arrival
from schemas.readings import ElectricityReading, Kind
from schemas.registry import Device
from storage.errors import CheckpointHeldError, is_away, is_refusal, is_transient, why
from streams.kernels.metering import latest


def test_a_kernel_that_refuses_a_reading_is_named_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """`KeyError: 'power_kw'` in the quarantine leads nobody to what is missing."""
    monkeypatch.setattr(latest, "RATE_UNIT_NAMES", {})
    reading = ElectricityReading(ts=1_780_000_000_000, power_kw=1.0)
    with pytest.raises(KeyError) as raised:
        latest.latest(Device(device_id="m", site_id="s", kind=Kind.ELECTRICITY), Arrival("m", 0, reading))
    assert why(raised.value).startswith("KeyError: 'power_kw' (streams.kernels.metering.latest, line ")


def test_postgresql_says_it_in_its_own_words() -> None:
    """Where a statement was sent from says nothing of what is wrong with a value."""
    assert why(psycopg.DataError("out of range")) == "DataError: out of range"


def test_a_partition_that_somebody_keeps_is_nobodys_refusal() -> None:
    """No reading is quarantined for it, and with fewer of them it would be kept as well."""
    held = CheckpointHeldError("test[0]: somebody else holds it")
    assert not is_refusal(held)
    assert is_away(held)


@pytest.mark.parametrize(
    "error",
    [psycopg.OperationalError("server closed the connection"), psycopg.errors.QueryCanceled("statement timeout")],
)
def test_what_may_have_been_asked_for_too_much_is_not_taken_for_a_database_that_is_away(error: Exception) -> None:
    """PostgreSQL's process may have been ended over it."""
    assert not is_away(error)


def test_what_an_alarm_cannot_do_is_not_tried_for_ever() -> None:
    """Psycopg counts it among the operational errors, which pass by themselves; a partition stood over it."""
    error = psycopg.errors.ObjectNotInPrerequisiteState("raise is not possible")
    assert isinstance(error, psycopg.OperationalError)
    assert not is_transient(error)
    assert is_refusal(error)

"""A time that cannot be is refused in words that say what is wrong with it."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.quantity import Timestamp

TIME: TypeAdapter[int] = TypeAdapter(Timestamp)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("2026-05-01T00:00:00+24:00", "+24:00 is no offset of a time zone"),
        ("2026-05-01T00:00:00-99:99", "-99:99 is no offset of a time zone"),
        ("2026-05-01T00:00:00+08:75", "+08:75 is no offset of a time zone"),
        ("2026-02-30T00:00:00Z", "2026-02-30 is no day of the calendar"),
        ("0000-01-01T00:00:00Z", "0000-01-01 is no day of the calendar"),
        ("2026-05-01T24:00:00Z", "24:00:00 is no time of a day"),
        ("2026-05-01T00:60:00Z", "00:60:00 is no time of a day"),
        ("2026-05-01T00:00:61Z", "00:00:61 is no time of a day"),
        (True, "not a time"),
        (None, "not a time"),
        (1.5, "not a time"),
        (float("nan"), "not a time"),
        ([], "not a time"),
    ],
)
def test_what_is_no_time_is_refused_in_plain_words(written: object, message: str) -> None:
    """`+08:75` was taken for 09:15 east, and `+24:00` was refused in Python's own words."""
    with pytest.raises(ValidationError) as refused:
        TIME.validate_python(written)
    [error] = refused.value.errors()
    assert error["msg"].startswith(message)


@pytest.mark.parametrize("zone", ["+23:59", "-23:59", "+05:45", "-00:00", "Z", "z"])
def test_every_offset_of_the_rfc_is_taken(zone: str) -> None:
    """Hours to 23, minutes to 59."""
    assert isinstance(TIME.validate_python(f"2026-05-01T12:00:00{zone}"), int)

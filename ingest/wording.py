"""What is wrong with a reading in words of fenhe's, where pydantic has others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.words import refusals

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_PLAIN = {
    "model_type": refusals.NOT_AN_OBJECT(),
    "float_type": refusals.NOT_A_NUMBER(),
    "float_parsing": refusals.NOT_A_NUMBER(),
    "int_type": refusals.NOT_WHOLE(),
    "int_from_float": refusals.NOT_WHOLE(),
    "finite_number": refusals.NOT_FINITE(),
    "string_type": refusals.NOT_A_TEXT(),
    "list_type": refusals.NOT_A_LIST(),
    "missing": refusals.MISSING(),
    "extra_forbidden": refusals.NO_SUCH_FIELD(),
    "enum": refusals.NO_SUCH_WORD(),
    "literal_error": refusals.NO_SUCH_WORD(),
    "string_pattern_mismatch": refusals.NOT_WRITTEN_SO(),
    "too_short": refusals.WRONG_COUNT(),
    "too_long": refusals.WRONG_COUNT(),
    "greater_than_equal": refusals.OUT_OF_CALENDAR(),
    "less_than": refusals.OUT_OF_CALENDAR(),
}
"""By pydantic's types of error; one that is not among them keeps its words. Bounds stand at moments alone."""


def problem_of(error: ErrorDetails) -> str:
    """Say what pydantic found."""
    if error["type"] == "string_too_long":
        return refusals.TEXT_TOO_LONG(allowed=error["ctx"]["max_length"])
    return _PLAIN.get(error["type"], error["msg"])

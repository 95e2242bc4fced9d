"""What a request to recompute says of itself, in `recompute_request.error`: that it failed, or could not begin earlier.

It is stored and shown in English. What another program says (a database's error, most often) keeps its own words.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - read by the documentation of types

FAILED = "failed: "
WHAT_TO_DO = ". This step changed nothing. It is tried again by itself once the others are done: remove the cause"
LONGEST = 500
"""Characters of a cause that are kept."""


def failed(cause: str) -> str:
    """Say that a step failed, why, and what to do."""
    return f"{FAILED}{cause.strip()[:LONGEST].rstrip('.')}{WHAT_TO_DO}"


def not_kept(day: dt.date) -> str:
    """Say that a request begins at a day, as readings before it were taken away."""
    return f"begins at {day}: older readings are not kept"

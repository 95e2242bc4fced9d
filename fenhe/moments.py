"""Moments as people type them on the command line: the province's clock, where they name no other."""

from __future__ import annotations

import datetime as dt

import typer

from schemas.time import LOCAL

WRITTEN = "2026-03-01T08:00:00 or 2026-03-01; China Standard Time unless it says otherwise (…Z, …+00:00)"
"""How a moment is written; for help texts."""


def moment(text: str) -> dt.datetime:
    """Read an ISO 8601 moment or day; one without a zone is China Standard Time.

    Raises typer.BadParameter where it is neither.
    """
    try:
        found = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        msg = f"{text!r} is no moment: write {WRITTEN}"
        raise typer.BadParameter(msg) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=LOCAL)


def moment_ts(text: str) -> int:
    """Do as `moment` does; in milliseconds since 1970."""
    return round(moment(text).timestamp() * 1_000)

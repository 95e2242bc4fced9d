"""What a scenario's file is made of: times with a unit, shares, models that refuse what they do not know."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

UNITS_MS = {"s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)\s*(s|min|h|d)")


def duration_ms(text: object) -> int:
    """Milliseconds of `90s`, `15min`, `6h` or `10d`. Raises ValueError for anything else."""
    found = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        msg = f"{text!r} is no time: write 90s, 15min, 6h or 10d"
        raise ValueError(msg)
    return round(float(found[1]) * UNITS_MS[found[2]])


Duration = Annotated[int, BeforeValidator(duration_ms)]
Share = Annotated[float, Field(ge=0, le=1)]


class Model(BaseModel):
    """A part of a scenario."""

    model_config = ConfigDict(extra="forbid", frozen=True)

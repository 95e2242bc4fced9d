"""What a request to recompute says of itself, in both languages: that it failed, or that it could not begin earlier.

English is what is stored in `recompute_request`; the Chinese page says the same. What another program says (a
database's error, most often) keeps its own words.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - read by the documentation of types

from schemas.words import Text

FAILED = Text("失败：", "failed: ")
WHAT_TO_DO = Text(
    "。这一步的数据没有改动；排除原因后会自动重试，其他请求不受影响",
    ". This step changed nothing. It is tried again by itself once the others are done: remove the cause",
)
NOT_KEPT = (Text("从 ", "begins at "), Text(" 开始：更早的读数已不保留", ": older readings are not kept"))
LONGEST = 500
"""Characters of a cause that are kept."""


def failed(cause: str) -> str:
    """Say that a step failed, why, and what to do."""
    return f"{FAILED.en}{cause.strip()[:LONGEST].rstrip('.')}{WHAT_TO_DO.en}"


def not_kept(day: dt.date) -> str:
    """Say that a request begins at a day, as readings before it were taken away."""
    opening, closing = NOT_KEPT
    return f"{opening.en}{day}{closing.en}"

"""What Grafana holds against what it should hold, line by line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

SERVERS_OWN = frozenset({"id", "version", "iteration", "schemaVersion"})
"""Counted or moved on by Grafana itself; no difference of content."""

REDACTED = "[REDACTED]"
"""What Grafana shows in place of a contact point's secret: like a password, it cannot be compared."""

LONGEST = 60


def differences(wanted: object, found: object, at: str = "") -> list[str]:
    """Return a line for every part of `wanted` that `found` has otherwise: `panels[3].title: "a" → "b"`.

    Parts that only Grafana has are its defaults and not compared; lists must be equally long.
    """
    if isinstance(wanted, Mapping):
        if not isinstance(found, Mapping):
            return [_line(at, found, wanted)]
        return [
            line
            for key, value in wanted.items()
            if not (key in SERVERS_OWN and not at)
            for line in differences(value, found.get(key), f"{at}.{key}" if at else key)
        ]
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        if not isinstance(found, Sequence) or isinstance(found, str) or len(found) != len(wanted):
            return [] if not wanted and not found else [_line(at, found, wanted)]
        pairs = enumerate(zip(wanted, found, strict=True))
        return [line for index, (ours, theirs) in pairs for line in differences(ours, theirs, f"{at}[{index}]")]
    return [] if _same(wanted, found) else [_line(at, found, wanted)]


def _same(wanted: object, found: object) -> bool:
    if isinstance(wanted, bool) or isinstance(found, bool):
        return bool(wanted) == bool(found)
    if found == REDACTED and wanted:
        return True
    # Grafana leaves out what is empty or zero.
    return wanted == found or (found is None and wanted in (0, ""))


def _line(at: str, found: object, wanted: object) -> str:
    return f"{at}: {_short(found)} → {_short(wanted)}"


def _short(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{len(value)}]"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"

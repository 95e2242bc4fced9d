"""Columns of a built panel, as its overrides tell of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]


def fields(panel: Json) -> Iterator[tuple[str, Json]]:
    """Every column with its properties."""
    for override in panel["fieldConfig"]["overrides"]:
        yield override["matcher"]["options"], {each["id"]: each.get("value") for each in override["properties"]}


def visible(panel: Json) -> list[tuple[str, Json]]:
    """Columns that are seen."""
    return [
        (name, found)
        for name, found in fields(panel)
        if not (found.get("custom.hideFrom.viz") or found.get("custom.hidden"))
    ]

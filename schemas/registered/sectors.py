"""Sectors of industry: data in `sectors.yaml`, so that a plant of a new one needs no code."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from schemas.yaml_text import read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

OTHER = "other"


class SectorWords(NamedTuple):
    """What a sector is called, and what its plants' figures are usually divided by."""

    name: str
    name_zh: str
    product_unit: str = "t"


@cache
def sectors() -> Mapping[str, SectorWords]:
    """All sectors by key, in the order in which they are offered."""
    text = (files("schemas") / "sectors.yaml").read_text(encoding="utf-8")
    return {key: SectorWords(**words) for key, words in read_yaml(text).items()}

"""Keys that stand twice in one JSON object: two answers to one question, of which every parser takes another one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEY = re.compile(rb'"[ \t\n\r]*:')
"""What ends every key, and may stand in a text as well."""


class _TwiceError(Exception):
    """Names the key."""


def stands_twice(payload: bytes, keys: int) -> str | None:
    """Name a key that stands twice in an object of a JSON text.

    Args:
        payload: what a parser has taken.
        keys: how many keys that parser has come to, over all objects. As many as end in the text means none twice.
    """
    if payload.count(b":") == keys or len(_KEY.findall(payload)) == keys:
        return None
    return any_twice(payload)


def any_twice(payload: bytes) -> str | None:
    """Name the first key that stands twice in an object of a JSON text, by reading all of it."""
    try:
        _SCAN.decode(payload.decode())
    except _TwiceError as found:
        return str(found)
    except (ValueError, RecursionError):
        return None  # no JSON: nothing that was taken
    return None


def elements_twice(payload: bytes) -> dict[int, tuple[str, bytes]]:
    """Of an array: its elements in which a key stands twice, by position, with that key and their own bytes."""
    text = payload.decode()
    found: dict[int, tuple[str, bytes]] = {}
    number, at = 0, text.index("[") + 1
    while True:
        at = _behind_space(text, at)
        try:
            _, end = _SCAN.raw_decode(text, at)
        except _TwiceError as twice:
            _, end = _SKIP.raw_decode(text, at)
            found[number] = (str(twice), text[at:end].encode())
        except ValueError:
            return found  # the end of an empty array
        number, at = number + 1, _behind_space(text, end) + 1
        if text[at - 1 : at] != ",":
            return found


def _behind_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def _once(pairs: Sequence[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _TwiceError(key)
        seen.add(key)


_SPACE = re.compile(r"[ \t\n\r]*")
# Numbers are of no interest, and one of thousands of digits would be refused.
_SCAN = json.JSONDecoder(object_pairs_hook=_once, parse_int=float, parse_float=float)
_SKIP = json.JSONDecoder(parse_int=float, parse_float=float)

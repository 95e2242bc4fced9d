"""Texts of others, as PostgreSQL can hold them."""

from __future__ import annotations


def storable(text: str) -> str:
    r"""The same with what PostgreSQL's text cannot hold written out: a NUL, and half a character.

    >>> storable("a\0b\udcff")
    'a\\0b\\udcff'
    """
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()

"""Stored details of refusals in the language of a page, by the sentences of `refusals.py`: in Python, and as SQL.

A detail is what it opens with, one sentence (of a field, whose name comes before it), and what it ends with. Each is
known as a whole or not at all: a device names its fields, and a name may be a sentence of ours.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from schemas.words import Language, Text
from schemas.words.literal import quote
from schemas.words.refusals import (
    AND_MORE,
    AT_LINE,
    ELEMENTS_REFUSED,
    INVALID_JSON,
    NO_MICRO_BATCH,
    UNREADABLE_TABLE,
    Sentence,
    sentences,
)

AS_IT_CAME = Text("原文：", "")
_OPENINGS = (UNREADABLE_TABLE, NO_MICRO_BATCH, INVALID_JSON)
_AROUND = (ELEMENTS_REFUSED, *_OPENINGS, AT_LINE, AND_MORE)
_FIELD = "(.*?: )??"
"""The name of a field before a sentence; the shortest, for a part may hold whatever a device sends."""


class _Plain(NamedTuple):
    """A sentence without a part."""

    english: str
    chinese: str


class _Parted(NamedTuple):
    """A sentence with parts, as a regular expression of all of it, and what stands in its place."""

    certain: str
    """Its longest piece that no part is in: without it there is no need to ask the expression."""
    pattern: str
    chinese: str


@cache
def _plain() -> tuple[_Plain, ...]:
    """Sentences without a part, a longer one before one that it ends with."""
    found = [_Plain(each(), each.text.zh.format()) for each in sentences() if each not in _AROUND and not each.parts]
    return tuple(sorted(found, key=lambda each: (-len(each.english), each.english)))


@cache
def _parted() -> tuple[_Parted, ...]:
    return tuple(_parted_of(each) for each in sentences() if each not in _AROUND and each.parts)


def _parted_of(sentence: Sentence) -> _Parted:
    pattern, chinese = sentence.pattern()
    moved = re.sub(r"\\(\d)", lambda found: rf"\{int(found[1]) + 1}", chinese)
    certain = max(re.split(r"\{\w+\}", sentence.text.en), key=len)
    return _Parted(certain, f"{_FIELD}{pattern}", rf"\1{moved}")


@cache
def _pieces() -> str:
    """A regular expression of any detail: two openings, the sentence with its field, and two endings."""
    first, line, more = (_uncaptured(each) for each in (ELEMENTS_REFUSED, AT_LINE, AND_MORE))
    openings = "|".join(_uncaptured(each) for each in _OPENINGS)
    return f"({first})?({openings})?(.*?)({line})?({more})?"


def _uncaptured(sentence: Sentence) -> str:
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", sentence.pattern()[0])


def in_language(detail: str, language: Language) -> str:
    """Return a stored detail in `language`; a part that no sentence is known of keeps its words, and is said to."""
    if language is Language.EN:
        return detail
    found = re.fullmatch(_pieces(), detail, re.DOTALL)
    assert found is not None  # noqa: S101 - all of it may be the sentence
    first, opening, body, line, more = (piece or "" for piece in found.groups())
    opened = {each(): each.text.zh for each in _OPENINGS}.get(opening, "")
    said = re.sub(*ELEMENTS_REFUSED.pattern(), first) + opened + _in_chinese(body)
    return said + re.sub(*AT_LINE.pattern(), line) + re.sub(*AND_MORE.pattern(), more)


def _in_chinese(body: str) -> str:
    if not body:
        return ""
    for english, chinese in _plain():
        if body == english or body.endswith(f": {english}"):
            return body.removesuffix(english) + chinese
    for certain, pattern, chinese in _parted():
        if certain in body and (found := re.fullmatch(pattern, body, re.DOTALL)):
            return found.expand(chinese)
    return AS_IT_CAME.zh + body


def sql_of(column: str, language: Language) -> str:
    """Return the same as an SQL expression over a column.

    Each step stands in a subquery of its own that PostgreSQL does not pull up (OFFSET 0): it would write it out again
    wherever it is named. And it keeps 32 compiled expressions: so only those are asked whose certain piece is there.
    """
    if language is Language.EN:
        return column
    plain = ", ".join(f"({quote(english)}, {quote(chinese)})" for english, chinese in _plain())
    parted = ", ".join(
        f"CASE WHEN strpos(s.body, {quote(certain)}) > 0"
        f" THEN NULLIF(regexp_replace(s.body, {quote(f'^{pattern}$')}, {quote(chinese)}), s.body) END"
        for certain, pattern, chinese in _parted()
    )
    opened = " ".join(f"WHEN {quote(each())} THEN {quote(each.text.zh)}" for each in _OPENINGS)
    first, line, more = (
        f"regexp_replace(w.piece[{at}], {', '.join(quote(piece) for piece in each.pattern())})"
        for at, each in ((1, ELEMENTS_REFUSED), (4, AT_LINE), (5, AND_MORE))
    )
    return (
        "(SELECT concat(s.first, s.opened, CASE WHEN s.body <> '' THEN coalesce("  # noqa: S608 - sentences of ours
        "(SELECT left(s.body, -length(p.english)) || p.chinese"
        f" FROM (VALUES {plain}) AS p (english, chinese)"
        " WHERE s.body = p.english OR right(s.body, length(p.english) + 2) = ': ' || p.english"
        " ORDER BY length(p.english) DESC LIMIT 1), "
        f"{parted}, {quote(AS_IT_CAME.zh)} || s.body) END, s.line, s.more)"
        f" FROM (SELECT {first} AS first, CASE w.piece[2] {opened} END AS opened, w.piece[3] AS body,"
        f" {line} AS line, {more} AS more"
        f" FROM (SELECT regexp_match({column}, {quote(f'^{_pieces()}$')}) AS piece OFFSET 0) w OFFSET 0) s)"
    )

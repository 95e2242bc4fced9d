"""Kernel states as text and back: exactly, and never as something else than they were."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.kernels.codec import BIT, PACKED, Beside, Codec, Shape, Together, by_place, each

if TYPE_CHECKING:
    from collections.abc import Callable


class Colour(StrEnum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


class Point(NamedTuple):
    """A part that is numbers alone."""

    ts: int
    value: float | None


class Level(NamedTuple):
    """A part with a choice, and defaults."""

    colour: Colour
    since_ts: int = 0
    low: float = 0.0


@dataclass(slots=True)
class Whole:
    """A state made of everything that the codec knows."""

    ts: int
    points: tuple[Point, ...]
    level: Level | None
    by_name: dict[str, Level]
    pairs: tuple[tuple[int, float], ...] = ()
    rows: list[list[float]] = field(default_factory=list)
    line: Callable[[], None] | None = field(default=None, compare=False)
    """Follows from the others."""


INTEGERS = st.integers(-(2**53), 2**53)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
POINTS = st.builds(Point, INTEGERS, st.none() | NUMBERS)
LEVELS = st.builds(Level, st.sampled_from(Colour), INTEGERS, NUMBERS)
WHOLES = st.builds(
    Whole,
    INTEGERS,
    st.lists(POINTS).map(tuple),
    st.none() | LEVELS,
    st.dictionaries(st.text(), LEVELS),
    st.lists(st.tuples(INTEGERS, NUMBERS)).map(tuple),
    st.lists(st.lists(NUMBERS)),
)


def some_callable() -> type:
    """A name that this module knows for type checking only."""
    from collections.abc import Callable  # noqa: PLC0415

    return Callable  # type: ignore[return-value]


WHOLE = Codec[Whole](Whole, some_callable())


@given(WHOLES)
def test_a_state_is_read_back_as_it_was_written(state: Whole) -> None:
    """Every kind of part, and of the same types: what is compared or changed in place works as before."""
    loaded = WHOLE.load(WHOLE.dump(state))
    assert loaded == state
    assert repr(loaded) == repr(state)
    assert WHOLE.dump(loaded) == WHOLE.dump(state)


@given(WHOLES)
def test_a_state_written_as_text_stays_as_it_was(state: Whole) -> None:
    """A transaction may be rolled back, and then it goes on from there."""
    before = repr(state)
    WHOLE.dump(state)
    assert repr(state) == before


def test_what_follows_from_other_fields_is_not_saved() -> None:
    """It is made again when it is needed."""
    state = Whole(1, (), None, {}, line=lambda: None)
    assert WHOLE.load(WHOLE.dump(state)).line is None


@pytest.mark.parametrize("text", ["[1]", "[1,2.0,3]", "[]"])
def test_a_record_of_another_length_is_refused(text: str) -> None:
    """Whoever inserted a field reads no old state as something else than it was."""
    with pytest.raises((TypeError, ValueError)):
        Codec(Point).load(text)


def test_a_default_fills_no_gap_in_an_old_state() -> None:
    """One value less may be any of them, so defaults do not stand in, unless the shape says what is missing."""
    with pytest.raises((TypeError, ValueError)):
        Codec(Level).load('["red",5]')
    later = Codec[Level](Level, shapes={Level: Shape(later=1)})
    assert later.load('["red",5]') == Level(Colour.RED, 5)
    with pytest.raises(ValueError, match="1 values for the 3 of Level"):
        later.load('["red"]')


@pytest.mark.parametrize("kind", [set[int], dict[int, str], int | str | None, object, Level | Point])
def test_what_cannot_be_saved_is_refused_when_the_kernel_is_made(kind: object) -> None:
    """And not when the first state of it is to be saved."""
    with pytest.raises(TypeError, match="no way to save it"):
        Codec(kind)


class Packed(NamedTuple):
    """A record that is saved in few characters."""

    end_ts: int
    history: tuple[float, ...] = ()
    last: float = 0.0
    is_on: bool = False
    colour: Colour = Colour.RED
    seen_ts: int = 0
    runs: tuple[tuple[float, ...], ...] = ()
    day: int = 0
    gained: float = 0.0


SHAPE = Shape(
    ("end_ts", Together("last", "*history"), "is_on", "colour", "seen_ts", "runs", "day", "gained"),
    ways={
        "is_on": BIT,
        "colour": by_place(Colour),
        "seen_ts": Beside("end_ts", lambda seen, end: seen - end, lambda ago, end: end + ago),
        "runs": each(PACKED),
    },
    left_off=2,
)
SINGLES = st.floats(width=32, allow_infinity=False)


@given(
    st.builds(
        Packed,
        INTEGERS,
        st.lists(SINGLES).map(tuple),
        SINGLES,
        st.booleans(),
        st.sampled_from(Colour),
        INTEGERS,
        st.lists(st.lists(SINGLES).map(tuple)).map(tuple),
        st.integers(0, 1),
        st.sampled_from([0.0, 1.5]),
    )
)
def test_a_shape_saves_the_same_in_fewer_characters(state: Packed) -> None:
    """Numbers of single precision together, truths as bits, choices by place, moments as seen from another."""
    codec = Codec[Packed](Packed, shapes={Packed: SHAPE})
    loaded = codec.load(codec.dump(state))
    assert repr(loaded) == repr(state)
    assert len(codec.plain(state)) == (6 if state.day == state.gained == 0 else 8)


def test_numbers_that_are_unknown_are_packed_too() -> None:
    """NaN has no JSON; among packed numbers it stays what it is."""
    codec = Codec[Packed](Packed, shapes={Packed: SHAPE})
    assert math.isnan(codec.load(codec.dump(Packed(1, (math.nan,)))).history[0])


def test_a_blank_record_is_saved_as_nothing() -> None:
    """Of a detector that was never asked there is nothing to say."""
    codec = Codec[Level](Level, shapes={Level: Shape(blank=Level(Colour.RED))})
    assert codec.dump(Level(Colour.RED)) == "[]"
    assert codec.load("[]") == Level(Colour.RED)
    assert codec.load(codec.dump(Level(Colour.BLUE))) == Level(Colour.BLUE)


def test_the_form_is_every_record_and_choice_a_state_is_made_of() -> None:
    """With the fields in their order; of a choice, the values, in their order where the place is what is saved."""
    assert WHOLE.form == {
        "Whole": [
            "ts: int",
            "points: tuple[Point, ...]",
            "level: Level | None",
            "by_name: dict[str, Level]",
            "pairs: tuple[tuple[int, float], ...]",
            "rows: list[list[float]]",
        ],
        "Point": ["ts: int", "value: float | None"],
        "Level": ["colour: Colour", "since_ts: int", "low: float"],
        "Colour": ["= blue", "= red"],
    }
    assert Codec[Packed](Packed, shapes={Packed: SHAPE}).form["Colour"] == ["red", "blue"]

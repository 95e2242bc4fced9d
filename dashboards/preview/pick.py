"""A box in which one of thousands is chosen: typed, found in the database, chosen; never a list of all of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from nicegui import ui

from dashboards.preview.access.accounts import SignedOutError
from dashboards.preview.reader import AwayError, QueryError
from dashboards.words import labels

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from schemas.words import Language

MOST = 20
"""Choices that are offered; whoever wants another types more of its name."""

PAUSE_S = 0.08
"""Nobody types for this long before choices are looked up."""


class Choice(NamedTuple):
    """One that may be chosen."""

    value: str
    name: str
    about: str = ""

    @property
    def shown(self) -> str:
        """What stands in the box for it: names come with blanks around them, what is typed is taken without."""
        return self.name.strip()


def meant(typed: str, offered: Iterable[Choice]) -> Choice | None:
    """Return the one whose name or identifier is what was typed, in full; None where that is none, or several."""
    named = [choice for choice in offered if typed.casefold() in {choice.value.casefold(), choice.shown.casefold()}]
    return named[0] if typed and len(named) == 1 else None


class Pick:
    """The box, with what was found below it while it has the focus.

    `find` looks up what was typed, nearest first; it raises AwayError, QueryError, and SignedOutError where the
    database cannot be asked. What comes of an Enter and of a choice is each kind's own.
    """

    def __init__(self, find: Callable[[str], Awaitable[list[Choice]]], language: Language) -> None:
        self._find = find
        self._language = language
        self._chosen: Choice | None = None
        self._asked = 0

    def build(self, label: str, look: str) -> ui.element:
        """Put it where the page is being built; returns what holds box and list."""
        with ui.element("div").classes("pick") as whole:
            self._box = ui.input(label, on_change=self._typed)
            # Without a delay of its own: what was typed is told before the Enter or the click that follows it.
            self._box.props(f"{look} autocomplete=off").on("focus", self._focused)
            self._box.on("keydown.enter", self._entered)
            self._hits = ui.element("div").classes("hits")
        return whole

    def choose(self, choice: Choice | None) -> None:
        """Put one into the box."""
        self._chosen = choice
        self._asked += 1  # an answer to what was typed before comes too late
        self._box.value = "" if choice is None else choice.shown
        self._hits.clear()

    @property
    def _text(self) -> str:
        return (self._box.value or "").strip()

    async def _typed(self) -> None:
        typed = self._text
        if self._chosen is not None and typed == self._chosen.shown:
            return  # put there by a choice
        self._unchosen()
        await self._look(typed, after_s=PAUSE_S)

    def _unchosen(self) -> None:
        """Something else was typed than what was chosen."""

    async def _focused(self) -> None:
        await self._look("")

    async def _entered(self) -> None:
        with suppress(AwayError, QueryError, SignedOutError):  # the page says so itself
            await self._settle()

    async def _settle(self) -> None:
        """Choose what is meant by what stands in the box, if that is one. Raises as `find` does."""
        raise NotImplementedError

    async def _look(self, typed: str, after_s: float = 0.0) -> None:
        self._asked += 1
        asked = self._asked
        await asyncio.sleep(after_s)
        if asked != self._asked:
            return  # more was typed, or one was chosen
        try:
            offered = await self._find(typed)
        except (AwayError, QueryError, SignedOutError):
            return  # the page says itself that the database is away, or leads to the sign-in
        if asked == self._asked:  # an answer that comes late is not that of what stands in the box
            self._show(offered)

    def _show(self, offered: list[Choice]) -> None:
        self._hits.clear()
        with self._hits:
            for choice in offered:
                hit = ui.element("button").classes("hit").props("type=button tabindex=-1")
                # Arrows lead there; a stop of Tab for each would be twenty between two boxes.
                # When the button goes down: what was typed may put other hits here before it comes up again.
                hit.on("mousedown.left", partial(self.choose, choice))
                hit.on("click", partial(self.choose, choice))  # of the keyboard
                with hit:
                    ui.html(escape(choice.name), sanitize=False, tag="b")
                    if choice.about:
                        ui.html(escape(choice.about), sanitize=False, tag="small")
            if not offered:
                ui.label(labels.NOTHING_FOUND(self._language)).classes("empty")

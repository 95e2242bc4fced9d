"""The box in which an operator says of which site something is: typed, found, chosen; never a list of thousands."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from nicegui import ui

from dashboards.kit import sql
from dashboards.preview.access.accounts import SignedOutError
from dashboards.preview.macros import Query
from dashboards.preview.reader import AwayError, QueryError
from dashboards.preview.search import query as search
from dashboards.words import labels
from schemas.words import Language

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dashboards.preview.reader import Rows, Source
    from schemas.words import Text

MOST = 20
"""Sites that are offered; whoever wants another types more of its name."""

PAUSE_S = 0.08
"""Nobody types for this long before sites are looked up."""


class Choice(NamedTuple):
    """One that may be chosen."""

    site_id: str
    """Empty: of no one site."""
    name: str
    about: str = ""


def found(typed: str, language: Language) -> Query:
    """Sites with a part of a name, an identifier or a city; plants first. All of them where nothing is typed."""
    text = f"""
SELECT s.site_id, {sql.name(language, "s", "site_id")} AS name, s.city
FROM site s
WHERE site_id ILIKE %(part)s OR name ILIKE %(part)s OR name_zh ILIKE %(part)s OR city ILIKE %(part)s
ORDER BY lower(site_id) <> lower(%(typed)s),
         lower(%(typed)s) NOT IN (lower(coalesce(name, '')), lower(coalesce(name_zh, ''))),
         NOT (site_id ILIKE %(start)s OR name ILIKE %(start)s OR name_zh ILIKE %(start)s),
         sector = 'base_station', 2, 1
LIMIT {MOST}
"""  # noqa: S608 - fragments of ours
    return Query(text, search(typed).parameters)


def seen(site_id: str) -> Query:
    """The site, if whoever asks may see it."""
    return Query("SELECT site_id FROM site WHERE site_id = %(site)s", {"site": site_id})


def choices(rows: Rows, language: Language) -> list[Choice]:
    """What was found, with identifier and city to tell sites of one name apart."""
    sites = [tuple(map(str, row)) for row in rows.rows]
    english = {} if language is Language.ZH else labels.CITY
    return [Choice(site_id, name, f"{english.get(city, city)} · {site_id}") for site_id, name, city in sites]


def meant(typed: str, offered: Iterable[Choice]) -> Choice | None:
    """Return the one whose name or identifier is what was typed, in full; None where that is none, or several."""
    named = [choice for choice in offered if typed.casefold() in {choice.site_id.casefold(), choice.name.casefold()}]
    return named[0] if typed and len(named) == 1 else None


class SitePick:
    """The box, with what was found below it while it has the focus. `value` is the chosen site; None: no one yet."""

    def __init__(self, reader: Source, language: Language, label: Text) -> None:
        self._reader = reader
        self._language = language
        self._label = label
        self._chosen: Choice | None = None
        self._for_all: list[Choice] = []
        self._asked = 0

    @property
    def value(self) -> str | None:
        """Identifier of the site that stands in the box; "" for all; None where it is none that was chosen."""
        return None if self._chosen is None else self._chosen.site_id

    def build(self, look: str) -> None:
        """Put it where the page is being built."""
        with ui.element("div").classes("search is-about"):
            self._box = ui.input(self._label(self._language), on_change=self._typed)
            # Without a delay of its own: what was typed is told before the Enter or the click that follows it.
            self._box.props(f"{look} autocomplete=off").on("focus", self._focused)
            self._box.on("keydown.enter", self._entered)
            self._hits = ui.element("div").classes("hits")

    def offer_all(self, choice: Choice | None) -> None:
        """Offer it first, whatever is typed; None: nothing may be of all sites."""
        self._for_all = [] if choice is None else [choice]
        if choice is None and self.value == "":
            self.choose(None)

    def choose(self, choice: Choice | None) -> None:
        """Put one into the box."""
        self._chosen = choice
        self._asked += 1  # an answer to what was typed before comes too late
        self._box.value = "" if choice is None else choice.name
        self._hits.clear()

    async def _typed(self) -> None:
        typed = (self._box.value or "").strip()
        if self._chosen is not None and typed == self._chosen.name:
            return  # put there by a choice
        self._chosen = None
        await self._look(typed, after_s=PAUSE_S)

    async def _focused(self) -> None:
        await self._look("")

    async def settled(self) -> str | None:
        """Return `value`; whoever typed a whole name or identifier and clicked on nothing has chosen it, too.

        Raises AwayError, QueryError, and SignedOutError where the database cannot be asked.
        """
        typed = (self._box.value or "").strip()
        if self._chosen is None and typed:
            one = meant(typed, await self._offered(typed))
            if one is not None and typed == (self._box.value or "").strip():
                self.choose(one)
        return self.value

    async def _entered(self) -> None:
        with suppress(AwayError, QueryError, SignedOutError):  # the page says so itself
            await self.settled()

    async def _offered(self, typed: str) -> list[Choice]:
        return [*self._for_all, *choices(await self._reader.fetch(found(typed, self._language)), self._language)]

    async def _look(self, typed: str, after_s: float = 0.0) -> None:
        self._asked += 1
        asked = self._asked
        await asyncio.sleep(after_s)
        if asked != self._asked:
            return  # more was typed, or one was chosen
        try:
            offered = await self._offered(typed)
        except (AwayError, QueryError, SignedOutError):
            return  # the page says itself that the database is away, or leads to the sign-in
        if asked == self._asked:  # an answer that comes late is not that of what stands in the box
            self._show(offered)

    def _show(self, offered: list[Choice]) -> None:
        self._hits.clear()
        with self._hits:
            for choice in offered:
                hit = ui.element("button").classes("hit").props("type=button")
                # When the button goes down: what was typed may put other hits here before it comes up again.
                hit.on("mousedown.left", partial(self.choose, choice))
                hit.on("click", partial(self.choose, choice))  # of the keyboard
                with hit:
                    ui.html(escape(choice.name), sanitize=False, tag="b")
                    ui.html(escape(choice.about), sanitize=False, tag="small")
            if not offered:
                ui.label(labels.NOTHING_FOUND(self._language)).classes("empty")

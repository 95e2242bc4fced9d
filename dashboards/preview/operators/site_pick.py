"""The box in which an operator says of which site something is: typed, found, chosen; never a list of thousands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import sql
from dashboards.preview.macros import Query
from dashboards.preview.pick import MOST, Choice, Pick, meant
from dashboards.preview.search import query as search
from dashboards.words import labels
from schemas.words import Language

if TYPE_CHECKING:
    from dashboards.preview.reader import Rows, Source


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


class SitePick(Pick):
    """The box of a site. `value` is the chosen one; None: no one yet."""

    def __init__(self, reader: Source, language: Language) -> None:
        super().__init__(self._offered, language)
        self._reader = reader
        self._for_all: list[Choice] = []

    @property
    def value(self) -> str | None:
        """Identifier of the site that stands in the box; "" for all; None where it is none that was chosen."""
        return None if self._chosen is None else self._chosen.value

    def offer_all(self, choice: Choice | None) -> None:
        """Offer it first, whatever is typed; None: nothing may be of all sites."""
        self._for_all = [] if choice is None else [choice]
        if choice is None and self.value == "":
            self.choose(None)

    async def settled(self) -> str | None:
        """Return `value`; whoever typed a whole name or identifier and clicked on nothing has chosen it, too.

        Raises AwayError, QueryError, and SignedOutError where the database cannot be asked.
        """
        await self._settle()
        return self.value

    async def _settle(self) -> None:
        typed = self._text
        if self._chosen is None and typed:
            one = meant(typed, await self._offered(typed))
            if one is not None and typed == self._text:
                self.choose(one)

    def _unchosen(self) -> None:
        self._chosen = None

    async def _offered(self, typed: str) -> list[Choice]:
        return [*self._for_all, *choices(await self._reader.fetch(found(typed, self._language)), self._language)]

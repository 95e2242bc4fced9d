"""Search over everything registered: sites, meters, battery sets, by a part of a name or an identifier."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from nicegui import ui

from dashboards.preview.access.accounts import SignedOutError
from dashboards.preview.macros import Query, literal
from dashboards.preview.reader import AwayError, QueryError
from dashboards.words import labels
from schemas.readings import Kind
from schemas.words import Language, Text

if TYPE_CHECKING:
    from nicegui.events import ValueChangeEventArguments

    from dashboards.preview.reader import Rows, Source
    from dashboards.preview.view import View

MOST = 20
"""Entries that are offered; whoever wants another types more of its name."""

_FOUND = f"""
SELECT kind, id, site_id, name, name_zh, city,
       (SELECT min(b.device_id) FROM device b WHERE b.site_id = found.site_id AND b.kind = 'battery') AS first_set
FROM (
    SELECT 0 AS rank, CASE WHEN sector = 'base_station' THEN 'base_station' ELSE 'plant' END AS kind, site_id AS id,
           site_id, name, name_zh, city
    FROM site
    WHERE site_id ILIKE %(part)s OR name ILIKE %(part)s OR name_zh ILIKE %(part)s OR city ILIKE %(part)s
    UNION ALL
    SELECT 1, d.kind, d.device_id, d.site_id, d.name, d.name_zh, s.city
    FROM device d JOIN site s USING (site_id)
    WHERE d.kind <> 'site_power'
      AND (d.device_id ILIKE %(part)s OR d.name ILIKE %(part)s OR d.name_zh ILIKE %(part)s)
) found
ORDER BY lower(id) <> lower(%(typed)s), NOT (id ILIKE %(start)s OR name ILIKE %(start)s OR name_zh ILIKE %(start)s),
         rank, kind = 'base_station', id
LIMIT {MOST}
"""  # noqa: S608 - a number of ours


class SearchHit(NamedTuple):
    """One thing that was found, and where it is shown."""

    name: str
    about: str
    address: str


def query(typed: str) -> Query:
    """What is looked for; percent signs and underscores are themselves."""
    part = literal(typed.strip())
    return Query(_FOUND, {"part": f"%{part}%", "start": f"{part}%", "typed": typed.strip()})


def entries(rows: Rows, view: View) -> list[SearchHit]:
    """What was found, as links that keep language and theme; a set leads to its page, a meter to its own."""
    return [
        _entry(dict(zip(rows.columns, (str(value or "") for value in row), strict=True)), view) for row in rows.rows
    ]


def _entry(row: dict[str, str], view: View) -> SearchHit:
    language = view.language
    chosen = (row["name_zh"] or row["name"]) if language is Language.ZH else (row["name"] or row["name_zh"])
    slug, variables, kind = _place(row)
    city = row["city"] if language is Language.ZH else labels.CITY.get(row["city"], row["city"])
    about = " · ".join(part for part in (kind(language), city, row["id"]) if part)
    # Its own range and no other page's choices: who searches wants the thing as its page opens.
    address = replace(view, slug=slug, variables=variables, range_from="", range_to="now", refresh="").address
    return SearchHit(chosen or row["id"], about, address)


def _place(row: dict[str, str]) -> tuple[str, dict[str, str], Text]:
    if row["kind"] == "plant":
        return "plant-energy", {"site": row["id"]}, labels.PLANT
    if row["kind"] == "base_station":
        return ("battery-set", {"set": row["first_set"]}, labels.SITE) if row["first_set"] else _fleet(row)
    if row["kind"] == Kind.BATTERY:
        return "battery-set", {"set": row["id"]}, labels.SET
    return "meter", {"site": row["site_id"], "meter": row["id"]}, labels.METER


def _fleet(row: dict[str, str]) -> tuple[str, dict[str, str], Text]:
    """Where a base station without sets is counted."""
    return "battery-fleet", {"city": row["city"]}, labels.SITE


def as_html(found: list[SearchHit], language: Language) -> str:
    """List the entries; where nothing was found, say so."""
    if not found:
        return f'<div class="empty">{escape(labels.NOTHING_FOUND(language))}</div>'
    return "".join(
        f'<a class="hit" href="{escape(entry.address)}"><b>{escape(entry.name)}</b>'
        f"<small>{escape(entry.about)}</small></a>"
        for entry in found
    )


class SearchBox:
    """The box in the bar, with what was found below it while it has the focus."""

    def __init__(self, reader: Source, view: View) -> None:
        self._reader = reader
        self._view = view
        self._asked = 0

    def build(self) -> None:
        """Put it where the page is being built."""
        words = labels.SEARCH(self._view.language)
        dark = "dark" if self._view.theme == "dark" else ""
        with ui.element("div").classes("search").props("role=search"):
            box = ui.input(placeholder=words, on_change=self._look)
            box.props(f'dense outlined clearable debounce=80 {dark} aria-label="{words}" autocomplete=off')
            self._hits = ui.html("", sanitize=False).classes("hits")
            self._hits.visible = False

    def follow(self, view: View) -> None:
        """Links keep the language and theme of what is looked at."""
        self._view = view

    async def _look(self, event: ValueChangeEventArguments[str | None]) -> None:
        typed = (event.value or "").strip()
        self._asked += 1
        asked = self._asked
        if not typed:
            self._hits.visible = False
            return
        try:
            rows = await self._reader.fetch(query(typed))
        except (AwayError, QueryError, SignedOutError):
            return  # the page says itself that the database is away, or leads to the sign-in
        if asked == self._asked:  # an answer that comes late is not that of what stands in the box
            self._hits.content = as_html(entries(rows, self._view), self._view.language)
            self._hits.visible = True

"""The sheet of a shift's handover: what stands, what came up, what was done and by whom, and notes for the next shift.

It is read like any page, so an account sees its own sites alone. A note is written as the operator's role, by the
function of migrations 0286 and 0289, under a name, and never changed.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import psycopg
from nicegui import ui

from dashboards.kit.panels import TIME_ZONE
from dashboards.preview.access.accounts import AccountRole, SignedOutError
from dashboards.preview.operators.acting import OperatorPage
from dashboards.preview.operators.handover import ALL, Place, Sheet, Shift, chosen, preset, queries
from dashboards.preview.operators.site_pick import SitePick, seen
from dashboards.preview.pick import Choice
from dashboards.preview.reader import AwayError, QueryError
from dashboards.preview.state import AGE, Look, state_of
from dashboards.preview.zoom import in_words
from dashboards.words import labels, sign_in
from dashboards.words import shift as words
from schemas.words.alarm_reasons import refusal
from storage.alarm_tables import operator
from storage.pool import connect

if TYPE_CHECKING:
    from dashboards.preview.access.accounts import Account, SignedIn
    from dashboards.preview.operators.acting import Hand
    from dashboards.preview.operators.bell import Bell
    from dashboards.preview.reader import Rows, Source
    from dashboards.preview.view import View

REFRESH_S = 30.0
HOURS = (8, 12, 24)
SHIFT = "now-12h"
"""What is looked at where the address says nothing."""
LONGEST = 1000
"""Characters of a note, as migration 0289 has it."""


def address(view: View) -> str:
    """Path and query of the sheet for what a view shows: its site and city, and the usual hours."""
    kept = {f"var-{name}": view.variables[name] for name in ("site", "city") if name in view.variables}
    return f"/shift?{urlencode({'lang': str(view.language), 'theme': str(view.theme)} | kept)}"


class ShiftPage(OperatorPage):
    """The sheet, open in one browser."""

    def __init__(self, reader: Source, hand: Hand, view: View, bell: Bell, session: SignedIn | None = None) -> None:
        super().__init__(hand, view, bell, session)
        self._reader = reader
        self._about: SitePick | None = None
        """Of what a note is; None where one may not write."""
        self._is_preset = False

    def build(self) -> None:
        """Put the elements on the page and keep them fresh."""
        view = self._view
        with self._bar(replace(view, slug="alarms", range_from="", range_to="now").address):
            for hours in HOURS:
                link = f"{address(view)}&from=now-{hours}h"
                ui.link(words.LAST_HOURS(view.language).format(hours=hours), link).classes("chip")
            title = escape(self._text(words.PRINT))
            ui.html(f'<button class="chip print" onclick="window.print()">{title}</button>', sanitize=False)
        with ui.element("main").classes("sheet is-handover"):
            self._facts = ui.html("", sanitize=False)
            account = self._account()
            if self._may_act(account):
                self._build_form(account)
            self._lists = ui.html("", sanitize=False)
        ui.timer(REFRESH_S, self._refresh)

    def _build_form(self, account: Account | None) -> None:
        look = f"dense outlined {'dark' if self._view.theme == 'dark' else ''}"
        with ui.element("form").classes("hand").props('onsubmit="return false"'):
            self._user = self._name_input(account, look)
            self._about = SitePick(self._reader, self._view.language)
            self._about.build(self._text(words.ABOUT), look)
            self._note = ui.textarea(self._text(words.NOTE)).classes("is-reason")
            self._note.props(f"{look} autogrow counter maxlength={LONGEST}")
            ui.button(self._text(words.WRITE), on_click=self._write).props("outline no-caps data-action=note")

    async def _write(self) -> None:
        """Write the note down, and say what came of it."""
        assert self._about is not None  # noqa: S101 - there is no button then
        try:
            account = self._account()
        except SignedOutError:
            self._leave()
            return
        if account is not None and account.role is not AccountRole.OPERATOR:
            self._refuse(self._text(sign_in.ONLY_VIEWER))
            return
        try:
            about = await self._about.settled()
            is_one = about is not None and await self._may_be_of(about, account)
        except SignedOutError:
            self._leave()
            return
        except (AwayError, QueryError):
            self._refuse(self._text(labels.DATABASE_AWAY))
            return
        if about is None or not is_one:
            self._refuse(self._text(words.NOT_ALL))
            return
        # What stands in the box of somebody signed in is for the eye; a browser could send any other.
        user = (self._user.value or "") if account is None else account.name
        try:
            await asyncio.to_thread(self._call, about, user, self._note.value or "")
        except psycopg.Error as error:
            reason = refusal(error.diag.message_primary or "", self._view.language)
            self._refuse(reason or self._text(labels.DATABASE_AWAY))
            return
        self._dismiss()
        self._note.value = ""
        if account is None:
            self._remember(user)
        await self._refresh()

    async def _may_be_of(self, about: str, account: Account | None) -> bool:
        """Whether an account, as it stands now, may see that site; of all sites writes only who sees all.

        Raises AwayError and QueryError where that cannot be found out: it is no wrong choice.
        """
        if about == ALL:
            return account is None or account.bounds is None
        return bool((await self._reader.fetch(seen(about))).rows)

    def _call(self, about: str, user: str, note: str) -> None:
        assert self._hand.operator_url is not None  # noqa: S101 - there is no form then
        with connect(self._hand.operator_url, name="preview", autocommit=True) as connection:
            operator.call(connection, "shift_note_write", about, user, note)

    async def _refresh(self) -> None:
        now = dt.datetime.now(dt.UTC)
        shown = self._view.time_range(SHIFT, now)
        variables = self._view.variables
        ends = (shown.start.timestamp(), shown.end.timestamp())
        shift = Shift(*ends, *(chosen(variables.get(name, "")) for name in ("site", "city")))
        asked = queries(shift, self._view.language)
        try:
            account = self._account()
            standing, counts, to_do, done, notes, sites, where = [await self._reader.fetch(query) for query in asked]
            ((data_to_s, stored_to_s),) = (await self._reader.fetch(AGE)).rows
        except SignedOutError:
            self._leave()
            return
        except (AwayError, QueryError):
            self._say(self._text(labels.DATABASE_AWAY))
            return
        self._say(self._refused)
        is_confined = account is not None and account.bounds is not None
        place = Place.of(shift, where)
        self._offer(None if is_confined else Choice(ALL, self._text(words.ALL_SITES)), sites, place)
        seen = Look(now.timestamp(), cast("float | None", data_to_s), cast("float | None", stored_to_s))
        sheet = Sheet(self._view, place)
        facts = [
            (words.PERIOD, escape(in_words(shown, TIME_ZONE))),
            *sheet.place_facts(words.OWN_SITES if is_confined else words.ALL_SITES),
            (words.DATA, escape(self._text(state_of(None, seen, ZoneInfo(TIME_ZONE)).text))),
            *sheet.summary(standing, counts),
        ]
        rows = "".join(f"<dt>{escape(self._text(text))}</dt><dd>{value}</dd>" for text, value in facts if value)
        self._facts.content = f"<h1>{escape(self._text(words.HANDOVER))}</h1><dl>{rows}</dl>"
        self._lists.content = sheet.notes(notes) + sheet.to_do(to_do) + sheet.done(done)

    def _offer(self, of_all: Choice | None, sites: Rows, place: Place) -> None:
        """Let a note be of any site that is seen. At first it is of what the sheet is of, or of the only site there is.

        Never of a site that happens to be the first.
        """
        if self._about is None:
            return
        self._about.offer_all(of_all)
        if self._is_preset:
            return
        self._is_preset = True
        known = [] if of_all is None else [of_all]
        known += [] if place.site is None else [Choice(place.shift.site, place.site)]
        known += [Choice(str(site_id), str(name)) for site_id, name in sites.rows]
        by_id = {choice.value: choice for choice in known}
        said = preset(by_id, place)
        self._about.choose(None if said is None else by_id[said])

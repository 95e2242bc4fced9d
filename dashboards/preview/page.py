"""One open page: builds the grid of a dashboard's panels and keeps them fresh until the browser leaves."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from contextlib import suppress
from dataclasses import replace
from functools import partial
from html import escape
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from nicegui import background_tasks, ui

from dashboards.preview.access.accounts import SignedOutError
from dashboards.preview.drawing import Canvas, Mark
from dashboards.preview.macros import Scope, TimeRange
from dashboards.preview.model import parse_duration_s
from dashboards.preview.operators.bell import Bell
from dashboards.preview.operators.shift import address as handover_address
from dashboards.preview.panel_box import PanelBox
from dashboards.preview.passport import SLUG as PASSPORT_SLUG
from dashboards.preview.passport import address as document_address
from dashboards.preview.passport import links as document_links
from dashboards.preview.pick import Choice
from dashboards.preview.reader import AwayError, NotMigratedError, QueryError, SlowError
from dashboards.preview.render import render
from dashboards.preview.search import SearchBox
from dashboards.preview.state import AGE, Look, Tone, state_of
from dashboards.preview.variable_pick import VariablePick, found
from dashboards.preview.variables import SEARCHED, Resolved, notice_of, resolve
from dashboards.preview.zoom import in_words, relative_in_words, zoomed
from dashboards.words import labels
from dashboards.words.shift import HANDOVER
from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nicegui.events import GenericEventArguments, ValueChangeEventArguments

    from dashboards.preview.model import Dashboard, Variable
    from dashboards.preview.reader import Source
    from dashboards.preview.view import View

PARALLEL = 3
"""Queries that one page may have running: a page with slow queries leaves connections to the others."""

RETRY_S = 2.0
"""Pause before a database that went away is tried again."""

PACE_S = 20.0
"""How far apart two looks at the lag are that tell whether it shrinks."""

ALARMS_SLUG = "alarms"
OWN_RANGE = "own"
"""Of the control of the range: none of the usual ones."""
REFRESHES = ("5s", "10s", "30s", "1m")


class Page:
    """A dashboard, open in one browser."""

    def __init__(
        self, dashboard: Dashboard, titles: Mapping[str, str], reader: Source, view: View, who: str = ""
    ) -> None:
        self._dashboard = dashboard
        self._titles = titles
        self._reader = reader
        self._view = view
        self._who = who
        self._wanted = asyncio.Event()
        self._places = asyncio.Semaphore(PARALLEL)
        self._boxes: list[PanelBox] = []
        self._selects: dict[str, ui.select] = {}
        self._picks: dict[str, VariablePick] = {}
        self._scope: Scope | None = None
        """Of the last look at the variables: what is typed into a box is looked up with the others' values."""
        self._search = SearchBox(reader, view)
        self._bell = Bell(reader, view.language)
        self._links: dict[str, ui.link] = {}

    def build(self) -> None:
        """Put the elements on the page and start to keep them fresh."""
        ui.link(self._text(labels.SKIP), "#").classes("skip")
        with ui.element("header").classes("bar").classes("is-kiosk" if self._view.kiosk else ""):
            with ui.element("div").classes("bar-line"):
                self._build_line()
            with ui.element("div").classes("bar-tools"):
                self._build_tools()
        self._banner = ui.html("", sanitize=False).classes("banner")
        self._banner.visible = False
        self._seen: Look | None = None
        with ui.element("main").classes("grid").props("tabindex=-1") as self._grid:
            self._grid.props(f"data-zone={self._dashboard.time_zone}")
            panels = self._dashboard.panels
            bands = {y: at for at, y in enumerate(sorted({panel.y for panel in panels}), 1)}
            self._boxes = [PanelBox(panel, self._view.language, bands[panel.y]) for panel in panels]
        self._update_links()
        self._bell.watch()
        ui.on("zoom", self._zoom)
        task = background_tasks.create(self._run(), name=f"preview {self._view.slug}")
        ui.context.client.on_delete(lambda: task.cancel() and None)

    def _text(self, text: Text) -> str:
        return text(self._view.language)

    def _build_line(self) -> None:
        """First line of the bar: the pages, the search, and how the page looks."""
        view = self._view
        ui.html("fenhe<small>汾河</small>", sanitize=False, tag="div").classes("brand")
        with ui.element("nav").classes("nav"):
            for slug, title in self._titles.items():
                self._links[f"dashboard {slug}"] = ui.link(title, "#").classes("is-here" if slug == view.slug else "")
        self._search.build()
        for name, sign, words in (("theme", "◐", labels.THEME), ("kiosk", "▣", labels.KIOSK)):
            self._links[name] = ui.link(sign, "#").classes(f"chip {name}")
            self._links[name].props('title="{0}" aria-label="{1} {0}"'.format(self._text(words), sign))
        self._bell.build_switch()
        self._links["language"] = ui.link(self._other_language.endonym, "#").classes("chip")
        if self._who:
            ui.html(self._who, sanitize=False)

    def _build_tools(self) -> None:
        """Second line: how old the data are, and of what, of when and how often the page shows its figures."""
        view = self._view
        self._state = ui.label(self._text(labels.LOADING)).classes("state").props("role=status data-control=state")
        for variable in self._dashboard.variables:
            if not variable.hidden:
                self._build_variable(variable)
        ranges, chosen = self._ranges()
        self._range = self._select(ranges, chosen, self._text(labels.TIME_RANGE), self._choose_range)
        self._range.props("data-control=range")
        refreshes = {"off": self._text(labels.OFF), **{each: each for each in REFRESHES}}
        refresh = view.refresh or self._dashboard.refresh
        refresh = refresh if refresh in refreshes else REFRESHES[0]
        self._select(refreshes, refresh, self._text(labels.REFRESH), self._choose_refresh).props(
            "data-control=refresh"
        ).style("min-width:76px")
        self._clock = ui.label("").classes("clock")
        for slug, title in self._dashboard.related:
            self._links[f"related {slug}"] = ui.link(title, "#").classes("chip")
        if view.slug == ALARMS_SLUG:
            self._links["handover"] = ui.link(self._text(HANDOVER), "#").classes("chip")
        if view.slug == PASSPORT_SLUG:
            self._links["document"] = document_links(view.language)

    def _build_variable(self, variable: Variable) -> None:
        if SEARCHED in variable.sql:
            pick = VariablePick(
                partial(self._find, variable), self._view.language, lambda value: self._choose(variable.name, value)
            )
            with ui.element("div").classes("field"):
                ui.label(variable.label).classes("field-name")
                pick.build_control(variable.name, variable.label, self._control_look)
            self._picks[variable.name] = pick
            return
        self._selects[variable.name] = self._select(
            {}, None, variable.label, lambda event: self._choose(variable.name, event.value)
        ).props(f"data-variable={variable.name}")

    async def _find(self, variable: Variable, typed: str) -> list[Choice]:
        return [] if self._scope is None else await found(self._reader, variable, self._scope, typed)

    @property
    def _control_look(self) -> str:
        return f"dense outlined {'dark' if self._view.theme == 'dark' else ''}"

    def _select(self, options: dict[str, str], value: str | None, label: str, chosen: object) -> ui.select:
        with ui.element("div").classes("field"):
            ui.label(label).classes("field-name")
            select = ui.select(options, value=value, on_change=chosen)  # type: ignore[arg-type]
        return select.props(f'{self._control_look} options-dense label="{label}"')

    @property
    def _other_language(self) -> Language:
        return Language.EN if self._view.language is Language.ZH else Language.ZH

    def _update_links(self) -> None:
        view = self._view
        targets = {f"dashboard {slug}": replace(view, slug=slug, refresh="") for slug in self._titles}
        targets["theme"] = replace(view, theme=view.theme.other)
        targets["kiosk"] = replace(view, kiosk=not view.kiosk)
        targets["language"] = replace(view, language=self._other_language)
        targets |= {f"related {slug}": replace(view, slug=slug, refresh="") for slug, _ in self._dashboard.related}
        addresses = {name: target.address for name, target in targets.items()} | {
            "document": document_address(view),
            "handover": handover_address(view),
        }
        for name, link in self._links.items():
            link.props["href"] = addresses[name]
            link.update()
        for box in self._boxes:
            box.follow(view)

    def _look_at(self, view: View, *, is_a_step: bool = False) -> None:
        """Change what this page shows, without loading it anew; the browser's "back" undoes a step."""
        if view == self._view:
            return
        self._view = view
        self._search.follow(view)
        self._update_links()
        change = "pushState" if is_a_step else "replaceState"
        ui.run_javascript(f"history.{change}(null, '', {json.dumps(view.address)})")
        self._wanted.set()

    def _choose(self, name: str, value: str | None) -> None:
        if value is not None and value != self._view.variables.get(name):
            self._look_at(self._view.with_variable(name, value))

    def _ranges(self) -> tuple[dict[str, str], str]:
        """Ranges to choose from, with the one that is looked at, and which of them that is."""
        view, dashboard = self._view, self._dashboard
        ranges = {key: self._text(text) for key, text in labels.LAST.items()}
        start = view.range_from or dashboard.range_from
        if start in ranges and view.range_to == "now":
            return ranges, start
        words = relative_in_words(start, view.language) if view.range_to == "now" else ""
        if not words:
            words = in_words(view.time_range(dashboard.range_from, dt.datetime.now(dt.UTC)), dashboard.time_zone)
        return {OWN_RANGE: words} | ranges, OWN_RANGE

    def _choose_range(self, event: ValueChangeEventArguments[str | None]) -> None:
        if event.value != OWN_RANGE:
            self._look_at(replace(self._view, range_from=str(event.value), range_to="now"))

    def _zoom(self, event: GenericEventArguments) -> None:
        """Look at the part of a chart that was dragged over, on this page and in its address; "back" undoes it."""
        shown = zoomed(event.args, self._dashboard.time_zone)
        if shown is not None:
            self._look_at(self._view.of(shown), is_a_step=True)
            ranges, chosen = self._ranges()
            self._range.set_options(ranges, value=chosen)

    def _choose_refresh(self, event: ValueChangeEventArguments[str | None]) -> None:
        self._look_at(replace(self._view, refresh=str(event.value)))

    async def _run(self) -> None:
        """Refresh for ever; a changed view ends the round that is under way."""
        while True:
            self._wanted.clear()
            round_ = asyncio.create_task(self._refresh())
            wanted = asyncio.create_task(self._wanted.wait())
            try:
                await asyncio.wait({round_, wanted}, return_when=asyncio.FIRST_COMPLETED)
                if round_.done():
                    pause_s = RETRY_S if not round_.result() else self._pause_s()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(asyncio.shield(wanted), pause_s)
            finally:
                for task in (round_, wanted):
                    task.cancel()
                await asyncio.gather(round_, wanted, return_exceptions=True)

    def _pause_s(self) -> float | None:
        refresh = self._view.refresh or self._dashboard.refresh
        if refresh == "off":
            return None
        try:
            return max(1.0, float(parse_duration_s(refresh)))
        except ValueError:
            return float(parse_duration_s(REFRESHES[0]))

    async def _refresh(self) -> bool:
        """Draw all panels; return whether the database answered."""
        now = dt.datetime.now(dt.UTC)
        dashboard, view = self._dashboard, self._view
        time_range = view.time_range(dashboard.range_from, now)
        try:
            resolved = await resolve(self._reader, dashboard.variables, view.variables, time_range)
            self._scope = Scope(time_range, resolved.values)
            self._offer(resolved)
            marks = await self._marks(self._scope)
            answered = await asyncio.gather(*(self._draw(box, time_range, resolved, marks) for box in self._boxes))
        except SignedOutError:
            self._grid.client.run_javascript("location.reload()")  # which leads to the sign-in page and back
            return True
        except AwayError:
            self._say_away()
            return False
        except NotMigratedError:
            self._say(self._text(labels.NOT_MIGRATED), notice=False)
            return False
        except QueryError as error:
            self._say(f"{self._text(labels.QUERY_FAILED)}: {error}", notice=False)
            return False
        if not all(answered):
            self._say_away()
            return False
        self._say(notice_of(self._dashboard.variables, resolved, self._view.language), notice=True)
        await self._show_state(now)
        local = now.astimezone(ZoneInfo(dashboard.time_zone))
        self._clock.text = f"{self._text(labels.UPDATED)} {local:%H:%M:%S} {local:UTC%z}".removesuffix("00")
        return True

    async def _show_state(self, now: dt.datetime) -> None:
        """Say on top of the page how old its data are, and dim its figures where they are not of now."""
        try:
            rows = await self._reader.fetch(AGE)
        except (AwayError, QueryError, SignedOutError):
            return  # the page says itself what it could not read
        data_to_s, stored_to_s = rows.rows[0]
        seen = Look(now.timestamp(), cast("float | None", data_to_s), cast("float | None", stored_to_s))
        state = state_of(self._seen, seen, ZoneInfo(self._dashboard.time_zone))
        if self._seen is None or seen.at_s - self._seen.at_s >= PACE_S:
            self._seen = seen
        self._state.text = self._text(state.text)
        self._state.classes(remove=" ".join(f"is-{level}" for level in Tone), add=f"is-{state.level}")
        self._grid.classes(**{"add" if state.is_stale else "remove": "is-stale"})

    def _say_away(self) -> None:
        self._say(self._text(labels.DATABASE_AWAY), notice=False)
        for box in self._boxes:
            box.away()

    async def _marks(self, scope: Scope) -> tuple[Mark, ...]:
        """Read what is marked on every chart."""
        found = []
        for annotation in self._dashboard.annotations:
            rows = await self._reader.fetch(scope.bind(annotation.sql))
            at, text = rows.columns.index("time"), rows.columns.index("text")
            found += [Mark(row[at], str(row[text]), annotation.color) for row in rows.rows]
        return tuple(found)

    async def _draw(self, box: PanelBox, time_range: TimeRange, resolved: Resolved, marks: tuple[Mark, ...]) -> bool:
        panel, language = box.panel, self._view.language
        scope = Scope(time_range, resolved.values)
        try:
            query = scope.bind(panel.sql, shortest_interval_s=panel.shortest_interval_s)
            async with self._places:
                rows = await self._reader.fetch(query)
        except AwayError:
            return False
        except SlowError as error:
            box.fail(labels.QUERY_SLOW(language), str(error))
        except (QueryError, LookupError) as error:
            box.fail(labels.QUERY_FAILED(language), str(error))
        else:
            panel = replace(panel, title=scope.title(panel.title))
            box.title(panel.title)
            canvas = Canvas(self._view.theme.colors, language, self._dashboard.time_zone, time_range, self._view, marks)
            box.draw(render(panel, rows, canvas))
        return True

    def _offer(self, resolved: Resolved) -> None:
        for name, pick in self._picks.items():
            chosen = resolved.chosen[name]
            if chosen:
                self._view = self._view.with_variable(name, chosen)
            pick.show(Choice(chosen, resolved.options[name].get(chosen, f"{chosen} ?" if chosen else "")))
        for name, select in self._selects.items():
            options = dict(resolved.options[name])
            if name in resolved.unknown:
                options[resolved.unknown[name]] = f"{resolved.unknown[name]} ?"
            value = resolved.chosen[name] or None
            if options != select.options or value != select.value:
                self._view = self._view.with_variable(name, value) if value else self._view
                select.set_options(options, value=value)

    def _say(self, text: str, *, notice: bool) -> None:
        self._banner.content = escape(text)
        self._banner.classes(**{"add" if notice else "remove": "is-notice"})
        self._banner.visible = bool(text)

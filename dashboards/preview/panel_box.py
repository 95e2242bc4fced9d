"""The elements of one panel on an open page: head with title and files, body, and what is said over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from nicegui import ui

from dashboards.preview.download import File
from dashboards.preview.drawing import Html, failure
from dashboards.preview.macros import pending_title
from dashboards.preview.render import HTML_TYPES
from dashboards.words import labels

if TYPE_CHECKING:
    from nicegui.events import EChartPointClickEventArguments

    from dashboards.preview.drawing import Drawing
    from dashboards.preview.model import Panel
    from dashboards.preview.view import View
    from schemas.words import Language


class PanelBox:
    """One panel's elements on the page, in one of its bands: a band of tables is as high as their rows."""

    def __init__(self, panel: Panel, language: Language, band: int) -> None:
        self.panel = panel
        self._last: Drawing | None = None
        place = f"grid-column:{panel.x + 1}/span {panel.w};grid-row:{band};--h:{panel.h}"
        self._box = ui.element("section").classes(f"panel is-{panel.type}").style(place).props(f"data-panel={panel.id}")
        with self._box:
            with (
                ui.element("div").classes("panel-head").props("role=toolbar") as self._head
            ):  # one stop of Tab: keys.js
                self._title = ui.label().classes("panel-title")
                with ui.label("ⓘ").classes("info").props("tabindex=0 role=note") as info:
                    info.props["aria-label"] = panel.description
                    ui.tooltip(panel.description).classes("about")
                with ui.element("div").classes("exports"):
                    self._exports = {kind: ui.link(str(kind).upper(), "#").classes("export") for kind in File}
                    if panel.type not in HTML_TYPES:
                        picture = ui.link("PNG", "#").classes("export is-picture").props("role=button tabindex=-1")
                        picture.props(f'title="{labels.PICTURE(language)}"')
            with ui.element("div").classes("panel-body"):
                self._html = ui.html("", sanitize=False) if panel.type in HTML_TYPES else None
                self._chart = (
                    None if self._html else ui.echart({}, on_point_click=_open).classes("chart").props("role=img")
                )
            self._over = ui.html("", sanitize=False).classes("panel-over")
            self._over.visible = False
        self._export_words = labels.EXPORT(language)
        for kind, link in self._exports.items():
            link.props(f'download tabindex=-1 title="{self._export_words} {str(kind).upper()}"')
        self.title(pending_title(panel.title))

    def title(self, text: str) -> None:
        """Show a title whose variables are filled in, and name with it what bears no words of its own."""
        if text == self._title.text:
            return
        self._title.text = text
        for element in (self._box, self._head, *([self._chart] if self._chart else [])):
            element.props["aria-label"] = text
        for kind, link in self._exports.items():
            link.props["aria-label"] = f"{self._export_words} {str(kind).upper()}: {text}"

    def follow(self, view: View) -> None:
        """Lead to the files of what is looked at."""
        for kind, link in self._exports.items():
            link.props["href"] = view.file(kind, self.panel.id)
            link.update()

    def draw(self, drawing: Drawing) -> None:
        """Show a drawing, if it differs from the one that is there."""
        self._over.visible = False
        self._mark("drawn")
        if drawing == self._last:
            return
        self._last = drawing
        if isinstance(drawing, Html):
            if self._html:
                self._html.content = drawing.content
        elif self._chart:
            self._chart.options.clear()
            self._chart.options.update(drawing.options)
            self._chart.update()

    def fail(self, message: str, detail: str) -> None:
        """Say in the panel that its query failed."""
        self._last = None
        self._over.content = failure(message, detail).content
        self._over.visible = True
        self._mark("failed")

    def away(self) -> None:
        """Dim what is there: it is from before."""
        self._mark("away")

    def _mark(self, state: str) -> None:
        if self._box.props.get("data-state") != state:
            self._box.props(f"data-state={state}")
            self._box.classes(**{"add" if state == "away" else "remove": "is-away"})


def _open(event: EChartPointClickEventArguments) -> None:
    """Lead on from what was clicked in a chart, where that is somewhere."""
    point = cast("object", event.data)  # NiceGUI names numbers and words only; a point may be an object
    if isinstance(point, dict) and (address := point.get("address")):
        ui.navigate.to(str(address))

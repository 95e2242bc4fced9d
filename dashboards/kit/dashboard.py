"""What all dashboards have in common: time zone, refresh, variables, links to each other and to the other language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from dashboards.kit.panels import PLUGIN_VERSION, TIME_ZONE
from dashboards.kit.query import DATA_SOURCE
from dashboards.words import labels
from schemas.words import Language

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dashboards.kit.panels import Panel
    from schemas.words import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A template variable, filled by a query that returns `__value` and `__text`."""

    name: str
    label: Text
    query: Callable[[Language], str]
    hidden: bool = False
    with_all: bool = False
    falls_back_to: tuple[str, Text] | None = None
    """Value and name of the choice that stands in for one that is not offered here; None: a missing value is told."""

    def builder(self, language: Language) -> build.QueryVariable:
        """Return Grafana's variable. All values are `*`, an option of the query: Grafana's own says "All"."""
        query = self.query(language)
        variable = (
            build.QueryVariable(self.name)
            .label(self.label(language))
            .query(_with_all(query, language) if self.with_all else query)
            .datasource(DATA_SOURCE)
            .refresh(model.VariableRefresh.ON_DASHBOARD_LOAD)
            .sort(model.VariableSort.DISABLED)
            .hide(model.VariableHide.HIDE_VARIABLE if self.hidden else model.VariableHide.DONT_HIDE)
            .multi(multi=False)
            .include_all(include_all=False)
        )
        if self.with_all:
            everything = model.VariableOption(selected=True, text=labels.ALL(language), value=ALL)
            variable = variable.current(everything)
        elif self.falls_back_to is not None:
            value, text = self.falls_back_to
            variable = variable.current(model.VariableOption(selected=True, text=text(language), value=value))
        return variable


ALL = "*"
"""Value of a variable that stands for all of its values: the lists of 7 000 stay out of the SQL."""


def _with_all(query: str, language: Language) -> str:
    """Put the option for all values before those of a query."""
    return f"""
SELECT __value, __text
FROM (
    SELECT 0 AS place, '{ALL}' AS __value, '{labels.ALL(language)}' AS __text
    UNION ALL
    SELECT row_number() OVER (), __value, __text FROM (
{query.strip()}
    ) AS found
) AS offered
ORDER BY place
"""  # noqa: S608 - fragments of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Moments marked on every chart of a page: a query of `time` and `text`, and of `timeend` where one lasted."""

    name: Text
    query: Callable[[Language], str]
    color: str

    def to_json(self, language: Language) -> dict[str, object]:
        """Return Grafana's JSON: the SDK of 11.6 knows the query of Grafana's own annotations only."""
        source = {"type": DATA_SOURCE.type_val, "uid": DATA_SOURCE.uid}
        return {
            "name": self.name(language),
            "datasource": source,
            "enable": True,
            "hide": False,
            "iconColor": self.color,
            "target": {
                "refId": "Anno",
                "datasource": source,
                "editorMode": "code",
                "format": "table",
                "rawQuery": True,
                "rawSql": self.query(language),
            },
        }


class Related(NamedTuple):
    """Another page of the same plant, meter or set: it is opened with the same variables and range."""

    slug: str
    title: Text


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Definition:
    """One dashboard: its name and its panels, from left to right and top to bottom. Each is only equal to itself."""

    slug: str
    title: Text
    description: Text
    refresh: str
    variables: Sequence[Variable]
    panels: Callable[[Language], Sequence[Panel]]
    annotations: Sequence[Annotation] = ()
    related: Sequence[Related] = ()
    band: Callable[[Language], Panel] | None = None
    """What is said on top of the page in Grafana, before any figure."""
    range_from: str = "now-6h"
    """What the page shows when it is opened: as long as its longest view needs."""

    def uid(self, language: Language) -> str:
        """Return Grafana's identifier of this dashboard in this language."""
        return f"fenhe-{self.slug}-{language}"

    def build(self, language: Language) -> model.Dashboard:
        """Assemble the dashboard; panels are numbered in their order."""
        other = Language.EN if language is Language.ZH else Language.ZH
        builder = (
            build.Dashboard(self.title(language))
            .uid(self.uid(language))
            .description(self.description(language))
            .tags(["fenhe", str(language)])
            .timezone(TIME_ZONE)
            .time(self.range_from, "now")
            .week_start("monday")
            .readonly()
            .refresh(self.refresh)
            .tooltip(model.DashboardCursorSync.CROSSHAIR)
            .timepicker(build.TimePicker().refresh_intervals(["5s", "10s", "30s", "1m", "5m"]))
            .link(
                build.DashboardLink(labels.DASHBOARDS(language))
                .type(model.DashboardLinkType.DASHBOARDS)
                .tags(["fenhe", str(language)])
                .as_dropdown(as_dropdown=True)
                .keep_time(keep_time=True)
            )
            .link(
                build.DashboardLink(other.endonym)
                .type(model.DashboardLinkType.LINK)
                .url(f"/d/{self.uid(other)}")
                .icon("external link")
                .include_vars(include_vars=True)
                .keep_time(keep_time=True)
            )
        )
        for page in self.related:
            builder = builder.link(
                build.DashboardLink(page.title(language))
                .type(model.DashboardLinkType.LINK)
                .url(f"/d/fenhe-{page.slug}-{language}")
                .icon("doc")
                .include_vars(include_vars=True)
                .keep_time(keep_time=True)
            )
        for variable in self.variables:
            builder = builder.with_variable(variable.builder(language))
        if self.band is not None:
            builder = builder.with_panel(_Numbered(self.band(language), BAND_ID))
        for number, panel in enumerate(self.panels(language), start=1):
            builder = builder.with_panel(_Numbered(panel, number))
        return builder.build()


BAND_ID = 1000
"""Number of the panel on top of every page that says how old the data are; the preview has a bar for it."""


@dataclass(frozen=True, slots=True)
class _Numbered(Builder[model.Panel]):
    """A panel that gets its id when it is built."""

    panel: Panel
    number: int

    def build(self) -> model.Panel:
        """Build the panel with its number."""
        built = self.panel.build()
        built.id_val = self.number
        built.plugin_version = PLUGIN_VERSION
        return built

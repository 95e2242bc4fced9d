"""The built dashboard as the preview reads it: Grafana's JSON, as much of it as our panels use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboards.kit.dashboard import ALL, BAND_ID

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DRAWN_TABLES = {
    "sankey": frozenset({"flow_from", "flow_to", "flow"}),
    "map": frozenset({"map_lon", "map_lat"}),
}
"""Types that Grafana has not, by columns: there such a table is a table, here it is drawn."""


@dataclass(frozen=True, slots=True)
class FieldConfig:
    """How one column is shown: the panel's defaults with the overrides of that column's name."""

    name: str
    properties: Mapping[str, Any]

    @property
    def label(self) -> str | None:
        """Shown name, if it has one."""
        return self.properties.get("displayName")

    @property
    def custom(self) -> dict[str, Any]:
        """Properties of the visualisation: `{"lineWidth": 2}` of `custom.lineWidth`."""
        return {
            key.removeprefix("custom."): value for key, value in self.properties.items() if key.startswith("custom.")
        }


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel."""

    id: int
    type: str
    title: str
    description: str
    x: int
    y: int
    w: int
    h: int
    sql: str
    shortest_interval_s: int
    no_value: str
    options: Mapping[str, Any]
    custom: Mapping[str, Any]
    """The visualisation's defaults for every field."""
    fields: Mapping[str, FieldConfig]

    def field(self, name: str) -> FieldConfig:
        """Return a column's configuration; a column without one has the defaults."""
        return self.fields.get(name) or FieldConfig(name, {})


@dataclass(frozen=True, slots=True)
class Variable:
    """One template variable."""

    name: str
    label: str
    sql: str
    hidden: bool
    falls_back_to: str | None = None
    """The choice that stands in for one that is not offered; None where a missing value is told."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """Moments marked on every chart over time."""

    name: str
    sql: str
    color: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard in one language."""

    uid: str
    title: str
    description: str
    time_zone: str
    range_from: str
    refresh: str
    variables: tuple[Variable, ...]
    panels: tuple[Panel, ...]
    annotations: tuple[Annotation, ...] = ()
    related: tuple[tuple[str, str], ...] = ()
    """Slug and title of other pages of the same plant, meter or set."""


def load(built: Mapping[str, Any]) -> Dashboard:
    """Read Grafana's JSON of a dashboard. Raises KeyError where it is not one."""
    return Dashboard(
        uid=built["uid"],
        title=built["title"],
        description=built.get("description", ""),
        time_zone=built["timezone"],
        range_from=built["time"]["from"],
        refresh=built["refresh"],
        variables=tuple(_variable(variable) for variable in built["templating"].get("list", [])),
        panels=tuple(_panel(panel) for panel in built["panels"] if panel["id"] != BAND_ID),
        annotations=tuple(
            Annotation(each["name"], each["target"]["rawSql"], each["iconColor"])
            for each in built.get("annotations", {}).get("list", [])
        ),
        related=tuple(_related(built)),
    )


def _related(built: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Links to pages in the same language; the one to this page in the other language is not among them."""
    language = built["uid"].rpartition("-")[2]
    for link in built.get("links", []):
        slug, _, of = link.get("url", "").removeprefix("/d/fenhe-").rpartition("-")
        if link["type"] == "link" and of == language:
            yield slug, link["title"]


def _variable(built: Mapping[str, Any]) -> Variable:
    current = (built.get("current") or {}).get("value")
    return Variable(
        name=built["name"],
        label=built.get("label") or built["name"],
        sql=built["query"],
        hidden=built.get("hide", 0) != 0,
        falls_back_to=None if current == ALL else current,
    )


def _panel(built: Mapping[str, Any]) -> Panel:
    (target,) = built["targets"]
    config = built["fieldConfig"]
    defaults = config["defaults"]
    fields = {}
    for override in config["overrides"]:
        name = override["matcher"]["options"]
        fields[name] = FieldConfig(name, {item["id"]: item.get("value") for item in override["properties"]})
    position = built["gridPos"]
    return Panel(
        id=built["id"],
        type=_drawn_as(built["type"], set(fields)),
        title=built["title"],
        description=built["description"],
        x=position["x"],
        y=position["y"],
        w=position["w"],
        h=position["h"],
        sql=target["rawSql"],
        shortest_interval_s=parse_duration_s(built.get("interval") or "1s"),
        no_value=defaults.get("noValue", ""),
        options=built.get("options", {}),
        custom=defaults.get("custom", {}),
        fields=fields,
    )


def _drawn_as(type_: str, columns: set[str]) -> str:
    """How a panel is drawn here: a table of certain columns otherwise than in Grafana."""
    drawn = (name for name, needed in DRAWN_TABLES.items() if type_ == "table" and needed <= columns)
    return next(drawn, type_)


_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_duration_s(text: str) -> int:
    """Return the seconds of `5s`, `1m`, `6h`, `1d`. Raises ValueError on anything else."""
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in _SECONDS:
        msg = f"a duration looks like 5s, 1m, 6h or 1d, not {text!r}"
        raise ValueError(msg)
    return int(number) * _SECONDS[unit]

"""What the columns of a recorded file mean, as YAML; and the registry that goes with it."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.readings import MODELS, Kind, registers_of
from schemas.registry import Device, Registry, Site
from schemas.yaml_text import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

DECIMALS = 6
"""Values are sent with so many decimals."""


class Stamps(StrEnum):
    """Which end of a row's interval its time names."""

    END = "end"
    START = "start"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Grouping(_Model):
    """A file of runs whose time begins anew in each, as test benches write: run n began at `begins` + n · `every_s`."""

    column: str
    """Names the run; its first value is run 0, and each change begins the next."""
    every_s: Annotated[float, Field(gt=0)]


class TimeColumn(_Model):
    """How a row says when it was."""

    column: str
    format: str = "rfc3339"
    """`rfc3339`, `epoch_s`, `epoch_ms`, `elapsed_s` (seconds since `begins`), or a strptime pattern."""
    zone: str | None = None
    """IANA name, for times that carry no zone of their own."""
    stamps: Stamps = Stamps.END
    interval_s: Annotated[float, Field(gt=0)] | None = None
    """Length of the interval a row's increments stand for."""
    begins: dt.datetime | None = None
    group: Grouping | None = None
    thin_s: Annotated[float, Field(gt=0)] | None = None
    """Keep no row less than so long after the last one kept of its run."""

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        try:
            return zone and ZoneInfo(zone).key
        except ZoneInfoNotFoundError:
            msg = f"no time zone is called {zone!r}; write it like Asia/Shanghai"
            raise ValueError(msg) from None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        elapsed = self.format == "elapsed_s"
        if elapsed != (self.begins is not None) or (self.group is not None and not elapsed):
            msg = "format elapsed_s, and only that, goes with `begins` (and with `group`)"
            raise ValueError(msg)
        if self.begins is not None and self.begins.tzinfo is None:
            msg = "`begins` needs a time zone, for example 2008-04-02T13:00:00Z"
            raise ValueError(msg)
        if self.stamps is Stamps.START and self.interval_s is None:
            msg = "`stamps: start` needs `interval_s`: a register shows an interval's increment at its end"
            raise ValueError(msg)
        return self


class FieldSource(_Model):
    """Where a field's value comes from: value = column · factor + offset."""

    column: str | list[str]
    """One column; a list of them for a field that is a list (cell voltages, phases)."""
    factor: float = 1.0
    offset: float = 0.0
    increments: bool = False
    """The column holds what each interval added; the field is a register, built up from `start`."""
    start: Annotated[float, Field(ge=0)] = 0.0
    values: dict[str, bool | float | str] = {}
    """Meaning of the column's words, where it holds words: {"1": true}."""

    @property
    def columns(self) -> list[str]:
        """All columns it reads."""
        return self.column if isinstance(self.column, list) else [self.column]


class DeviceMapping(_Model):
    """A device, as it will be registered, and the columns that are its fields."""

    device: Device
    fields: Annotated[dict[str, FieldSource], Field(min_length=1)]
    where: dict[str, str] = {}
    """Only rows with these values, for a file that holds several devices one below the other."""

    @model_validator(mode="after")
    def _fields_exist(self) -> Self:
        kind = self.device.kind
        types, registers = field_types(kind), registers_of(kind)
        for name, source in self.fields.items():
            if name not in types:
                msg = f"{kind} has no field {name}; it has {', '.join(types)}"
                raise ValueError(msg)
            if isinstance(source.column, list) != (types[name] == "array"):
                msg = f"{name} takes {'a list of columns' if types[name] == 'array' else 'one column'}"
                raise ValueError(msg)
            if source.increments and name not in registers:
                msg = f"{name} is no register, so it cannot be built from increments; {kind} has {', '.join(registers)}"
                raise ValueError(msg)
        return self

    @property
    def columns(self) -> set[str]:
        """All columns it reads."""
        return {column for source in self.fields.values() for column in source.columns} | set(self.where)


class Mapping(_Model):
    """A whole mapping file."""

    sites: Annotated[list[Site], Field(min_length=1)]
    time: TimeColumn
    devices: Annotated[list[DeviceMapping], Field(min_length=1)]
    missing: list[str] = ["", "NA", "NaN", "nan", "null"]
    """What stands in a cell that holds no value."""
    delimiter: str = ","

    @model_validator(mode="after")
    def _registry_holds(self) -> Self:
        self.registry()
        return self

    @property
    def columns(self) -> set[str]:
        """All columns it reads."""
        group = {self.time.group.column} if self.time.group is not None else set()
        return {self.time.column, *group, *(column for device in self.devices for column in device.columns)}

    def registry(self) -> Registry:
        """Sites and devices, for `fenhe registry import`."""
        return Registry(sites=self.sites, devices=[item.device for item in self.devices])


@cache
def field_types(kind: Kind) -> dict[str, str]:
    """JSON type (number, integer, string, boolean, array) of each field that a mapping may fill, of a kind."""
    common = {"ts", "site_id", "device_id", "kind"}
    types: dict[str, str] = {}
    for name, schema in MODELS[kind].model_json_schema()["properties"].items():
        if name not in common:
            options = [schema, *schema.get("anyOf", [])]
            types[name] = next((option["type"] for option in options if "type" in option), "string")
    return types


def read_mapping(path: Path) -> Mapping:
    """Read a mapping. Raises ValueError that says what is wrong with it (pydantic's or YAML's)."""
    try:
        document = read_yaml(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        msg = f"{path} is not YAML: {error}"
        raise ValueError(msg) from error
    return Mapping.model_validate(document)

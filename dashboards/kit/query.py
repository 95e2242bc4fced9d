"""A panel's query, as Grafana's PostgreSQL data source takes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import dashboard as model

DATA_SOURCE_UID = "fenhe-reader"
DATA_SOURCE = model.DataSourceRef(type_val="grafana-postgresql-datasource", uid=DATA_SOURCE_UID)
SHORTEST_INTERVAL = "1m"
"""Derived windows end on whole minutes: a finer `$__interval` would ask for moments that do not exist."""


class Format(StrEnum):
    """How Grafana reads a query's rows."""

    TABLE = "table"
    TIME_SERIES = "time_series"


@dataclass(frozen=True, slots=True)
class SqlQuery(Builder[Dataquery], Dataquery):
    """Grafana's PostgreSQL query: the SDK has no type for it."""

    sql: str
    format: Format

    def build(self) -> Self:
        """Return itself: there is nothing to assemble."""
        return self

    def to_json(self) -> dict[str, object]:
        """Return Grafana's JSON of the target."""
        return {
            "refId": "A",
            "datasource": DATA_SOURCE,
            "editorMode": "code",
            "format": self.format.value,
            "rawQuery": True,
            "rawSql": self.sql,
        }

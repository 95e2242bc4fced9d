"""Who is told of which alarms, how, and in which language: the notifier's file."""

from __future__ import annotations

import datetime as dt
import os
import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.metrics.signal import Severity
from schemas.words import Language


class What(StrEnum):
    """What is told of an alarm."""

    RAISED = "raised"
    RETURNED = "returned"
    AMENDED = "amended"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class QuietHours(_Model):
    """A time of the day, China Standard Time, in which only what is urgent is sent; the rest waits for its end."""

    start: dt.time
    end: dt.time


_VARIABLE = re.compile(r"\$\{(\w+)\}")


class Channel(_Model):
    """Somewhere messages go."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    url: str
    """As Apprise writes it: dingtalk://secret@token, wecombot://key, feishu://token, mailto://…, json://…; secrets as
    ${VARIABLE} of the environment."""
    language: Language = Language.ZH
    quiet: QuietHours | None = None
    per_10_min: Annotated[int, Field(ge=1)] = 10
    """Messages before the rest becomes one digest (EEMUA 191: more than 10 alarms in 10 minutes are a flood)."""

    @property
    def address(self) -> str:
        """The url with its secrets; empty where a variable is not set."""
        missing = [name for name in _VARIABLE.findall(self.url) if not os.environ.get(name)]
        return "" if missing else _VARIABLE.sub(lambda found: os.environ[found[1]], self.url)


class Route(_Model):
    """Which alarms go to which channels; every route that fits counts."""

    channels: Annotated[list[str], Field(min_length=1)]
    sites: list[str] = ["*"]
    """Patterns of site ids, as a shell's."""
    regions: list[str] = ["*"]
    kinds: list[str] = ["*"]
    from_severity: Severity = Severity.LOW
    what: list[What] = list(What)


class Routing(_Model):
    """The whole file."""

    channels: list[Channel]
    routes: list[Route]
    group_wait_s: Annotated[float, Field(ge=0)] = 20.0
    """An alarm waits so long for others of its group; urgent ones do not. (unsourced)"""

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [channel.name for channel in self.channels]
        if len(set(names)) != len(names):
            msg = "a channel's name stands twice"
            raise ValueError(msg)
        for route in self.routes:
            for name in route.channels:
                if name not in names:
                    msg = f"a route names channel {name}, which is not there"
                    raise ValueError(msg)
        return self

"""How old the data on a page are, in a sentence: said before any number, on top of every page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from dashboards.parts.data_state import LIVE_S, NEWEST, STALE_S
from dashboards.preview.macros import Query
from schemas.words import Text

AGE = Query(NEWEST, {})
"""How far the data are."""


class Tone(StrEnum):
    """What colour the sentence has."""

    LIVE = "live"
    BEHIND = "behind"
    STOPPED = "stopped"
    EMPTY = "empty"


class Look(NamedTuple):
    """One look at how far the data are; seconds since the epoch."""

    at_s: float
    data_to_s: float | None
    stored_to_s: float | None

    @property
    def lag_s(self) -> float | None:
        """How far behind the data are; None where nothing has come yet."""
        if self.data_to_s is None or self.stored_to_s is None:
            return None
        return max(0.0, self.at_s - min(self.data_to_s, self.stored_to_s))


@dataclass(frozen=True, slots=True)
class DataState:
    """What is said on top of a page."""

    level: Tone
    text: Text

    @property
    def is_stale(self) -> bool:
        """Whether figures are not to be taken for those of now."""
        return self.level in {Tone.STOPPED, Tone.EMPTY}


def state_of(before: Look | None, now: Look, zone: dt.tzinfo) -> DataState:
    """Say how old the data are; an earlier look tells whether the worker catches up, and when it will have."""
    lag_s = now.lag_s
    if lag_s is None:
        return DataState(Tone.EMPTY, Text("还没有收到任何数据。", "No data have come in yet."))
    data_to = dt.datetime.fromtimestamp(now.at_s - lag_s, zone)  # what is newer is not all there yet
    is_today = data_to.date() == dt.datetime.fromtimestamp(now.at_s, zone).date()
    clock = data_to.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M")
    if lag_s <= LIVE_S:
        return DataState(Tone.LIVE, Text(f"实时 · 数据至 {clock}", f"live · data to {clock}"))
    level = Tone.BEHIND if lag_s <= STALE_S else Tone.STOPPED
    behind = _length(lag_s)
    zh, en = f"数据至 {clock}，落后{behind.zh}", f"Data to {clock}, {behind.en} behind"
    left_s = _left_s(before, now)
    if left_s is not None:
        left = _length(left_s)
        text = Text(f"{zh}；正在追赶，约{left.zh}后恢复实时。", f"{en}; catching up, live in about {left.en}.")
        return DataState(level, text)
    if before is None or level is Tone.BEHIND:
        return DataState(level, Text(f"{zh}。", f"{en}."))
    return DataState(
        level,
        Text(
            f"{zh}，且没有前进：采集器、Kafka 或流处理可能已停，以下数字不是现在的。",
            f"{en} and not moving: collector, Kafka or worker may have stopped. These figures are not of now.",
        ),
    )


def _left_s(before: Look | None, now: Look) -> float | None:
    """Seconds until the data are live, at the pace since an earlier look; None where the lag does not shrink."""
    if before is None or before.lag_s is None or now.lag_s is None or now.at_s <= before.at_s:
        return None
    pace = (before.lag_s - now.lag_s) / (now.at_s - before.at_s)
    return now.lag_s / pace if pace > 0.05 else None  # noqa: PLR2004 - slower than that is standing still


def _length(seconds: float) -> Text:
    """Write a length of time as a person says it."""
    for size, zh, en in ((86_400, "天", "days"), (3_600, "小时", "h"), (60, "分钟", "min")):
        if seconds >= size:
            amount = seconds / size
            shown = f"{amount:.1f}" if amount < 10 and size > 60 else f"{amount:.0f}"  # noqa: PLR2004 - two digits
            return Text(f" {shown} {zh}", f"{shown} {en}")
    return Text(f" {seconds:.0f} 秒", f"{seconds:.0f} s")

"""Battery passport 电池护照: all that is known of one set, to hand over with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit.dashboard import Definition, Related
from dashboards.parts import alarm_lists, books, passport
from dashboards.parts.battery_sets import ONE_SET
from dashboards.words import passport as words
from dashboards.words.battery import BATTERY_SET
from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.kit.panels import Panel


def _panels(language: Language) -> Sequence[Panel]:
    return [
        passport.identity(language),
        passport.health(language),
        passport.use(language),
        passport.temperatures(language),
        passport.estimates(language),
        passport.alarms(language),
        *books.row(language),
    ]


DASHBOARD = Definition(
    slug="battery-passport",
    title=words.PASSPORT,
    description=Text(
        "一组电池的身份、健康与证据、使用与温度经历、告警与建议。",
        "One set's identity, health with its evidence, use, temperatures, alarms and advice.",
    ),
    refresh="1m",
    range_from="now-365d",
    variables=[ONE_SET],
    related=[Related("battery-set", BATTERY_SET)],
    panels=_panels,
    annotations=[alarm_lists.marks(f"a.device_id = {passport.SET}")],
)

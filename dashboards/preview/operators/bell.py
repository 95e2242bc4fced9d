"""How many alarms wait for somebody, on every page: at the link to them and in the browser's tab, with a sound at will.

The browser (`bell.js`) shows what it is told here, and sounds when an alarm is put before operators that was not there
when it last looked.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from nicegui import ui

from dashboards.preview.access.accounts import SignedOutError
from dashboards.preview.macros import Query
from dashboards.preview.reader import AwayError, QueryError
from dashboards.words import alarm as labels_alarm
from schemas.alarms import AlarmState

if TYPE_CHECKING:
    from dashboards.preview.reader import Source
    from schemas.words import Language

LOOK_S = 10.0

WAITING = Query(
    f"""
SELECT count(*)::int AS waiting, coalesce(max(shown.id), 0)::bigint AS newest
FROM alarm a
LEFT JOIN LATERAL (
    SELECT t.id FROM alarm_transition t WHERE t.alarm_id = a.alarm_id AND t.presented ORDER BY t.id DESC LIMIT 1
) shown ON true
WHERE a.state IN ('{AlarmState.ACTIVE_UNACKNOWLEDGED}', '{AlarmState.RETURNED_UNACKNOWLEDGED}')
""",  # noqa: S608 - words of ours
    {},
)
"""How many nobody has acknowledged, over or not, and which time of putting one before operators was the last."""


class Bell:
    """The count of one open page, and the switch of its sound."""

    def __init__(self, reader: Source, language: Language) -> None:
        self._reader = reader
        self._language = language
        self._shown = ""

    def build_switch(self) -> None:
        """Put the switch into the page's bar; the browser remembers how it stands."""
        title = escape(labels_alarm.SOUND(self._language))
        waits = escape(labels_alarm.SOUND_WAITS(self._language))
        click = escape(labels_alarm.CLICK_TO_RING(self._language))
        ui.html(
            f'<button class="chip bell" aria-pressed="false" title="{title}" aria-label="♪ {title}"'
            f' data-title="{title}" data-waits="{waits}">♪<span class="bell-waits">{click}</span></button>',
            sanitize=False,
        ).classes("bell-box")

    def watch(self) -> None:
        """Count now, and every ten seconds for as long as the page is open."""
        ui.timer(LOOK_S, self._look)

    async def _look(self) -> None:
        try:
            ((waiting, newest),) = (await self._reader.fetch(WAITING)).rows
        except (AwayError, QueryError):
            waiting = newest = "null"  # not known is not none
        except SignedOutError:
            return  # the page itself leads to the sign-in
        shown = f"{waiting}, {newest}"
        if shown != self._shown:
            self._shown = shown
            ui.run_javascript(f"alarmsWaiting({shown})")

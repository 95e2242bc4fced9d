"""One alarm in the preview: its evidence, all that happened to it, and the operator's hand on it.

What an operator does goes through the functions of migration 0031 as the operator's role. They ask for a name and a
reason, and refuse what the table of rules does not allow; what they refuse is said here in their own words.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from nicegui import ui

from dashboards.kit.panels import TIME_ZONE
from dashboards.parts.alarm_lists import SEVERITY_WORDS, STATE_WORDS
from dashboards.preview.access.accounts import AccountRole, SignedOutError
from dashboards.preview.drawing import Canvas
from dashboards.preview.figures.alarm_chart import ChartSpan, ChartValue, chart, query_of, span_of
from dashboards.preview.macros import TimeRange
from dashboards.preview.operators.acting import OperatorPage
from dashboards.preview.operators.alarm_figures import band, detector, earlier, evidence, figure, moment, unit
from dashboards.words import alarm as labels_alarm
from dashboards.words import labels, sign_in
from schemas.alarms import AlarmState
from schemas.readings import Kind
from schemas.words import Text
from schemas.words.alarm_reasons import SEEN, reason, refusal
from schemas.words.alarms import GUIDES
from storage.alarm_tables import operator
from storage.pool import connect
from storage.statements import trusted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from psycopg import Connection

    from dashboards.kit.fields import Word
    from dashboards.preview.access.accounts import Account, SignedIn
    from dashboards.preview.operators.acting import Hand
    from dashboards.preview.operators.bell import Bell
    from dashboards.preview.view import View

    _Find = Callable[[Connection, Mapping[str, Any]], list[dict[str, Any]]]


REFRESH_S = 10.0

AROUND_MS = 6 * 3_600_000
"""How much before and after its onset the link to its device shows."""

SHELVE_H = 8


class _Action(NamedTuple):
    """What an operator may do, and the event of the table of rules that allows it."""

    event: str
    function: str
    text: Text
    only_in: AlarmState | None = None


ACTIONS = (
    _Action("acknowledge", "alarm_acknowledge", labels_alarm.ACKNOWLEDGE),
    _Action("shelve", "alarm_shelve", labels_alarm.SHELVE),
    _Action("resume_active", "alarm_unshelve", labels_alarm.UNSHELVE, AlarmState.SHELVED),
    _Action("close", "alarm_close", labels_alarm.CLOSE),
    _Action("comment", "alarm_comment", labels_alarm.COMMENT),
)


class AlarmPage(OperatorPage):
    """An alarm, open in one browser."""

    def __init__(self, alarm_id: str, hand: Hand, view: View, bell: Bell, session: SignedIn | None = None) -> None:
        super().__init__(hand, view, bell, session)
        self._alarm_id = alarm_id
        self._buttons: dict[str, ui.button] = {}
        self._earlier: list[dict[str, Any]] | None = None
        """Past alarms of its kind; None until they are read, once."""

    def build(self) -> None:
        """Put the elements on the page and keep them fresh."""
        with self._bar(self._view.address):
            pass
        with ui.element("main").classes("sheet"):
            self._facts = ui.html("", sanitize=False)
            self._chart = ui.echart({}).classes("alarm-chart").props("role=img")
            self._chart.visible = False
            account = self._account()
            if self._may_act(account):
                self._build_form(account)
            self._others = ui.html("", sanitize=False)
            self._past = ui.html("", sanitize=False)
        ui.timer(REFRESH_S, self._refresh)

    def _build_form(self, account: Account | None) -> None:
        dark = "dark" if self._view.theme == "dark" else ""
        with ui.element("form").classes("hand").props('onsubmit="return false"'):
            self._user = self._name_input(account, f"dense outlined {dark}")
            self._reason = (
                ui.input(self._text(labels_alarm.REASON)).props(f"dense outlined {dark}").classes("is-reason")
            )
            self._hours = ui.number(self._text(labels_alarm.HOURS), value=SHELVE_H, min=0).props(
                f"dense outlined {dark} data-field=hours"
            )
            self._also = ui.checkbox(self._text(labels_alarm.WITH_COMPANIONS)).props("dense")
            self._alike = ui.checkbox(self._text(labels_alarm.WITH_ALIKE)).props("dense")
            for action in ACTIONS:
                self._buttons[action.event] = ui.button(
                    self._text(action.text), on_click=lambda _, action=action: self._act(action)
                ).props(f"outline no-caps data-action={action.event}")

    @property
    def _reaches(self) -> tuple[tuple[ui.checkbox, _Find], ...]:
        """What an act may reach beside this alarm, and how that is found."""
        account = self._account()
        within = None if account is None else account.bounds
        return (self._also, operator.companions), (self._alike, partial(operator.alike, within=within))

    async def _act(self, action: _Action) -> None:
        """Do it, and say what came of it."""
        try:
            account = self._account()
        except SignedOutError:
            self._leave()
            return
        if account is not None and account.role is not AccountRole.OPERATOR:
            self._refuse(self._text(sign_in.ONLY_VIEWER))
            return
        # What stands in the box of somebody signed in is for the eye; a browser could send any other.
        user = self._user.value or "" if account is None else account.name
        # Whoever acknowledges has seen it, and need not say so.
        seen = SEEN if action.event == "acknowledge" else ""
        given = [user, self._reason.value or seen]
        arguments = [self._hours.value, *given] if action.event == "shelve" else given
        wanted = [find for box, find in self._reaches if box.visible and box.value]
        within = None if account is None else account.bounds
        try:
            await asyncio.to_thread(self._call, action, arguments, wanted, within)
        except psycopg.Error as error:
            said = refusal(error.diag.message_primary or "", self._view.language)
            self._refuse(said or self._text(labels.DATABASE_AWAY))
            return
        self._refused = ""
        self._reason.value = ""
        for box, _ in self._reaches:
            box.value = False
        if account is None:
            self._remember(user)
        await self._refresh()

    def _call(
        self,
        action: _Action,
        arguments: Sequence[object],
        wanted: Sequence[_Find],
        within: operator.VisibleSites | None,
    ) -> None:
        """Do it to this alarm, and to all others that are wanted and that the rules allow it to."""
        assert self._hand.operator_url is not None  # noqa: S101 - there are no buttons then
        with connect(self._hand.operator_url, name="preview", autocommit=True) as connection:
            alarm = operator.history(connection, self._alarm_id, within).alarm
            others = {each["alarm_id"]: each["state"] for find in wanted for each in find(connection, alarm)}
            operator.call(connection, action.function, self._alarm_id, *arguments)
            for alarm_id, state in others.items():
                if action.event in operator.possible(connection, state):
                    operator.call(connection, action.function, alarm_id, *arguments)

    async def _refresh(self) -> None:
        try:
            account = self._account()
            found = await asyncio.to_thread(self._load, None if account is None else account.bounds)
        except SignedOutError:
            self._leave()
            return
        except LookupError:
            self._say(self._text(labels_alarm.NO_SUCH_ALARM))
            return
        except psycopg.Error:
            self._say(self._text(labels.DATABASE_AWAY))
            return
        self._say(self._refused)
        self._facts.content = self._facts_of(found)
        self._past.content = self._past_of(found.history.transitions)
        self._others.content = self._others_of(found.others) + earlier(found.earlier, self._view)
        self._draw(found)
        for action in ACTIONS if self._buttons else ():
            here = action.only_in in {None, found.history.alarm["state"]}
            self._buttons[action.event].visible = here and action.event in found.possible
        if self._buttons:
            self._hours.visible = "shelve" in found.possible
            self._also.visible = bool(found.others)
            self._alike.visible = found.alike > 0
            self._alike.text = f"{self._text(labels_alarm.WITH_ALIKE)} ({found.alike})"

    def _load(self, within: operator.VisibleSites | None) -> _Found:
        with connect(self._hand.reader_url, name="preview", autocommit=True) as connection:
            history = operator.history(connection, self._alarm_id, within)
            device = operator.device_of(connection, history.alarm["device_id"])
            others = operator.companions(connection, history.alarm)
            span = span_of(history.alarm, dt.datetime.now(dt.UTC))
            query = query_of(history.alarm, span)
            seen = (
                None
                if query is None
                else [ChartValue(*row) for row in connection.execute(trusted(query.sql), query.parameters)]
            )
            site = operator.site_of(connection, history.alarm["site_id"])
            alike = operator.alike_count(connection, history.alarm, within)
            possible = operator.possible(connection, history.alarm["state"])
            if self._earlier is None:  # of the past: it does not change while one looks
                self._earlier = operator.earlier(connection, history.alarm, within)
            return _Found(history, possible, device, site, others, self._earlier, alike, span, seen)

    def _draw(self, found: _Found) -> None:
        """Draw the value over time, where it is stored and there is any."""
        self._chart.visible = bool(found.seen)
        if not found.seen:
            return
        colors, zone = self._view.theme.colors, TIME_ZONE
        canvas = Canvas(colors, self._view.language, zone, TimeRange(*found.span), self._view)
        options = chart(found.history.alarm, found.seen, canvas, unit(found.history.alarm["unit"]))
        if options != self._chart.options:
            self._chart.options.clear()
            self._chart.options.update(options)
            self._chart.update()

    def _others_of(self, others: Sequence[Mapping[str, Any]]) -> str:
        """List what else stands at the same device."""
        language = self._view.language
        links = "".join(
            f"<li>{self._word(SEVERITY_WORDS, each['severity'])} · "
            f'<a class="link" href="{escape(self._view.alarm(each["alarm_id"]))}">'
            f"{escape(GUIDES[each['kind']].name(language))}</a> · {moment(each['event_at'])}</li>"
            for each in others
        )
        return f"<h2>{escape(self._text(labels_alarm.COMPANIONS))}</h2><ul>{links}</ul>" if links else ""

    def _facts_of(self, found: _Found) -> str:
        """Everything known of the alarm, what is not known left out."""
        alarm, language = found.history.alarm, self._view.language
        guide = GUIDES[alarm["kind"]]
        names = found.device
        device = Text(names.zh, names.en)(language) if names else self._text(labels.WHOLE_SITE)
        at = found.site
        site = Text(at.zh, at.en)(language) if at else alarm["site_id"]
        title = f"{self._word(SEVERITY_WORDS, alarm['severity'])} · {escape(guide.name(language))}"
        in_unit = unit(alarm["unit"])
        facts: list[tuple[Text, str]] = [
            *((heading, escape(text(language))) for heading, text in guide.parts),
            (labels_alarm.STATE_COLUMN, self._word(STATE_WORDS, alarm["state"])),
            (labels_alarm.SITE, f"{escape(site)}<small> {escape(alarm['site_id'])}</small>"),
            (labels_alarm.DEVICE, f"{escape(device)}<small> {escape(alarm['device_id'])}</small>"),
            (labels_alarm.SINCE, moment(alarm["event_at"])),
            (labels_alarm.DETECTED, moment(alarm["detected_at"])),
            (labels_alarm.CLEARED, moment(alarm["cleared_at"])),
            (labels_alarm.SHELVED_UNTIL, moment(alarm["shelved_until"])),
            (labels_alarm.VALUE, figure(alarm["value"], in_unit)),
            (labels_alarm.EXPECTED, figure(alarm["baseline"], in_unit)),
            (labels_alarm.BAND, band(alarm["low"], alarm["high"], in_unit)),
            (labels_alarm.COST, figure(alarm["cost"], unit(alarm["cost_unit"]))),
            (labels_alarm.EVIDENCE, evidence(alarm["evidence"], language)),
            (labels_alarm.DETECTOR, detector(alarm["detector"], language)),
        ]
        rows = "".join(f"<dt>{escape(text(language))}</dt><dd>{value}</dd>" for text, value in facts if value)
        link = self._link(found)
        more = (
            f'<a class="chip" href="{escape(link)}">{escape(self._text(labels_alarm.AT_THAT_TIME))}</a>' if link else ""
        )
        return f"<h1>{title}</h1><dl>{rows}</dl>{more}"

    def _word(self, words: Mapping[str, Word], value: str) -> str:
        word = words[value]
        color = self._view.theme.colors.ink(word.color)
        return f'<span style="color:{color}">{escape(word.text(self._view.language))}</span>'

    def _link(self, found: _Found) -> str:
        """The device's own dashboard around the time of the alarm."""
        alarm = found.history.alarm
        if found.device is not None and found.device.kind is Kind.BATTERY:
            slug, variables = "battery-set", {"set": alarm["device_id"]}
        elif found.site is not None and not found.site.is_base_station:
            slug, variables = "plant-energy", {"site": alarm["site_id"]}
            if found.device is not None:
                slug, variables = "meter", {"site": alarm["site_id"], "meter": alarm["device_id"]}
        else:
            return ""
        first_ts, last_ts = (alarm["event_at"] + side * AROUND_MS for side in (-1, 1))
        view = replace(self._view, slug=slug, variables=variables)
        return replace(view, range_from=str(first_ts), range_to=str(last_ts)).address

    def _past_of(self, transitions: Sequence[Mapping[str, Any]]) -> str:
        language = self._view.language
        names = (
            labels_alarm.AT,
            labels_alarm.EVENT,
            labels_alarm.STATE_COLUMN,
            labels_alarm.ACTOR,
            labels_alarm.REASON,
        )
        head = "".join(f'<th class="t">{escape(name(language))}</th>' for name in names)
        body = "".join(
            f'<tr><td class="t">{moment(item["at"])}</td>'
            f'<td class="t">{escape(labels_alarm.EVENTS[item["event"]](language))}</td>'
            f'<td class="t">{self._word(STATE_WORDS, item["to_state"])}</td>'
            f'<td class="t">{escape(item["actor"])}</td>'
            f'<td class="t">{escape(reason(item["reason"], language))}</td></tr>'
            for item in reversed(transitions)
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class _Found(NamedTuple):
    history: operator.History
    possible: set[str]
    device: operator.Named | None
    site: operator.NamedSite | None
    others: Sequence[Mapping[str, Any]]
    earlier: Sequence[Mapping[str, Any]]
    alike: int
    """How many others of its kind stand elsewhere."""
    span: ChartSpan
    seen: Sequence[ChartValue] | None

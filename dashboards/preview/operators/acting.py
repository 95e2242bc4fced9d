"""What pages share that an operator acts on: whose browser it is, and what was refused, until it is clicked away."""

from __future__ import annotations

import json
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from nicegui import ui

from dashboards.preview.access.accounts import AccountRole
from dashboards.preview.access.sign_in import sign_out_form
from dashboards.words import alarm as labels_alarm
from dashboards.words import sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.preview.access.accounts import Account, SignedIn
    from dashboards.preview.operators.bell import Bell
    from dashboards.preview.view import View
    from schemas.words import Text


USER_KEY = "fenhe-user"
"""Where the browser remembers who is at it."""


class Hand(NamedTuple):
    """With whose rights the page reads and acts."""

    reader_url: str
    operator_url: str | None
    """None: the page only shows."""


class OperatorPage:
    """A page open in one browser; `view` says language and theme, and where to go back to."""

    def __init__(self, hand: Hand, view: View, bell: Bell, session: SignedIn | None = None) -> None:
        self._hand = hand
        self._view = view
        self._bell = bell
        self._session = session
        """Whose page it is; None where nobody signs in, and everybody gives a name."""
        self._refused = ""
        """What was refused, said until somebody clicks it away or does something that is not refused."""

    def _text(self, text: Text) -> str:
        return text(self._view.language)

    def _account(self) -> Account | None:
        """Who is signed in, as the accounts stand now; None where nobody signs in. Raises SignedOutError."""
        return None if self._session is None else self._session.account()

    @contextmanager
    def _bar(self, back: str) -> Iterator[None]:
        """Build the bar, with a link back to the alarms and what the block adds, and below it what is refused."""
        with ui.element("header").classes("bar"), ui.element("div").classes("bar-line"):
            ui.html("fenhe<small>汾河</small>", sanitize=False, tag="div").classes("brand")
            with ui.element("nav").classes("nav"):
                ui.link(f"← {self._text(labels_alarm.ALARMS)}", back)
            yield
            self._bell.build_switch()
            account = self._account()
            if account is not None:
                ui.element("div").classes("spring")
                ui.html(sign_out_form(account.name, self._view.language), sanitize=False)
        self._bell.watch()
        self._banner = ui.html("", sanitize=False).classes("banner")
        self._banner.visible = False
        self._banner.on("click", self._dismiss)

    def _may_act(self, account: Account | None) -> bool:
        """Whether somebody may act here; where not, the page says why."""
        if self._hand.operator_url is None:
            ui.label(self._text(labels_alarm.ONLY_SHOWN)).classes("empty")
            return False
        if account is not None and account.role is not AccountRole.OPERATOR:
            ui.label(self._text(sign_in.ONLY_VIEWER)).classes("empty")
            return False
        return True

    def _name_input(self, account: Account | None, look: str) -> ui.input:
        """Who acts: a name to be given, or that of the account."""
        user = ui.input(self._text(sign_in.ACTS_AS if account else labels_alarm.YOUR_NAME))
        user.props(look).classes("is-user")
        if account:
            user.value = account.name
            user.props("readonly")
        else:
            ui.timer(0.0, lambda: self._recall(user), once=True)
        return user

    async def _recall(self, user: ui.input) -> None:
        """Give the name that the browser remembers."""
        try:
            known = await ui.run_javascript(f"localStorage.getItem({json.dumps(USER_KEY)})")
        except TimeoutError:
            return  # the browser has left, or is too busy to say
        if known and not user.value:
            user.value = str(known)

    def _remember(self, user: str) -> None:
        ui.run_javascript(f"localStorage.setItem({json.dumps(USER_KEY)}, {json.dumps(user)})")

    def _refuse(self, why: str) -> None:
        self._refused = why
        self._say(why)

    def _say(self, text: str) -> None:
        self._banner.content = escape(text)
        self._banner.visible = bool(text)

    def _dismiss(self) -> None:
        self._refuse("")

    def _leave(self) -> None:
        """Go to the sign-in page, and back from there."""
        self._banner.client.run_javascript("location.reload()")

"""The control of a variable that has thousands of values: what the page shows stands in it until another is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit.dashboard import ALL
from dashboards.preview.pick import MOST, Choice, Pick, meant

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dashboards.preview.macros import Scope
    from dashboards.preview.model import Variable
    from dashboards.preview.reader import Source
    from schemas.words import Language

LEFT = "event => { if (!event.currentTarget.contains(event.relatedTarget)) emit(); }"
"""The focus went elsewhere than from the box into its list or back."""


async def found(reader: Source, variable: Variable, scope: Scope, typed: str) -> list[Choice]:
    """Look up a variable's values by what is typed. Raises AwayError, QueryError and SignedOutError."""
    rows = await reader.fetch(scope.bind(variable.sql, search=typed))
    value, text = rows.columns.index("__value"), rows.columns.index("__text")
    return nearest([Choice(str(row[value]), str(row[text])) for row in rows.rows], typed)


def nearest(choices: list[Choice], typed: str) -> list[Choice]:
    """The few that are offered: what is typed in full first, then what begins with it; all values are asked for last.

    Where nothing is typed the order is the query's.
    """
    if not typed:
        return choices[:MOST]
    wanted = typed.casefold()

    def distance(choice: Choice) -> tuple[bool, bool, bool]:
        words = (choice.value.casefold(), choice.shown.casefold())
        return choice.value == ALL, wanted not in words, not any(word.startswith(wanted) for word in words)

    return sorted(choices, key=distance)[:MOST]


class VariablePick(Pick):
    """The box; `chosen` is told the value of each choice."""

    def __init__(
        self, find: Callable[[str], Awaitable[list[Choice]]], language: Language, chosen: Callable[[str], None]
    ) -> None:
        super().__init__(find, language)
        self._tell = chosen
        self._settling = 0
        """Enters that are being looked up: whoever goes away meanwhile has chosen."""

    def build_control(self, name: str, label: str, look: str) -> None:
        """Put it into the bar, as the control of the variable of that name."""
        whole = self.build(label, look).props(f"data-variable={name}")
        whole.on("focusout", self._left, js_handler=LEFT)
        self._box.props(f'aria-label="{label}"').on("focus", js_handler="event => event.target.select()")

    def show(self, choice: Choice) -> None:
        """Have what the page shows stand in the box; what is being typed stays."""
        if choice != self._chosen:
            super().choose(choice)

    def choose(self, choice: Choice | None) -> None:
        """Put one into the box, and tell it."""
        super().choose(choice)
        if choice is not None:
            self._tell(choice.value)

    async def _settle(self) -> None:
        """An Enter takes what is typed in full, else the first that was found: it is seen at once, and undone."""
        typed = self._text
        if not typed or (self._chosen is not None and typed == self._chosen.shown):
            return
        self._settling += 1
        try:
            offered = await self._find(typed)
        finally:
            self._settling -= 1
        if typed == self._text and offered:
            self.choose(meant(typed, offered) or offered[0])

    def _left(self) -> None:
        """Whoever goes away without a choice finds in the box again what the page shows."""
        if self._chosen is not None and not self._settling:
            super().choose(self._chosen)

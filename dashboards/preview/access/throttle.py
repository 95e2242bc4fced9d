"""Guessing a password takes ever longer, counted by name: an address can be a proxy's, and anybody can name another."""

from __future__ import annotations

from typing import NamedTuple

FREE = 5
"""Wrong passwords before one has to wait."""
LONGEST_S = 300.0
"""Longest wait between two guesses at one name: some 290 guesses a day."""
FORGOTTEN_S = 3600.0
"""Without a wrong password for so long, a name begins anew."""
MOST_NAMES = 10_000
"""Names that are remembered; made-up ones shall not fill the memory."""


class _Wrong(NamedTuple):
    guesses: int
    last_s: float


class Throttle:
    """Wrong passwords by name; `now_s` is any clock that only goes forward, in seconds."""

    def __init__(self) -> None:
        self._wrong: dict[str, _Wrong] = {}

    def wait_s(self, name: str, now_s: float) -> float:
        """How long a guess at this name still has to wait; 0: not at all."""
        wrong = self._of(name, now_s)
        if wrong.guesses < FREE:
            return 0.0
        pause_s = min(LONGEST_S, 2.0 ** (wrong.guesses - FREE))
        return max(0.0, wrong.last_s + pause_s - now_s)

    def failed(self, name: str, now_s: float) -> None:
        """Count a wrong password."""
        self._wrong[name] = _Wrong(self._of(name, now_s).guesses + 1, now_s)
        if len(self._wrong) > MOST_NAMES:
            # Who has guessed least is forgotten first: made-up names have one guess each.
            least = min(self._wrong, key=lambda each: (self._wrong[each].guesses, self._wrong[each].last_s))
            del self._wrong[least]

    def succeeded(self, name: str) -> None:
        """Forget a name's wrong passwords."""
        self._wrong.pop(name, None)

    def _of(self, name: str, now_s: float) -> _Wrong:
        wrong = self._wrong.get(name, _Wrong(0, now_s))
        return wrong if now_s - wrong.last_s < FORGOTTEN_S else _Wrong(0, now_s)

"""What a replay of the quarantine sends again."""

from __future__ import annotations

import pytest

from fenhe.commands.small import can_be_sent
from schemas.kafka.quarantine import Reason
from storage.books.quarantine import WaitingItem


def item(reason: Reason) -> WaitingItem:
    """Something that waits."""
    return WaitingItem(1, 1_780_000_000_000, reason.value, "", "fenhe/v1/s/water/w", b"{}", 2)


@pytest.mark.parametrize("asked_for", [None, *Reason])
def test_what_was_ahead_of_its_arrival_does_not_become_true_by_waiting(asked_for: Reason | None) -> None:
    """Whoever asks, and however late."""
    assert not can_be_sent(item(Reason.CLOCK_AHEAD), asked_for)


def test_what_was_behind_is_sent_only_where_it_is_asked_for() -> None:
    """An operator who empties the quarantine does not load the year 2000."""
    assert not can_be_sent(item(Reason.CLOCK_BEHIND), None)
    assert can_be_sent(item(Reason.CLOCK_BEHIND), Reason.CLOCK_BEHIND)
    assert can_be_sent(item(Reason.UNKNOWN_DEVICE), None)

"""The notifier goes on after what passes by itself, and ends with what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import psycopg
import pytest
from psycopg import errors

from notify.service import Notifier
from schemas.notifications import Routing

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool


class FailingNotifier(Notifier):
    """Its database fails once, and then nothing waits."""

    def __init__(self, failure: psycopg.Error) -> None:
        super().__init__(cast("ConnectionPool", None), Routing(channels=[], routes=[]), lambda *_: None)
        self.failures = [failure]

    def plan(self) -> int:
        """Fail, or find nothing."""
        if self.failures:
            raise self.failures.pop()
        self.stopping.set()
        return 0

    def send_next(self) -> int:
        """Find nothing."""
        return 0


@pytest.mark.parametrize("failure", [errors.IdleInTransactionSessionTimeout(), errors.AdminShutdown()])
def test_a_notifier_that_was_paused_within_a_transaction_goes_on(failure: psycopg.Error) -> None:
    """PostgreSQL took it away; so it does when it shuts down."""
    notifier = FailingNotifier(failure)
    notifier.run()
    assert notifier.stopping.is_set()


def test_a_notifier_ends_with_what_no_other_try_would_mend() -> None:
    """A right that is missing; whoever starts it again sees why in its log."""
    with pytest.raises(errors.InsufficientPrivilege):
        FailingNotifier(errors.InsufficientPrivilege()).run()

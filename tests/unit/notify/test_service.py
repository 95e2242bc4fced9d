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


@pytest.mark.parametrize(
    "failure", [errors.IdleInTransactionSessionTimeout(), errors.AdminShutdown(), errors.OutOfMemory()]
)
def test_a_notifier_goes_on_after_what_passes_by_itself(failure: psycopg.Error) -> None:
    """It was paused within a transaction, PostgreSQL shut down, or others had all its memory."""
    notifier = FailingNotifier(failure)
    notifier.run()
    assert notifier.stopping.is_set()


def test_a_notifier_ends_with_what_no_other_try_would_mend() -> None:
    """A right that is missing; whoever starts it again sees why in its log."""
    with pytest.raises(errors.InsufficientPrivilege):
        FailingNotifier(errors.InsufficientPrivilege()).run()
